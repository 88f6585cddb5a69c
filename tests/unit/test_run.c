/* client/run: the compiler beside the wrapper gets its signals, and the wrapper dies as it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/run.h"

extern char **environ;

static int
beside(const char *script)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c", (char *)script, NULL};
	int status = -1;

	assert_int_equal(run_beside(argv, environ, &status), 0);
	return status;
}

static void
test_status(void **state)
{
	char *argv[] = {(char *)"/nonexistent/cc", NULL};
	int status;

	(void)state;
	assert_int_equal(WEXITSTATUS(beside("exit 5")), 5);
	status = beside("kill -SEGV $$");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_int_equal(run_beside(argv, environ, &status), IM_ERR_SYSTEM);
	assert_int_equal(run_instead(argv, environ), IM_ERR_SYSTEM);
}

/* Sent to the wrapper alone, handed on to the compiler. */
static void
test_signal_is_handed_on(void **state)
{
	char script[128];

	(void)state;
	snprintf(script, sizeof script, "trap 'exit 9' TERM; kill -TERM %ld; while :; do :; done",
	        (long)getpid());
	assert_int_equal(WEXITSTATUS(beside(script)), 9);
}

static void
test_die(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(run_die(SIGTERM));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_status),
	        cmocka_unit_test(test_signal_is_handed_on), cmocka_unit_test(test_die)};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
