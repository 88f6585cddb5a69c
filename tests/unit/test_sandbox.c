/*
 * The sandbox through the real helper.  The "compiler" is this test program itself: with --job it does one thing, good or hostile, and says on
 * stdout how that went.
 */
#include "tests/unit/helper_rig.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include "tests/unit/box_jobs.h"

#define CWD "/home/somebody/project"
#define OUTPUT CWD "/out/a.o"

/* --- the job's side: prints the errno of what it tried, 0 when it worked --- */

static int
job_bomb(void)
{
	unsigned n = 0;

	for (;;) {
		pid_t pid = fork();

		if (pid == 0)
			pause();
		if (pid < 0 || ++n == 5000)
			break;
	}
	return printf("%u\n", n) < 0;
}

static int
job_fill(const char *path)
{
	static char chunk[1 << 20];
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	memset(chunk, 'x', sizeof(chunk));
	signal(SIGXFSZ, SIG_IGN);
	for (int i = 0; i < 4096; i++) {
		if (write(fd, chunk, sizeof(chunk)) != (ssize_t)sizeof(chunk))
			break;
	}
	perror("write");
	return 1;
}

static int
job_flood(void)
{
	static char chunk[1 << 20];

	for (int i = 0; i < 40; i++)
		fwrite(chunk, 1, sizeof(chunk), stdout);
	return 0;
}

static int
job_limits(void)
{
	struct rlimit pending, core;

	getrlimit(RLIMIT_SIGPENDING, &pending);
	getrlimit(RLIMIT_CORE, &core);
	return printf("%llu %llu %d\n", (unsigned long long)pending.rlim_cur,
	               (unsigned long long)core.rlim_cur, getpriority(PRIO_PROCESS, 0)) < 0;
}

static int
job_rights(void)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[256];

	while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "CapEff", 6) == 0 || strncmp(line, "CapBnd", 6) == 0 ||
		        strncmp(line, "NoNew", 5) == 0 || strncmp(line, "Seccomp:", 8) == 0)
			fputs(line, stdout);
	}
	return 0;
}

/* Everything that is open besides stdin, stdout, stderr. */
static int
job_descriptors(void)
{
	int n = 0;

	for (int fd = 3; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return printf("%d\n", n) < 0;
}

static int
job_main(const char *what, const char *arg)
{
	if (strcmp(what, "exit") == 0) {
		fputs("to stdout", stdout);
		fputs("to stderr", stderr);
		return atoi(arg);
	}
	if (strcmp(what, "signal") == 0)
		return raise(atoi(arg));
	if (strcmp(what, "write") == 0)
		return job_write(arg);
	if (strcmp(what, "open") == 0)
		return tried(open(arg, O_RDONLY) < 0);
	if (strcmp(what, "remove") == 0)
		return tried(unlink(arg) != 0);
	if (strcmp(what, "chmod") == 0)
		return tried(chmod(arg, 0777) != 0);
	if (strcmp(what, "socket") == 0)
		return tried(socket(atoi(arg), SOCK_STREAM, 0) < 0);
	if (strcmp(what, "unshare") == 0)
		return tried(syscall(SYS_unshare, CLONE_NEWUSER) != 0);
	if (strcmp(what, "clone") == 0)
		return tried(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0) < 0);
	if (strcmp(what, "clone3") == 0)
		return tried(syscall(SYS_clone3, NULL, 0) < 0);
	if (strcmp(what, "ptrace") == 0)
		return tried(ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0);
	if (strcmp(what, "mount") == 0)
		return tried(mount("x", "/tmp", "tmpfs", 0, NULL) != 0);
	if (strcmp(what, "tiocsti") == 0)
		return tried(ioctl(0, TIOCSTI, "x") != 0);
	if (strcmp(what, "link") == 0)
		return tried(symlink(arg, OUTPUT) != 0);
	if (strcmp(what, "hardlink") == 0)
		return job_write(CWD "/out/b.o") || tried(link(CWD "/out/b.o", OUTPUT) != 0);
	if (strcmp(what, "fifo") == 0)
		return tried(mkfifo(OUTPUT, 0644) != 0);
	if (strcmp(what, "folder") == 0)
		return tried(mkdir(OUTPUT, 0755) != 0);
	if (strcmp(what, "bomb") == 0)
		return job_bomb();
	if (strcmp(what, "fill") == 0)
		return job_fill(arg);
	if (strcmp(what, "flood") == 0)
		return job_flood();
	if (strcmp(what, "limits") == 0)
		return job_limits();
	if (strcmp(what, "rights") == 0)
		return job_rights();
	if (strcmp(what, "descriptors") == 0)
		return job_descriptors();
	if (strcmp(what, "hang") == 0) {
		/* A grandchild in a session of its own, that must go too. */
		if (fork() == 0 && fork() == 0)
			setsid();
		for (;;)
			pause();
	}
	if (strcmp(what, "daemon") == 0) {
		if (fork() == 0 && setsid() > 0 && fork() == 0)
			for (;;)
				pause();
		return 0;
	}
	return 99;
}

