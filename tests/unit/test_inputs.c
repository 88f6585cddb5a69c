#include "client/inputs.h"

#include "tests/unit/inputs_case.h"

/* A small project: src/a.c, inc/, inc/sub/. */
static int
start(void **state)
{
	if (begin(state))
		return -1;
	rig_search(rig, "inc");
	rig_search(rig, "absent");
	return mkdir("src", 0755) || mkdir("inc", 0755) || mkdir("inc/sub", 0755);
}

static void
find_ok(void)
{
	find_in("src/a.c");
}

static void
refused(const char *cause)
{
	refused_in("src/a.c", cause);
}

static void
every_branch_and_every_folder(void **state)
{
	(void)state;
	text("src/a.c", "#if 0\n#include \"x.h\"\n#else\n#include <sub/y.h>\n#endif\n");
	text("src/x.h", "#include \"x.h\"\n");
	text("inc/x.h", "");
	text("inc/sub/y.h", "#include <x.h>\n#include \"gone.h\"\n");
	text("inc/sub/x.h", "");
	find_ok();
	assert_int_equal(rig->in.nfiles, 4);
	assert_string_equal(rig->in.files[0].path, rig_path(rig, "src/a.c"));
	assert_true(rig_follows(rig, "src/a.c", "src/x.h"));
	assert_true(rig_follows(rig, "src/a.c", "inc/x.h"));
	assert_true(rig_follows(rig, "src/a.c", "inc/sub/y.h"));
	assert_true(rig_follows(rig, "src/x.h", "src/x.h"));
	assert_true(rig_follows(rig, "inc/sub/y.h", "inc/x.h"));
	assert_null(rig_file(rig, "inc/sub/x.h"));
	assert_non_null(rig_place(rig, "inc"));
	assert_non_null(rig_place(rig, rig->cwd));
}

static void
facts_of_files(void **state)
{
	const struct inputs_file *f;
	struct digest d;

	(void)state;
	text("src/a.c", "const char *now = __TIME__;\n");
	assert_int_equal(chmod("src/a.c", 0750), 0);
	find_ok();
	f = &rig->in.files[0];
	digest_of(&d, "const char *now = __TIME__;\n", 28);
	assert_true(digest_equal(&f->digest, &d));
	assert_int_equal(f->size, 28);
	assert_int_equal(f->mode, 0755);
	assert_int_equal(f->flags, INCLUDES_DATE);
	assert_int_equal(rig->in.flags, INCLUDES_DATE);
	assert_null(f->target);
}

static void
sources_that_are_none(void **state)
{
	(void)state;
	assert_int_equal(rig_find(rig, rig->cwd, "src/a.c"), IM_ERR_ABSENT);
	assert_int_equal(rig_find(rig, rig->cwd, "src"), IM_ERR_REFUSED);
	assert_int_equal(rig_find(rig, rig_path(rig, "nowhere"), "a.c"), IM_ERR_ABSENT);
	assert_int_equal(symlink("nowhere.c", "src/a.c"), 0);
	assert_int_equal(rig_find(rig, rig->cwd, "src/a.c"), IM_ERR_ABSENT);
}

static void
source_by_absolute_path_and_link(void **state)
{
	(void)state;
	text("inc/real.c", "#include \"x.h\"\n");
	text("src/x.h", "");
	text("inc/x.h", "");
	assert_int_equal(symlink("../inc/real.c", "src/a.c"), 0);
	assert_int_equal(rig_find(rig, "/", rig_path(rig, "src/a.c")), 0);
	assert_string_equal(rig->in.files[0].path, rig_path(rig, "src/a.c"));
	assert_string_equal(rig->in.files[0].target, "../inc/real.c");
	assert_int_equal(rig->in.files[0].nfollows, 1);
	/* gcc looks beside the link, and beside its target nowhere; the set has both. */
	assert_true(rig_follows(rig, "inc/real.c", "src/x.h"));
	assert_true(rig_follows(rig, "inc/real.c", "inc/x.h"));
}

