/* The compiler's own process, without a sandbox: where its output goes, what it gets, what it says when it cannot start. */
#include "exec/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct limits limits = {.memory = 1ULL << 46, .time_s = 60, .output = 1 << 20};

struct outcome {
	int status;
	char out[512], err[512];
	struct compiler_error error; /* error 0: it ran */
};

static void
take_text(int fd, char text[512])
{
	ssize_t n = pread(fd, text, 511, 0);

	assert_true(n >= 0);
	text[n] = '\0';
	close(fd);
}

static struct outcome
run(const char *const *argv, const char *const *env, const char *cwd)
{
	struct outcome o = {.status = -1};
	struct filter filter;
	struct job j = {.cwd = cwd, .argv = (const char **)(uintptr_t)argv};
	struct spawn s = {.view = {.job = &j, .limits = &limits},
	        .filter = &filter,
	        .library_path = "/lib/x"};
	int console[2] = {memfd_create("out", 0), memfd_create("err", 0)}, errors[2];
	pid_t pid;

	for (j.env = (const char **)(uintptr_t)env; env[j.nenv] != NULL;)
		j.nenv++;
	assert_int_equal(filter_build(&filter, FILTER_COMPILE), 0);
	assert_int_equal(pipe2(errors, O_CLOEXEC), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
		compiler_become(&s, &(struct compiler_fds){
		                            .console = console, .errors = errors[1], .guard = -1});
	}
	close(errors[1]);
	assert_true(read(errors[0], &o.error, sizeof(o.error)) >= 0);
	close(errors[0]);
	assert_int_equal(waitpid(pid, &o.status, 0), pid);
	take_text(console[0], o.out);
	take_text(console[1], o.err);
	filter_fini(&filter);
	return o;
}

static void
environment_is_completed(void **state)
{
	static const char *const argv[] = {"sh", "-c",
	        "echo $PATH $LD_LIBRARY_PATH $LANG $HOME; pwd; echo e >&2; exit 3", NULL};
	static const char *const env[] = {"LANG=C", NULL}, *const own[] = {
	                                                           "PATH=/bin:/usr/bin", NULL};
	struct outcome o = run(argv, env, "/usr");

	(void)state;
	assert_int_equal(o.error.error, 0);
	assert_true(WIFEXITED(o.status) && WEXITSTATUS(o.status) == 3);
	assert_string_equal(o.out, "/usr/local/bin:/usr/bin:/bin /lib/x C\n/usr\n");
	assert_string_equal(o.err, "e\n");
	assert_memory_equal(run(argv, own, "/").out, "/bin:/usr/bin /lib/x\n", 21);
}

static void
failures_are_told(void **state)
{
	static const char *const argv[] = {"no-such-compiler", NULL}, *const env[] = {NULL};
	struct outcome o = run(argv, env, "/");

	(void)state;
	assert_string_equal(o.error.what, "compiler");
	assert_int_not_equal(o.error.error, 0);
	o = run(argv, env, "/no/such/folder");
	assert_string_equal(o.error.what, "working directory");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(environment_is_completed), cmocka_unit_test(failures_are_told)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
