/* client/link: frames in and out of a socket, cut anywhere; broken ones end it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client/link.h"

struct ends {
	struct link l;
	struct channel far;
	int fd;
};

static void
open_ends(struct ends *e)
{
	uint8_t k1[32] = {1}, k2[32] = {2}, h1[CHANNEL_HEADER_LEN], h2[CHANNEL_HEADER_LEN],
	        state[CHANNEL_STATE_LEN];
	struct channel near;
	int s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	channel_start_send(&near, k1, h1);
	channel_start_send(&e->far, k2, h2);
	assert_int_equal(channel_start_recv(&near, k2, h2), 0);
	assert_int_equal(channel_start_recv(&e->far, k1, h1), 0);
	channel_export(&near, state);
	link_init(&e->l);
	assert_int_equal(link_open(&e->l, s[0], state), 0);
	e->fd = s[1];
}

static void
close_ends(struct ends *e)
{
	link_close(&e->l);
	if (e->fd >= 0)
		close(e->fd);
}

static void
test_round_trip(void **state)
{
	static uint8_t big[200000], cipher[CHANNEL_FRAME_MAX], plain[CHANNEL_MESSAGE_MAX];
	struct ends e;
	size_t got = 0, n;

	(void)state;
	open_ends(&e);
	memset(big, 7, sizeof big);
	assert_int_equal(link_send(&e.l, 5, big, sizeof big), 0);
	assert_false(link_idle(&e.l));
	while (got < 4 + 1 + sizeof big + CHANNEL_OVERHEAD) {
		assert_int_equal(link_flush(&e.l), 0);
		ssize_t r = recv(e.fd, cipher + got, sizeof cipher - got, MSG_DONTWAIT);
		assert_true(r > 0);
		got += (size_t)r;
	}
	assert_true(link_idle(&e.l));
	assert_int_equal(e.l.bytes_out, got);
	assert_int_equal(channel_open(&e.far, cipher + 4, got - 4, plain, &n), 0);
	assert_int_equal(n, sizeof big + 1);
	assert_int_equal(plain[0], 5);
	assert_memory_equal(plain + 1, big, sizeof big);
	close_ends(&e);
}

static void
test_receives_in_pieces(void **state)
{
	const uint8_t *body;
	struct ends e;
	struct buf b;
	uint8_t type;
	size_t len;

	(void)state;
	open_ends(&e);
	buf_init(&b, 4096);
	assert_int_equal(channel_seal(&e.far, 7, "hello", 5, &b), 0);
	assert_int_equal(channel_seal(&e.far, 8, NULL, 0, &b), 0);
	for (size_t i = 0; i < 26; i++) {
		assert_int_equal(link_next(&e.l, &type, &body, &len), IM_ERR_ABSENT);
		assert_int_equal(send(e.fd, b.data + i, 1, 0), 1);
		assert_int_equal(link_fill(&e.l), 0);
	}
	assert_false(link_idle(&e.l));
	assert_int_equal(send(e.fd, b.data + 26, b.len - 26, 0), (ssize_t)(b.len - 26));
	assert_int_equal(link_fill(&e.l), 0);
	assert_int_equal(link_next(&e.l, &type, &body, &len), 0);
	assert_int_equal(type, 7);
	assert_int_equal(len, 5);
	assert_memory_equal(body, "hello", 5);
	assert_int_equal(link_next(&e.l, &type, &body, &len), 0);
	assert_int_equal(type, 8);
	assert_int_equal(len, 0);
	assert_int_equal(link_next(&e.l, &type, &body, &len), IM_ERR_ABSENT);
	assert_true(link_idle(&e.l));
	close(e.fd);
	e.fd = -1;
	assert_int_equal(link_fill(&e.l), IM_ERR_CLOSED);
	assert_false(link_idle(&e.l));
	buf_fini(&b);
	close_ends(&e);
}

static void
expect_broken(const uint8_t *bytes, size_t n, int err)
{
	const uint8_t *body;
	struct ends e;
	uint8_t type;
	size_t len;

	open_ends(&e);
	assert_int_equal(send(e.fd, bytes, n, 0), (ssize_t)n);
	assert_int_equal(link_fill(&e.l), 0);
	assert_int_equal(link_next(&e.l, &type, &body, &len), err);
	close_ends(&e);
}

static void
test_broken_frames(void **state)
{
	uint8_t noise[4 + 40] = {0, 0, 0, 40};

	(void)state;
	expect_broken((const uint8_t *)"\xff\xff\xff\xff", 4, IM_ERR_LIMIT);
	expect_broken((const uint8_t *)"\0\0\0\0", 4, IM_ERR_LIMIT);
	expect_broken((const uint8_t *)"\0\0\0\x11", 4, IM_ERR_LIMIT);
	expect_broken(noise, sizeof noise, IM_ERR_SIGNATURE);
}

static void
test_out_is_bounded(void **state)
{
	static uint8_t block[100000];
	struct ends e;
	int r = 0, n = 0;

	(void)state;
	open_ends(&e);
	for (; r == 0 && n < 100; n++)
		r = link_send(&e.l, 1, block, sizeof block);
	assert_int_equal(r, IM_ERR_LIMIT);
	assert_false(link_room(&e.l));
	assert_true(e.l.out.len <= LINK_OUT_MAX);
	close_ends(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_receives_in_pieces), cmocka_unit_test(test_broken_frames),
	        cmocka_unit_test(test_out_is_bounded)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
