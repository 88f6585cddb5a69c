/*
 * The view of a source job and its findings, through the real helper.  The "compiler" is this test program itself: with --job it does
 * one thing, good or hostile, and says on stdout how that went.
 */
#include "tests/unit/helper_rig.h"

#include <errno.h>
#include <time.h>
#include "exec/findings.h"
#include "exec/specs.h"
#include "exec/spawn.h"
#include "tests/unit/view_jobs.h"

#define ID_OF_HELPER 60977 /* what a helper of root's becomes */

/* --- the store --- */

static char self[PATH_MAX];
static struct rig rig;
static bool boxed;
static const char *const plenty[4] = {"5", "70368744177664", "60", "67108864"};
static struct digest trees[2];
static struct tree_entry own[16];
static uint32_t nown;

static void
make_folders(char *path)
{
	for (char *p = path + strlen(rig.dir) + 1; (p = strchr(p, '/')) != NULL; p++) {
		*p = '\0';
		if (mkdir(path, 0755) == 0 && geteuid() == 0 &&
		        chown(path, ID_OF_HELPER, ID_OF_HELPER) != 0)
			errno = 0; /* root of a namespace: the helper stays this root */
		*p = '/';
	}
}

static void
put_file(char *path, const char *text)
{
	int fd;

	make_folders(path);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	if (geteuid() == 0 && fchown(fd, ID_OF_HELPER, ID_OF_HELPER) != 0)
		errno = 0;
	close(fd);
}

static char *
tree_path(unsigned tree, const char *path)
{
	static char out[PATH_MAX];
	char hex[DIGEST_HEX_SIZE];

	digest_hex(&trees[tree], hex);
	snprintf(out, sizeof(out), "%s/trees/%s%s", rig.dir, hex, path);
	return out;
}

static struct tree_entry *
add_own(const char *path, enum tree_kind kind)
{
	own[nown] = (struct tree_entry){.path = path, .kind = (uint8_t)kind};
	return &own[nown++];
}

static struct tree_entry *
add_file(const char *path, const char *text)
{
	struct tree_entry *e = add_own(path, TREE_FILE);
	char hex[DIGEST_HEX_SIZE], blob[PATH_MAX];

	e->mode = 0644;
	e->size = strlen(text);
	digest_of(&e->digest, text, strlen(text));
	digest_hex(&e->digest, hex);
	snprintf(blob, sizeof(blob), "%s/blobs/%.2s/%s", rig.dir, hex, hex);
	put_file(blob, text);
	return e;
}

static void
make_store(void)
{
	digest_of(&trees[0], "0", 1);
	digest_of(&trees[1], "1", 1);
	put_file(tree_path(0, HOME "/include/a.h"), "a of the first");
	put_file(tree_path(0, HOME "/include/b.h"), "b of the first");
	put_file(tree_path(1, HOME "/include/a.h"), "a of the second");
	put_file(tree_path(1, HOME "/include/c.h"), "c of the second");
	put_file(tree_path(1, HOME "/other/deep/x.h"), "x");
	assert_int_equal(symlink("other/../include", tree_path(1, HOME "/inc")), 0);
	add_file(CWD "/a.c", "int a;\n")->mtime_s = 1234567890;
	add_file(CWD "/rewritten.h", "1234567");
	add_file(CWD "/removed.h", "removed");
	add_file(CWD "/script", "#!/bin/sh\n")->mode = 0755;
	add_file(HOME "/include/b.h", "b of the job");
	add_own(CWD "/link", TREE_LINK)->target = "../inc/a.h";
	add_own(CWD "/dangling", TREE_LINK)->target = "nowhere";
	add_own(CWD "/kept", TREE_LINK)->target = "nowhere";
	add_own(CWD "/Twin.c", TREE_TWIN)->target = CWD "/a.c"; /* sorts before its file */
	add_own(CWD "/sub", TREE_FOLDER);
}

/* --- the test's side --- */

/* With a sorted copy of the own tree. */
static struct job
source_job(const char *const argv[5])
{
	static const char *const env[] = {"LANG=C", NULL};
	static const char *const outputs[] = {OUTPUT, CWD "/out/declared.d"};
	static struct tree_entry sorted[sizeof(own) / sizeof(own[0])];
	struct tree tree = {.entries = sorted, .n = nown};

	memcpy(sorted, own, sizeof(own));
	tree_sort(&tree);
	return (struct job){.mode = JOB_SOURCE,
	        .cwd = CWD,
	        .argv = (const char **)(uintptr_t)argv,
	        .argc = 4,
	        .env = (const char **)(uintptr_t)env,
	        .nenv = 1,
	        .outputs = (const char **)(uintptr_t)outputs,
	        .noutputs = 2,
	        .trees = trees,
	        .ntrees = 2,
	        .own = tree};
}

