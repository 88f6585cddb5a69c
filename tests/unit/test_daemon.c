/* client/daemon: what the daemon may say and what it may not; questions that a gone daemon does not
 * hear. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client/daemon.h"
#include "crypto/packet.h"

static struct daemon d;
static int far;

static int
setup(void **state)
{
	int s[2];

	(void)state;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s) != 0 ||
	        fcntl(s[0], F_SETFL, O_NONBLOCK) != 0)
		return -1;
	daemon_init(&d, s[0]);
	far = s[1];
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	daemon_fini(&d);
	if (far >= 0)
		close(far);
	return 0;
}

static void
say(uint8_t type, struct buf *b, int fd)
{
	assert_int_equal(buf_err(b), 0);
	assert_int_equal(control_send(far, type, b, fd), 0);
	buf_fini(b);
}

static void
put_grant(struct buf *b, size_t state_len)
{
	uint8_t bytes[256] = {9, 8, 7};

	buf_init(b, 4096);
	pack_map(b, 4);
	pack_kbytes(b, 1, bytes, state_len);
	pack_kbytes(b, 2, bytes, NODE_ID_LEN);
	pack_ktext(b, 3, "box");
	pack_kuint(b, 4, 20000);
}

static void
test_grant(void **state)
{
	struct answer a;
	struct buf b;
	int p[2];

	(void)state;
	assert_int_equal(daemon_answer(&d, &a), IM_ERR_ABSENT);
	assert_int_equal(pipe(p), 0);
	put_grant(&b, CHANNEL_STATE_LEN);
	say(CONTROL_GRANT, &b, p[1]);
	close(p[1]);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_int_equal(a.type, CONTROL_GRANT);
	assert_int_equal(a.channel[1], 8);
	assert_int_equal(a.node.bytes[2], 7);
	assert_string_equal(a.peer, "box");
	assert_false(a.hedge);
	assert_int_equal(write(a.fd, "x", 1), 1);
	for (size_t i = 0; i < d.body.len; i++) /* the keys do not stay in the buffer */
		assert_int_equal(d.body.data[i], 0);
	close(a.fd);
	close(p[0]);
}

/* The word that it is for a second copy, behind a grant's other keys. */
static int
hedge_word(uint64_t word, struct answer *a)
{
	struct buf b;
	int p[2], r;

	put_grant(&b, CHANNEL_STATE_LEN);
	b.data[0]++; /* the map's length */
	pack_kuint(&b, 5, word);
	assert_int_equal(pipe(p), 0);
	say(CONTROL_GRANT, &b, p[1]);
	close(p[0]);
	close(p[1]);
	r = daemon_answer(&d, a);
	if (r == 0)
		close(a->fd);
	return r;
}

static void
test_hedge(void **state)
{
	struct answer a;

	(void)state;
	assert_int_equal(hedge_word(1, &a), 0);
	assert_true(a.hedge);
	assert_string_equal(a.peer, "box");
	assert_int_equal(hedge_word(0, &a), 0);
	assert_false(a.hedge);
	assert_int_equal(hedge_word(2, &a), IM_ERR_LIMIT);
}

/* A grant without descriptor, or with keys of another size; a descriptor that comes with them is
 * closed. */
static void
test_bad_grants(void **state)
{
	struct answer a;
	struct buf b;
	int p[2];
	char byte;

	(void)state;
	put_grant(&b, CHANNEL_STATE_LEN);
	say(CONTROL_GRANT, &b, -1);
	assert_int_equal(daemon_answer(&d, &a), IM_ERR_FORMAT);
	assert_int_equal(pipe(p), 0);
	put_grant(&b, CHANNEL_STATE_LEN - 1);
	say(CONTROL_GRANT, &b, p[1]);
	close(p[1]);
	assert_int_equal(daemon_answer(&d, &a), IM_ERR_FORMAT);
	assert_int_equal(read(p[0], &byte, 1), 0);
	close(p[0]);
}

static void
test_other_answers(void **state)
{
	struct answer a;
	struct buf b;

	(void)state;
	buf_init(&b, 4096);
	say(CONTROL_BUSY, &b, -1);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_int_equal(a.type, CONTROL_BUSY);
	pack_map(&b, 2);
	pack_ktext(&b, 1, "no-mesh");
	pack_ktext(&b, 2, "why");
	say(CONTROL_LOCAL, &b, -1);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_string_equal(a.reason, "no-mesh");
	assert_string_equal(a.text, "why");
	say(200, &b, -1);
	assert_int_not_equal(daemon_answer(&d, &a), 0);
	say(CONTROL_TOOLCHAIN, &b, -1);
	assert_int_not_equal(daemon_answer(&d, &a), 0);
	close(far);
	far = -1;
	assert_int_equal(daemon_answer(&d, &a), IM_ERR_CLOSED);
	assert_int_equal(daemon_compiler(&d, "/usr/bin/cc"), IM_ERR_CLOSED);
	daemon_report(&d, &(struct account){.exit = -1});
}

