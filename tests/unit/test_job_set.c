/* An input set without a connection: what it asks for, and what does not fit together. */
#include "mesh/job_set.h"

#include "mesh/blob_file.h"
#include "tests/unit/node_rig.h"

static struct rig a;

static struct tree_entry
file(const char *path, const char *text)
{
	struct tree_entry e = {.path = path, .kind = TREE_FILE, .mode = 0644, .size = strlen(text)};
	digest_of(&e.digest, text, strlen(text));
	return e;
}

static void
put(const void *bytes, size_t len, struct digest *d)
{
	struct blob_file *f = blob_file_new(a.n.blobs, len);
	assert_non_null(f);
	digest_of(d, bytes, len);
	assert_int_equal(blob_file_add(f, bytes, len), 0);
	assert_int_equal(blob_file_keep(f, d), 0);
}

static void
put_tree(struct tree_entry *entries, uint32_t n, struct digest *d)
{
	struct tree t = {.entries = entries, .n = n};
	struct buf b;
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&t, &b), 0);
	put(b.data, b.len, d);
	buf_fini(&b);
}

/* The next NEED's digests; how many, 0: nothing lacks. */
static uint32_t
need(struct job_set *s, struct digest d[WIRE_NEED_MAX])
{
	struct job_set_error e;
	struct buf b;
	uint32_t n = 0;
	buf_init(&b, CHANNEL_MESSAGE_MAX);
	int r = job_set_need(s, &b, &e);
	assert_true(r >= 0);
	if (r > 0)
		assert_int_equal(wire_need_decode(b.data, b.len, d, &n), 0);
	buf_fini(&b);
	return n;
}

static void
test_layers(void **state)
{
	(void)state;
	static struct digest d[WIRE_NEED_MAX];
	struct digest trees[3], x;
	struct job_set_error e;
	rig_open(&a, "a");
	struct tree_entry one = file("/i/1.h", "1"), two = file("/i/2.h", "2"), own = one;
	put("1", 1, &x);
	put("2", 1, &x);
	put_tree(&one, 1, &trees[0]);
	put_tree(&two, 1, &trees[1]);
	trees[2] = trees[0]; /* twice, which makes no difference */
	struct job j = {.trees = trees, .ntrees = 3, .own = {.entries = &own, .n = 1}};
	struct job_set *s = job_set_new(&a.n, &j, &e);
	assert_non_null(s);
	assert_int_equal(need(s, d), 0);
	assert_int_equal(job_set_lay_out(s, &e), 1); /* one at a time */
	assert_int_equal(rig_files(&a, "trees"), 1);
	assert_int_equal(job_set_lay_out(s, &e), 1);
	assert_int_equal(job_set_lay_out(s, &e), 0);
	assert_int_equal(rig_files(&a, "trees"), 2);
	assert_int_equal(blobs_shrink(a.n.blobs, 1), IM_ERR_LIMIT);
	job_set_free(s);
	/* warm: nothing lacks and all stand */
	s = job_set_new(&a.n, &j, &e);
	assert_int_equal(need(s, d), 0);
	assert_int_equal(job_set_lay_out(s, &e), 0);
	job_set_free(s);
	assert_int_equal(blobs_shrink(a.n.blobs, 1), 0);
	rig_close(&a);
}

static void
test_two_sizes(void **state)
{
	(void)state;
	struct digest x;
	struct job_set_error e;
	rig_open(&a, "a");
	struct tree_entry own[] = {file("/w/1", "1"), file("/w/2", "1")};
	own[1].size = 2;
	struct job j = {.own = {.entries = own, .n = 2}};
	assert_null(job_set_new(&a.n, &j, &e));
	assert_int_equal(e.code, WERR_REFUSED);
	assert_non_null(strstr(e.why, "two sizes"));
	put("1", 1, &x);
	j.own.entries++;
	j.own.n = 1;
	assert_null(job_set_new(&a.n, &j, &e)); /* nor another than what is here */
	assert_int_equal(e.code, WERR_REFUSED);
	assert_int_equal(blobs_shrink(a.n.blobs, 1), 0); /* nothing stays held */
	rig_close(&a);
}

/* What is here under a tree's name may be something else. */
static void
test_no_tree(void **state)
{
	(void)state;
	struct digest d;
	struct job_set_error e;
	rig_open(&a, "a");
	put("text", 4, &d);
	struct job j = {.trees = &d, .ntrees = 1};
	assert_null(job_set_new(&a.n, &j, &e));
	assert_int_equal(e.code, WERR_REFUSED);
	assert_int_equal(blobs_shrink(a.n.blobs, 1), 0);
	rig_close(&a);
}

/* Another job brought it in the meantime. */
static void
test_comes_by_another(void **state)
{
	(void)state;
	static struct digest d[WIRE_NEED_MAX];
	struct job_set_error e;
	struct digest x;
	rig_open(&a, "a");
	struct tree_entry own = file("/w/1", "1");
	struct job j = {.own = {.entries = &own, .n = 1}};
	struct job_set *s = job_set_new(&a.n, &j, &e), *t = job_set_new(&a.n, &j, &e);
	assert_int_equal(need(s, d), 1);
	assert_true(digest_equal(&d[0], &own.digest));
	put("1", 1, &x);
	assert_int_equal(need(t, d), 0);
	job_set_free(s);
	job_set_free(t);
	rig_close(&a);
}

/* A file whose bytes are those of a tree that stands. */
static void
test_tree_as_file(void **state)
{
	(void)state;
	static struct digest d[WIRE_NEED_MAX];
	struct job_set_error e;
	struct digest tree, x;
	uint64_t size = 0;
	rig_open(&a, "a");
	struct tree_entry one = file("/i/1.h", "1");
	put("1", 1, &x);
	put_tree(&one, 1, &tree);
	assert_int_equal(blobs_lay_out(a.n.blobs, &tree), 0);
	assert_true(blobs_has(a.n.blobs, &tree, &size));
	struct tree_entry own = {.path = "/w/t", .kind = TREE_FILE, .mode = 0644, .size = size};
	own.digest = tree;
	struct job j = {.trees = &tree, .ntrees = 1, .own = {.entries = &own, .n = 1}};
	struct job_set *s = job_set_new(&a.n, &j, &e);
	assert_non_null(s);
	assert_int_equal(need(s, d), 0);
	job_set_free(s);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_layers, rig_teardown),
	        cmocka_unit_test_teardown(test_two_sizes, rig_teardown),
	        cmocka_unit_test_teardown(test_no_tree, rig_teardown),
	        cmocka_unit_test_teardown(test_comes_by_another, rig_teardown),
	        cmocka_unit_test_teardown(test_tree_as_file, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
