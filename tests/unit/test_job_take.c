/* A job while it comes in: what is let in, and the rounds of a source job's inputs. */
#include "mesh/job_take.h"

#include "tests/unit/node_pair.h"

static void
test_refused_jobs(void **state)
{
	(void)state;
	struct digest other;
	struct pair *p = pair_open();
	digest_of(&other, "other", 5);
	for (int i = 0; i < 4; i++) {
		struct talk_job j = {.toolchain = i == 1 ? other : p->d,
		        .env = i == 2 ? "LD_PRELOAD=/x.so" : NULL,
		        .extra = i == 3 ? "-fplugin=x.so" : NULL};
		talk_end(&p->t); /* after a refusal the rest of a stream is thrown away */
		talk_open(&p->t, &p->client, &p->worker);
		if (i > 0)
			pair_reserve(p);
		talk_job(&p->t, &j);
		assert_int_equal(talk_error(&p->t), i == 0 ? WERR_LEASE : WERR_REFUSED);
		if (i == 1)
			assert_non_null(strstr(p->t.why, "another toolchain"));
		if (i == 2)
			assert_non_null(strstr(p->t.why, "LD_PRELOAD"));
		assert_int_equal(p->worker.n.helper->runs, 0);
		assert_int_equal(pair_used(p), 0);
	}
	pair_close(p);
}

static void
test_altered_input(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	pair_reserve(p);
	talk_job(&p->t, &(struct talk_job){.toolchain = p->d});
	talk_input(&p->t, "int x;", "int y;");
	assert_int_equal(talk_error(&p->t), WERR_DIGEST);
	assert_int_equal(p->worker.n.helper->runs, 0);
	assert_int_equal(pair_used(p), 0);
	pair_close(p);
}

/* Input that comes in drops would hold a slot for ever. */
static void
test_slow_input(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct talk_job j = {.toolchain = p->d};
	pair_reserve(p);
	p->worker.n.config.job_time_s = 0;
	talk_job(&p->t, &j);
	talk_input(&p->t, "int a;", "int a;");
	assert_int_equal(talk_error(&p->t), WERR_LEASE);
	assert_int_equal(pair_used(p), 0);
	pair_close(p);
}

/* --- source jobs --- */

#define SOURCE "int main(void) { return 0; }"

static struct digest needed[WIRE_NEED_MAX];

static struct tree_entry
file(const char *path, const char *text)
{
	struct tree_entry e = {.path = path, .kind = TREE_FILE, .mode = 0644, .size = strlen(text)};
	digest_of(&e.digest, text, strlen(text));
	return e;
}

/* The encoding of a tree, and its digest. */
static struct digest
encode(struct buf *out, struct tree_entry *entries, uint32_t n)
{
	struct tree t = {.entries = entries, .n = n};
	struct digest d;
	tree_sort(&t);
	buf_init(out, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&t, out), 0);
	digest_of(&d, out->data, out->len);
	return d;
}

/* Two headers "one" and "two" below /i. */
static struct digest
headers(struct buf *out)
{
	struct tree_entry e[] = {file("/i/1.h", "one"), file("/i/2.h", "two")};
	return encode(out, e, 2);
}

static bool
asked(uint32_t n, const struct digest *d)
{
	for (uint32_t i = 0; i < n; i++)
		if (digest_equal(&needed[i], d))
			return true;
	return false;
}

static void
send_source(struct pair *p, const struct digest *tree)
{
	pair_reserve(p);
	talk_source(&p->t, &(struct talk_source){p->d, tree, tree != NULL, SOURCE, NULL});
}

static unsigned
blobs_of(struct pair *p)
{
	uint64_t bytes;
	unsigned n, trees;
	blobs_usage(p->worker.n.blobs, &bytes, &n, &trees);
	return n;
}

/* Nothing ran, nothing is left in transit, nothing is held. */
static void
assert_clean(struct pair *p, unsigned blobs)
{
	assert_int_equal(p->worker.n.helper->runs, 0);
	assert_int_equal(pair_used(p), 0);
	assert_int_equal(blobs_of(p), blobs);
	assert_int_equal(rig_files(&p->worker, "tmp"), 0);
	assert_int_equal(rig_files(&p->worker, "trees"), 0);
	assert_int_equal(blobs_transit(p->worker.n.blobs), 0);
	assert_int_equal(blobs_shrink(p->worker.n.blobs, 1), blobs ? 0 : IM_ERR_LIMIT);
}

