#include "mesh/blobs.h"

#include "tests/unit/blob_rig.h"

static struct stat
look(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		fail_msg("%s is not there", path);
	return st;
}

/* "trees/<hex>/rest" */
static const char *
in_tree(const struct digest *d, const char *rest)
{
	static char path[PATH_MAX];
	char hex[DIGEST_HEX_SIZE];
	digest_hex(d, hex);
	snprintf(path, sizeof path, "trees/%s%s", hex, rest);
	return path;
}

static void
usage(uint64_t *bytes, unsigned *blobs, unsigned *trees)
{
	blobs_usage(rig_blobs, bytes, blobs, trees);
}

static void
test_round_trip(void **state)
{
	(void)state;
	struct buf b;
	uint64_t bytes, size;
	unsigned n, trees;
	int fd;
	blob_rig_open();
	struct digest d = blob_text("int x;"), empty = blob_text(""), other = d;
	other.bytes[0] ^= 1;
	for (int i = 0; i < 2; i++) {
		buf_init(&b, 100);
		assert_true(blobs_has(rig_blobs, &d, &size));
		assert_int_equal(size, 6);
		assert_int_equal(blobs_read(rig_blobs, &d, 5, &b), IM_ERR_LIMIT);
		assert_int_equal(blobs_read(rig_blobs, &d, 6, &b), 0);
		assert_int_equal(blobs_read(rig_blobs, &empty, 0, &b), 0);
		assert_int_equal(b.len, 6);
		assert_memory_equal(b.data, "int x;", 6);
		buf_fini(&b);
		assert_int_equal(blobs_open_file(rig_blobs, &d, &fd), 0);
		close(fd);
		assert_int_equal(blobs_open_file(rig_blobs, &other, &fd), IM_ERR_ABSENT);
		assert_false(blobs_has(rig_blobs, &other, NULL));
		usage(&bytes, &n, &trees);
		assert_int_equal(n, 2);
		assert_int_equal(bytes, 8192);
		assert_int_equal(trees, 0);
		blob_rig_reopen();
	}
}

/* What changed on the disk while nobody looked counts as absent, and goes. */
static void
test_altered_on_disk(void **state)
{
	(void)state;
	uint64_t bytes;
	unsigned n, trees;
	blob_rig_open();
	struct digest d[3] = {blob_text("one"), blob_text("two"), blob_text("three")};
	assert_int_equal(scratch_text(blob_path(&d[0]), "eno"), 0);
	assert_int_equal(truncate(blob_path(&d[1]), 0), 0);
	blob_rig_reopen();
	assert_false(blobs_has(rig_blobs, &d[0], NULL));
	assert_false(blobs_has(rig_blobs, &d[1], NULL));
	assert_true(blobs_has(rig_blobs, &d[2], NULL));
	assert_int_equal(access(blob_path(&d[0]), F_OK), -1);
	assert_int_equal(access(blob_path(&d[1]), F_OK), -1);
	usage(&bytes, &n, &trees);
	assert_int_equal(n, 1);
	blob_text("one"); /* and may come again */
	assert_true(blobs_has(rig_blobs, &d[0], NULL));
}

static void
test_tree(void **state)
{
	(void)state;
	uint64_t bytes, cost;
	unsigned n, trees;
	const struct tree *t;
	blob_rig_open();
	struct tree_entry e[] = {
	        blob_entry("/w/a.h", "same"),
	        blob_entry("/w/b.h", "same"),
	        blob_entry("/w/c.h", "timed"),
	        blob_entry("/w/tool", "run"),
	        {.path = "/w/d.h", .kind = TREE_TWIN, .target = "/w/c.h"},
	        {.path = "/l", .kind = TREE_LINK, .target = "/w"},
	};
	e[2].mtime_s = 77;
	e[3].mode = 0755;
	struct digest d = blob_tree(e, 6);
	assert_int_equal(blobs_tree(rig_blobs, &d, &t), 0);
	assert_int_equal(t->n, 6);
	assert_false(blobs_laid_out(rig_blobs, &d));
	assert_int_equal(blobs_tree_cost(rig_blobs, &d, &cost), 0);
	assert_int_equal(blobs_lay_out(rig_blobs, &d), 0);
	assert_true(blobs_laid_out(rig_blobs, &d));
	assert_int_equal(blobs_lay_out(rig_blobs, &d), 0);
	assert_int_equal(blob_names("trees"), 1);
	usage(&bytes, &n, &trees);
	assert_int_equal(trees, 1);
	assert_int_equal(n, 4);
	assert_in_range(bytes, 4 * 4096 + 5 * 4096, 4 * 4096 + cost + 4096);
	ino_t first = look(in_tree(&d, "/w/a.h")).st_ino,
	      second = look(in_tree(&d, "/w/b.h")).st_ino;
	assert_true(first != second); /* two files of one content are two files */
	assert_int_equal(look(in_tree(&d, "/w/c.h")).st_ino, look(in_tree(&d, "/w/d.h")).st_ino);
	assert_int_equal(look(in_tree(&d, "/w/c.h")).st_mtim.tv_sec, 77);
	assert_int_equal(look(in_tree(&d, "/w/b.h")).st_mtim.tv_sec, LAYOUT_MTIME_S);
	assert_int_equal(look(in_tree(&d, "/w/tool")).st_mode & 0777, 0755);
	assert_int_equal(look(in_tree(&d, "/w/a.h")).st_mode & 0777, 0644);
	assert_true(S_ISLNK(look(in_tree(&d, "/l")).st_mode));
	blob_rig_reopen(); /* trees are laid out anew after a start */
	assert_false(blobs_laid_out(rig_blobs, &d));
	assert_int_equal(blob_names("trees"), 0);
	assert_int_equal(blobs_lay_out(rig_blobs, &d), 0);
}

