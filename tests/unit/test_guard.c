/* The guard over forked children, without a sandbox: a made-up one, and a real compiler. */
#include "exec/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <linux/openat2.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include "exec/findings.h"
#include "tests/unit/scratch.h"

static char cwd[PATH_MAX];
static struct filter filter;
static struct buf findings;

static int
start(void **state)
{
	(void)state;
	buf_init(&findings, FINDINGS_LEN_MAX);
	if (scratch_enter(cwd) != 0 || mkdir("a", 0755) != 0 || mkdir("b", 0755) != 0 ||
	        scratch_text("b/x.h", "int x;\n") != 0 || symlink("nowhere", "dangling") != 0 ||
	        symlink("nowhere", "kept") != 0 ||
	        scratch_text("t.c", "#include <x.h>\n#include <y.h>\n") != 0 ||
	        scratch_text("b/y.h", "#if __has_include(\"z.h\")\n#endif\n") != 0)
		return -1;
	return filter_build(&filter, FILTER_GUARD) != 0;
}

static int
stop(void **state)
{
	(void)state;
	filter_fini(&filter);
	buf_fini(&findings);
	return scratch_leave(cwd);
}

static void
wake_up(int sig)
{
	(void)sig;
}

/* SIGCHLD that comes before the wait is made up for by a timer, as in init. */
static void
supervise(struct guard *g, pid_t pid, int *status)
{
	const struct sigaction act = {.sa_handler = wake_up};
	const struct itimerval often = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};

	sigaction(SIGCHLD, &act, NULL);
	sigaction(SIGALRM, &act, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (waitpid(pid, status, WNOHANG) == 0)
		assert_int_equal(guard_serve(g), 0);
	setitimer(ITIMER_REAL, &never, NULL);
	signal(SIGCHLD, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
}

/* The child does what act says, or becomes argv; its wait status. */
static int
watch(int (*act)(void), char *const *argv)
{
	int pair[2], listener, status = -1;
	struct guard *g;
	pid_t pid;
	char byte;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		        guard_offer(pair[1], &filter) != 0)
			_exit(99);
		if (argv == NULL)
			_exit(act());
		execvp(argv[0], argv);
		_exit(98);
	}
	close(pair[1]);
	/* Its message, or its end. */
	assert_true(recv(pair[0], &byte, 1, MSG_PEEK) >= 0);
	listener = guard_take(pair[0]);
	close(pair[0]);
	if (listener < 0) {
		waitpid(pid, &status, 0);
		print_message("skipped: no listener here\n");
		skip();
	}
	g = guard_new(listener, cwd);
	assert_non_null(g);
	supervise(g, pid, &status);
	guard_end(g, &findings);
	return status;
}

static int
count(enum finding kind, const char *name)
{
	char whole[2 * PATH_MAX];
	enum finding what;
	const char *path;
	size_t at = 0;
	int n = 0;

	snprintf(whole, sizeof(whole), "%s%s", cwd, name == NULL ? "" : name);
	while (findings_next((const char *)findings.data, findings.len, &at, &what, &path) == 1)
		n += what == kind && (name == NULL || strcmp(path, whole) == 0);
	return n;
}

static int
look(void)
{
	struct open_how make = {.flags = O_CREAT | O_WRONLY, .mode = 0644}, read = {0};
	struct stat st;
	int dir = open("a", O_RDONLY | O_DIRECTORY);
	char name[8192];

	for (int i = 0; i < 3; i++)
		access("missing", F_OK);
	stat(".//./a/../b/.hidden", &st);
	fstatat(dir, "below", &st, AT_SYMLINK_NOFOLLOW);
	stat("dangling", &st);
	lstat("kept", &st);
	lstat("lost", &st);
	close(open("made", O_CREAT | O_WRONLY, 0644));
	close((int)syscall(SYS_openat2, AT_FDCWD, "made2", &make, sizeof(make)));
	close((int)syscall(SYS_openat2, AT_FDCWD, "unmade", &read, sizeof(read)));
	if (access("made", F_OK) != 0 || access("made2", F_OK) != 0 ||
	        fstatat(dir, "", &st, AT_EMPTY_PATH) != 0)
		return 1;
	/* Longer than any path, and no string at all: the kernel's business. */
	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	if (access(name, F_OK) == 0 || errno != ENAMETOOLONG)
		return 2;
	return fchdir(dir) != 0 || access("moved", F_OK) == 0;
}

static void
names_are_noted(void **state)
{
	static const char *const missed[] = {"/missing", "/a/../b/.hidden", "/a/below", "/dangling",
	        "/lost", "/unmade", "/a/moved"};

	(void)state;
	assert_int_equal(watch(look, NULL), 0);
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++) {
		if (count(FINDING_MISS, missed[i]) != 1)
			fail_msg("%s is not noted once", missed[i]);
	}
	assert_int_equal(count(FINDING_MISS, NULL), sizeof(missed) / sizeof(missed[0]));
	/* The name that could not be read. */
	assert_int_equal(count(FINDING_OVERFLOW, NULL), 1);
}

static int
look_at_many(void)
{
	char name[64];

	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "dir/%d.h", i % 3000);
		access(name, F_OK);
	}
	return 0;
}

static void
many_names_are_noted_once(void **state)
{
	(void)state;
	assert_int_equal(watch(look_at_many, NULL), 0);
	assert_int_equal(count(FINDING_MISS, NULL), 3000);
	assert_int_equal(count(FINDING_MISS, "/dir/2999.h"), 1);
	assert_int_equal(count(FINDING_OVERFLOW, NULL), 0);
}

/* A child of the child, and one that is killed in the middle. */
static int
look_in_children(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		access("grandchild", F_OK);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	access("child", F_OK);
	return raise(SIGKILL);
}

static void
children_are_watched(void **state)
{
	int status;

	(void)state;
	status = watch(look_in_children, NULL);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	assert_int_equal(count(FINDING_MISS, "/grandchild"), 1);
	assert_int_equal(count(FINDING_MISS, "/child"), 1);
	assert_int_equal(count(FINDING_OVERFLOW, NULL), 0);
}

static void
compiler_is_understood(void **state)
{
	static char *const argv[] = {"cc", "-Ia", "-Ib", "-S", "-o", "t.s", "t.c", NULL};

	(void)state;
	assert_int_equal(watch(NULL, argv), 0);
	assert_int_equal(access("t.s", F_OK), 0);
	assert_int_equal(count(FINDING_MISS, "/a/x.h"), 1);
	assert_int_equal(count(FINDING_MISS, "/a/y.h"), 1);
	assert_int_equal(count(FINDING_MISS, "/b/z.h"), 1);
	assert_int_equal(count(FINDING_MISS, "/b/x.h"), 0);
	assert_int_equal(count(FINDING_MISS, "/t.s"), 0);
	assert_int_equal(count(FINDING_OVERFLOW, NULL), 0);
}

static int
offer_again(void)
{
	int pair[2];

	/* A second listener over the first: the kernel refuses, and nothing is sent. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || guard_offer(pair[1], &filter) != 0)
		return 1;
	return guard_take(pair[0]) != IM_ERR_ABSENT;
}

static void
second_listener_is_none(void **state)
{
	(void)state;
	assert_int_equal(watch(offer_again, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(names_are_noted, start, stop),
	        cmocka_unit_test_setup_teardown(many_names_are_noted_once, start, stop),
	        cmocka_unit_test_setup_teardown(children_are_watched, start, stop),
	        cmocka_unit_test_setup_teardown(compiler_is_understood, start, stop),
	        cmocka_unit_test_setup_teardown(second_listener_is_none, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
