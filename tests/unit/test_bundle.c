/* client/bundle: what a job in source mode names, what it is declined for, and what its findings mean. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <time.h>
#include "exec/findings.h"
#include "tests/unit/bundle_rig.h"

static struct bundle_rig g;

static int
start(void **state)
{
	(void)state;
	return bundle_rig_enter(&g);
}

static int
stop(void **state)
{
	(void)state;
	return bundle_rig_leave(&g);
}

static void
make(char *const *argv)
{
	int err = bundle_rig_make(&g, argv);

	if (err != 0)
		print_message("%s: %s\n", g.reason, g.why);
	assert_int_equal(err, 0);
}

static void
declined(const char *reason, char *const *argv)
{
	assert_int_equal(bundle_rig_make(&g, argv), IM_ERR_REFUSED);
	if (strcmp(reason, "output-special") == 0 || strcmp(reason, "include-undecided") == 0)
		assert_true(strncmp(g.reason, reason, strlen(reason)) == 0);
	else
		assert_string_equal(g.reason, reason);
}

static const char *
below(const char *name)
{
	static char path[2][PATH_MAX + 64];
	static unsigned next;

	snprintf(path[++next % 2], sizeof path[0], "%s/%s", g.cwd, name);
	return path[next % 2];
}

static const struct tree_entry *
own(const char *name)
{
	const struct tree *t = &g.bundle.job.own;

	for (uint32_t i = 0; i < t->n; i++)
		if (strcmp(t->entries[i].path, below(name)) == 0)
			return &t->entries[i];
	return NULL;
}

static const char *
variable(const char *name)
{
	for (uint32_t i = 0; i < g.bundle.job.nenv; i++)
		if (strncmp(g.bundle.job.env[i], name, strlen(name)) == 0 &&
		        g.bundle.job.env[i][strlen(name)] == '=')
			return g.bundle.job.env[i] + strlen(name) + 1;
	return NULL;
}

/* --- the job --- */

static void
test_job(void **state)
{
	struct buf b;

	(void)state;
	make(BUNDLE_ARGV("-Iinc", "-c", "a.c", "-O2", "-MD"));
	assert_int_equal(g.bundle.job.mode, JOB_SOURCE);
	assert_string_equal(g.bundle.job.cwd, g.cwd);
	assert_int_equal(g.bundle.job.toolchain.bytes[0], 7);
	assert_int_equal(g.bundle.job.argc, 6);
	assert_string_equal(g.bundle.job.argv[0], BUNDLE_RIG_GCC);
	assert_string_equal(g.bundle.job.argv[1], "-Iinc");
	assert_string_equal(g.bundle.job.argv[5], "-MD");
	assert_int_equal(g.bundle.job.noutputs, 2);
	assert_string_equal(g.bundle.job.outputs[0], below("a.o"));
	assert_string_equal(g.bundle.job.outputs[1], below("a.d"));
	assert_string_equal(g.bundle.products[0].path, "a.o");
	assert_true(g.bundle.products[0].object && g.bundle.products[0].required);
	assert_false(g.bundle.products[1].object || g.bundle.products[1].required);
	assert_int_equal(g.bundle.products[0].way, OUTPUT_RENAME);
	assert_true(g.bundle.job.ntrees > 0);
	assert_non_null(own("a.c"));
	assert_null(own("a.o"));
	buf_init(&b, JOB_LEN_MAX);
	assert_int_equal(job_encode(&g.bundle.job, &b), 0);
	buf_fini(&b);
}

static void
test_assembly(void **state)
{
	(void)state;
	assert_int_equal(scratch_text("a.s", "old"), 0);
	make(BUNDLE_ARGV("-S", "a.c"));
	assert_false(g.bundle.products[0].object);
	assert_int_equal(g.bundle.products[0].way, OUTPUT_WRITE);
	assert_true(g.bundle.products[0].stood);
}

