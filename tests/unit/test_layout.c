/* A tree below a folder: every kind of entry, and nothing outside of it. */
#include "mesh/layout.h"

#include <errno.h>
#include "tests/unit/blob_rig.h"

static int into, blobs;

static int
write_out(struct tree_entry *entries, uint32_t n, const bool *copy, uint64_t *bytes)
{
	struct tree t = {.entries = entries, .n = n};
	tree_sort(&t);
	assert_int_equal(mkdir("out", 0755), 0);
	into = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	blobs = open("blobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = layout_write(into, blobs, &t, copy, bytes);
	close(into);
	close(blobs);
	return err;
}

static struct stat
look(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		fail_msg("%s is not there", path);
	return st;
}

static void
test_kinds(void **state)
{
	(void)state;
	char text[32] = "";
	uint64_t bytes = 0;
	blob_rig_open();
	struct tree_entry e[] = {
	        blob_entry("/a/b-c", "dash"),
	        blob_entry("/a/b/one.h", "one"),
	        blob_entry("/a/b/two.h", "two"),
	        blob_entry("/z", "three"),
	        {.path = "/a/link", .kind = TREE_LINK, .target = "../../../../etc"},
	        {.path = "/a/bare", .kind = TREE_FOLDER},
	        {.path = "/A/twin", .kind = TREE_TWIN, .target = "/a/b/two.h"},
	};
	e[2].mode = 0755;
	e[2].mtime_s = 1234567890;
	/* by path: /A/twin, /a/b-c, /a/b/one.h, /a/b/two.h, ... */
	const bool copy[7] = {[3] = true};
	assert_int_equal(write_out(e, 7, copy, &bytes), 0);
	struct stat one = look("out/a/b/one.h"), two = look("out/a/b/two.h");
	struct digest d = blob_text("one");
	assert_int_equal(one.st_ino, look(blob_path(&d)).st_ino);
	assert_int_equal(one.st_mtim.tv_sec, LAYOUT_MTIME_S);
	assert_int_equal(one.st_mode & 07777, 0644);
	d = blob_text("two");
	assert_true(two.st_ino != look(blob_path(&d)).st_ino);
	assert_int_equal(two.st_mtim.tv_sec, 1234567890);
	assert_int_equal(two.st_mtim.tv_nsec, 0);
	assert_int_equal(two.st_mode & 07777, 0755);
	assert_int_equal(two.st_ino, look("out/A/twin").st_ino);
	assert_int_equal(two.st_nlink, 2);
	assert_true(S_ISLNK(look("out/a/link").st_mode));
	assert_int_equal(readlink("out/a/link", text, sizeof text - 1), 15);
	assert_string_equal(text, "../../../../etc");
	assert_true(S_ISDIR(look("out/a/bare").st_mode));
	assert_int_equal(look("out/a/bare").st_mode & 07777, 0755);
	assert_int_equal(look("out/a/b-c").st_size, 4);
	assert_int_equal(look("out/z").st_size, 5);
	assert_true(bytes >= 5 * 4096 && bytes < 12 * 4096);
}

/* What a decoder would have refused still does not lead out. */
static void
test_no_way_out(void **state)
{
	(void)state;
	uint64_t bytes;
	blob_rig_open();
	struct tree_entry e[] = {
	        {.path = "/d", .kind = TREE_LINK, .target = ".."},
	        blob_entry("/d/stolen", "x"),
	};
	assert_true(write_out(e, 2, (const bool[2]){false}, &bytes) < 0);
	assert_int_equal(access("stolen", F_OK), -1);
}

static void
test_absent_and_deep(void **state)
{
	(void)state;
	uint64_t bytes;
	char path[3 * LAYOUT_DEPTH_MAX] = "";
	blob_rig_open();
	struct tree_entry e = blob_entry("/x", "x");
	e.digest.bytes[0] ^= 1;
	assert_int_equal(write_out(&e, 1, (const bool[1]){false}, &bytes), IM_ERR_ABSENT);
	rmdir("out");
	for (int i = 0; i < LAYOUT_DEPTH_MAX + 2; i++)
		strcat(path, "/a");
	e = (struct tree_entry){.path = path, .kind = TREE_FOLDER};
	assert_int_equal(write_out(&e, 1, (const bool[1]){false}, &bytes), IM_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_kinds, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_no_way_out, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_absent_and_deep, blob_rig_teardown),
	};
	return crypto_start() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