static void
forced_headers(void **state)
{
	static const char *const forced[] = {"f.h"};

	(void)state;
	text("src/a.c", "");
	text("src/f.h", "");
	text("inc/f.h", "#include \"g.h\"\n");
	text("inc/g.h", "");
	text("f.h", "");
	rig->search.forced = (const char **)forced;
	rig->search.nforced = 1;
	find_ok();
	assert_string_equal(rig->in.files[1].path, rig_path(rig, "f.h"));
	assert_true(rig_follows(rig, "src/a.c", "f.h"));
	assert_true(rig_follows(rig, "src/a.c", "inc/f.h"));
	assert_non_null(rig_file(rig, "inc/g.h"));
	assert_null(rig_file(rig, "src/f.h"));
}

static void
predefinitions_come_along(void **state)
{
	(void)state;
	text("src/a.c", "");
	text("inc/stdc-predef.h", "");
	find_ok();
	assert_true(rig_follows(rig, "src/a.c", "inc/stdc-predef.h"));
}

static void
withheld(void)
{
	assert_int_equal(rig_find(rig, rig->cwd, "src/a.c"), IM_ERR_EXISTS);
	assert_non_null(strstr(rig->why, "precompiled header"));
}

static void
precompiled_headers_travel_or_not(void **state)
{
	static const char *const forced[] = {"f.h"};

	(void)state;
	text("src/a.c", "#include \"x.h\"\n");
	text("src/x.h", "#include <y.h>\n");
	text("inc/y.h", "");
	text("inc/y.h.gch", "");
	withheld();
	/* gcc's is data */
	rig->search.gcc_major = 12;
	text("inc/y.h.gch", "#include MACRO\n");
	find_ok();
	assert_true(rig_follows(rig, "src/a.c", "inc/y.h.gch"));
	assert_int_equal(unlink("inc/y.h.gch"), 0);
	assert_int_equal(symlink("other", "inc/y.h.gch"), 0);
	find_ok();
	text("inc/other", "");
	find_ok();
	assert_true(rig_follows(rig, "inc/y.h.gch", "inc/other"));
	assert_int_equal(unlink("inc/y.h.gch"), 0);
	find_ok();
	text("inc/x.h.gch", "");
	withheld();
	assert_int_equal(unlink("inc/x.h.gch"), 0);
	/* without the header itself, and a folder of them */
	assert_int_equal(mkdir("inc/x.h.gch", 0755), 0);
	withheld();
	assert_int_equal(rmdir("inc/x.h.gch"), 0);
	rig->search.forced = (const char **)forced;
	rig->search.nforced = 1;
	find_ok();
	text("f.h.pch", "");
	withheld();
}

static void
odd_names(void **state)
{
	(void)state;
	text("src/a.c", "#include \"déjà vu.h\"\n#include <sub/../sub//./b c.h>\n#include "
	                "\"\"\n#include \"sub\"\n");
	text("src/déjà vu.h", "");
	text("inc/sub/b c.h", "");
	find_ok();
	assert_int_equal(rig->in.nfiles, 3);
	assert_non_null(rig_file(rig, "src/déjà vu.h"));
	assert_non_null(rig_file(rig, "inc/sub/b c.h"));
	assert_non_null(rig_place(rig, "inc/sub"));
	text("src/a.c", "#include \"a\001.h\"\n");
	find_ok();
	text("src/a\001.h", "");
	refused("control characters");
}

static void
what_cannot_stand_in_a_view(void **state)
{
	uid_t me = geteuid();

	(void)state;
	text("src/a.c", "#include \"x.h\"\n");
	assert_int_equal(mkfifo("inc/x.h", 0644), 0);
	refused("neither file nor folder");
	assert_int_equal(unlink("inc/x.h"), 0);
	text("inc/x.h", "");
	assert_int_equal(chmod("inc/x.h", me == 0 ? 0600 : 0), 0);
	assert_int_equal(chmod(rig->cwd, 0755), 0);
	assert_int_equal(me == 0 ? seteuid(65534) : 0, 0);
	refused("inc/x.h: Permission denied");
	assert_int_equal(me == 0 ? seteuid(0) : 0, 0);
	assert_int_equal(chmod("inc", 0), 0);
	assert_int_equal(me == 0 ? seteuid(65534) : 0, 0);
	refused("Permission denied");
	assert_int_equal(me == 0 ? seteuid(0) : 0, 0);
	assert_int_equal(chmod("inc", 0755), 0);
}

