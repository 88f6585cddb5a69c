/* Messages and descriptors over the helper's pipe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>
#include "exec/pipe.h"

static int pair[2];

static int
start(void **state)
{
	(void)state;
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair);
}

static int
stop(void **state)
{
	(void)state;
	close(pair[0]);
	return close(pair[1]);
}

static int
open_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += dup2(fd, fd) == fd;
	return n;
}

static void
message_and_descriptors_arrive(void **state)
{
	struct pipe_msg m = {.type = PIPE_DONE,
	                        .id = 77,
	                        .text = "text",
	                        .result = {.noutputs = 3, .exit_code = 9}},
	                out;
	int fds[PIPE_FDS_MAX], got[PIPE_FDS_MAX];
	unsigned n = 99;
	char c;

	(void)state;
	for (int i = 0; i < PIPE_FDS_MAX; i++) {
		fds[i] = memfd_create("x", 0);
		assert_int_equal(write(fds[i], &(char){(char)i}, 1), 1);
	}
	assert_int_equal(pipe_send(pair[0], &m, fds, PIPE_FDS_MAX), 0);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), 0);
	assert_int_equal(n, PIPE_FDS_MAX);
	assert_memory_equal(&m, &out, sizeof(m));
	for (int i = 0; i < PIPE_FDS_MAX; i++) {
		assert_int_equal(pread(got[i], &c, 1, 0), 1);
		assert_int_equal(c, i);
		close(got[i]);
		close(fds[i]);
	}
	assert_int_equal(pipe_send(pair[0], &m, NULL, 0), 0);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), 0);
	assert_int_equal(n, 0);
	assert_int_equal(pipe_send(pair[0], &m, fds, PIPE_FDS_MAX + 1), IM_ERR_LIMIT);
}

static void
bad_messages_are_refused(void **state)
{
	struct pipe_msg m = {.type = 5}, out;
	int got[PIPE_FDS_MAX], before = open_descriptors();
	unsigned n;

	(void)state;
	assert_int_equal(pipe_send(pair[0], &m, (int[]){0}, 1), 0);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), IM_ERR_FORMAT);
	m = (struct pipe_msg){.type = PIPE_DONE, .result = {.noutputs = 1 + JOB_RESULTS_MAX}};
	assert_int_equal(pipe_send(pair[0], &m, NULL, 0), 0);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), IM_ERR_FORMAT);
	assert_int_equal(send(pair[0], &m, sizeof(m) - 1, 0), sizeof(m) - 1);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), IM_ERR_FORMAT);
	assert_int_equal(open_descriptors(), before);
	m = (struct pipe_msg){.type = PIPE_READY};
	memset(m.text, 'x', sizeof(m.text));
	assert_int_equal(pipe_send(pair[0], &m, NULL, 0), 0);
	assert_int_equal(pipe_recv(pair[1], &out, got, &n), 0);
	assert_int_equal(strlen(out.text), sizeof(out.text) - 1);
}

static void
silence_and_end_differ(void **state)
{
	struct pipe_msg m = {.type = PIPE_READY};
	int got[PIPE_FDS_MAX];
	unsigned n;

	(void)state;
	assert_int_equal(pipe_recv(pair[1], &m, got, &n), IM_ERR_SYSTEM);
	assert_int_equal(errno, EAGAIN);
	close(pair[0]);
	assert_int_equal(pipe_recv(pair[1], &m, got, &n), IM_ERR_CLOSED);
	assert_int_equal(pipe_send(pair[1], &m, NULL, 0), IM_ERR_CLOSED);
	pair[0] = dup(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(message_and_descriptors_arrive, start, stop),
	        cmocka_unit_test_setup_teardown(bad_messages_are_refused, start, stop),
	        cmocka_unit_test_setup_teardown(silence_and_end_differ, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
