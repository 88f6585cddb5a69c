/* Addresses: text, socket addresses and endpoints say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>
#include "mesh/endpoint.h"

#define MAX 8

/* The only endpoint that the text stands for, as text again. */
static void
reads_as(const char *text, const char *expected)
{
	struct endpoint e[MAX];
	char out[ENDPOINT_TEXT_SIZE];
	unsigned n = 0;

	assert_int_equal(endpoint_resolve(text, 9777, e, MAX, &n), 0);
	assert_int_equal(n, 1);
	endpoint_text(&e[0], out);
	assert_string_equal(out, expected);
}

static void
test_text(void **state)
{
	struct endpoint none = {0};
	char out[ENDPOINT_TEXT_SIZE];

	(void)state;
	reads_as("10.0.0.1", "10.0.0.1:9777");
	reads_as("10.0.0.1:80", "10.0.0.1:80");
	reads_as("10.0.0.1:65535", "10.0.0.1:65535");
	reads_as("::1", "[::1]:9777");
	reads_as("[::1]", "[::1]:9777");
	reads_as("[2001:db8::7]:1234", "[2001:db8::7]:1234");
	reads_as("fe80::1%1", "[fe80::1%1]:9777");
	reads_as("[fe80::1%1]:5", "[fe80::1%1]:5");
	reads_as("::ffff:10.1.2.3", "10.1.2.3:9777");
	endpoint_text(&none, out);
	assert_string_equal(out, "nowhere");
}

static void
test_bad_text(void **state)
{
	static const char *const bad[] = {"", ":80", "10.0.0.1:", "10.0.0.1:0", "10.0.0.1:65536",
	        "10.0.0.1:x", "10.0.0.1:80x", "10.0.0.1: 80", "10.0.0.1:+80", "10.0.0.1:-80",
	        "10.0.0.1:-18446744073709551536", "10.0.0.1:18446744073709551696", "[::1",
	        "[::1]80", "[]:80", "[::1]:"};
	struct endpoint e[MAX];
	char longer[300];
	unsigned n = 7;

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (endpoint_resolve(bad[i], 9777, e, MAX, &n) != IM_ERR_FORMAT)
			fail_msg("'%s' is taken", bad[i]);
	memset(longer, 'a', sizeof longer);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(endpoint_resolve(longer, 9777, e, MAX, &n), IM_ERR_FORMAT);
	assert_int_equal(endpoint_resolve("1.2.3.4.5.6", 9777, e, MAX, &n), IM_ERR_ABSENT);
	assert_int_equal(endpoint_resolve("::1", 9777, e, 0, &n), IM_ERR_ABSENT);
	assert_int_equal(n, 7);
}

static void
same(const char *text, bool mapped, socklen_t len, int family)
{
	struct endpoint e[MAX], again;
	struct sockaddr_storage sa;
	unsigned n;

	assert_int_equal(endpoint_resolve(text, 9777, e, MAX, &n), 0);
	assert_int_equal(endpoint_to_sockaddr(&e[0], mapped, &sa), len);
	assert_int_equal(sa.ss_family, family);
	assert_int_equal(endpoint_from_sockaddr(&again, (struct sockaddr *)&sa), 0);
	assert_memory_equal(&again, &e[0], sizeof again);
}

static void
test_socket_addresses(void **state)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_scope_id = 3};
	struct endpoint e = {.len = 4};

	(void)state;
	same("10.1.2.3:80", false, sizeof(struct sockaddr_in), AF_INET);
	same("10.1.2.3:80", true, sizeof(struct sockaddr_in6), AF_INET6);
	same("[2001:db8::7]:80", true, sizeof(struct sockaddr_in6), AF_INET6);
	same("[fe80::7%1]:80", false, sizeof(struct sockaddr_in6), AF_INET6);
	assert_int_equal(endpoint_from_sockaddr(&e, (struct sockaddr *)&un), IM_ERR_UNSUPPORTED);
	assert_int_equal(e.len, 4);
	six.sin6_addr = in6addr_loopback;
	assert_int_equal(endpoint_from_sockaddr(&e, (struct sockaddr *)&six), 0);
	assert_int_equal(e.scope, 0); /* only a link-local address has one */
}

static struct endpoint
at(const char *text)
{
	struct endpoint e[MAX];
	unsigned n;

	assert_int_equal(endpoint_resolve(text, 9777, e, MAX, &n), 0);
	return e[0];
}

static void
test_same_host(void **state)
{
	struct endpoint a = at("10.0.0.1:80"), b = at("10.0.0.1:81"), c = at("10.0.0.2:80"),
	                d = at("::1"), e = at("fe80::1%1"), f = e;

	(void)state;
	assert_true(endpoint_same_host(&a, &b));
	assert_false(endpoint_same_host(&a, &c));
	assert_false(endpoint_same_host(&a, &d));
	assert_true(endpoint_same_host(&e, &f));
	f.scope = 2; /* another link: another machine */
	assert_false(endpoint_same_host(&e, &f));
}

/* What a peer sent never reaches a resolver. */
static void
test_parse_asks_nobody(void **state)
{
	struct endpoint e = {0}, untouched = {0};

	(void)state;
	assert_int_equal(endpoint_parse("localhost:80", 9777, &e), IM_ERR_ABSENT);
	assert_memory_equal(&e, &untouched, sizeof e);
	assert_int_equal(endpoint_parse("10.0.0.1:80", 9777, &e), 0);
	assert_int_equal(e.port, 80);
	assert_int_equal(endpoint_parse("[fe80::1]:81", 9777, &e), 0);
	assert_int_equal(e.len, 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_text),
	        cmocka_unit_test(test_bad_text),
	        cmocka_unit_test(test_socket_addresses),
	        cmocka_unit_test(test_same_host),
	        cmocka_unit_test(test_parse_asks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
