/* A blob store in the scratch folder (tests/unit/scratch.h), for the tests of what it is made of. */
#ifndef TESTS_UNIT_BLOB_RIG_H
#define TESTS_UNIT_BLOB_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include "crypto/key.h"
#include "mesh/blob_file.h"
#include "mesh/layout.h"
#include "tests/unit/scratch.h"

static char rig_dir[PATH_MAX];
static struct blobs *rig_blobs;

static inline void
blob_rig_open(void)
{
	char why[256];
	umask(022);
	if (!rig_dir[0])
		assert_int_equal(scratch_enter(rig_dir), 0);
	rig_blobs = blobs_open(rig_dir, why);
	if (!rig_blobs)
		fail_msg("%s", why);
}

static inline void
blob_rig_reopen(void)
{
	blobs_free(rig_blobs);
	blob_rig_open();
}

static inline int
blob_rig_teardown(void **state)
{
	(void)state;
	blobs_free(rig_blobs);
	rig_blobs = NULL;
	if (rig_dir[0])
		scratch_leave(rig_dir);
	rig_dir[0] = 0;
	return 0;
}

static inline struct digest
blob_put(const void *bytes, size_t len)
{
	struct digest d;
	struct blob_file *f = blob_file_new(rig_blobs, len);
	assert_non_null(f);
	digest_of(&d, bytes, len);
	assert_int_equal(blob_file_add(f, bytes, len), 0);
	assert_int_equal(blob_file_keep(f, &d), 0);
	return d;
}

static inline struct digest
blob_text(const char *text)
{
	return blob_put(text, strlen(text));
}

static inline struct tree_entry
blob_entry(const char *path, const char *text)
{
	struct tree_entry e = {.path = path, .kind = TREE_FILE, .mode = 0644, .size = strlen(text)};
	e.digest = blob_text(text);
	return e;
}

/* The tree of these entries, as a blob. */
static inline struct digest
blob_tree(struct tree_entry *entries, uint32_t n)
{
	struct tree t = {.entries = entries, .n = n};
	struct buf b;
	tree_sort(&t);
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&t, &b), 0);
	struct digest d = blob_put(b.data, b.len);
	buf_fini(&b);
	return d;
}

/* "blobs/ab/<hex>" */
static inline const char *
blob_path(const struct digest *d)
{
	static char path[6 + LAYOUT_NAME_SIZE] = "blobs/";
	layout_name(d, path + 6);
	return path;
}

/* Names in the folder, without those that wait to be thrown away. */
static inline unsigned
blob_names(const char *folder)
{
	unsigned n = 0;
	DIR *dir = opendir(folder);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.' && strncmp(e->d_name, "old-", 4) != 0;
	closedir(dir);
	return n;
}

#endif
