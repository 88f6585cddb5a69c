/* The encoding of trees: what goes in comes out, as the same bytes again, and no tree that cannot be laid out gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "crypto/packet.h"
#include "exec/job.h"
#include "exec/tree.h"
#include "tests/unit/mangle.h"

#define FILE_AT(p)                                                                       \
	{                                                                                \
		.path = (p), .kind = TREE_FILE, .mode = 0644, .digest = {{1}}, .size = 3 \
	}
#define FOLDER_AT(p)                             \
	{                                        \
		.path = (p), .kind = TREE_FOLDER \
	}
#define LINK_AT(p, t)                                         \
	{                                                     \
		.path = (p), .kind = TREE_LINK, .target = (t) \
	}
#define TWIN_AT(p, t)                                         \
	{                                                     \
		.path = (p), .kind = TREE_TWIN, .target = (t) \
	}
#define TREE_OF(a) ((struct tree){.entries = (a), .n = sizeof(a) / sizeof((a)[0])})

static struct tree_entry entries[] = {
        FOLDER_AT("/p"),
        TWIN_AT("/p/a twin.h", "/p/b.h"),
        {.path = "/p/b.h",
                .kind = TREE_FILE,
                .mode = 0755,
                .digest = {{7, 8}},
                .size = TREE_FILE_MAX,
                .mtime_s = INT64_MAX},
        FILE_AT("/p/c\xc3\xa4.h"),
        LINK_AT("/p/d", "../x y"),
        FOLDER_AT("/p/e"),
        FILE_AT("/p/e/f.h"),
};

static void
encode(const struct tree *t, struct buf *b)
{
	buf_init(b, 2 * TREE_LEN_MAX);
	assert_int_equal(tree_encode(t, b), 0);
}

static int
decode(struct tree_entry *e, uint32_t n)
{
	struct tree t = {.entries = e, .n = n}, out = {.n = 77};
	struct buf b;
	int r;

	encode(&t, &b);
	r = tree_decode(&out, b.data, b.len);
	buf_fini(&b);
	if (r == 0)
		tree_fini(&out);
	else
		assert_int_equal(out.n, 77);
	return r;
}

static void
entries_survive(void **state)
{
	struct tree t = TREE_OF(entries), out;
	struct buf b, again;

	(void)state;
	encode(&t, &b);
	assert_int_equal(tree_decode(&out, b.data, b.len), 0);
	assert_int_equal(out.n, t.n);
	for (uint32_t i = 0; i < t.n; i++) {
		const struct tree_entry *in = &entries[i], *got = &out.entries[i];

		assert_string_equal(got->path, in->path);
		assert_int_equal(got->kind, in->kind);
		assert_int_equal(got->mode, in->mode);
		assert_int_equal(got->size, in->size);
		assert_int_equal(got->mtime_s, in->mtime_s);
		assert_true(digest_equal(&got->digest, &in->digest));
		assert_int_equal(got->target == NULL, in->target == NULL);
		if (in->target != NULL)
			assert_string_equal(got->target, in->target);
	}
	encode(&out, &again);
	assert_int_equal(again.len, b.len);
	assert_memory_equal(again.data, b.data, b.len);
	tree_fini(&out);
	assert_null(out.entries);
	buf_fini(&b);
	buf_fini(&again);
}

static void
sorted_is_by_bytes(void **state)
{
	struct tree_entry e[] = {
	        FILE_AT("/a/b"), FILE_AT("/\xff"), FILE_AT("/a-b"), FOLDER_AT("/a"), FILE_AT("/Z")};
	static const char *const order[] = {"/Z", "/a", "/a-b", "/a/b", "/\xff"};
	struct tree t = TREE_OF(e), none = {0};

	(void)state;
	tree_sort(&none);
	tree_sort(&t);
	for (size_t i = 0; i < 5; i++)
		assert_string_equal(e[i].path, order[i]);
	assert_int_equal(decode(e, 5), 0);
	assert_int_equal(decode(NULL, 0), 0);
}

static void
encoder_wants_order(void **state)
{
	struct tree_entry unsorted[] = {FILE_AT("/b"), FILE_AT("/a")};
	struct tree_entry twice[] = {FILE_AT("/a"), FILE_AT("/a")};
	struct tree_entry old[] = {FILE_AT("/a")};
	struct tree t = TREE_OF(unsorted);
	struct buf b;

	(void)state;
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&t, &b), IM_ERR_FORMAT);
	t = TREE_OF(twice);
	assert_int_equal(tree_encode(&t, &b), IM_ERR_FORMAT);
	old[0].mtime_s = -1;
	t = TREE_OF(old);
	assert_int_equal(tree_encode(&t, &b), IM_ERR_FORMAT);
	buf_fini(&b);
}

/* What leads nowhere or through a file. */
static void
paths_that_clash_are_refused(void **state)
{
	struct tree_entry below_file[] = {FILE_AT("/a"), FILE_AT("/a/b")};
	struct tree_entry not_neighbours[] = {FILE_AT("/a"), FILE_AT("/a b"), FILE_AT("/a-b"),
	        FILE_AT("/a.h"), FILE_AT("/a/b/c")};
	struct tree_entry beside[] = {
	        FILE_AT("/a"), FILE_AT("/a-b"), FILE_AT("/a0/b"), FILE_AT("/ab/c")};
	struct tree_entry below_link[] = {LINK_AT("/a", "/b"), FOLDER_AT("/a/b")};
	struct tree_entry below_twin[] = {FILE_AT("/0"), TWIN_AT("/a", "/0"), FILE_AT("/a/b")};
	struct tree_entry below_folder[] = {FOLDER_AT("/a"), FILE_AT("/a-b"), FILE_AT("/a/b")};

	(void)state;
	assert_int_equal(decode(below_file, 2), IM_ERR_FORMAT);
	assert_int_equal(decode(not_neighbours, 5), IM_ERR_FORMAT);
	assert_int_equal(decode(not_neighbours, 4), 0);
	assert_int_equal(decode(beside, 4), 0);
	assert_int_equal(decode(below_link, 2), IM_ERR_FORMAT);
	assert_int_equal(decode(below_twin, 3), IM_ERR_FORMAT);
	assert_int_equal(decode(below_folder, 3), 0);
}