static void
test_markers(void **state)
{
	const struct tree_entry *e;
	struct digest marker;
	struct buf b;

	(void)state;
	assert_int_equal(scratch_text("a.o", "old"), 0);
	make(BUNDLE_ARGV("-c", "a.c", "-MD"));
	digest_of(&marker, RESULTS_MARKER, strlen(RESULTS_MARKER));
	e = own("a.o");
	assert_non_null(e);
	assert_true(digest_equal(&e->digest, &marker));
	assert_int_equal(e->size, strlen(RESULTS_MARKER));
	assert_null(own("a.d"));
	assert_true(g.bundle.products[0].stood);
	assert_false(g.bundle.products[1].stood);
	buf_init(&b, 4096);
	assert_int_equal(bundle_blob(&g.bundle, &marker, &b), 0);
	assert_int_equal(b.len, strlen(RESULTS_MARKER));
	assert_memory_equal(b.data, RESULTS_MARKER, b.len);
	buf_fini(&b);
}

/* The peer is told the way without links; here the file is opened as it was spelled. */
static void
test_outputs_through_links(void **state)
{
	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(symlink("real", "link"), 0);
	make(BUNDLE_ARGV("-c", "a.c", "-o", "link/../link/a.o"));
	assert_string_equal(g.bundle.job.outputs[0], below("real/a.o"));
	assert_string_equal(g.bundle.products[0].path, "link/../link/a.o");
	assert_non_null(own("link"));
	/* two names of one file are one output */
	make(BUNDLE_ARGV("-c", "a.c", "-o", "link/a.o", "-MD", "-MF", "real/a.o"));
	assert_int_equal(g.bundle.job.noutputs, 1);
}

static void
test_declined_outputs(void **state)
{
	(void)state;
	declined("path", BUNDLE_ARGV("-c", "a.c", "-o", "none/a.o"));
	assert_int_equal(mkdir("folder", 0755), 0);
	declined("output-special", BUNDLE_ARGV("-c", "a.c", "-o", "folder"));
	assert_int_equal(mkfifo("fifo", 0600), 0);
	declined("output-special", BUNDLE_ARGV("-c", "a.c", "-MD", "-MF", "fifo"));
	declined("output-special", BUNDLE_ARGV("-c", "a.c", "-MD", "-MF", "h.h"));
	/* where it cannot be written anyway, the compiler says so there as here */
	make(BUNDLE_ARGV("-c", "a.c", "-MD", "-MF", "none/a.d"));
	assert_int_equal(g.bundle.job.noutputs, 1);
}

static void
test_declined_inputs(void **state)
{
	(void)state;
	declined("no-source", BUNDLE_ARGV("-c", "b.c"));
	assert_int_equal(scratch_text("b.c", "#include NAME(x)\n"), 0);
	declined("include-undecided", BUNDLE_ARGV("-c", "b.c"));
	assert_string_not_equal(g.why, "");
	assert_int_equal(scratch_text("b.c", "char *s = __TIMESTAMP__;\n"), 0);
	declined("date-time", BUNDLE_ARGV("-c", "b.c"));
}

/* --- environment --- */

static void
test_environment(void **state)
{
	(void)state;
	g.env[2] = "LANG=de_DE.UTF-8";
	g.env[3] = "SECRET=1";
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_null(variable("SECRET"));
	assert_null(variable("HOME"));
	assert_null(variable("LANG"));
	assert_false(g.bundle.translated);
	assert_non_null(variable("SOURCE_DATE_EPOCH"));
}