/* Cold: the tree and the source first, then what the tree names; warm: nothing at all. */
static void
test_rounds(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct digest source, one;
	struct buf tree;
	struct digest d = headers(&tree);
	digest_of(&source, SOURCE, strlen(SOURCE));
	digest_of(&one, "one", 3);
	send_source(p, &d);
	assert_int_equal(talk_need(&p->t, needed), 2);
	assert_true(asked(2, &d) && asked(2, &source));
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_blob(&p->t, tree.data, tree.len);
	assert_int_equal(talk_need(&p->t, needed), 2);
	assert_true(asked(2, &one));
	talk_blob(&p->t, "two", 3);
	assert_int_equal(rig_files(&p->worker, "trees"), 0);
	p->worker.n.helper->hold = true;
	talk_blob(&p->t, "one", 3);
	talk_wait(&p->t, WIRE_STARTED);
	assert_int_equal(p->worker.n.helper->asks[0].nfds, 1); /* the job, and no inputs */
	assert_int_equal(rig_files(&p->worker, "trees"), 1);
	assert_int_equal(blobs_shrink(p->worker.n.blobs, 1 << 20), IM_ERR_LIMIT);
	assert_int_equal(blobs_of(p), 4); /* held while it runs */
	rig_release(p->worker.n.helper);
	talk_wait(&p->t, WIRE_DONE);
	for (int i = 0; i < 2; i++) {
		send_source(p, &d);
		talk_wait(&p->t, WIRE_DONE);
		assert_int_equal(p->t.count[WIRE_NEED], 2);
	}
	assert_int_equal(blobs_shrink(p->worker.n.blobs, 1 << 20), IM_ERR_LIMIT);
	assert_int_equal(blobs_of(p), 0); /* and released afterwards */
	buf_fini(&tree);
	pair_close(p);
}

/* Other trees, the same files: they are asked for once. */
static void
test_shared_files(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct tree_entry e = file("/j/1.h", SOURCE);
	struct buf tree;
	struct digest d = encode(&tree, &e, 1);
	send_source(p, &d);
	assert_int_equal(talk_need(&p->t, needed), 2);
	talk_blob(&p->t, tree.data, tree.len);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_wait(&p->t, WIRE_DONE);
	assert_int_equal(p->t.count[WIRE_NEED], 1);
	buf_fini(&tree);
	pair_close(p);
}

/* A job that needs nothing of its peer but trees that are laid out: after a start they are laid out anew. */
static void
test_after_a_start(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct buf tree;
	struct digest d = headers(&tree);
	char why[256];
	send_source(p, &d);
	talk_need(&p->t, needed);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_blob(&p->t, tree.data, tree.len);
	talk_need(&p->t, needed);
	talk_blob(&p->t, "one", 3);
	talk_blob(&p->t, "two", 3);
	talk_wait(&p->t, WIRE_DONE);
	blobs_free(p->worker.n.blobs);
	p->worker.n.blobs = blobs_open(p->worker.n.config.store_dir, why);
	assert_non_null(p->worker.n.blobs);
	send_source(p, &d);
	talk_wait(&p->t, WIRE_DONE);
	assert_int_equal(p->t.count[WIRE_NEED], 2);
	assert_true(blobs_laid_out(p->worker.n.blobs, &d));
	buf_fini(&tree);
	pair_close(p);
}

enum misdeed {
	UNASKED,
	TWICE,
	NESTED,
	OTHER_SIZE,
	TREE_TOO_LARGE,
	TOO_MANY_BYTES,
	TRUNCATED,
	SHORT_END,
	ALTERED,
	OTHER_DIGEST,
	DATA_WITHOUT_BLOB,
	END_WITHOUT_BLOB,
	TREE_MALFORMED,
	TREE_CLIMBS,
	TREE_OTHER_SIZE,
	MISDEEDS
};