static void
twins_lead_to_files(void **state)
{
	struct tree_entry before[] = {TWIN_AT("/a", "/b"), FILE_AT("/b")};
	struct tree_entry behind[] = {FILE_AT("/a"), TWIN_AT("/b", "/a")};
	struct tree_entry itself[] = {TWIN_AT("/a", "/a")};
	struct tree_entry chain[] = {FILE_AT("/a"), TWIN_AT("/b", "/a"), TWIN_AT("/c", "/b")};
	struct tree_entry link[] = {LINK_AT("/a", "/x"), TWIN_AT("/b", "/a")};
	struct tree_entry folder[] = {FOLDER_AT("/a"), TWIN_AT("/b", "/a")};
	struct tree_entry nothing[] = {FILE_AT("/a"), TWIN_AT("/b", "/c")};

	(void)state;
	assert_int_equal(decode(before, 2), 0);
	assert_int_equal(decode(behind, 2), 0);
	assert_int_equal(decode(itself, 1), IM_ERR_FORMAT);
	assert_int_equal(decode(chain, 3), IM_ERR_FORMAT);
	assert_int_equal(decode(link, 2), IM_ERR_FORMAT);
	assert_int_equal(decode(folder, 2), IM_ERR_FORMAT);
	assert_int_equal(decode(nothing, 2), IM_ERR_FORMAT);
}

static void
odd_entries_are_refused(void **state)
{
	static const char *const paths[] = {"", "/", "a", "/a/", "/a/../b", "//a", "/a\nb"};
	static const char *const targets[] = {"", "a\x1b", "\x7f", "\n"};
	char *longer = calloc(1, TREE_TARGET_MAX + 2);
	struct tree_entry file = FILE_AT("/a"), link = LINK_AT("/a", "b"), odd;

	(void)state;
	assert_int_equal(decode(&file, 1), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		odd = file;
		odd.path = paths[i];
		assert_int_equal(decode(&odd, 1), IM_ERR_FORMAT);
	}
	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		odd = link;
		odd.target = targets[i];
		assert_int_equal(decode(&odd, 1), IM_ERR_FORMAT);
	}
	memset(longer, 'x', TREE_TARGET_MAX + 1);
	link.target = longer;
	assert_int_equal(decode(&link, 1), IM_ERR_LIMIT);
	longer[TREE_TARGET_MAX] = '\0';
	assert_int_equal(decode(&link, 1), 0);
	free(longer);
	for (uint32_t mode = 0; mode < 01000; mode++) {
		odd = file;
		odd.mode = mode;
		assert_int_equal(decode(&odd, 1), mode == 0644 || mode == 0755 ? 0 : IM_ERR_FORMAT);
	}
	odd.mode = 0100644;
	assert_int_equal(decode(&odd, 1), IM_ERR_LIMIT);
	odd = file;
	odd.size = TREE_FILE_MAX + 1;
	assert_int_equal(decode(&odd, 1), IM_ERR_LIMIT);
	odd = file;
	odd.kind = TREE_TWIN + 1;
	assert_int_equal(decode(&odd, 1), IM_ERR_LIMIT);
}

