/* client/attempt: deadlines by the clock that is handed in.  What peers say is tested in
 * test_submit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "client/attempt.h"

struct ends {
	struct plan plan;
	struct attempt a;
	struct input in;
	struct channel far;
	char *argv[2];
	int fd;
};

static void
open_ends(struct ends *e)
{
	uint8_t k1[32] = {1}, k2[32] = {2}, h1[CHANNEL_HEADER_LEN], h2[CHANNEL_HEADER_LEN];
	struct answer grant = {.type = CONTROL_GRANT, .peer = "box"};
	struct digest d = {{0}};
	struct channel near;
	int s[2];

	memset(e, 0, sizeof *e);
	e->argv[0] = (char *)"/usr/bin/gcc";
	e->plan.remote[PLAN_PLAIN] = e->argv;
	e->plan.input = (struct job_input){.path = "/a.c", .mode = 0644, .streamed = 1};
	e->plan.outputs[0] = "/a.o";
	e->plan.job = (struct job){.cwd = "/",
	        .env = e->plan.env,
	        .inputs = &e->plan.input,
	        .ninputs = 1,
	        .outputs = e->plan.outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, s), 0);
	channel_start_send(&near, k1, h1);
	channel_start_send(&e->far, k2, h2);
	assert_int_equal(channel_start_recv(&near, k2, h2), 0);
	channel_export(&near, grant.channel);
	grant.fd = s[0];
	e->fd = s[1];
	input_init(&e->in);
	attempt_init(&e->a, &e->plan, &d, 1000);
	assert_int_equal(attempt_start(&e->a, &grant, PLAN_PLAIN, 1000), 0);
}

static void
close_ends(struct ends *e)
{
	attempt_fini(&e->a);
	input_fini(&e->in);
	close(e->fd);
}

static void
say(struct ends *e, uint8_t type)
{
	struct buf b;

	buf_init(&b, 4096);
	assert_int_equal(channel_seal(&e->far, type, NULL, 0, &b), 0);
	assert_int_equal(send(e->fd, b.data, b.len, 0), (ssize_t)b.len);
	buf_fini(&b);
}

/* While the preprocessor works, the peer may be silent; once it has all, it may not. */
static void
test_silence(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	e.in.state = INPUT_RUNNING;
	attempt_pump(&e.a, &e.in, 1000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	attempt_tick(&e.a, 1000 + 3 * WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 20000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	attempt_tick(&e.a, 20000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	say(&e, WIRE_PING);
	attempt_receive(&e.a, 24000);
	attempt_tick(&e.a, 24000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	attempt_tick(&e.a, 24001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_LOST);
	assert_false(e.a.idle);
	close_ends(&e);
}

static void
test_longest_time(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	e.in.state = INPUT_READY;
	attempt_pump(&e.a, &e.in, 1000);
	say(&e, WIRE_PING);
	attempt_receive(&e.a, 61000);
	attempt_tick(&e.a, 61000, 60000);
	assert_int_equal(e.a.state, ATTEMPT_WAITING);
	attempt_tick(&e.a, 61001, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	close_ends(&e);
}

/* A peer that takes no bytes: the kernel's buffers fill, then ours stands still. */
static void
test_takes_nothing(void **state)
{
	static uint8_t bytes[100000];
	struct input_block blocks[20];
	struct ends e;

	(void)state;
	open_ends(&e);
	for (int i = 0; i < 20; i++)
		blocks[i] = (struct input_block){bytes, sizeof bytes};
	e.in.state = INPUT_RUNNING;
	e.in.blocks = blocks;
	e.in.nblocks = 20;
	for (int i = 0; i < 50; i++)
		attempt_pump(&e.a, &e.in, 2000);
	assert_true(e.a.blocks_sent < 20);
	attempt_tick(&e.a, 2000 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_SENDING);
	attempt_tick(&e.a, 2001 + WIRE_SILENCE_MS, 60000);
	assert_int_equal(e.a.state, ATTEMPT_OVER);
	assert_int_equal(e.a.end, ATTEMPT_LOST);
	e.in.blocks = NULL;
	e.in.nblocks = 0;
	close_ends(&e);
}

/* RESULT before the job was sent, DONE before RESULT, OUT before RESULT: out of place. */
static void
test_out_of_place(void **state)
{
	static const uint8_t types[] = {
	        WIRE_RESULT, WIRE_OUT, WIRE_DONE, WIRE_GRANT, WIRE_JOB, 0, 255};

	(void)state;
	for (size_t i = 0; i < sizeof types; i++) {
		struct ends e;

		open_ends(&e);
		say(&e, types[i]);
		attempt_receive(&e.a, 1000);
		assert_int_equal(e.a.state, ATTEMPT_OVER);
		assert_int_equal(e.a.end, ATTEMPT_LOST);
		close_ends(&e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_silence),
	        cmocka_unit_test(test_longest_time), cmocka_unit_test(test_takes_nothing),
	        cmocka_unit_test(test_out_of_place)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
