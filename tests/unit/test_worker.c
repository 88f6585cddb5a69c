/* The helper's loop over a socket pair: what it says first, what it does with requests it cannot serve, and its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "exec/pipe.h"
#include "exec/worker.h"

static const struct limits limits = {.memory = 1ULL << 46, .time_s = 60, .output = 1 << 20};
static struct filter compile, unpack;
static int pair[2];
static struct worker *w;

static int
start(void **state)
{
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(filter_build(&compile, FILTER_COMPILE), 0);
	assert_int_equal(filter_build(&unpack, FILTER_UNPACK), 0);
	w = worker_new(pair[1], &limits, &compile, &unpack, NULL);
	return w == NULL;
}

static int
stop(void **state)
{
	(void)state;
	worker_free(w);
	filter_fini(&compile);
	filter_fini(&unpack);
	close(pair[0]);
	close(pair[1]);
	return 0;
}

static struct pipe_msg
next(unsigned *nfds)
{
	struct pipe_msg m;
	int fds[PIPE_FDS_MAX];

	assert_int_equal(pipe_recv(pair[0], &m, fds, nfds), 0);
	for (unsigned i = 0; i < *nfds; i++)
		close(fds[i]);
	return m;
}

static void
level_is_told_first(void **state)
{
	struct pipe_msg m;
	unsigned nfds;

	(void)state;
	assert_int_equal(worker_probe(w), 0);
	m = next(&nfds);
	assert_int_equal(m.type, PIPE_READY);
	assert_true(m.level == 3 || (m.level == 0 && m.text[0] != '\0'));
}

static void
requests_get_one_answer_each(void **state)
{
	struct pipe_msg run = {.type = PIPE_RUN, .id = 1}, bad = {.type = PIPE_UNPACK, .id = 2}, m;
	int null = open("/dev/null", O_RDONLY);
	unsigned nfds;

	(void)state;
	assert_int_equal(pipe_send(pair[0], &run, NULL, 0), 0);
	assert_int_equal(pipe_send(pair[0], &run, &null, 1), 0);
	assert_int_equal(pipe_send(pair[0], &bad, NULL, 0), 0);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	assert_int_equal(worker_serve(w), 0);
	for (int i = 0; i < 2; i++) {
		m = next(&nfds);
		assert_int_equal(m.type, PIPE_DONE);
		assert_int_equal(m.id, 1);
		assert_int_equal(m.result.end, JOB_REFUSED);
		assert_int_equal(nfds, 2);
	}
	m = next(&nfds);
	assert_int_equal(m.type, PIPE_UNPACKED);
	assert_int_equal(m.id, 2);
	assert_int_not_equal(m.err, 0);
	close(null);
}

static void
nonsense_ends_it(void **state)
{
	(void)state;
	assert_int_equal(send(pair[0], "nonsense", 8, 0), 8);
	assert_int_equal(worker_serve(w), IM_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(level_is_told_first, start, stop),
	        cmocka_unit_test_setup_teardown(requests_get_one_answer_each, start, stop),
	        cmocka_unit_test_setup_teardown(nonsense_ends_it, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
