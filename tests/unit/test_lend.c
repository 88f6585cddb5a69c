/* What a member is sent of the blobs that it asks for, and who is sent nothing. */
#include "mesh/lend.h"

#include "tests/unit/node_trio.h"

static struct digest wanted[WIRE_NEED_MAX + 1];

static struct digest
big_blob(struct rig *r, uint8_t fill, size_t size)
{
	struct digest d;
	struct blob_file *f = blob_file_new(r->n.blobs, size);
	uint8_t *bytes = malloc(size);
	assert_true(f && bytes);
	memset(bytes, fill, size);
	digest_of(&d, bytes, size);
	assert_int_equal(blob_file_add(f, bytes, size), 0);
	assert_int_equal(blob_file_keep(f, &d), 0);
	free(bytes);
	return d;
}

static void
fetch(struct talk *t, const struct digest *d, uint32_t n)
{
	struct buf body;
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_need_encode(&body, d, n);
	memset(t->count, 0, sizeof t->count);
	talk_send(t, WIRE_FETCH, &body);
	buf_fini(&body);
}

static void
test_what_is_here(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	struct talk t;
	trio_put(p, &p->holder, 3);
	struct digest empty = big_blob(&p->holder, 0, 0),
	              big = big_blob(&p->holder, 1, 3 * WIRE_BLOCK_MAX + 1);
	wanted[0] = p->e[0].digest;
	wanted[1] = p->e[5].digest; /* not here */
	wanted[2] = big;
	wanted[3] = empty;
	wanted[4] = p->e[6].digest;
	talk_open(&t, &p->worker, &p->holder);
	for (int i = 0; i < 2; i++) { /* the channel is idle again */
		fetch(&t, wanted, 5);
		talk_wait(&t, WIRE_DONE);
		assert_int_equal(t.count[WIRE_BLOB], 3);
		assert_int_equal(t.count[WIRE_DATA], 1 + 4);
		assert_int_equal(t.count[WIRE_END], 3);
	}
	fetch(&t, &wanted[4], 1);
	talk_wait(&t, WIRE_DONE);
	assert_int_equal(t.count[WIRE_BLOB], 0);
	assert_int_equal(p->holder.n.counters.lent, 2 * (p->e[0].size + 3 * WIRE_BLOCK_MAX + 1));
	assert_int_equal(serve_lending(p->holder.n.serve), 0);
	talk_end(&t);
	trio_close(p);
}

static void
test_limit_of_bytes(void **state)
{
	(void)state;
	const size_t size = 40u << 20;
	struct trio *p = trio_open();
	struct talk t;
	trio_put(p, &p->holder, 1);
	wanted[0] = big_blob(&p->holder, 1, size);
	wanted[1] = big_blob(&p->holder, 2, size); /* too much with the first */
	wanted[2] = p->e[0].digest;
	talk_open(&t, &p->worker, &p->holder);
	fetch(&t, wanted, 3);
	talk_wait(&t, WIRE_DONE);
	assert_int_equal(t.count[WIRE_BLOB], 2);
	assert_int_equal(p->holder.n.counters.lent, size + p->e[0].size);
	talk_end(&t);
	trio_close(p);
}

/* One that does not read what it asked for holds a place; there are few. */
static void
test_at_one_time(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	struct talk t[LENDS_MAX + 1];
	uint8_t *bytes = malloc(32u << 20);
	struct blob_file *f = blob_file_new(p->holder.n.blobs, 32u << 20);
	assert_true(f && bytes);
	random_bytes(
	        bytes, 32u << 20); /* which LZ4 cannot make smaller than the sockets' buffers */
	digest_of(&wanted[0], bytes, 32u << 20);
	assert_int_equal(blob_file_add(f, bytes, 32u << 20), 0);
	assert_int_equal(blob_file_keep(f, &wanted[0]), 0);
	free(bytes);
	for (unsigned i = 0; i <= LENDS_MAX; i++)
		talk_open(&t[i], &p->worker, &p->holder);
	for (unsigned i = 0; i < LENDS_MAX; i++) {
		fetch(&t[i], wanted, 1);
		conn_read(t[i].conn, false);
	}
	UNTIL(serve_lending(p->holder.n.serve) == LENDS_MAX);
	fetch(&t[LENDS_MAX], wanted, 1);
	assert_int_equal(talk_error(&t[LENDS_MAX]), WERR_LIMIT);
	conn_free(t[0].conn); /* in the middle */
	t[0].conn = NULL;
	UNTIL(serve_lending(p->holder.n.serve) == LENDS_MAX - 1);
	fetch(&t[LENDS_MAX], wanted, 1);
	talk_wait(&t[LENDS_MAX], WIRE_DONE);
	conn_read(t[1].conn, true);
	talk_wait(&t[1], WIRE_DONE);
	for (unsigned i = 0; i <= LENDS_MAX; i++)
		talk_end(&t[i]);
	UNTIL(serve_lending(p->holder.n.serve) == 0);
	trio_close(p);
}

/* A node without a certificate may not, nor one in the middle of something, nor with nonsense. */
static void
test_refused(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	struct conn_identity spare = *identity_conn(p->worker.n.identity);
	struct talk t;
	struct buf body;
	uint32_t number;
	trio_put(p, &p->holder, 1);
	wanted[0] = p->e[0].digest;
	spare.cert_len = 0;
	talk_start(&t, &spare, &p->holder);
	assert_true(t.open);
	fetch(&t, wanted, 1);
	assert_int_equal(talk_error(&t), WERR_KEY);
	talk_end(&t);

	talk_open(&t, &p->client, &p->worker);
	assert_int_equal(talk_reserve(&t, &p->d, &number), WIRE_GRANT);
	fetch(&t, wanted, 1);
	assert_int_equal(talk_error(&t), WERR_PROTOCOL);
	talk_end(&t);

	talk_open(&t, &p->worker, &p->holder);
	fetch(&t, wanted, 0);
	assert_int_equal(talk_error(&t), WERR_PROTOCOL);
	fetch(&t, wanted, WIRE_NEED_MAX + 1);
	assert_int_equal(talk_error(&t), WERR_PROTOCOL);
	buf_init(&body, 64);
	buf_printf(&body, "junk");
	talk_send(&t, WIRE_FETCH, &body);
	assert_int_equal(talk_error(&t), WERR_PROTOCOL);
	buf_fini(&body);
	fetch(&t, wanted, 1); /* and it works afterwards */
	talk_wait(&t, WIRE_DONE);
	assert_int_equal(t.count[WIRE_BLOB], 1);
	talk_end(&t);
	assert_int_equal(p->holder.n.counters.lent, p->e[0].size);
	trio_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_what_is_here, rig_teardown),
	        cmocka_unit_test_teardown(test_limit_of_bytes, rig_teardown),
	        cmocka_unit_test_teardown(test_at_one_time, rig_teardown),
	        cmocka_unit_test_teardown(test_refused, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