static const struct job_result *
run_job(const char *what, const char *arg)
{
	const char *argv[] = {self, "--job", what, arg, NULL};
	struct job j = source_job(argv);

	rig_run(&rig, &j, NULL, 0);
	return &rig.msg.result;
}

/* What the job printed. */
static const char *
said(const char *what, const char *arg)
{
	const struct job_result *r = run_job(what, arg);

	if (r->end != JOB_EXITED)
		fail_msg("%s %s: %s: %s", what, arg, job_end_name(r->end), rig.msg.text);
	assert_int_equal(r->exit_code, 0);
	return rig_text(&rig, 0);
}

/* How often the last job's findings hold the record. */
static int
count_findings(enum finding kind, const char *path)
{
	static char bytes[FINDINGS_LEN_MAX];
	const struct job_result *r = &rig.msg.result;
	const char *found;
	enum finding what;
	size_t at = 0;
	ssize_t len;
	int n = 0, e;

	assert_int_equal(r->noutputs, 5);
	assert_true(r->outputs[4].present);
	len = pread(rig.fds[rig.nfds - 1], bytes, sizeof(bytes), 0);
	assert_int_equal(len, (ssize_t)r->outputs[4].size);
	while ((e = findings_next(bytes, (size_t)len, &at, &what, &found)) == 1) {
		n += what == kind && (path == NULL || strcmp(found, path) == 0);
		if (getenv("VIEW_SHOW") != NULL)
			print_message("%c %s\n", what, found);
	}
	assert_int_equal(e, 0);
	return n;
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
	if (boxed) {
		rig_toolchain(&rig, self);
		make_store();
	} else {
		print_message("skipped: no sandbox on this machine: %s\n", rig.msg.text);
	}
	return 0;
}

static int
stop(void **state)
{
	(void)state;
	rig_stop(&rig);
	return 0;
}

static void
need_box(void **state)
{
	(void)state;
	if (!boxed)
		skip();
}

static void
layers_lie_in_their_order(void **state)
{
	need_box(state);
	assert_string_equal(said("cat", HOME "/include/a.h"), "a of the first");
	assert_string_equal(said("cat", HOME "/include/b.h"), "b of the job");
	assert_string_equal(said("cat", HOME "/include/c.h"), "c of the second");
	assert_string_equal(said("cat", HOME "/inc/c.h"), "c of the second");
	assert_string_equal(said("cat", HOME "/other/../include/b.h"), "b of the job");
	assert_string_equal(said("cat", "link"), "a of the first");
	assert_string_equal(said("cat", "sub/../a.c"), "int a;\n");
	assert_int_equal(atoi(said("stat", HOME "/include/d.h")), ENOENT);
}

static void
own_files_are_as_said(void **state)
{
	char first[256];

	need_box(state);
	snprintf(first, sizeof(first), "%s", said("stat", CWD "/a.c"));
	assert_memory_equal(first, "100644 7 1234567890 2 ", 22);
	assert_string_equal(said("stat", CWD "/Twin.c"), first);
	assert_memory_equal(said("stat", CWD "/script"), "100755 10 1 1 ", 14);
	assert_memory_equal(said("stat", CWD "/sub"), "40755 ", 6);
}

/* What it does to the layers below it does to its own scratch. */
/* The end of a job whose compiler is told to read these specs; NULL: that are not there. */
static enum job_end
end_with_specs(const char *specs)
{
	const char *argv[] = {self, SPECS_WORD, "--job", "nothing", NULL};
	uint32_t without = nown;
	struct job j;

	if (specs)
		add_file(SPECS_PATH, specs);
	j = source_job(argv);
	rig_run(&rig, &j, NULL, 0);
	nown = without;
	return rig.msg.result.end;
}

/* A specs file starts what it likes: only one that says a processor may be read. */
static void
specs_are_looked_at(void **state)
{
	struct buf b;

	need_box(state);
	assert_int_equal(end_with_specs(NULL), JOB_REFUSED);
	assert_non_null(strstr(rig.msg.text, "specs"));
	assert_int_equal(
	        end_with_specs("*cc1_cpu:\n-march=x86-64\n\n*asm:\n./script\n\n"), JOB_REFUSED);
	buf_init(&b, SPECS_LEN_MAX);
	specs_put(&b, "-march=x86-64 -mavx");
	buf_put_u8(&b, 0);
	assert_int_equal(end_with_specs((const char *)b.data), JOB_EXITED);
	buf_fini(&b);
}