/* --- the test's side --- */

static char self[PATH_MAX];
static struct rig rig;
static bool boxed;
/* AddressSanitizer maps far more address space than it uses. */
static const char *const plenty[4] = {"5", "70368744177664", "60", "67108864"};
static const char *const one_second[4] = {"0", "70368744177664", "1", "67108864"};

/* Runs one job and leaves its end in rig; input may be NULL. */
static uint64_t
send_job(struct rig *r, const char *what, const char *arg)
{
	const char *argv[] = {self, "--job", what, arg, NULL}, *env[] = {"LANG=C", NULL};
	const char *outputs[] = {OUTPUT};
	struct job_input in = {.path = CWD "/a.c", .mode = 0644, .streamed = 1};
	int input = rig_memfd("int a;\n", 7);
	struct job j = {.cwd = CWD,
	        .argv = argv,
	        .argc = 4,
	        .env = env,
	        .nenv = 1,
	        .inputs = &in,
	        .ninputs = 1,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	uint64_t id = rig_send(r, &j, &input, 1);

	close(input);
	return id;
}

static const struct job_result *
run_job(struct rig *r, const char *what, const char *arg)
{
	uint64_t id = send_job(r, what, arg);

	rig_answer(r);
	assert_int_equal(r->msg.type, PIPE_DONE);
	assert_int_equal(r->msg.id, id);
	return &r->msg.result;
}

/* The errno that the job printed. */
static int
outcome(const char *what, const char *arg)
{
	const struct job_result *result = run_job(&rig, what, arg);

	if (result->end != JOB_EXITED)
		fail_msg("%s %s: %s: %s", what, arg, job_end_name(result->end), rig.msg.text);
	assert_int_equal(result->exit_code, 0);
	return atoi(rig_text(&rig, 0));
}

static int
start(void **state)
{
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	rig_start(&rig, plenty);
	boxed = rig.msg.level == 3;
	if (boxed)
		rig_toolchain(&rig, self);
	else
		print_message("skipped: no sandbox on this machine: %s\n", rig.msg.text);
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

/* Processes on this machine whose command line holds the word. */
static int
count_processes(const char *word)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int n = 0;

	while ((e = readdir(d)) != NULL) {
		char path[300], line[4096];
		ssize_t len;
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/cmdline", e->d_name);
		fd = open(path, O_RDONLY);
		len = fd < 0 ? 0 : read(fd, line, sizeof(line));
		if (fd >= 0)
			close(fd);
		n += len > 0 && memmem(line, (size_t)len, word, strlen(word)) != NULL;
	}
	closedir(d);
	return n;
}

static void
need_box(void **state)
{
	(void)state;
	if (!boxed)
		skip();
}

/* Until a job that hangs has all its processes; a watchdog ends a test that waits in vain. */
static void
await(const char *word)
{
	alarm(20);
	while (count_processes(word) < 3)
		sched_yield();
	alarm(0);
}

static void
status_and_text_come_back(void **state)
{
	const struct job_result *r;

	need_box(state);
	r = run_job(&rig, "exit", "42");
	assert_int_equal(r->end, JOB_EXITED);
	assert_int_equal(r->exit_code, 42);
	assert_int_equal(r->noutputs, 3);
	assert_int_equal(rig.nfds, 2);
	assert_string_equal(rig_text(&rig, 0), "to stdout");
	assert_string_equal(rig_text(&rig, 1), "to stderr");
	assert_int_equal(r->outputs[0].size, 9);
	assert_false(r->outputs[2].present);
	r = run_job(&rig, "signal", "15");
	assert_int_equal(r->end, JOB_EXITED);
	assert_int_equal(r->signal, 15);
}

static void
output_comes_back(void **state)
{
	need_box(state);
	assert_int_equal(outcome("write", OUTPUT), 0);
	assert_int_equal(rig.nfds, 3);
	assert_true(rig.msg.result.outputs[2].present);
	assert_int_equal(rig.msg.result.outputs[2].size, 7);
	assert_string_equal(rig_text(&rig, 2), "written");
}

/* Wherever a job writes, it is in its own scratch: the next job and the store know nothing of it. */
static void
what_a_job_writes_is_gone_with_it(void **state)
{
	char hex[DIGEST_HEX_SIZE], stored[2 * PATH_MAX];
	struct stat before, after;

	need_box(state);
	digest_hex(&rig.toolchain, hex);
	snprintf(stored, sizeof(stored), "%s/toolchains/%s/.icemesh/manifest", rig.dir, hex);
	assert_int_equal(stat(stored, &before), 0);
	assert_int_equal(outcome("write", "/tmp/x"), 0);
	assert_int_equal(outcome("write", CWD "/x"), 0);
	assert_int_equal(outcome("write", CWD "/a.c"), 0);
	assert_int_equal(outcome("write", "/.icemesh/manifest"), 0);
	assert_int_equal(outcome("write", self), ETXTBSY);
	assert_int_equal(outcome("remove", self), 0);
	assert_int_equal(outcome("chmod", "/.icemesh/manifest"), 0);
	assert_int_equal(stat(stored, &after), 0);
	assert_memory_equal(&before.st_mtim, &after.st_mtim, sizeof(before.st_mtim));
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
	assert_int_equal(before.st_size, after.st_size);
	assert_int_equal(outcome("open", CWD "/a.c"), 0);
	assert_int_equal(outcome("open", CWD "/x"), ENOENT);
	assert_int_equal(outcome("open", "/tmp/x"), ENOENT);
}

static void
nothing_of_the_host_is_there(void **state)
{
	static const char *const paths[] = {"/etc/passwd", "/etc", "/root",
	        "/proc/1/root/etc/passwd", "/proc/sys/kernel", "/sys", "/dev/kmsg", "/run", "/var"};

	need_box(state);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_not_equal(outcome("open", paths[i]), 0);
	assert_int_equal(outcome("open", "/dev/null"), 0);
	assert_int_not_equal(outcome("open", rig.dir), 0);
	assert_int_equal(outcome("descriptors", ""), 0);
}

static void
dangerous_calls_fail(void **state)
{
	need_box(state);
	assert_int_equal(outcome("socket", "2"), EPERM);
	assert_int_equal(outcome("socket", "1"), EPERM);
	assert_int_equal(outcome("socket", "16"), EPERM);
	assert_int_equal(outcome("unshare", ""), EPERM);
	assert_int_equal(outcome("clone", ""), EPERM);
	assert_int_equal(outcome("clone3", ""), ENOSYS);
	assert_int_equal(outcome("ptrace", ""), EPERM);
	assert_int_equal(outcome("mount", ""), EPERM);
	assert_int_equal(outcome("fifo", ""), EPERM);
	assert_int_equal(outcome("tiocsti", ""), EPERM);
}

static void
no_rights_are_left(void **state)
{
	const char *text;

	need_box(state);
	run_job(&rig, "rights", "");
	text = rig_text(&rig, 0);
	if (text[0] == '\0')
		skip(); /* a kernel that refuses /proc */
	assert_non_null(strstr(text, "CapEff:\t0000000000000000"));
	assert_non_null(strstr(text, "CapBnd:\t0000000000000000"));
	assert_non_null(strstr(text, "NoNewPrivs:\t1"));
	assert_non_null(strstr(text, "Seccomp:\t2"));
}

static void
hostile_outputs_are_refused(void **state)
{
	static const char *const kinds[] = {"link", "hardlink", "folder"};

	need_box(state);
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		const struct job_result *r = run_job(&rig, kinds[i], "/etc/passwd");

		assert_int_equal(r->end, JOB_REFUSED);
		assert_non_null(strstr(rig.msg.text, OUTPUT));
		assert_int_equal(rig.nfds, 2);
	}
}

