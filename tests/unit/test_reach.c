#include "client/reach.h"

#include "tests/unit/inputs_case.h"

static int
start(void **state)
{
	if (begin(state))
		return -1;
	return mkdir("one", 0755) || mkdir("two", 0755) || mkdir("two/in", 0755);
}

static void
find_ok(void)
{
	find_in("a.c");
}

/* one/x.h -> two/mid.h -> two/in/x.h, which includes "n.h": that of each folder. */
static void
a_linked_header_has_the_folders_of_its_links(void **state)
{
	(void)state;
	text("a.c", "#include \"one/x.h\"\n");
	text("two/in/x.h", "#include \"n.h\"\n");
	text("one/n.h", "#include \"m.h\"\n");
	text("one/m.h", "");
	text("two/n.h", "");
	text("two/in/n.h", "");
	assert_int_equal(symlink("../two/mid.h", "one/x.h") || symlink("in/x.h", "two/mid.h"), 0);
	find_ok();
	assert_int_equal(rig->in.nfiles, 8);
	assert_string_equal(rig_file(rig, "one/x.h")->target, "../two/mid.h");
	assert_int_equal(rig_file(rig, "one/x.h")->nfollows, 1);
	assert_true(rig_follows(rig, "a.c", "one/x.h"));
	assert_true(rig_follows(rig, "one/x.h", "two/mid.h"));
	assert_true(rig_follows(rig, "two/mid.h", "two/in/x.h"));
	assert_true(rig_follows(rig, "two/in/x.h", "one/n.h"));
	assert_true(rig_follows(rig, "two/in/x.h", "two/in/n.h"));
	assert_non_null(rig_file(rig, "one/m.h"));
}

static void
linked_folders_are_places(void **state)
{
	(void)state;
	rig_search(rig, "way");
	rig_search(rig, "other/../one");
	assert_int_equal(
	        symlink("two/in", "way") || symlink("two/in", "other") || mkdir("two/one", 0755),
	        0);
	text("a.c", "#include <x.h>\n#include <y.h>\n");
	text("two/in/x.h", "#include \"../z.h\"\n");
	text("two/z.h", "");
	text("one/y.h", "");
	text("two/one/y.h", "");
	find_ok();
	assert_string_equal(rig_place(rig, "way")->target, "two/in");
	assert_string_equal(rig_place(rig, "other")->target, "two/in");
	assert_non_null(rig_place(rig, "two/in"));
	assert_null(rig_place(rig, "two/in")->target);
	assert_non_null(rig_place(rig, "two/one"));
	assert_non_null(rig_file(rig, "two/in/x.h"));
	assert_non_null(rig_file(rig, "two/z.h"));
	assert_null(rig_file(rig, "one/y.h"));
	assert_non_null(rig_file(rig, "two/one/y.h"));
}

/* That a search folder lacks all of "in/" is known once for both names, and until the folder changes. */
static void
folders_that_lack_the_first_part(void **state)
{
	(void)state;
	rig_search(rig, "one");
	rig_search(rig, "two");
	text("a.c", "#include <in/x.h>\n#include <in/y.h>\n#include <lone.h>\n");
	text("two/in/x.h", "");
	text("two/in/y.h", "");
	text("two/lone.h", "");
	rig->later_ns = 10000000000;
	for (int i = 0; i < 3; i++) {
		find_ok();
		assert_int_equal(rig->in.nfiles, 4);
		assert_true(rig_follows(rig, "a.c", "two/in/x.h"));
		assert_true(rig_follows(rig, "a.c", "two/in/y.h"));
		assert_true(rig_follows(rig, "a.c", "two/lone.h"));
	}
	assert_int_equal(mkdir("one/in", 0755), 0);
	text("one/in/y.h", "");
	find_ok();
	assert_int_equal(rig->in.nfiles, 5);
	assert_true(rig_follows(rig, "a.c", "one/in/y.h"));
}

