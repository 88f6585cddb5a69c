/* store_size is kept: what was used longest ago goes, what is in use stays, and nobody else's transfer counts less for it. */
#include "mesh/room.h"

#include "mesh/blob_file.h"
#include "mesh/upload.h"
#include "tests/unit/node_talk.h"

#define SIZE 1000

static struct rig a, b;
static struct digest d[4];

/* Tarball i, of SIZE bytes, used i + 1 ms after the start of time. */
static void
put(unsigned i)
{
	char content[SIZE];
	memset(content, 'a' + (int)i, sizeof content);
	rig_tarball(&a, content, sizeof content, &d[i]);
	store_find(a.n.store, &d[i])->used_ms = i + 1;
}

static void
open_store(unsigned tarballs)
{
	rig_open(&a, "a");
	rig_init(&a);
	for (unsigned i = 0; i < tarballs; i++)
		put(i);
	a.n.config.store_size = (uint64_t)tarballs * SIZE;
}

static bool
has(unsigned i)
{
	return store_find(a.n.store, &d[i]) != NULL;
}

static void
test_oldest_goes(void **state)
{
	(void)state;
	open_store(3);
	assert_int_equal(room_make(&a.n, 0, NULL), 0);
	assert_true(has(0) && has(1) && has(2));
	store_find(a.n.store, &d[0])->used_ms = 99;
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	assert_true(has(0) && !has(1) && has(2));
	assert_int_equal(rig_files(&a, "tarballs"), 4); /* and the signatures */
	assert_int_equal(room_make(&a.n, 2 * SIZE, &d[2]), 0);
	assert_true(!has(0) && has(2));
	assert_int_equal(room_make(&a.n, 3 * SIZE + 1, NULL), IM_ERR_LIMIT);
	assert_true(has(2)); /* nothing goes for what cannot come */
	rig_close(&a);
}

static void
test_useless_goes_first(void **state)
{
	(void)state;
	open_store(3);
	store_find(a.n.store, &d[2])->failed = true;
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	assert_true(has(0) && has(1) && !has(2));
	rig_close(&a);
}

/* The tree goes with it, in the helper; its place is free when the helper has done it. */
static void
test_tree_goes(void **state)
{
	(void)state;
	uint64_t bytes;
	unsigned n;
	open_store(2);
	rig_unpacked(&a, &d[0]);
	store_find(a.n.store, &d[0])->tree = SIZE;
	a.n.helper->hold = true;
	assert_int_equal(room_make(&a.n, 0, NULL), 0);
	assert_false(store_find(a.n.store, &d[0])->unpacked);
	assert_int_equal(a.n.helper->asks[0].type, PIPE_DROP);
	assert_true(digest_equal(&a.n.helper->asks[0].digest, &d[0]));
	store_usage(a.n.store, &bytes, &n);
	assert_int_equal(bytes, SIZE);
	assert_int_equal(n, 1);
	rig_release(a.n.helper);
	UNTIL(!has(0));
	assert_true(has(1));
	rig_close(&a);
}

/* What came in anew while its old tree went is not forgotten with it. */
static void
test_comes_again(void **state)
{
	(void)state;
	open_store(1);
	rig_unpacked(&a, &d[0]);
	a.n.helper->hold = true;
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	put(0);
	rig_release(a.n.helper);
	UNTIL(!store_find(a.n.store, &d[0])->dropping);
	assert_true(store_find(a.n.store, &d[0])->tarball);
	rig_close(&a);
}

static void
test_held_stays(void **state)
{
	(void)state;
	struct talk t;
	uint32_t number;
	open_store(2);
	rig_open(&b, "b");
	rig_enrol(&a, &b);
	rig_unpacked(&a, &d[0]);
	talk_open(&t, &b, &a);
	assert_int_equal(talk_reserve(&t, &d[0], &number), WIRE_GRANT);
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	assert_true(has(0) && !has(1));
	assert_int_equal(room_make(&a.n, SIZE + 1, NULL), IM_ERR_LIMIT);
	assert_true(has(0));
	talk_end(&t);
	UNTIL(!serve_holds(a.n.serve, &d[0]));
	assert_int_equal(room_make(&a.n, SIZE + 1, NULL), 0);
	rig_close(&b);
	rig_close(&a);
}

/* Files in transit count with what they may come to, so that many at a time find the same limit. */
static void
test_transit_counts(void **state)
{
	(void)state;
	open_store(2);
	struct store_file *f = store_file_new(a.n.store, 2 * SIZE);
	assert_int_equal(store_transit(a.n.store), 2 * SIZE);
	assert_int_equal(room_make(&a.n, 1, NULL), IM_ERR_LIMIT);
	store_file_drop(f);
	assert_int_equal(store_transit(a.n.store), 0);
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	rig_close(&a);
}