static void
limits_hold(void **state)
{
	unsigned long long pending, core;
	struct rlimit here;
	int nice;

	need_box(state);
	assert_in_range(outcome("bomb", ""), 1, 300);
	assert_int_equal(run_job(&rig, "fill", OUTPUT)->end, JOB_OUTPUT);
	assert_int_equal(run_job(&rig, "fill", "/tmp/x")->end, JOB_OUTPUT);
	assert_int_equal(run_job(&rig, "flood", "")->end, JOB_OUTPUT);
	run_job(&rig, "limits", "");
	assert_int_equal(sscanf(rig_text(&rig, 0), "%llu %llu %d", &pending, &core, &nice), 3);
	assert_int_equal(getrlimit(RLIMIT_SIGPENDING, &here), 0);
	assert_int_equal(pending, here.rlim_cur);
	assert_int_equal(core, 0);
	assert_true(nice >= 5);
}

static void
killed_jobs_leave_nobody(void **state)
{
	char word[32];
	uint64_t id;

	need_box(state);
	snprintf(word, sizeof(word), "survivor-%d", (int)getpid());
	id = send_job(&rig, "hang", word);
	await(word);
	assert_int_equal(
	        pipe_send(rig.socket, &(struct pipe_msg){.type = PIPE_KILL, .id = id}, NULL, 0), 0);
	rig_answer(&rig);
	assert_int_equal(rig.msg.id, id);
	assert_int_equal(rig.msg.result.end, JOB_KILLED);
	assert_int_equal(count_processes(word), 0);
	assert_int_equal(run_job(&rig, "daemon", word)->end, JOB_EXITED);
	assert_int_equal(count_processes(word), 0);
}

