/* Bytes that come in count when their digest is what they claim to be; else nothing of them is left. */
#include "mesh/blob_file.h"

#include "tests/unit/blob_rig.h"

#define LARGE 300000

static uint8_t bytes[LARGE];

static struct blob_file *
filled(size_t len, struct digest *d)
{
	struct blob_file *f = blob_file_new(rig_blobs, len);
	assert_non_null(f);
	random_bytes(bytes, sizeof bytes);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < 50000 ? len - at : 50000;
		assert_int_equal(blob_file_add(f, bytes + at, n), 0);
		at += n;
	}
	digest_of(d, bytes, len);
	return f;
}

static void
test_sizes(void **state)
{
	(void)state;
	static const size_t sizes[] = {0, 1, 100000, 128 * 1024, 128 * 1024 + 1, LARGE};
	blob_rig_open();
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct digest d;
		struct stat st;
		size_t len;
		struct blob_file *f = filled(sizes[i], &d);
		assert_int_equal(blobs_transit(rig_blobs), sizes[i]);
		assert_int_equal(blob_file_keep(f, &d), 0);
		assert_int_equal(blobs_transit(rig_blobs), 0);
		assert_int_equal(blob_names("tmp"), 0);
		char *got = scratch_read(blob_path(&d), &len);
		assert_non_null(got);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(got, bytes, len);
		free(got);
		assert_int_equal(stat(blob_path(&d), &st), 0);
		assert_int_equal(st.st_mode & 07777, LAYOUT_MODE);
		assert_int_equal(st.st_mtim.tv_sec, LAYOUT_MTIME_S);
	}
}

static void
test_altered(void **state)
{
	(void)state;
	blob_rig_open();
	for (size_t len = 10; len <= LARGE; len += LARGE - 10) {
		struct digest d;
		struct blob_file *f = filled(len, &d);
		d.bytes[5] ^= 1;
		assert_int_equal(blob_file_keep(f, &d), IM_ERR_DIGEST);
		assert_false(blobs_has(rig_blobs, &d, NULL));
		assert_int_equal(blob_names("tmp"), 0);
		assert_int_equal(access(blob_path(&d), F_OK), -1);
		blob_file_drop(filled(len, &d));
		assert_int_equal(blob_names("tmp"), 0);
		assert_int_equal(blobs_transit(rig_blobs), 0);
	}
}

static void
test_limit(void **state)
{
	(void)state;
	blob_rig_open();
	struct blob_file *f = blob_file_new(rig_blobs, 10);
	assert_int_equal(blob_file_add(f, "0123456", 7), 0);
	assert_int_equal(blob_file_add(f, "0123", 4), IM_ERR_LIMIT);
	assert_int_equal(blob_file_add(f, "012", 3), 0);
	blob_file_drop(f);
}

/* The second one changes nothing, and what something else left under the name does not count. */
static void
test_twice(void **state)
{
	(void)state;
	struct digest d;
	struct stat first, second;
	char folder[] = "blobs/ab";
	blob_rig_open();
	struct blob_file *f = filled(100, &d), *g = blob_file_new(rig_blobs, 100);
	assert_int_equal(blob_file_add(g, bytes, 100), 0);
	memcpy(folder, blob_path(&d), 8);
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(symlink("/etc/passwd", blob_path(&d)), 0);
	assert_int_equal(blob_file_keep(f, &d), 0);
	assert_int_equal(lstat(blob_path(&d), &first), 0);
	assert_true(S_ISREG(first.st_mode));
	assert_int_equal(blob_file_keep(g, &d), 0);
	assert_int_equal(lstat(blob_path(&d), &second), 0);
	assert_int_equal(first.st_ino, second.st_ino);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_sizes, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_altered, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_limit, blob_rig_teardown),
	        cmocka_unit_test_teardown(test_twice, blob_rig_teardown),
	};
	return crypto_start() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
