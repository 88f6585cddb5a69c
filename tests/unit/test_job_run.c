#include "mesh/job_run.h"

#include "tests/unit/node_pair.h"

static void
test_job(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	for (int i = 0; i < 2; i++) { /* over one channel */
		pair_reserve(p);
		talk_job(&p->t, &(struct talk_job){.toolchain = p->d, .env = "LANG=C"});
		talk_input(&p->t, "int x;", "int x;");
		talk_wait(&p->t, WIRE_DONE);
		assert_int_equal(p->t.count[WIRE_STARTED], i + 1);
		assert_int_equal(p->t.count[WIRE_RESULT], i + 1);
		assert_int_equal(p->t.count[WIRE_OUT], i + 1); /* stdout and stderr are empty */
		assert_int_equal(pair_used(p), 0);
	}
	assert_int_equal(p->worker.n.counters.served, 2);
	pair_close(p);
}

/* A job that runs until it is killed. */
static void
run_forever(struct pair *p)
{
	p->worker.n.helper->hold = true;
	pair_reserve(p);
	talk_job(&p->t, &(struct talk_job){.toolchain = p->d});
	talk_input(&p->t, "int x;", "int x;");
	talk_wait(&p->t, WIRE_STARTED);
	assert_int_equal(serve_running(p->worker.n.serve), 1);
}

static void
test_cancel(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	run_forever(p);
	UNTIL(p->t.count[WIRE_PING] >= 2);
	talk_send(&p->t, WIRE_CANCEL, NULL);
	assert_int_equal(talk_error(&p->t), WERR_CANCELLED);
	assert_int_equal(p->worker.n.helper->kills, 1);
	assert_int_equal(pair_used(p), 0);
	assert_int_equal(p->worker.n.counters.killed, 1);
	rig_release(p->worker.n.helper);
	UNTIL(p->worker.n.helper->nasks == 0);
	pair_reserve(p); /* the channel is free for the next job */
	pair_close(p);
}

static void
test_connection_lost(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	run_forever(p);
	conn_free(p->t.conn);
	p->t.conn = NULL;
	UNTIL(p->worker.n.helper->kills == 1);
	assert_int_equal(pair_used(p), 0);
	pair_close(p);
}

static void
test_sandbox_fails(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	run_forever(p);
	rig_answer(p->worker.n.helper, 0, JOB_SANDBOX);
	assert_int_equal(talk_error(&p->t), WERR_SANDBOX);
	assert_int_equal(pair_used(p), 0);
	assert_true(fcntl(0, F_GETFD) >= 0); /* nothing of ours was closed instead of an output */
	pair_close(p);
}

static void
test_helper_full(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	pair_reserve(p);
	p->worker.n.helper->refuse_asks = true;
	talk_job(&p->t, &(struct talk_job){.toolchain = p->d});
	talk_input(&p->t, "int x;", "int x;");
	UNTIL(p->t.closed);
	assert_int_equal(pair_used(p), 0);
	pair_close(p);
}

/* A client that does not take its result holds nothing for ever. */
static void
test_stalled_result(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct lone l;
	uint32_t number;
	char *text = calloc(1, 100001);
	lone_open(&l, p);
	assert_int_equal(talk_reserve(&l.t, &p->d, &number), WIRE_GRANT);
	talk_job(&l.t, &(struct talk_job){.toolchain = p->d});
	random_bytes(text, 100000);
	for (int i = 0; i < 100000; i++)
		text[i] |= 1; /* no NUL */
	struct buf b;
	buf_init(&b, 2 * WIRE_BLOCK_MAX);
	assert_int_equal(wire_block_encode(&b, text, 100000), 0);
	for (int i = 0; i < 200; i++) {
		talk_send(&l.t, WIRE_DATA, &b);
		UNTIL(conn_waiting(l.t.conn) == 0);
	}
	conn_read(l.t.conn, false);
	struct digest d;
	struct digest_stream s;
	digest_begin(&s);
	for (int i = 0; i < 200; i++)
		digest_add(&s, text, 100000);
	digest_end(&s, &d);
	buf_reset(&b);
	wire_end_encode(&b, &d, 200 * 100000);
	talk_send(&l.t, WIRE_END, &b);
	buf_fini(&b);
	free(text);
	UNTIL(l.session->state == SESSION_WAITING);
	assert_int_equal(session_start(l.session), 0);
	UNTIL(l.session->state == SESSION_SENDING);
	for (int i = 0; i < 20; i++)
		rig_spin();
	assert_int_equal(l.session->state, SESSION_SENDING);
	assert_in_range(l.session->deadline_ms, loop_now_ms() + 1, loop_now_ms() + 60000);
	lone_close(&l);
	pair_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_job, rig_teardown),
	        cmocka_unit_test_teardown(test_cancel, rig_teardown),
	        cmocka_unit_test_teardown(test_connection_lost, rig_teardown),
	        cmocka_unit_test_teardown(test_sandbox_fails, rig_teardown),
	        cmocka_unit_test_teardown(test_helper_full, rig_teardown),
	        cmocka_unit_test_teardown(test_stalled_result, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