/* The clock's time here, as if it were UTC. */
static void
test_dates(void **state)
{
	char *zone = getenv("TZ") != NULL ? strdup(getenv("TZ")) : NULL;
	time_t before, after, said;

	(void)state;
	assert_int_equal(scratch_text("b.c", "char *s = __DATE__ __TIME__;\n"), 0);
	setenv("TZ", "XYZ-5:30", 1);
	tzset();
	before = time(NULL);
	make(BUNDLE_ARGV("-c", "b.c"));
	after = time(NULL);
	said = (time_t)strtoll(variable("SOURCE_DATE_EPOCH"), NULL, 10) - 19800;
	assert_true(said >= before && said <= after);
	g.env[2] = "SOURCE_DATE_EPOCH=77";
	make(BUNDLE_ARGV("-c", "b.c"));
	assert_string_equal(variable("SOURCE_DATE_EPOCH"), "77");
	assert_int_equal(g.bundle.job.nenv, 2);
	if (zone != NULL)
		setenv("TZ", zone, 1);
	else
		unsetenv("TZ");
	tzset();
	free(zone);
}

/* --- blobs --- */

static void
test_blobs(void **state)
{
	struct digest header, unknown = {{1, 2, 3}}, tree;
	struct buf b;

	(void)state;
	make(BUNDLE_ARGV("-c", "a.c"));
	digest_of(&header, "#define H 1\n", 12);
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(bundle_blob(&g.bundle, &header, &b), 0);
	assert_int_equal(b.len, 12);
	buf_reset(&b);
	for (uint32_t i = 0; i < g.bundle.job.ntrees; i++) {
		assert_int_equal(bundle_blob(&g.bundle, &g.bundle.job.trees[i], &b), 0);
		digest_of(&tree, b.data, b.len);
		assert_true(digest_equal(&tree, &g.bundle.job.trees[i]));
		buf_reset(&b);
	}
	assert_int_equal(bundle_blob(&g.bundle, &unknown, &b), IM_ERR_ABSENT);
	assert_true(bundle_blobs(&g.bundle) >= 3 + g.bundle.job.ntrees + 1);
	assert_int_equal(scratch_text("h.h", "#define H 3\n"), 0);
	buf_reset(&b);
	assert_int_equal(bundle_blob(&g.bundle, &header, &b), IM_ERR_DIGEST);
	assert_int_equal(unlink("h.h"), 0);
	buf_reset(&b);
	assert_true(bundle_blob(&g.bundle, &header, &b) < 0);
	buf_fini(&b);
}

/* --- findings --- */

static int
findings(enum finding what, const char *path)
{
	struct digest digest;
	struct buf b;
	int err;

	buf_init(&b, FINDINGS_LEN_MAX);
	if (path != NULL)
		findings_add(&b, what, path);
	digest_of(&digest, b.data, b.len);
	err = bundle_findings(&g.bundle, &b, &digest, g.why);
	buf_fini(&b);
	return err;
}

static void
test_findings_that_do_not_matter(void **state)
{
	(void)state;
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_int_equal(findings(FINDING_MISS, NULL), 0);
	assert_int_equal(findings(FINDING_MISS, below("inc/none.h")), 0);
	assert_int_equal(findings(FINDING_MISS, "/nothing/at/all"), 0);
	/* what a compile that failed removed */
	assert_int_equal(scratch_text("a.o", "old"), 0);
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_int_equal(findings(FINDING_MISS, below("a.o")), 0);
	assert_int_equal(findings(FINDING_MISS, below("inc/../a.o")), 0);
}