static void
test_trees_refused(void **state)
{
	(void)state;
	const struct tree *t;
	blob_rig_open();
	struct tree_entry e[2] = {blob_entry("/w/a.h", "a"), blob_entry("/w/b.h", "b")};
	struct digest d;
	e[1].digest.bytes[0] ^= 1;
	d = blob_tree(e, 2);
	assert_int_equal(blobs_lay_out(rig_blobs, &d), IM_ERR_ABSENT);
	e[1].digest.bytes[0] ^= 1;
	e[1].size++;
	d = blob_tree(e, 2);
	assert_int_equal(blobs_lay_out(rig_blobs, &d), IM_ERR_FORMAT);
	d = blob_text("no tree");
	assert_true(blobs_lay_out(rig_blobs, &d) < 0);
	/* names that lead out, as a blob: its digest is right */
	static const char *const hostile[] = {"/w/../../x", "/../x", "w/x", "/w//x", "/w/./x", "/"};
	for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
		e[0] = blob_entry(hostile[i], "a");
		d = blob_tree(e, 1);
		assert_true(blobs_tree(rig_blobs, &d, &t) < 0);
		assert_true(blobs_lay_out(rig_blobs, &d) < 0);
	}
	e[0] = (struct tree_entry){.path = "/w", .kind = TREE_LINK, .target = "/"};
	e[1] = blob_entry("/w/x", "a");
	d = blob_tree(e, 2);
	assert_true(blobs_lay_out(rig_blobs, &d) < 0);
	assert_int_equal(blob_names("trees"), 0);
	assert_int_equal(blob_names("."), 3); /* blobs, trees, tmp */
}

static void
test_shrink(void **state)
{
	(void)state;
	uint64_t bytes;
	unsigned n, trees;
	blob_rig_open();
	struct digest loose = blob_text("loose");
	struct tree_entry e = blob_entry("/w/a.h", "a");
	struct digest d = blob_tree(&e, 1);
	struct digest late = blob_text("late");
	assert_int_equal(blobs_lay_out(rig_blobs, &d), 0);
	assert_true(blobs_has(rig_blobs, &late, NULL));
	assert_int_equal(blobs_shrink(rig_blobs, 1), 0);
	assert_false(blobs_has(rig_blobs, &loose, NULL));
	assert_true(blobs_laid_out(rig_blobs, &d));
	assert_true(blobs_has(rig_blobs, &late, NULL));
	/* the tree, then what it is made of; what is held stays */
	assert_int_equal(blobs_hold(rig_blobs, &d), 0);
	assert_int_equal(blobs_hold(rig_blobs, &d), 0);
	assert_int_equal(blobs_shrink(rig_blobs, 1 << 20), IM_ERR_LIMIT);
	assert_true(blobs_laid_out(rig_blobs, &d));
	assert_false(blobs_has(rig_blobs, &late, NULL));
	assert_int_equal(look(in_tree(&d, "/w/a.h")).st_size, 1);
	blobs_release(rig_blobs, &d);
	assert_int_equal(blobs_shrink(rig_blobs, 1), IM_ERR_LIMIT);
	blobs_release(rig_blobs, &d);
	assert_int_equal(blobs_shrink(rig_blobs, 1), 0);
	assert_false(blobs_laid_out(rig_blobs, &d));
	assert_int_equal(blob_names("trees"), 0);
	assert_true(blobs_has(rig_blobs, &e.digest, NULL));
	assert_int_equal(blobs_shrink(rig_blobs, 8192), 0);
	usage(&bytes, &n, &trees);
	assert_int_equal(bytes + n + trees, 0);
}

/* What is held may come later, and is then held. */
static void
test_hold_before(void **state)
{
	(void)state;
	struct digest d;
	blob_rig_open();
	digest_of(&d, "x", 1);
	assert_int_equal(blobs_hold(rig_blobs, &d), 0);
	assert_false(blobs_has(rig_blobs, &d, NULL));
	blob_text("x");
	assert_int_equal(blobs_shrink(rig_blobs, 1), IM_ERR_LIMIT);
	blobs_release(rig_blobs, &d);
	blobs_release(rig_blobs, &d);
	assert_int_equal(blobs_shrink(rig_blobs, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_round_trip, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_altered_on_disk, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_tree, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_trees_refused, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_shrink, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_hold_before, blob_rig_teardown),
	};
	return crypto_start() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