static void
undecided_files_are_refused(void **state)
{
	(void)state;
	text("src/a.c", "#include \"x.h\"\n");
	text("inc/x.h", "#define F(x) x\n#include F(y)\n");
	refused("inc/x.h: ");
	/* from the graph too */
	rig->later_ns = 10000000000;
	refused("inc/x.h: ");
	refused("inc/x.h: ");
}

static void
modules_are_refused_where_the_compiler_has_them(void **state)
{
	(void)state;
	text("src/a.c", "#include \"x.h\"\n");
	text("inc/x.h", "#ifdef M\nimport std;\n#endif\n");
	rig->search.gcc_major = 12;
	find_ok();
	rig->search.gcc_major = 0;
	refused("inc/x.h: modules");
}

static void
a_long_header(void **state)
{
	const size_t lines = 20000;
	char *bytes = malloc(lines * 40 + 1), *at = bytes;

	(void)state;
	assert_non_null(bytes);
	for (size_t i = 0; i < lines; i++)
		at += sprintf(at, i % 100 ? "int x%zu;\n" : "#include \"n%zu.h\"\n", i);
	text("src/a.c", "#include \"long.h\"\n");
	text("inc/long.h", bytes);
	free(bytes);
	text("inc/n19900.h", "");
	find_ok();
	assert_true(rig_follows(rig, "inc/long.h", "inc/n19900.h"));
}

static void
further_folders_are_noted(void **state)
{
	static const char *const also[] = {"out/../obj", "nowhere"};
	struct inputs_request q = {.cwd = rig->cwd,
	        .source = "src/a.c",
	        .search = &rig->search,
	        .also = also,
	        .nalso = 2};

	(void)state;
	text("src/a.c", "");
	assert_int_equal(symlink("inc", "out") || mkdir("obj", 0755), 0);
	assert_int_equal(inputs_find(&rig->in, &q, rig->why), 0);
	assert_string_equal(rig_place(rig, "out")->target, "inc");
	assert_non_null(rig_place(rig, "inc"));
	assert_non_null(rig_place(rig, "obj"));
}

static void
a_header_that_appears(void **state)
{
	const struct timespec old[2] = {{1000000, 5}, {1000000, 5}};
	uint64_t used;

	(void)state;
	text("src/a.c", "#include <x.h>\n#include <sub/x.h>\n");
	assert_int_equal(utimensat(AT_FDCWD, "inc", old, 0), 0);
	assert_int_equal(utimensat(AT_FDCWD, "inc/sub", old, 0), 0);
	rig->later_ns = 10000000000;
	find_ok();
	assert_int_equal(rig->in.nfiles, 1);
	/* Nothing new to learn: files and absent names were both kept. */
	used = rig_used(rig);
	find_ok();
	assert_int_equal(rig_used(rig), used);
	text("inc/sub/x.h", "");
	find_ok();
	assert_non_null(rig_file(rig, "inc/sub/x.h"));
	text("inc/x.h", "");
	find_ok();
	assert_int_equal(rig->in.nfiles, 3);
	assert_int_equal(unlink("inc/x.h"), 0);
	find_ok();
	assert_int_equal(rig->in.nfiles, 2);
}

/* The folder's times are too young to tell one moment from the next. */
static void
a_header_that_appears_at_once(void **state)
{
	(void)state;
	text("src/a.c", "#include <x.h>\n#include <new/x.h>\n");
	for (int i = 0; i < 20; i++) {
		find_ok();
		assert_int_equal(rig->in.nfiles, 1);
		text("inc/x.h", "");
		find_ok();
		assert_int_equal(rig->in.nfiles, 2);
		assert_int_equal(unlink("inc/x.h"), 0);
	}
	assert_int_equal(mkdir("inc/new", 0755), 0);
	text("inc/new/x.h", "");
	find_ok();
	assert_int_equal(rig->in.nfiles, 2);
}

static void
a_header_that_changes_within_the_second(void **state)
{
	char bytes[32];
	struct digest d;

	(void)state;
	text("src/a.c", "#include <x.h>\n");
	for (int i = 10; i < 40; i++) {
		snprintf(bytes, sizeof(bytes), "#define VALUE %d\n", i);
		text("inc/x.h", bytes);
		digest_of(&d, bytes, strlen(bytes));
		find_ok();
		assert_true(digest_equal(&rig_file(rig, "inc/x.h")->digest, &d));
	}
}