static const unsigned answers[MISDEEDS] = {
        [UNASKED] = WERR_PROTOCOL,
        [TWICE] = WERR_PROTOCOL,
        [NESTED] = WERR_PROTOCOL,
        [OTHER_SIZE] = WERR_REFUSED,
        [TREE_TOO_LARGE] = WERR_LIMIT,
        [TOO_MANY_BYTES] = WERR_LIMIT,
        [TRUNCATED] = WERR_DIGEST,
        [SHORT_END] = WERR_DIGEST,
        [ALTERED] = WERR_DIGEST,
        [OTHER_DIGEST] = WERR_DIGEST,
        [DATA_WITHOUT_BLOB] = WERR_PROTOCOL,
        [END_WITHOUT_BLOB] = WERR_PROTOCOL,
        [TREE_MALFORMED] = WERR_REFUSED,
        [TREE_CLIMBS] = WERR_REFUSED,
        [TREE_OTHER_SIZE] = WERR_REFUSED,
};

/* The tree that the job names, for this misdeed. */
static struct digest
bad_tree(struct buf *out, enum misdeed m)
{
	struct tree_entry e = file("/w/../../x", "x");
	struct digest d;
	if (m == TREE_OTHER_SIZE) {
		e = file("/w/x.h", SOURCE);
		e.size++;
	}
	if (m != TREE_MALFORMED)
		return m == TREE_CLIMBS || m == TREE_OTHER_SIZE ? encode(out, &e, 1) : headers(out);
	buf_init(out, 100);
	buf_printf(out, "this is no tree");
	digest_of(&d, out->data, out->len);
	return d;
}

static void
do_it(struct talk *t, enum misdeed m, const struct digest *tree, const struct buf *encoded)
{
	const size_t len = strlen(SOURCE);
	struct digest d, other;
	digest_of(&d, SOURCE, len);
	digest_of(&other, "one", 3);
	if (m == UNASKED)
		talk_announce(t, &other, 3);
	else if (m == OTHER_SIZE)
		talk_announce(t, &d, len + 1);
	else if (m == TREE_TOO_LARGE)
		talk_announce(t, tree, TREE_LEN_MAX + 1);
	else if (m == DATA_WITHOUT_BLOB)
		talk_bytes(t, SOURCE, len);
	else if (m == END_WITHOUT_BLOB)
		talk_finish(t, &d, len);
	else if (m >= TREE_MALFORMED)
		talk_blob(t, encoded->data, encoded->len);
	else if (m == TWICE)
		talk_blob(t, SOURCE, len), talk_announce(t, &d, len);
	else
		talk_announce(t, &d, len);
	if (m == NESTED)
		talk_announce(t, tree, encoded->len);
	if (m == TRUNCATED || m == SHORT_END)
		talk_bytes(t, SOURCE, len - 1);
	if (m == TRUNCATED || m == SHORT_END)
		talk_finish(t, &d, m == TRUNCATED ? len : len - 1);
	if (m == TOO_MANY_BYTES)
		talk_bytes(t, SOURCE SOURCE, len + 1);
	if (m == ALTERED)
		talk_bytes(t, "INT main(void) { return 0; }", len), talk_finish(t, &d, len);
	if (m == OTHER_DIGEST)
		talk_bytes(t, SOURCE, len), talk_finish(t, &other, len);
}

static void
test_misdeeds(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	for (enum misdeed m = 0; m < MISDEEDS; m++) {
		struct buf encoded;
		struct digest tree = bad_tree(&encoded, m);
		char hex[DIGEST_HEX_SIZE];
		talk_end(&p->t); /* after a refusal the rest of a stream is thrown away */
		talk_open(&p->t, &p->client, &p->worker);
		send_source(p, &tree);
		assert_int_equal(talk_need(&p->t, needed), 2);
		do_it(&p->t, m, &tree, &encoded);
		if (talk_error(&p->t) != answers[m])
			fail_msg("misdeed %u: %s", m, p->t.why);
		digest_hex(&tree, hex);
		hex[12] = 0;
		if (m == TREE_MALFORMED || m == TREE_CLIMBS)
			assert_non_null(strstr(p->t.why, hex));
		assert_clean(p, m == TWICE);
		buf_fini(&encoded);
	}
	pair_close(p);
}