static void
test_findings_that_matter(void **state)
{
	static const char *const broken[] = {"m", "x/made", "?/x"};
	static const struct digest none;
	struct buf b;

	(void)state;
	make(BUNDLE_ARGV("-Iinc", "-c", "a.c"));
	assert_int_equal(scratch_text("inc/later.h", ""), 0);
	assert_int_equal(findings(FINDING_MISS, below("inc/later.h")), IM_ERR_REFUSED);
	assert_non_null(strstr(g.why, "inc/later.h"));
	assert_int_equal(findings(FINDING_MISS, below("inc/../inc/later.h")), IM_ERR_REFUSED);
	assert_int_equal(findings(FINDING_EXTRA, below("b.o")), IM_ERR_REFUSED);
	assert_non_null(strstr(g.why, "b.o"));
	assert_int_equal(findings(FINDING_EXTRA, "/x/\033[31m"), IM_ERR_REFUSED);
	assert_null(strchr(g.why, '\033'));
	assert_int_equal(findings(FINDING_OVERFLOW, ""), IM_ERR_REFUSED);
	assert_int_equal(g.probes.n, 0);
	buf_init(&b, 64);
	for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
		buf_reset(&b);
		/* the second without its NUL */
		buf_put(&b, broken[i], strlen(broken[i]) + (i != 1));
		assert_int_equal(bundle_findings(&g.bundle, &b, &none, g.why), IM_ERR_REFUSED);
		assert_non_null(strstr(g.why, "cannot be read"));
	}
	buf_fini(&b);
}

/* A small file elsewhere: noted, shown from then on, and no excuse any more. */
static void
test_learns(void **state)
{
	char elsewhere[] = "/tmp/icemesh-probe-XXXXXX", file[64];
	bool shown = false, there = false;

	(void)state;
	assert_non_null(mkdtemp(elsewhere));
	snprintf(file, sizeof file, "%s/specs", elsewhere);
	assert_int_equal(scratch_text(file, "*cc1:\n"), 0);
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_int_equal(findings(FINDING_MISS, file), IM_ERR_ABSENT);
	assert_true(probes_know(&g.probes, file, &shown));
	assert_true(shown);
	probes_fini(&g.probes);
	probes_init(&g.probes);
	make(BUNDLE_ARGV("-c", "a.c"));
	for (uint32_t i = 0; i < g.bundle.inputs.nfiles; i++)
		there |= strcmp(g.bundle.inputs.files[i].path, file) == 0;
	assert_true(there);
	assert_int_equal(findings(FINDING_MISS, file), IM_ERR_REFUSED);
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(elsewhere), 0);
}

/* What is too large to be shown is noted once, and then does not matter. */
static void
test_learns_what_is_not_shown(void **state)
{
	char file[] = "/tmp/icemesh-probe-XXXXXX";
	int fd = mkstemp(file);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, PROBES_FILE_MAX + 1), 0);
	close(fd);
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_int_equal(findings(FINDING_MISS, file), IM_ERR_ABSENT);
	make(BUNDLE_ARGV("-c", "a.c"));
	assert_int_equal(findings(FINDING_MISS, file), 0);
	assert_int_equal(unlink(file), 0);
}

/* --- recalled sets --- */

/* Until what was written before is old enough to be believed, some hundredths of a second. */
static void
grow_old(void)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000 + (now.tv_nsec - from.tv_nsec) / 1000000 < 80);
}

static void
encode(struct buf *b)
{
	buf_init(b, JOB_LEN_MAX);
	assert_int_equal(job_encode(&g.bundle.job, b), 0);
}

/* Makes it twice, the first one accepted: the second is recalled. */
static void
make_recalled(char *const *argv)
{
	make(argv);
	assert_false(g.bundle.recalled);
	assert_int_equal(findings(FINDING_MISS, NULL), 0);
	bundle_keep(&g.bundle);
	make(argv);
	assert_true(g.bundle.recalled);
}

