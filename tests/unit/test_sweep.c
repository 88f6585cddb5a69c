#include "mesh/sweep.h"

#include <poll.h>
#include "tests/unit/blob_rig.h"

static int
folder(const char *name)
{
	return open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* All names, for a while at most. */
static unsigned
left(const char *name)
{
	unsigned n = 0;
	for (int i = 0; i < 2000; i++) {
		DIR *dir = opendir(name);
		n = 0;
		for (struct dirent *e; (e = readdir(dir));)
			n += e->d_name[0] != '.';
		closedir(dir);
		if (n == 0)
			break;
		poll(NULL, 0, 5);
	}
	return n;
}

static void
test_trees(void **state)
{
	(void)state;
	blob_rig_open();
	assert_int_equal(mkdir("trees/x", 0755) + mkdir("trees/x/y", 0755), 0);
	assert_int_equal(scratch_text("trees/x/y/file", "text") + scratch_text("trees/z", ""), 0);
	assert_int_equal(symlink("../../kept", "trees/x/link"), 0);
	assert_int_equal(mkdir("kept", 0755) + scratch_text("kept/file", ""), 0);
	assert_int_equal(mkdir("tmp/old-1-1", 0755), 0);
	int trees = folder("trees"), tmp = folder("tmp");
	assert_int_equal(sweep_trees(trees, tmp), 0);
	assert_int_equal(blob_names("trees"), 0); /* at once */
	assert_int_equal(left("tmp"), 0);         /* in the end */
	assert_int_equal(access("kept/file", F_OK), 0);
	close(trees);
	close(tmp);
}

static void
test_files(void **state)
{
	(void)state;
	blob_rig_open();
	assert_int_equal(scratch_text("tmp/blob-1", "") + scratch_text("tmp/17", ""), 0);
	int tmp = folder("tmp");
	assert_int_equal(sweep_files(tmp, "blob-"), 0);
	close(tmp);
	assert_int_equal(blob_names("tmp"), 1);
}

static uint64_t sizes[4];
static unsigned found;

static void
note(void *arg, const struct digest *d, uint64_t size)
{
	(void)arg, (void)d;
	assert_in_range(found, 0, 3);
	sizes[found++] = size;
}

static void
test_list(void **state)
{
	(void)state;
	blob_rig_open();
	blob_text("1");
	blob_text("22");
	blob_text("333");
	assert_int_equal(scratch_text("blobs/stray", "stray"), 0);
	int blobs = folder("blobs");
	found = 0;
	assert_int_equal(sweep_list(blobs, 3, note, NULL), 0);
	assert_int_equal(found, 3);
	assert_int_equal(sizes[0] + sizes[1] + sizes[2], 6);
	found = 0;
	assert_int_equal(sweep_list(blobs, 2, note, NULL), 0);
	assert_int_equal(found, 2);
	found = 0;
	assert_int_equal(sweep_list(blobs, 9, note, NULL), 0);
	assert_int_equal(found, 2); /* the one beyond is gone from the disk */
	close(blobs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_trees, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_files, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_list, blob_rig_teardown),
	};
	return crypto_start() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