/* What the decoder says of the bytes, which are freed. */
static int
verdict(struct buf *b)
{
	struct tree t;
	int r = tree_decode(&t, b->data, b->len);

	if (r == 0)
		tree_fini(&t);
	buf_fini(b);
	return r;
}

/* {1: version, 2: [{1: path, 2: kind, and the keys of `more`}]} */
static int
spelt(uint64_t version, const char *path, size_t len, uint64_t kind, uint64_t more)
{
	struct buf b;

	buf_init(&b, TREE_LEN_MAX);
	pack_map(&b, 2);
	pack_kuint(&b, 1, version);
	pack_uint(&b, 2);
	pack_array(&b, 1);
	pack_map(&b, 2 + (uint32_t)__builtin_popcountll(more));
	pack_kbytes(&b, 1, path, len);
	pack_kuint(&b, 2, kind);
	for (unsigned key = 3; key < 64; key++) {
		if ((more >> key & 1) == 0)
			continue;
		if (key == 4)
			pack_kbytes(&b, 4, "0123456789abcdef0123456789abcdef", DIGEST_LEN);
		else if (key == 6)
			pack_kbytes(&b, 6, "target", 6);
		else
			pack_kuint(&b, key, 0644);
	}
	return verdict(&b);
}

static void
each_kind_has_its_keys(void **state)
{
	const uint64_t file = 1 << 3 | 1 << 4 | 1 << 5, mtime = 1 << 7, target = 1 << 6;

	(void)state;
	assert_int_equal(spelt(1, "/a", 2, TREE_FILE, file), 0);
	assert_int_equal(spelt(1, "/a", 2, TREE_FILE, file | mtime), 0);
	assert_int_equal(spelt(1, "/a", 2, TREE_LINK, target), 0);
	assert_int_equal(spelt(1, "/a", 2, TREE_FOLDER, 0), 0);
	assert_int_equal(spelt(1, "/a\0b", 4, TREE_FOLDER, 0), IM_ERR_FORMAT);
	assert_int_equal(spelt(2, "/a", 2, TREE_FOLDER, 0), IM_ERR_VERSION);
	assert_int_equal(spelt(1, "/a", 2, TREE_FILE, file | target), IM_ERR_VERSION);
	assert_int_equal(spelt(1, "/a", 2, TREE_FILE, file | 1ULL << 63), IM_ERR_VERSION);
	for (unsigned key = 3; key < 8; key++) {
		if (key != 6 && key != 7)
			assert_int_equal(
			        spelt(1, "/a", 2, TREE_FILE, file & ~(1ULL << key)), IM_ERR_FORMAT);
		if (key != 6)
			assert_int_equal(
			        spelt(1, "/a", 2, TREE_LINK, target | 1ULL << key), IM_ERR_VERSION);
		assert_int_equal(spelt(1, "/a", 2, TREE_FOLDER, 1ULL << key), IM_ERR_VERSION);
	}
	assert_int_equal(spelt(1, "/a", 2, TREE_TWIN, 0), IM_ERR_FORMAT);
	assert_int_equal(spelt(1, "/a", 2, TREE_LINK, 0), IM_ERR_FORMAT);
}

