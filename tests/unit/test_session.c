#include "mesh/session.h"

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
test_malformed(void **state)
{
	(void)state;
	static const uint8_t types[] = {WIRE_RESERVE, WIRE_DATA, WIRE_END, WIRE_TOOLCHAIN,
	        WIRE_TDATA, WIRE_TEND, WIRE_JOIN, 30};
	struct pair *p = pair_open();
	for (size_t i = 0; i < sizeof types; i++) {
		struct talk t;
		talk_open(&t, &p->client, &p->worker);
		talk_send(&t, types[i], NULL);
		assert_int_equal(talk_error(&t), WERR_PROTOCOL);
		talk_end(&t);
	}
	pair_reserve(p);
	struct buf b;
	buf_init(&b, 16);
	buf_put(&b, "\x81\x01", 2);
	talk_send(&p->t, WIRE_JOB, &b);
	assert_int_equal(talk_error(&p->t), WERR_PROTOCOL);
	assert_int_equal(pair_used(p), 0);
	buf_fini(&b);
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

/* The deadlines, by telling the session what time it is. */
static void
test_deadlines(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct lone l;
	uint32_t number;
	lone_open(&l, p);
	assert_true(l.session->deadline_ms > loop_now_ms() + 60000); /* idle ones end, too */
	assert_int_equal(talk_reserve(&l.t, &p->d, &number), WIRE_GRANT);
	session_tick(l.session, loop_now_ms() + WIRE_LEASE_MS - 1000);
	assert_int_equal(l.session->state, SESSION_LEASED);
	session_tick(l.session, loop_now_ms() + WIRE_LEASE_MS + 1000);
	assert_int_equal(talk_error(&l.t), WERR_LEASE);
	assert_int_equal(l.session->state, SESSION_DISCARDING);
	lone_close(&l);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_refused_jobs, rig_teardown),
	        cmocka_unit_test_teardown(test_malformed, rig_teardown),
	        cmocka_unit_test_teardown(test_altered_input, rig_teardown),
	        cmocka_unit_test_teardown(test_slow_input, rig_teardown),
	        cmocka_unit_test_teardown(test_deadlines, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