static void
store_is_never_changed(void **state)
{
	static const char *const acts[] = {"write", "unlink", "chmod", "rename"};
	struct stat before, after;

	need_box(state);
	assert_int_equal(stat(tree_path(0, HOME "/include/a.h"), &before), 0);
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		assert_int_equal(atoi(said(acts[i], HOME "/include/a.h")), 0);
	assert_int_equal(atoi(said("rename", HOME "/other")) == 0, 0); /* EXDEV */
	assert_int_equal(stat(tree_path(0, HOME "/include/a.h"), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(before.st_ctim));
	assert_int_not_equal(access(tree_path(0, HOME "/include/renamed"), F_OK), 0);
	assert_string_equal(said("cat", HOME "/include/a.h"), "a of the first");
}

static void
outputs_and_extras_are_told(void **state)
{
	static const char *const extra[] = {CWD "/a.su", CWD "/rewritten.h", CWD "/removed.h",
	        HOME "/include/a.h", HOME "/include/c.h", CWD "/folder", CWD "/full/file",
	        CWD "/link.new", CWD "/link"};

	need_box(state);
	assert_int_equal(run_job("change", "")->end, JOB_EXITED);
	assert_int_equal(rig.msg.result.exit_code, 0);
	assert_int_equal(rig.nfds, 5);
	assert_string_equal(rig_text(&rig, 2), "written");
	for (size_t i = 0; i < sizeof(extra) / sizeof(extra[0]); i++) {
		if (count_findings(FINDING_EXTRA, extra[i]) != 1)
			fail_msg("%s is not told once", extra[i]);
	}
	assert_int_equal(count_findings(FINDING_EXTRA, NULL), sizeof(extra) / sizeof(extra[0]));
	assert_int_equal(run_job("nothing", "")->end, JOB_EXITED);
	assert_int_equal(count_findings(FINDING_EXTRA, NULL), 0);
}

static bool
listener_is_possible(void)
{
	struct filter f;
	int status;
	pid_t pid;

	if (filter_build(&f, FILTER_GUARD) != 0)
		return false;
	pid = fork();
	if (pid == 0)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_listen(&f) < 0);
	filter_fini(&f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status == 0;
}

/* Records of the guard for what is below HOME; the C library's own look-ups come on top. */
static void
missing_names_are_told(void **state)
{
	static const char *const missed[] = {CWD "/missing.h", HOME "/nowhere/x.h",
	        CWD "/sub/../y.h", CWD "/dangling", HOME "/include/q.h", HOME "/include/a.h/below",
	        CWD "/a.c/", CWD "/new-access.h", CWD "/statx.h", HOME "/relative.h"};
	static const char *const not [] = {CWD "/out/created.tmp", HOME "/include/a.h",
	        "/proc/999/x", "/dev/x", CWD, CWD "/", HOME "/include", "/"};

	need_box(state);
	assert_int_equal(run_job("look", "")->end, JOB_EXITED);
	if (!listener_is_possible()) {
		print_message("skipped: no guard on this machine\n");
		assert_int_equal(count_findings(FINDING_OVERFLOW, NULL), 1);
		skip();
	}
	assert_int_equal(count_findings(FINDING_OVERFLOW, NULL), 0);
	for (size_t i = 0; i < sizeof(missed) / sizeof(missed[0]); i++) {
		if (count_findings(FINDING_MISS, missed[i]) != 1)
			fail_msg("%s is not told once", missed[i]);
	}
	for (size_t i = 0; i < sizeof(not ) / sizeof(not [0]); i++)
		assert_int_equal(count_findings(FINDING_MISS, not [i]), 0);
}

static void
too_many_names_are_told(void **state)
{
	need_box(state);
	assert_int_equal(run_job("look-often", "")->end, JOB_EXITED);
	assert_int_equal(rig.msg.result.exit_code, 0);
	assert_int_equal(count_findings(FINDING_OVERFLOW, NULL), 1);
	assert_in_range(count_findings(FINDING_MISS, NULL), 0, NAMES_MANY - 1);
}

static void
listener_is_out_of_reach(void **state)
{
	need_box(state);
	assert_int_equal(atoi(said("grab", "")), 0);
}

/* A job started without the helper, for the lack of a guard. */
static void
lack_of_a_guard_is_told(void **state)
{
	const char *argv[] = {self, "--job", "nothing", "", NULL};
	const struct limits limits = {.memory = 1ULL << 46, .time_s = 60, .output = 1 << 20};
	struct job j = source_job(argv);
	char hex[DIGEST_HEX_SIZE];
	struct filter filter;
	struct spawn s = {
	        .view = {.toolchain = hex, .job = &j, .limits = &limits, .root = geteuid() == 0},
	        .filter = &filter};
	struct pollfd p = {.events = POLLIN};
	struct spawn_report report;
	struct running running;

	need_box(state);
	digest_hex(&rig.toolchain, hex);
	assert_int_equal(filter_build(&filter, FILTER_COMPILE), 0);
	assert_int_equal(chdir(rig.dir), 0);
	assert_int_equal(spawn_start(&s, &running), 0);
	p.fd = running.pidfd;
	assert_int_equal(poll(&p, 1, 30000), 1);
	rig_close_fds(&rig);
	spawn_finish(&running, &report, rig.fds, &rig.nfds);
	rig.msg.result = report.result;
	assert_int_equal(chdir("/"), 0);
	filter_fini(&filter);
	if (report.result.end != JOB_EXITED)
		fail_msg("%s", report.text);
	assert_int_equal(count_findings(FINDING_OVERFLOW, NULL), 1);
	assert_int_equal(count_findings(FINDING_MISS, NULL), 0);
}

static void
expect_end(enum job_end end, const char *text)
{
	run_job("nothing", "");
	if (rig.msg.result.end != end || strstr(rig.msg.text, text) == NULL)
		fail_msg("%s: %s", job_end_name(rig.msg.result.end), rig.msg.text);
}

static void
impossible_views_are_refused(void **state)
{
	char target[PATH_MAX];
	struct digest right = trees[1];
	ssize_t len = readlink("/lib64", target, sizeof(target) - 1);

	need_box(state);
	add_own("/lost.h", TREE_FILE)->size = 1;
	own[nown - 1].mode = 0644;
	expect_end(JOB_REFUSED, "/lost.h");
	nown--;
	add_own("/dev/null", TREE_LINK)->target = "x";
	expect_end(JOB_REFUSED, "/dev/null");
	nown--;
	add_own(CWD "/out", TREE_LINK)->target = "x";
	expect_end(JOB_REFUSED, CWD "/out");
	nown--;
	trees[1].bytes[0] ^= 1;
	expect_end(JOB_SANDBOX, "trees/");
	trees[1] = right;
	if (len > 0) { /* where the toolchain has a link */
		target[len] = '\0';
		add_own("/lib64", TREE_LINK)->target = target;
		expect_end(JOB_EXITED, "");
		own[nown - 1].target = "elsewhere";
		expect_end(JOB_REFUSED, "/lib64");
		own[nown - 1] = (struct tree_entry){.path = "/lib64/x", .kind = TREE_FOLDER};
		expect_end(JOB_REFUSED, "/lib64");
		nown--;
	}
	assert_int_equal(symlink("x", tree_path(1, CWD)), 0);
	expect_end(JOB_REFUSED, CWD);
	assert_int_equal(unlink(tree_path(1, CWD)), 0);
	expect_end(JOB_EXITED, "");
}

static void
trivial_job(void)
{
	run_job("nothing", "");
}

static void
median_is_told(void **state)
{
	char path[2 * PATH_MAX];

	need_box(state);
	for (int i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "%s/%d/%d.h", tree_path(0, HOME), i % 30, i);
		put_file(path, "x");
	}
	tell_median(trivial_job, "a trivial job over 500 files");
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(layers_lie_in_their_order),
	        cmocka_unit_test(own_files_are_as_said), cmocka_unit_test(specs_are_looked_at),
	        cmocka_unit_test(specs_are_looked_at), cmocka_unit_test(store_is_never_changed),
	        cmocka_unit_test(outputs_and_extras_are_told),
	        cmocka_unit_test(missing_names_are_told), cmocka_unit_test(too_many_names_are_told),
	        cmocka_unit_test(listener_is_out_of_reach),
	        cmocka_unit_test(lack_of_a_guard_is_told),
	        cmocka_unit_test(impossible_views_are_refused), cmocka_unit_test(median_is_told)};

	if (argc == 4 && strcmp(argv[1], "--job") == 0) {
		int r = job_main(argv[2], argv[3]);

		fflush(NULL);
		_exit(r); /* a leak checker would want ptrace */
	}
	if (argc > 1)
		return 1; /* packing asks its questions */
	return cmocka_run_group_tests(tests, start, stop);
}