static void
killed_helper_leaves_nobody(void **state)
{
	struct rig own;
	char word[32];

	need_box(state);
	rig_start(&own, plenty);
	rig_toolchain(&own, self);
	snprintf(word, sizeof(word), "orphan-%d", (int)getpid());
	send_job(&own, "hang", word);
	await(word);
	kill(own.helper, SIGKILL);
	waitpid(own.helper, NULL, 0);
	/* The kernel takes the job down by itself; a watchdog ends a test that waits in vain. */
	alarm(20);
	while (count_processes(word) > 0)
		sched_yield();
	alarm(0);
	close(own.socket);
	assert_int_equal(rig_remove_dir(own.dir), 0);
}

static void
wall_clock_ends_a_job(void **state)
{
	struct rig own;

	need_box(state);
	rig_start(&own, one_second);
	rig_toolchain(&own, self);
	assert_int_equal(run_job(&own, "hang", "wall")->end, JOB_TIMEOUT);
	rig_stop(&own);
}

static void
bad_jobs_are_refused(void **state)
{
	const char *argv[] = {"/no/such/compiler", NULL}, *env[] = {NULL};
	const char *in_root[] = {"/a.o"}, *through_link[] = {"/lib64/x/a.o"};
	struct job j = {.cwd = "/", .argv = argv, .argc = 1, .env = env, .mode = JOB_PREPROCESSED};
	struct job_input absent = {.path = "/x/a.c", .mode = 0644, .streamed = 1};
	struct digest other = {{1}}, right = rig.toolchain;
	struct stat st;

	need_box(state);
	rig_run(&rig, &j, NULL, 0);
	assert_int_equal(rig.msg.result.end, JOB_SANDBOX);
	assert_non_null(strstr(rig.msg.text, "/no/such/compiler"));
	j.outputs = in_root;
	j.noutputs = 1;
	rig_run(&rig, &j, NULL, 0);
	assert_int_equal(rig.msg.result.end, JOB_REFUSED);
	if (lstat("/lib64", &st) == 0 && S_ISLNK(st.st_mode)) {
		j.outputs = through_link;
		rig_run(&rig, &j, NULL, 0);
		assert_int_equal(rig.msg.result.end, JOB_REFUSED);
	}
	j.noutputs = 0;
	j.inputs = &absent;
	j.ninputs = 1;
	rig_run(&rig, &j, NULL, 0);
	assert_int_equal(rig.msg.result.end, JOB_REFUSED);
	j.ninputs = 0;
	rig.toolchain = other;
	rig_run(&rig, &j, NULL, 0);
	assert_int_equal(rig.msg.result.end, JOB_SANDBOX);
	assert_int_equal(rig.msg.err, IM_ERR_ABSENT);
	rig.toolchain = right;
}

static void
many_jobs_run_at_one_time(void **state)
{
	uint64_t first = rig.next_id + 1, seen = 0;

	need_box(state);
	for (int i = 0; i < 32; i++)
		send_job(&rig, "exit", "7");
	for (int i = 0; i < 32; i++) {
		rig_answer(&rig);
		assert_int_equal(rig.msg.type, PIPE_DONE);
		assert_int_equal(rig.msg.result.exit_code, 7);
		seen |= 1ULL << (rig.msg.id - first);
	}
	assert_int_equal(seen, 0xffffffff);
}

static void
trivial_job(void)
{
	run_job(&rig, "exit", "0");
}

static void
median_is_told(void **state)
{
	need_box(state);
	tell_median(trivial_job, "a trivial job");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(status_and_text_come_back),
	        cmocka_unit_test(output_comes_back),
	        cmocka_unit_test(what_a_job_writes_is_gone_with_it),
	        cmocka_unit_test(nothing_of_the_host_is_there),
	        cmocka_unit_test(dangerous_calls_fail), cmocka_unit_test(no_rights_are_left),
	        cmocka_unit_test(hostile_outputs_are_refused), cmocka_unit_test(limits_hold),
	        cmocka_unit_test(killed_jobs_leave_nobody),
	        cmocka_unit_test(killed_helper_leaves_nobody),
	        cmocka_unit_test(wall_clock_ends_a_job), cmocka_unit_test(bad_jobs_are_refused),
	        cmocka_unit_test(many_jobs_run_at_one_time), cmocka_unit_test(median_is_told)};

	if (argc == 4 && strcmp(argv[1], "--job") == 0) {
		int r = job_main(argv[2], argv[3]);

		fflush(NULL);
		_exit(r); /* a leak checker would want ptrace */
	}
	if (argc > 1)
		return 1; /* packing asks its questions */
	return cmocka_run_group_tests(tests, start, stop);
}