/* A paragraph of the set as text, to compare. */
static void
describe(char *out, size_t size)
{
	size_t len = 0;

	for (uint32_t i = 0; i < rig->in.nfiles && len < size; i++) {
		const struct inputs_file *f = &rig->in.files[i];

		len += (size_t)snprintf(out + len, size - len, "%s %02x%02x %u %u %s:", f->path,
		        f->digest.bytes[0], f->digest.bytes[31], (unsigned)f->size, f->flags,
		        f->target ? f->target : "");
		for (uint32_t k = 0; k < f->nfollows && len < size; k++)
			len += (size_t)snprintf(out + len, size - len, " %u", f->follows[k]);
	}
	assert_true(len < size);
}

static void
a_damaged_graph_changes_nothing(void **state)
{
	const struct timespec old[2] = {{1000000, 5}, {1000000, 5}};
	char want[8192], have[8192];
	uint64_t random = 1;

	(void)state;
	text("src/a.c", "#include <x.h>\n#include <sub/y.h>\n#include M\n#include <gone.h>\n");
	text("inc/x.h", "#define M <z.h>\n#include \"also gone.h\"\n");
	text("inc/sub/y.h", "__DATE__");
	text("inc/z.h", "");
	utimensat(AT_FDCWD, "inc", old, 0);
	rig->later_ns = 10000000000;
	find_ok();
	describe(want, sizeof(want));
	for (int i = 0; i < 300; i++) {
		uint64_t used = rig_used(rig);

		for (int k = 0; k < 40; k++) {
			off_t at;

			random = random * 6364136223846793005ULL + 1442695040888963407ULL;
			at = (off_t)(16 + (random >> 20) % (used + 4096));
			assert_int_equal(pwrite(rig->fd, (char *)&random + 3, 1, at), 1);
		}
		find_ok();
		describe(have, sizeof(have));
		assert_string_equal(have, want);
		if (i % 50 == 49)
			assert_int_equal(rig_graph(rig, 4u << 20), 0);
	}
	graph_free(rig->graph);
	rig->graph = NULL;
	find_ok();
	describe(have, sizeof(have));
	assert_string_equal(have, want);
}

static bool
lacks(const char *path)
{
	char copy[PATH_MAX];

	snprintf(copy, sizeof(copy), "%s", rig_path(rig, path));
	return inputs_lacks(&rig->in, copy);
}

static void
what_the_set_lacks(void **state)
{
	(void)state;
	text("src/a.c", "#include <x.h>\n");
	text("inc/x.h", "");
	assert_int_equal(mkdir("inc/empty", 0755), 0);
	assert_int_equal(symlink("nowhere", "inc/dangling.h"), 0);
	find_ok();
	assert_false(lacks("inc/gone.h"));
	assert_false(lacks("inc/x.h/gone.h"));
	assert_false(lacks("inc/dangling.h"));
	text("inc/y.h", "");
	assert_true(lacks("inc/y.h"));
	assert_true(lacks("src/../inc/y.h"));
	assert_true(lacks("/etc/passwd"));
	/* folders: known, above a file, unknown */
	assert_false(lacks("inc"));
	assert_false(lacks("src"));
	assert_false(lacks("inc/../src"));
	assert_true(lacks("inc/empty"));
	/* names that do not matter */
	assert_false(inputs_lacks(&rig->in, "/proc/self/maps"));
	text("inc/libx.so.1", "");
	assert_false(lacks("inc/libx.so.1"));
	assert_false(inputs_lacks(&rig->in, "/"));
	assert_false(inputs_lacks(&rig->in, "relative"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(every_branch_and_every_folder),
	        TEST(facts_of_files), TEST(sources_that_are_none),
	        TEST(source_by_absolute_path_and_link), TEST(forced_headers),
	        TEST(predefinitions_come_along), TEST(precompiled_headers_travel_or_not),
	        TEST(odd_names), TEST(what_cannot_stand_in_a_view),
	        TEST(undecided_files_are_refused),
	        TEST(modules_are_refused_where_the_compiler_has_them), TEST(a_long_header),
	        TEST(further_folders_are_noted), TEST(a_header_that_appears),
	        TEST(a_header_that_appears_at_once), TEST(a_header_that_changes_within_the_second),
	        TEST(a_damaged_graph_changes_nothing), TEST(what_the_set_lacks)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