/* A second compile of the same: the same job, and everything that may be asked of it. */
static void
test_recalled(void **state)
{
	char *const *argv = BUNDLE_ARGV("-Iinc", "-DX", "-c", "a.c");
	struct buf first, second, b;
	struct digest header;

	(void)state;
	digest_of(&header, "#define H 1\n", 12);
	grow_old();
	make(argv);
	assert_false(g.bundle.recalled);
	bundle_keep(&g.bundle); /* nobody has checked it */
	make(argv);
	assert_false(g.bundle.recalled);
	assert_int_equal(findings(FINDING_MISS, below("inc/stdio.h")), 0);
	bundle_keep(&g.bundle);
	encode(&first);
	make(argv);
	assert_true(g.bundle.recalled);
	encode(&second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	buf_fini(&first);
	buf_fini(&second);
	/* the same findings need no look, and others get one */
	assert_int_equal(findings(FINDING_MISS, below("inc/stdio.h")), 0);
	assert_null(g.bundle.inputs.memory);
	assert_int_equal(findings(FINDING_MISS, below("inc/none.h")), 0);
	assert_non_null(g.bundle.inputs.memory);
	assert_int_equal(scratch_text("inc/later.h", ""), 0);
	assert_int_equal(findings(FINDING_MISS, below("inc/later.h")), IM_ERR_REFUSED);
	assert_int_equal(unlink("inc/later.h"), 0);
	/* a peer that lacks a header */
	make_recalled(BUNDLE_ARGV("-Iinc", "-DX", "-DY", "-c", "a.c"));
	assert_true(bundle_blobs(&g.bundle) >= 3 + g.bundle.job.ntrees + 1);
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(bundle_blob(&g.bundle, &header, &b), 0);
	assert_int_equal(b.len, 12);
	buf_fini(&b);
}

/* Findings that cannot even be looked for: what is wrong with them is said long after the set was found again. */
static void
test_recalled_and_refused(void **state)
{
	char *const *argv = BUNDLE_ARGV("-c", "a.c");
	char path[2 * PATH_MAX] = "/";

	(void)state;
	grow_old();
	make_recalled(argv);
	memset(path + 1, 'x', sizeof path - 2);
	assert_int_equal(findings(FINDING_MISS, "/proc/self/x"), 0);
	assert_int_equal(findings(FINDING_MISS, path), IM_ERR_ABSENT); /* it may be there */
	assert_non_null(strstr(g.bundle.why, "xxx"));
}

/* An output that the source asks for: once it is there, the compile is none for a peer. */
static void
test_recalled_output(void **state)
{
	char *const *argv = BUNDLE_ARGV("-MD", "-MF", "deps.h", "-c", "a.c");

	(void)state;
	assert_int_equal(
	        scratch_text("a.c", "#if defined __OPTIMIZE__ && __has_include(\"deps.h\")\n"
	                            "#include \"deps.h\"\n#endif\n"),
	        0);
	grow_old();
	make_recalled(argv);
	assert_int_equal(scratch_text("deps.h", ""), 0);
	declined("output-special", argv);
}

/* What was true when the job was made, and is not when the peer asks. */
static void
test_recalled_and_changed(void **state)
{
	char *const *argv = BUNDLE_ARGV("-c", "a.c");
	struct digest header;
	struct buf b;

	(void)state;
	digest_of(&header, "#define H 1\n", 12);
	grow_old();
	make_recalled(argv);
	assert_int_equal(scratch_text("h.h", "#define H 5\n"), 0);
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(bundle_blob(&g.bundle, &header, &b), IM_ERR_DIGEST);
	assert_int_equal(bundle_blob(&g.bundle, &header, &b), IM_ERR_DIGEST);
	buf_fini(&b);
	make(argv);
	assert_false(g.bundle.recalled);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_job), TEST(test_assembly), TEST(test_markers),
	        TEST(test_outputs_through_links), TEST(test_declined_outputs),
	        TEST(test_declined_inputs), TEST(test_environment), TEST(test_dates),
	        TEST(test_recalled), TEST(test_recalled_and_refused), TEST(test_recalled_output),
	        TEST(test_recalled_and_changed), TEST(test_blobs),
	        TEST(test_findings_that_do_not_matter), TEST(test_findings_that_matter),
	        TEST(test_learns), TEST(test_learns_what_is_not_shown)};

	alarm(100);
	if (access(BUNDLE_RIG_GCC, X_OK) != 0) {
		print_message("1..0 # SKIP no gcc\n");
		return 0;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
