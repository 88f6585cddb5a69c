#include "client/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"

static struct rig *rig;
static struct folders t;

static int
start(void **state)
{
	struct timespec now;

	if (rig_enter(state))
		return -1;
	rig = *state;
	clock_gettime(CLOCK_REALTIME, &now);
	if (mkdir("a", 0755) || mkdir("a/b", 0755) || mkdir("c", 0755) || mkdir("c/d", 0755) ||
	        scratch_text("a/f", "x") || symlink("../c/d", "a/way") || symlink("f", "a/file") ||
	        symlink("loop2", "loop1") || symlink("loop1", "loop2"))
		return -1;
	return folders_init(&t, rig->graph, now.tv_sec * 1000000000LL + now.tv_nsec, rig->why);
}

static int
stop(void **state)
{
	folders_fini(&t);
	return rig_leave(state);
}

static struct name *
walk(const char *path)
{
	const char *full = rig_path(rig, path);
	struct name *n;

	assert_int_equal(folders_walk(&t, t.root, full, strlen(full), &n), 0);
	return n;
}

static const char *
path_of(const struct name *n)
{
	char *path;

	assert_non_null(n);
	assert_int_equal(folders_path(&t, n, &path), 0);
	return path;
}

static void
names_are_walked_as_the_kernel_does(void **state)
{
	(void)state;
	assert_int_equal(walk("a")->kind, NAME_FOLDER);
	assert_int_equal(walk("a/f")->kind, NAME_FILE);
	assert_ptr_equal(walk("a//./f"), walk("a/b/../f"));
	assert_string_equal(path_of(walk("a/f")), rig_path(rig, "a/f"));
	assert_null(walk("a/gone"));
	assert_null(walk("a/gone/../f"));
	assert_null(walk("a/f/x"));
	assert_null(walk("a/f/../f"));
	assert_int_equal(walk("a/way")->kind, NAME_LINK);
	/* not a/.. but the parent of what the link leads to */
	assert_string_equal(path_of(walk("a/way/..")), rig_path(rig, "c"));
	assert_null(walk("a/way/../f"));
	assert_string_equal(path_of(walk("a/way/../../a/f")), rig_path(rig, "a/f"));
	assert_ptr_equal(walk("/../../.."), t.root->self);
	assert_string_equal(path_of(t.root->self), "/");
}

static bool
noted(const struct name *n)
{
	uint32_t times = 0;

	for (uint32_t i = 0; i < t.nnoted; i++)
		times += t.noted[i] == n;
	assert_true(times < 2);
	return times;
}

static void
links_on_the_way_are_noted(void **state)
{
	struct name *end;

	(void)state;
	walk("a/b/../f");
	assert_true(noted(walk("a/b")));
	assert_false(noted(walk("a")));
	assert_false(noted(walk("a/way")));
	walk("a/way/x");
	assert_true(noted(walk("a/way")));
	assert_string_equal(walk("a/way")->target, "../c/d");
	/* A link to a file is its owner's business. */
	assert_int_equal(folders_end(&t, walk("a/file"), &end), 0);
	assert_ptr_equal(end, walk("a/f"));
	assert_false(noted(walk("a/file")));
	assert_int_equal(folders_follow(&t, walk("a/file"), &end), 0);
	assert_ptr_equal(end, walk("a/f"));
}

static void
loops_end(void **state)
{
	struct name *end;

	(void)state;
	assert_int_equal(walk("loop1")->kind, NAME_LINK);
	assert_null(walk("loop1/x"));
	assert_int_equal(folders_end(&t, walk("loop1"), &end), 0);
	assert_null(end);
	assert_true(noted(walk("loop1")) && noted(walk("loop2")));
	assert_int_equal(t.depth, 0);
}

/* Each name of a folder is looked at once in a job. */
static void
a_job_sees_one_moment(void **state)
{
	(void)state;
	assert_null(walk("a/new"));
	assert_non_null(walk("a/f"));
	assert_int_equal(scratch_text("a/new", "") || unlink("a/f"), 0);
	assert_null(walk("a/new"));
	assert_non_null(walk("a/f"));
}

static void
many_names(void **state)
{
	char name[32];

	(void)state;
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "a/n%d", i);
		if (i % 500 == 0)
			assert_int_equal(scratch_text(name, ""), 0);
		assert_true((walk(name) != NULL) == (i % 500 == 0));
	}
	for (int i = 0; i < 5000; i += 500) {
		snprintf(name, sizeof(name), "a/n%d", i);
		assert_int_equal(walk(name)->kind, NAME_FILE);
	}
	assert_int_equal(folders_save(&t), 0);
}

static bool
known_absent(struct folders *job, const char *folder, const char *name)
{
	const char *full = rig_path(rig, folder);
	struct name *n;

	assert_int_equal(folders_walk(job, job->root, full, strlen(full), &n), 0);
	return absent_has(&n->folder->absent, absent_hash(name, strlen(name)));
}

static void
absent_names_are_kept_for_quiet_folders(void **state)
{
	const struct timespec old[2] = {{1000000, 7}, {1000000, 7}};
	struct folders job;

	(void)state;
	/* The folder is young now, and old ten seconds later. */
	assert_null(walk("a/gone"));
	assert_int_equal(folders_save(&t), 0);
	assert_int_equal(folders_init(&job, rig->graph, t.now_ns, rig->why), 0);
	assert_false(known_absent(&job, "a", "gone"));
	folders_fini(&job);
	for (int i = 0; i < 2; i++) {
		const char *gone = rig_path(rig, "a/gone");
		struct name *n;

		assert_int_equal(
		        folders_init(&job, rig->graph, t.now_ns + 10000000000, rig->why), 0);
		assert_true(known_absent(&job, "a", "gone") == (i > 0));
		assert_int_equal(folders_walk(&job, job.root, gone, strlen(gone), &n), 0);
		assert_null(n);
		assert_int_equal(folders_save(&job), 0);
		folders_fini(&job);
	}
	assert_int_equal(utimensat(AT_FDCWD, "a", old, 0), 0);
	assert_int_equal(folders_init(&job, rig->graph, t.now_ns + 10000000000, rig->why), 0);
	assert_false(known_absent(&job, "a", "gone"));
	folders_fini(&job);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(names_are_walked_as_the_kernel_does),
	        TEST(links_on_the_way_are_noted), TEST(loops_end), TEST(a_job_sees_one_moment),
	        TEST(many_names), TEST(absent_names_are_kept_for_quiet_folders)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
