#include "mesh/session.h"

#include "tests/unit/node_pair.h"

static void
test_malformed(void **state)
{
	(void)state;
	static const uint8_t types[] = {WIRE_RESERVE, WIRE_BLOB, WIRE_DATA, WIRE_END,
	        WIRE_TOOLCHAIN, WIRE_TDATA, WIRE_TEND, WIRE_JOIN, 30};
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_malformed, rig_teardown),
	        cmocka_unit_test_teardown(test_deadlines, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