/* {1: 1, 2: [folders at these two paths], key: 1} */
static int
two_folders(const char *first, const char *second, unsigned key)
{
	struct buf b;

	buf_init(&b, TREE_LEN_MAX);
	pack_map(&b, 3);
	pack_kuint(&b, 1, 1);
	pack_uint(&b, 2);
	pack_array(&b, 2);
	for (int i = 0; i < 2; i++) {
		pack_map(&b, 2);
		pack_ktext(&b, 1, i == 0 ? first : second);
		pack_kuint(&b, 2, TREE_FOLDER);
	}
	pack_kuint(&b, key, 1);
	return verdict(&b);
}

static void
decoder_wants_order(void **state)
{
	(void)state;
	assert_int_equal(two_folders("/a", "/b", 64), 0);
	assert_int_equal(two_folders("/a", "/b", 3), IM_ERR_VERSION);
	assert_int_equal(two_folders("/b", "/a", 64), IM_ERR_FORMAT);
	assert_int_equal(two_folders("/a", "/a", 64), IM_ERR_FORMAT);
	assert_int_equal(two_folders("/a/b", "/a", 64), IM_ERR_FORMAT);
}

static bool
accepts(const uint8_t *bytes, size_t len, void *arg)
{
	struct tree t;

	(void)arg;
	if (tree_decode(&t, bytes, len) != 0)
		return false;
	tree_fini(&t);
	return true;
}

static void
mangled_trees_do_no_harm(void **state)
{
	struct tree t = TREE_OF(entries);
	struct buf b;

	(void)state;
	encode(&t, &b);
	assert_int_equal(mangle_cut(accepts, b.data, b.len, NULL), 0);
	for (size_t bit = 0; bit < 8 * b.len; bit++)
		(void)mangle_one(accepts, b.data, b.len, bit, NULL);
	buf_put_u8(&b, 0);
	assert_false(accepts(b.data, b.len, NULL));
	assert_false(accepts((const uint8_t *)"\x80", 1, NULL));
	buf_fini(&b);
}

/* n files with names of len characters, below one folder. */
static int
many(uint32_t n, int len)
{
	struct tree_entry *e = calloc(n, sizeof(*e));
	struct tree t = {.entries = e, .n = n}, out;
	struct buf b;
	int r;

	assert_non_null(e);
	for (uint32_t i = 0; i < n; i++) {
		char *path;

		assert_true(asprintf(&path, "/folder/%0*u", len, i) > 0);
		e[i] = (struct tree_entry)FILE_AT(path);
		e[i].mtime_s = INT64_MAX;
	}
	buf_init(&b, 2 * TREE_LEN_MAX);
	r = tree_encode(&t, &b);
	if (r == 0) {
		r = tree_decode(&out, b.data, b.len);
		assert_int_equal(r, 0);
		assert_int_equal(out.n, n);
		tree_fini(&out);
	}
	for (uint32_t i = 0; i < n; i++)
		free((void *)(uintptr_t)e[i].path);
	free(e);
	buf_fini(&b);
	return r;
}

static void
limits_hold(void **state)
{
	struct tree t;
	struct buf b;

	(void)state;
	assert_int_equal(many(TREE_ENTRIES_MAX, 5), 0);
	assert_int_equal(many(TREE_ENTRIES_MAX + 1, 5), IM_ERR_LIMIT);
	assert_int_equal(many(TREE_ENTRIES_MAX, 120), IM_ERR_LIMIT);
	assert_int_equal(tree_decode(&t, "", TREE_LEN_MAX + 1), IM_ERR_LIMIT);
	buf_init(&b, TREE_LEN_MAX);
	pack_map(&b, 2);
	pack_kuint(&b, 1, 1);
	pack_uint(&b, 2);
	pack_array(&b, TREE_ENTRIES_MAX + 1);
	for (uint32_t i = 0; i <= TREE_ENTRIES_MAX; i++)
		pack_map(&b, 0);
	assert_int_equal(tree_decode(&t, b.data, b.len), IM_ERR_LIMIT);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(entries_survive),
	        cmocka_unit_test(sorted_is_by_bytes), cmocka_unit_test(encoder_wants_order),
	        cmocka_unit_test(paths_that_clash_are_refused),
	        cmocka_unit_test(twins_lead_to_files), cmocka_unit_test(odd_entries_are_refused),
	        cmocka_unit_test(each_kind_has_its_keys), cmocka_unit_test(decoder_wants_order),
	        cmocka_unit_test(mangled_trees_do_no_harm), cmocka_unit_test(limits_hold)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