/* A client that goes away in the middle of a large blob. */
static void
test_goes_away(void **state)
{
	(void)state;
	static uint8_t raw[WIRE_BLOCK_MAX];
	struct pair *p = pair_open();
	struct tree_entry e = {
	        .path = "/w/big.h", .kind = TREE_FILE, .mode = 0644, .size = 4 * sizeof raw};
	struct buf tree;
	struct digest d = encode(&tree, &e, 1);
	send_source(p, &d);
	talk_need(&p->t, needed);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_blob(&p->t, tree.data, tree.len);
	talk_need(&p->t, needed);
	talk_announce(&p->t, &e.digest, e.size);
	for (int i = 0; i < 2; i++)
		talk_bytes(&p->t, raw, sizeof raw);
	UNTIL(rig_files(&p->worker, "tmp") == 1);
	conn_free(p->t.conn);
	p->t.conn = NULL;
	UNTIL(rig_files(&p->worker, "tmp") == 0);
	assert_clean(p, 2);
	buf_fini(&tree);
	pair_close(p);
}

/* Two jobs lack the same, and both bring it. */
static void
test_at_the_same_time(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct talk t;
	uint32_t number;
	talk_open(&t, &p->client, &p->worker);
	send_source(p, NULL);
	assert_int_equal(talk_need(&p->t, needed), 1);
	assert_int_equal(talk_queue(&t, &p->d, &number), WIRE_GRANT);
	talk_source(&t, &(struct talk_source){p->d, NULL, 0, SOURCE, NULL});
	assert_int_equal(talk_need(&t, needed), 1);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_wait(&p->t, WIRE_DONE);
	talk_blob(&t, SOURCE, strlen(SOURCE));
	talk_wait(&t, WIRE_DONE);
	assert_int_equal(blobs_of(p), 1);
	talk_end(&t);
	pair_close(p);
}

/* More than one message can name. */
static void
test_many_files(void **state)
{
	(void)state;
	enum { N = WIRE_NEED_MAX + 100 };
	static struct tree_entry e[N];
	static char paths[N][16];
	struct pair *p = pair_open();
	struct buf tree;
	for (uint32_t i = 0; i < N; i++) {
		snprintf(paths[i], sizeof paths[i], "/w/%u.h", i);
		e[i] = file(paths[i], paths[i]);
	}
	struct digest d = encode(&tree, e, N);
	send_source(p, &d);
	talk_need(&p->t, needed);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	talk_announce(&p->t, &d, tree.len);
	for (size_t at = 0; at < tree.len; at += WIRE_BLOCK_MAX)
		talk_bytes(&p->t, tree.data + at,
		        tree.len - at < WIRE_BLOCK_MAX ? tree.len - at : WIRE_BLOCK_MAX);
	talk_finish(&p->t, &d, tree.len);
	assert_int_equal(talk_need(&p->t, needed), WIRE_NEED_MAX);
	buf_fini(&tree);
	pair_close(p);
}

static void
test_no_room(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	p->worker.n.config.store_size = 10;
	send_source(p, NULL);
	assert_int_equal(talk_need(&p->t, needed), 1);
	struct digest d = needed[0];
	talk_announce(&p->t, &d, strlen(SOURCE));
	assert_int_equal(talk_error(&p->t), WERR_DISK);
	assert_clean(p, 0);
	pair_close(p);
}

static void
test_slow_blobs(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	p->worker.n.config.job_time_s = 0;
	send_source(p, NULL);
	talk_need(&p->t, needed);
	talk_blob(&p->t, SOURCE, strlen(SOURCE));
	assert_int_equal(talk_error(&p->t), WERR_LEASE);
	assert_clean(p, 0);
	pair_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_refused_jobs, rig_teardown),
	        cmocka_unit_test_teardown(test_altered_input, rig_teardown),
	        cmocka_unit_test_teardown(test_slow_input, rig_teardown),
	        cmocka_unit_test_teardown(test_rounds, rig_teardown),
	        cmocka_unit_test_teardown(test_shared_files, rig_teardown),
	        cmocka_unit_test_teardown(test_after_a_start, rig_teardown),
	        cmocka_unit_test_teardown(test_misdeeds, rig_teardown),
	        cmocka_unit_test_teardown(test_goes_away, rig_teardown),
	        cmocka_unit_test_teardown(test_at_the_same_time, rig_teardown),
	        cmocka_unit_test_teardown(test_many_files, rig_teardown),
	        cmocka_unit_test_teardown(test_no_room, rig_teardown),
	        cmocka_unit_test_teardown(test_slow_blobs, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