/* One message tells all, and nothing is waited for. */
static void
test_report(void **state)
{
	struct node_id node = {.bytes = {7}};
	struct account_room room;
	struct account a;
	struct packet *p = NULL;
	struct buf b;
	uint8_t type;
	int fd;

	(void)state;
	daemon_report(&d, &(struct account){.verdict = VERDICT_FALLBACK,
	                          .reason = "include-missed",
	                          .text = "the input set lacked /a.h",
	                          .file = "/src/a.c",
	                          .node = &node,
	                          .exit = -1});
	buf_init(&b, CONTROL_LEN_MAX);
	assert_int_equal(control_recv(far, &type, &b, &fd), 0);
	assert_int_equal(type, CONTROL_REPORT);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(account_decode(&a, &room, packet_root(p)), 0);
	assert_string_equal(a.text, "the input set lacked /a.h");
	assert_string_equal(a.file, "/src/a.c");
	assert_int_equal(a.node->bytes[0], 7);
	packet_free(p);
	buf_fini(&b);
}

static void
put_toolchain(struct buf *b, size_t digest_len)
{
	uint8_t digest[DIGEST_LEN] = {5};

	buf_init(b, 4096);
	pack_map(b, 2);
	pack_kbytes(b, 1, digest, digest_len);
	pack_kbytes(b, 2, "witness", 7);
}

/* The include graph comes with the toolchain, or does not; with anything else a descriptor is
 * closed. */
static void
test_graph(void **state)
{
	struct answer a;
	struct buf b;
	uint8_t type;
	char byte;
	int p[2], fd;

	(void)state;
	assert_int_equal(pipe(p), 0);
	put_toolchain(&b, DIGEST_LEN);
	say(CONTROL_TOOLCHAIN, &b, p[1]);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_int_equal(a.toolchain.bytes[0], 5);
	assert_int_equal(a.witness_len, 7);
	assert_int_equal(write(a.fd, "x", 1), 1);
	assert_int_equal(read(p[0], &byte, 1), 1);
	close(a.fd);
	put_toolchain(&b, DIGEST_LEN);
	say(CONTROL_TOOLCHAIN, &b, -1);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_int_equal(a.fd, -1);
	put_toolchain(&b, DIGEST_LEN - 1);
	say(CONTROL_TOOLCHAIN, &b, p[1]);
	assert_int_equal(daemon_answer(&d, &a), IM_ERR_FORMAT);
	say(CONTROL_BUSY, &b, p[1]);
	assert_int_equal(daemon_answer(&d, &a), 0);
	assert_int_equal(a.fd, -1);
	close(p[1]);
	assert_int_equal(read(p[0], &byte, 1), 0);
	close(p[0]);
	daemon_graph(&d);
	buf_init(&b, CONTROL_LEN_MAX);
	assert_int_equal(control_recv(far, &type, &b, &fd), 0);
	assert_int_equal(type, CONTROL_GRAPH);
	buf_fini(&b);
}

static void
test_want(void **state)
{
	struct want w = {.job = 77, .navoid = 2};
	const struct item *avoid;
	struct packet *p;
	struct buf b;
	uint64_t job;
	uint32_t n;
	uint8_t type;
	int fd;

	(void)state;
	assert_int_equal(daemon_want(&d, &w), 0);
	buf_init(&b, CONTROL_LEN_MAX);
	assert_int_equal(control_recv(far, &type, &b, &fd), 0);
	assert_int_equal(type, CONTROL_WANT);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(item_uint(packet_root(p), 2, UINT64_MAX, &job), 0);
	assert_int_equal(job, 77);
	assert_null(item_get(packet_root(p), 3));
	assert_int_equal(item_array(packet_root(p), 4, 8, &avoid, &n), 0);
	assert_int_equal(n, 2);
	assert_null(item_get(packet_root(p), 5));
	packet_free(p);
	w.predicted_ms = 1234;
	assert_int_equal(daemon_want(&d, &w), 0);
	assert_int_equal(control_recv(far, &type, &b, &fd), 0);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(item_uint(packet_root(p), 5, UINT32_MAX, &job), 0);
	assert_int_equal(job, 1234);
	packet_free(p);
	buf_fini(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_grant), TEST(test_hedge),
	        TEST(test_bad_grants), TEST(test_other_answers), TEST(test_graph), TEST(test_want),
	        TEST(test_report)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
