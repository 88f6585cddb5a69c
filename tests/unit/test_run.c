/* client/run: the compiler beside the wrapper gets its signals, and the wrapper dies as it did. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
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

	assert_int_equal(
	        run_beside(&(struct run){.path = argv[0], .argv = argv, .env = environ}, &status),
	        0);
	return status;
}

static void
test_status(void **state)
{
	char *argv[] = {(char *)"cc", NULL};
	struct run absent = {.path = "/nonexistent/cc", .argv = argv, .env = environ};
	int status;

	(void)state;
	assert_int_equal(WEXITSTATUS(beside("exit 5")), 5);
	status = beside("kill -SEGV $$");
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
	assert_int_equal(run_beside(&absent, &status), IM_ERR_SYSTEM);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(run_instead(&absent), IM_ERR_SYSTEM);
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

/* Whoever ignores SIGCHLD hands that on: the compiler gets it, and its end is heard of all the same. */
static void
test_ignored_children(void **state)
{
	char *argv[] = {(char *)"grep", (char *)"-q", (char *)"^SigIgn:.*[13579bdf]....$",
	        (char *)"/proc/self/status", NULL};
	struct run r = {.path = "/bin/grep", .argv = argv, .env = environ};
	int status = -1;

	(void)state;
	signal(SIGCHLD, SIG_IGN);
	run_begin(&r);
	assert_int_equal(run_beside(&r, &status), 0);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	r.children.sa_handler = SIG_DFL;
	assert_int_equal(run_beside(&r, &status), 0);
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* A wrapper that is killed takes the compiler along. */
static void
test_killed(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"echo; exec sleep 60", NULL};
	struct run r = {.path = "/bin/sh", .argv = argv, .env = environ};
	int ends[2], status;
	char byte;
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		close(ends[0]);
		close(ends[1]);
		_exit(run_beside(&r, &status));
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* nobody holds the other end any more */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

/* A closed standard error is filled for us, and closed for the compiler. */
static void
test_closed(void **state)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)"test ! -e /proc/$$/fd/2", NULL};
	struct run r = {.path = "/bin/sh", .argv = argv, .env = environ};
	int saved = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10), status = -1, flags, opened, err;

	(void)state;
	close(STDERR_FILENO);
	run_begin(&r);
	flags = fcntl(STDERR_FILENO, F_GETFD);
	opened = open("/dev/null", O_RDONLY | O_CLOEXEC);
	err = run_beside(&r, &status);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(opened);
	assert_int_equal(flags, FD_CLOEXEC);
	assert_true(opened > STDERR_FILENO);
	assert_int_equal(err, 0);
	assert_int_equal(status, 0);
}

static void
do_nothing(int sig)
{
	(void)sig;
}

static void
count(void *arg)
{
	if (++*(int *)arg == 3)
		kill(0, SIGUSR1);
}

/* Steps are taken while the compiler runs. */
static void
test_steps(void **state)
{
	char *argv[] = {(char *)"/bin/sh", (char *)"-c",
	        (char *)"trap 'exit 7' USR1; while :; do :; done", NULL};
	int steps = 0, status = -1;
	struct run run = {.path = argv[0],
	        .argv = argv,
	        .env = environ,
	        .step = count,
	        .step_arg = &steps,
	        .step_ms = 20};
	pid_t pid = fork();

	(void)state;
	if (pid == 0) {
		setpgid(0, 0); /* the signal is for this group alone */
		signal(SIGUSR1, do_nothing);
		alarm(60);
		if (run_beside(&run, &status) != 0)
			_exit(1);
		_exit(steps >= 3 && WIFEXITED(status) && WEXITSTATUS(status) == 7 ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
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
	        cmocka_unit_test(test_signal_is_handed_on), cmocka_unit_test(test_ignored_children),
	        cmocka_unit_test(test_killed), cmocka_unit_test(test_closed),
	        cmocka_unit_test(test_steps), cmocka_unit_test(test_die)};

	alarm(60);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