/* Many names in one folder are looked at through its descriptor; none is left open. */
static void
descriptors_are_given_back(void **state)
{
	char source[2000], path[32];
	size_t at = 0;
	int before = dup(0), after;

	(void)state;
	close(before);
	for (int i = 0; i < 40; i++) {
		at += (size_t)snprintf(
		        source + at, sizeof(source) - at, "#include \"one/%d.h\"\n", i);
		snprintf(path, sizeof(path), "one/%d.h", i);
		text(path, "");
	}
	text("a.c", source);
	find_ok();
	assert_int_equal(rig->in.nfiles, 41);
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

static void
a_linked_working_directory(void **state)
{
	char cwd[2 * PATH_MAX];

	(void)state;
	assert_int_equal(symlink("two", "work"), 0);
	text("two/a.c", "#include \"in/x.h\"\n");
	text("two/in/x.h", "");
	snprintf(cwd, sizeof(cwd), "%s/work", rig->cwd);
	assert_int_equal(rig_find(rig, cwd, "../two/a.c"), 0);
	assert_string_equal(rig->in.files[0].path, rig_path(rig, "two/a.c"));
	assert_string_equal(rig_place(rig, "work")->target, "two");
	assert_true(inputs_lacks(&rig->in, rig_path(rig, "work/a.c")));
}

static void
cycles_end(void **state)
{
	(void)state;
	text("a.c", "#include \"a.c\"\n#include \"one/x.h\"\n#include \"loop.h\"\n#include "
	            "\"self/self/a.c\"\n");
	text("one/x.h", "#include \"../two/x.h\"\n#include \"x.h\"\n");
	text("two/x.h", "#include \"../one/x.h\"\n");
	assert_int_equal(symlink("loop.h", "loop.h") || symlink(".", "self"), 0);
	find_ok();
	assert_int_equal(rig->in.nfiles, 3);
	assert_true(rig_follows(rig, "a.c", "a.c"));
	assert_true(rig_follows(rig, "two/x.h", "one/x.h"));
	/* The peer shall fail over it as the compiler does here. */
	assert_string_equal(rig_place(rig, "loop.h")->target, "loop.h");
}

static void
absolute_names_and_binaries(void **state)
{
	char source[8 * PATH_MAX];

	(void)state;
	rig_search(rig, "two");
	snprintf(source, sizeof(source),
	        "#include \"%s/one/x.h\"\nasm(\".incbin \\\"data.bin\\\"\");\n", rig->cwd);
	text("one/a.c", source);
	text("one/x.h", "");
	text("one/data.bin", "");
	text("two/data.bin", "#include");
	text("data.bin", "");
	assert_int_equal(rig_find(rig, rig->cwd, "one/a.c"), 0);
	assert_true(rig_follows(rig, "one/a.c", "one/x.h"));
	assert_true(rig_follows(rig, "one/a.c", "data.bin"));
	assert_true(rig_follows(rig, "one/a.c", "two/data.bin"));
	assert_null(rig_file(rig, "one/data.bin"));
}

static void
hard_links_are_two_files_of_one_identity(void **state)
{
	(void)state;
	text("a.c", "#include \"one/x.h\"\n#include \"two/y.h\"\n");
	text("one/x.h", "#pragma once\n");
	assert_int_equal(link("one/x.h", "two/y.h"), 0);
	find_ok();
	assert_int_equal(rig_file(rig, "one/x.h")->ino, rig_file(rig, "two/y.h")->ino);
	assert_true(rig->in.flags & INCLUDES_ONCE);
}

/* A header can name 4096 at most, so these are in four. */
static void
too_many_files(void **state)
{
	enum { EACH = INPUTS_FILES_MAX / 4 };
	char name[64], *all = calloc(EACH, 24);

	(void)state;
	assert_non_null(all);
	text("two/x.h", "");
	for (int p = 0; p < 4; p++) {
		size_t len = 0;

		for (int i = 0; i < EACH; i++) {
			snprintf(name, sizeof(name), "one/%d", p * EACH + i);
			assert_int_equal(symlink("../two/x.h", name), 0);
			len += (size_t)sprintf(all + len, "#include \"%d\"\n", p * EACH + i);
		}
		snprintf(name, sizeof(name), "one/p%d.h", p);
		text(name, all);
	}
	free(all);
	text("a.c", "#include \"one/p0.h\"\n#include \"one/p1.h\"\n#include \"one/p2.h\"\n");
	find_ok();
	assert_int_equal(rig->in.nfiles, 3 * EACH + 5);
	text("a.c", "#include \"one/p0.h\"\n#include \"one/p1.h\"\n#include \"one/p2.h\"\n#include "
	            "\"one/p3.h\"\n");
	assert_int_equal(rig_find(rig, rig->cwd, "a.c"), IM_ERR_LIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(a_linked_header_has_the_folders_of_its_links),
	        TEST(linked_folders_are_places), TEST(folders_that_lack_the_first_part),
	        TEST(descriptors_are_given_back), TEST(a_linked_working_directory),
	        TEST(cycles_end), TEST(absolute_names_and_binaries),
	        TEST(hard_links_are_two_files_of_one_identity), TEST(too_many_files)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