/* The list of toolchains is no other limit: one more always finds a place. */
static void
test_places(void **state)
{
	(void)state;
	struct digest x = {{0}};
	open_store(0);
	a.n.config.store_size = SIZE;
	for (unsigned i = 0; i < STORE_TOOLCHAINS_MAX; i++) {
		memcpy(x.bytes, &i, sizeof i);
		store_add(a.n.store, &x)->failed = true;
	}
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	put(0);
	assert_true(has(0));
	rig_close(&a);
}

/* A compiler whose tarball went is not answered with a digest that nobody has. */
static void
test_compilers_go(void **state)
{
	(void)state;
	open_store(2);
	assert_int_equal(store_set_compiler(a.n.store, 1000, "/usr/bin/cc", &d[0], "w", 1), 0);
	assert_int_equal(store_set_compiler(a.n.store, 1000, "/usr/bin/c++", &d[1], "w", 1), 0);
	assert_int_equal(room_make(&a.n, 1, NULL), 0);
	assert_null(store_compiler(a.n.store, 1000, "/usr/bin/cc"));
	assert_non_null(store_compiler(a.n.store, 1000, "/usr/bin/c++"));
	rig_close(&a);
}

/* A member brings toolchain after toolchain. */
static void
test_endless_uploads(void **state)
{
	(void)state;
	char content[SIZE];
	uint64_t bytes;
	unsigned n;
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
	a.n.config.store_size = 3 * SIZE;
	for (unsigned i = 0; i < 8; i++) {
		struct digest x;
		memset(content, 'A' + (int)i, sizeof content);
		rig_tarball(&b, content, sizeof content, &x);
		UNTIL(rig_member(&b, &a));
		upload_begin(b.n.uploads, rig_member(&b, &a), &x);
		UNTIL(upload_done(b.n.uploads, rig_id(&a), &x));
		store_usage(a.n.store, &bytes, &n);
		assert_true(bytes <= a.n.config.store_size);
		assert_true(store_find(a.n.store, &x)->unpacked);
	}
	rig_close(&b);
	rig_close(&a);
}

static struct digest
put_blob(const char *text)
{
	struct digest x;
	struct blob_file *f = blob_file_new(a.n.blobs, strlen(text));
	digest_of(&x, text, strlen(text));
	assert_int_equal(blob_file_add(f, text, strlen(text)), 0);
	assert_int_equal(blob_file_keep(f, &x), 0);
	return x;
}

/* Blobs go before toolchains, but not those that a job holds. */
static void
test_blobs_go_first(void **state)
{
	(void)state;
	open_store(2);
	struct digest x = put_blob("x"), y = put_blob("y");
	a.n.config.store_size = 2 * SIZE + 2 * 4096;
	assert_int_equal(room_make(&a.n, 0, NULL), 0);
	assert_true(blobs_has(a.n.blobs, &x, NULL) && blobs_has(a.n.blobs, &y, NULL));
	assert_int_equal(blobs_hold(a.n.blobs, &x), 0);
	assert_int_equal(room_make(&a.n, 4096, NULL), 0);
	assert_true(has(0) && has(1));
	assert_true(blobs_has(a.n.blobs, &x, NULL));
	assert_false(blobs_has(a.n.blobs, &y, NULL));
	assert_int_equal(room_make(&a.n, 4097, NULL), 0);
	assert_true(!has(0) && has(1));
	assert_int_equal(room_make(&a.n, 2 * SIZE + 4097, NULL), IM_ERR_LIMIT);
	assert_true(blobs_has(a.n.blobs, &x, NULL));
	blobs_release(a.n.blobs, &x);
	assert_int_equal(room_make(&a.n, 2 * SIZE + 4097, NULL), 0);
	rig_close(&a);
}

/* So do those that come in. */
static void
test_blobs_in_transit(void **state)
{
	(void)state;
	open_store(1);
	a.n.config.store_size = 2 * SIZE;
	struct blob_file *f = blob_file_new(a.n.blobs, SIZE);
	assert_int_equal(room_make(&a.n, SIZE + 1, NULL), IM_ERR_LIMIT);
	assert_true(has(0));
	blob_file_drop(f);
	assert_int_equal(room_make(&a.n, SIZE, NULL), 0);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_oldest_goes, rig_teardown),
	        cmocka_unit_test_teardown(test_useless_goes_first, rig_teardown),
	        cmocka_unit_test_teardown(test_tree_goes, rig_teardown),
	        cmocka_unit_test_teardown(test_comes_again, rig_teardown),
	        cmocka_unit_test_teardown(test_held_stays, rig_teardown),
	        cmocka_unit_test_teardown(test_transit_counts, rig_teardown),
	        cmocka_unit_test_teardown(test_places, rig_teardown),
	        cmocka_unit_test_teardown(test_blobs_go_first, rig_teardown),
	        cmocka_unit_test_teardown(test_blobs_in_transit, rig_teardown),
	        cmocka_unit_test_teardown(test_compilers_go, rig_teardown),
	        cmocka_unit_test_teardown(test_endless_uploads, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
