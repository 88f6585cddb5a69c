/* client/child: started with the descriptors, the mask and the group it should have; killed with
 * all it started. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/child.h"

extern char **environ;

static void
finish(struct child *c)
{
	while (!child_ended(c))
		poll(NULL, 0, 2);
}

static int
start(struct child *c, const char *script, const struct child_fds *fds)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};

	return child_start(c, argv, environ, fds);
}

static void
test_descriptors(void **state)
{
	struct child c = {0};
	char text[32] = "";
	int out[2], three[2];

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(pipe2(three, O_CLOEXEC), 0);
	assert_int_equal(start(&c, "printf one; printf three >&3",
	                         &(struct child_fds){{-1, out[1], -1, three[1]}}),
	        0);
	finish(&c);
	assert_true(WIFEXITED(c.status) && WEXITSTATUS(c.status) == 0);
	assert_int_equal(read(out[0], text, sizeof text), 3);
	assert_memory_equal(text, "one", 3);
	assert_int_equal(read(three[0], text, sizeof text), 5);
	assert_memory_equal(text, "three", 5);
	for (int i = 0; i < 2; i++) {
		close(out[i]);
		close(three[i]);
	}
}

static void
test_status(void **state)
{
	const struct child_fds none = {{-1, -1, -1, -1}};
	struct child c = {0};

	(void)state;
	assert_true(child_ended(&c));
	assert_int_equal(start(&c, "exit 7", &none), 0);
	finish(&c);
	assert_int_equal(WEXITSTATUS(c.status), 7);
}

/* The mask of the parent is not the child's. */
static void
test_mask(void **state)
{
	const struct child_fds none = {{-1, -1, -1, -1}};
	struct child c = {0};
	sigset_t term, before;

	(void)state;
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &before);
	assert_int_equal(start(&c, "kill -TERM $$; exit 0", &none), 0);
	finish(&c);
	sigprocmask(SIG_SETMASK, &before, NULL);
	assert_true(WIFSIGNALED(c.status) && WTERMSIG(c.status) == SIGTERM);
}

/* A grandchild holds the pipe open; after the kill nobody does. */
static void
test_kill_reaches_all(void **state)
{
	struct child c = {0};
	char byte;
	int out[2];

	(void)state;
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	assert_int_equal(
	        start(&c, "sleep 100 & printf x; wait", &(struct child_fds){{-1, out[1], -1, -1}}),
	        0);
	close(out[1]);
	assert_int_equal(read(out[0], &byte, 1), 1);
	child_kill(&c);
	assert_int_equal(c.pid, 0);
	assert_int_equal(read(out[0], &byte, 1), 0);
	close(out[0]);
	child_kill(&c);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_descriptors),
	        cmocka_unit_test(test_status), cmocka_unit_test(test_mask),
	        cmocka_unit_test(test_kill_reaches_all)};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
