/* Tokens: the text form, and everything that is not one. */
#include "crypto/token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "tests/unit/mangle.h"

#define BASE32_LEN 98
#define HEAD_LEN (5 + BASE32_LEN) /* "imx1-" and the body */

/* Root 0, 1, ..., 31; id a0 to a7; secret c0 to cf. The text is from an independent base32 and
 * BLAKE2b. */
static const char known_text[] = "imx1-"
                                 "aeaacaqdaqcqmbyibefawdanbyhraeiscmkbkfqxdamrugy4dupb7ifbukr2"
                                 "jjngu7amdqwdytc4nr6izhfmxtgnz3hw7i7ecq";

static void
known_token(struct token *t)
{
	int i;

	memset(t, 0, sizeof *t);
	for (i = 0; i < SIGN_PK_LEN; i++)
		t->root_pk[i] = (uint8_t)i;
	for (i = 0; i < TOKEN_ID_LEN; i++)
		t->id[i] = (uint8_t)(0xa0 + i);
	for (i = 0; i < TOKEN_SECRET_LEN; i++)
		t->secret[i] = (uint8_t)(0xc0 + i);
}

static void
test_known_text(void **state)
{
	struct token t, got;
	struct buf b;

	(void)state;
	known_token(&t);
	buf_init(&b, TOKEN_TEXT_MAX);
	token_print(&t, &b);
	assert_string_equal(buf_text(&b), known_text);
	assert_int_equal(token_parse(&got, known_text), 0);
	assert_memory_equal(&got, &t, sizeof t);
	buf_fini(&b);
}

static void
test_hosts(void **state)
{
	static const char *const good[] = {
	        "h:1", "host.example:9777,[fe80::1%eth0]:9777,10.0.0.1:65535", "a_b-c:80"};
	static const char *const bad[] = {"", "h", "h:", ":1", "h:0", "h:65536", "h:123456", "h:1,",
	        ",h:1", "h:1,,g:2", "fe80::1:9777", "h:1 x", "[]:1", "[::1]9777", "h;x:1", "h:1x",
	        "h:-1", "$(x):1", "h\x1b:1"};
	struct token t, got;
	struct buf b;
	char text[TOKEN_TEXT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof good / sizeof *good; i++) {
		known_token(&t);
		snprintf(t.hosts, sizeof t.hosts, "%s", good[i]);
		buf_init(&b, TOKEN_TEXT_MAX);
		token_print(&t, &b);
		assert_int_equal(token_parse(&got, buf_text(&b)), 0);
		assert_string_equal(got.hosts, good[i]);
		assert_memory_equal(got.secret, t.secret, TOKEN_SECRET_LEN);
		buf_fini(&b);
	}
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		snprintf(text, sizeof text, "%s@%s", known_text, bad[i]);
		assert_int_equal(token_parse(&got, text), IM_ERR_FORMAT);
	}
}

static void
test_limits(void **state)
{
	struct token got;
	char text[TOKEN_TEXT_MAX + 64];
	size_t n;

	(void)state;
	n = (size_t)snprintf(text, sizeof text, "%s@", known_text);
	memset(text + n, 'h', TOKEN_HOSTS_SIZE - 3);
	snprintf(text + n + TOKEN_HOSTS_SIZE - 3, 8, ":1");
	assert_int_equal(token_parse(&got, text), 0);
	assert_int_equal(strlen(got.hosts), TOKEN_HOSTS_SIZE - 1);
	snprintf(text + n + TOKEN_HOSTS_SIZE - 3, 8, ":12");
	assert_int_equal(token_parse(&got, text), IM_ERR_LIMIT);
	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	assert_int_equal(token_parse(&got, text), IM_ERR_LIMIT);
}

static void
test_space_around(void **state)
{
	struct token got;
	char text[TOKEN_TEXT_MAX];

	(void)state;
	snprintf(text, sizeof text, " \t\n%s@h:1\r\n ", known_text);
	assert_int_equal(token_parse(&got, text), 0);
	assert_string_equal(got.hosts, "h:1");
	snprintf(text, sizeof text, "%.20s %s", known_text, known_text + 20);
	assert_int_equal(token_parse(&got, text), IM_ERR_FORMAT);
}

static void
test_versions(void **state)
{
	struct token got;
	char text[TOKEN_TEXT_MAX];

	(void)state;
	snprintf(text, sizeof text, "%s", known_text);
	text[3] = '2';
	assert_int_equal(token_parse(&got, text), IM_ERR_VERSION);
	/* a body of version 2, with its right checksum */
	assert_int_equal(token_parse(&got,
	                         "imx1-aiaacaqdaqcqmbyibefawdanbyhraeiscmkbkfqxdamrugy4dupb7ifbukr2"
	                         "jjngu7amdqwdytc4nr6izhfmxtgnz3hrerwane"),
	        IM_ERR_VERSION);
	assert_int_equal(token_parse(&got, "imx"), IM_ERR_FORMAT);
	assert_int_equal(token_parse(&got, "imx1"), IM_ERR_FORMAT);
	assert_int_equal(token_parse(&got, "imx1-"), IM_ERR_FORMAT);
	assert_int_equal(token_parse(&got, ""), IM_ERR_FORMAT);
	assert_int_equal(token_parse(&got, "hello"), IM_ERR_FORMAT);
}

static void
test_untouched_on_error(void **state)
{
	struct token got, before;
	char text[TOKEN_TEXT_MAX];

	(void)state;
	memset(&got, 7, sizeof got);
	before = got;
	snprintf(text, sizeof text, "%s@bad", known_text);
	assert_int_equal(token_parse(&got, text), IM_ERR_FORMAT);
	assert_memory_equal(&got, &before, sizeof got);
}

static void
test_secret_hash(void **state)
{
	struct token t;
	struct digest hash, want;

	(void)state;
	known_token(&t);
	token_secret_hash(&hash, &t);
	digest_of(&want, t.secret, TOKEN_SECRET_LEN);
	assert_true(digest_equal(&hash, &want));
	t.id[0]++;
	token_secret_hash(&hash, &t);
	assert_true(digest_equal(&hash, &want));
	t.secret[0]++;
	token_secret_hash(&hash, &t);
	assert_false(digest_equal(&hash, &want));
}

static bool
accepts(const uint8_t *bytes, size_t len, void *arg)
{
	char *text = malloc(len + 1);
	struct token t;
	int err;

	(void)arg;
	if (text == NULL)
		abort();
	memcpy(text, bytes, len);
	text[len] = '\0';
	err = token_parse(&t, text);
	free(text);
	return err == 0;
}

/* The hosts behind the body are hints without a checksum: there, only nothing may break. */
static void
test_mangled(void **state)
{
	char text[TOKEN_TEXT_MAX];
	size_t len = (size_t)snprintf(text, sizeof text, "%s@host:9777", known_text), bit;

	(void)state;
	assert_true(accepts((uint8_t *)text, len, NULL));
	assert_int_equal(mangle_cut(accepts, (uint8_t *)text, HEAD_LEN, NULL), 0);
	assert_int_equal(mangle_flip(accepts, (uint8_t *)text, len, HEAD_LEN, NULL), 0);
	for (bit = 8 * HEAD_LEN; bit < 8 * len; bit++)
		(void)mangle_one(accepts, (uint8_t *)text, len, bit, NULL);
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_known_text),
	        cmocka_unit_test(test_hosts),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_space_around),
	        cmocka_unit_test(test_versions),
	        cmocka_unit_test(test_untouched_on_error),
	        cmocka_unit_test(test_secret_hash),
	        cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
