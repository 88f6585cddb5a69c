#include "mesh/session.h"

#include "tests/unit/node_talk.h"

/* A worker and a client of one mesh; the worker can run the toolchain d. */
struct pair {
	struct rig worker, client;
	struct digest d;
	struct talk t;
};

static struct pair *
pair_open(void)
{
	struct pair *p = calloc(1, sizeof *p);
	assert_non_null(p);
	rig_open(&p->worker, "worker");
	rig_open(&p->client, "client");
	rig_init(&p->worker);
	rig_enrol(&p->worker, &p->client);
	digest_of(&p->d, "toolchain", 9);
	rig_unpacked(&p->worker, &p->d);
	talk_open(&p->t, &p->client, &p->worker);
	return p;
}

static void
pair_close(struct pair *p)
{
	talk_end(&p->t);
	rig_close(&p->client);
	rig_close(&p->worker);
	free(p);
}

static unsigned
used(struct pair *p)
{
	struct wire_load l;
	serve_wire_load(p->worker.n.serve, &l);
	return l.used;
}

static void
reserve(struct pair *p)
{
	uint32_t number;
	assert_int_equal(talk_reserve(&p->t, &p->d, &number), WIRE_GRANT);
	assert_int_equal(number, WIRE_LEASE_MS);
	assert_int_equal(used(p), 1);
}

static void
test_job(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	for (int i = 0; i < 2; i++) { /* over one channel */
		reserve(p);
		talk_job(&p->t, &(struct talk_job){.toolchain = p->d, .env = "LANG=C"});
		talk_input(&p->t, "int x;", "int x;");
		talk_wait(&p->t, WIRE_DONE);
		assert_int_equal(p->t.count[WIRE_STARTED], i + 1);
		assert_int_equal(p->t.count[WIRE_RESULT], i + 1);
		assert_int_equal(p->t.count[WIRE_OUT], i + 1); /* stdout and stderr are empty */
		assert_int_equal(used(p), 0);
	}
	assert_int_equal(p->worker.n.counters.served, 2);
	pair_close(p);
}

static void
test_refused_jobs(void **state)
{
	(void)state;
	struct digest other;
	digest_of(&other, "other", 5);
	for (int i = 0; i < 4; i++) {
		struct pair *p = pair_open();
		struct talk_job j = {.toolchain = i == 1 ? other : p->d, .env = i == 2 ? "LD_PRELOAD=/x.so" : NULL,
			.extra = i == 3 ? "-fplugin=x.so" : NULL};
		if (i > 0)
			reserve(p);
		talk_job(&p->t, &j);
		assert_int_equal(talk_error(&p->t), i == 0 ? WERR_LEASE : WERR_REFUSED);
		if (i == 1)
			assert_non_null(strstr(p->t.why, "another toolchain"));
		if (i == 2)
			assert_non_null(strstr(p->t.why, "LD_PRELOAD"));
		assert_int_equal(p->worker.n.helper->runs, 0);
		assert_int_equal(used(p), 0);
		pair_close(p);
	}
}

static void
test_malformed(void **state)
{
	(void)state;
	static const uint8_t types[] = {WIRE_RESERVE, WIRE_DATA, WIRE_END, WIRE_TOOLCHAIN, WIRE_TDATA, WIRE_TEND, WIRE_JOIN, 30};
	struct pair *p = pair_open();
	for (size_t i = 0; i < sizeof types; i++) {
		struct talk t;
		talk_open(&t, &p->client, &p->worker);
		talk_send(&t, types[i], NULL);
		assert_int_equal(talk_error(&t), WERR_PROTOCOL);
		talk_end(&t);
	}
	reserve(p);
	struct buf b;
	buf_init(&b, 16);
	buf_put(&b, "\x81\x01", 2);
	talk_send(&p->t, WIRE_JOB, &b);
	assert_int_equal(talk_error(&p->t), WERR_PROTOCOL);
	assert_int_equal(used(p), 0);
	buf_fini(&b);
	pair_close(p);
}

static void
test_altered_input(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	reserve(p);
	talk_job(&p->t, &(struct talk_job){.toolchain = p->d});
	talk_input(&p->t, "int x;", "int y;");
	assert_int_equal(talk_error(&p->t), WERR_DIGEST);
	assert_int_equal(p->worker.n.helper->runs, 0);
	assert_int_equal(used(p), 0);
	pair_close(p);
}

/* A job that runs until it is killed. */
static void
run_forever(struct pair *p)
{
	p->worker.n.helper->hold = true;
	reserve(p);
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
	assert_int_equal(used(p), 0);
	assert_int_equal(p->worker.n.counters.killed, 1);
	rig_release(p->worker.n.helper);
	UNTIL(p->worker.n.helper->nasks == 0);
	reserve(p); /* the channel is free for the next job */
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
	assert_int_equal(used(p), 0);
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
	assert_int_equal(used(p), 0);
	assert_true(fcntl(0, F_GETFD) >= 0); /* nothing of ours was closed instead of an output */
	pair_close(p);
}

static void
test_helper_full(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	reserve(p);
	p->worker.n.helper->refuse_asks = true;
	talk_job(&p->t, &(struct talk_job){.toolchain = p->d});
	talk_input(&p->t, "int x;", "int x;");
	UNTIL(p->t.closed);
	assert_int_equal(used(p), 0);
	pair_close(p);
}

/* The deadlines, by telling the session what time it is. */
static void
test_deadlines(void **state)
{
	(void)state;
	struct pair *p = pair_open();
	struct serve *serve = serve_new(&p->worker.n);
	int listener, mine, theirs;
	uint16_t port;
	char why[256];
	struct endpoint e = {.len = 4, .bytes = {127, 0, 0, 1}};
	assert_int_equal(radio_listen("127.0.0.1:0", &listener, &port, why), 0);
	e.port = port;
	struct talk t = {0};
	buf_init(&t.body, CHANNEL_MESSAGE_MAX);
	t.conn = conn_connect(rig_loop, identity_conn(p->client.n.identity), &e, &talk_ops, &t);
	while ((theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
		rig_spin();
	mine = dup(theirs);
	struct session *s = session_new(serve, theirs);
	assert_non_null(s);
	UNTIL(t.open && s->state == SESSION_IDLE);
	assert_true(s->deadline_ms > loop_now_ms() + 60000);
	uint32_t number;
	assert_int_equal(talk_reserve(&t, &p->d, &number), WIRE_GRANT);
	session_tick(s, loop_now_ms() + WIRE_LEASE_MS - 1000);
	assert_int_equal(s->state, SESSION_LEASED);
	session_tick(s, loop_now_ms() + WIRE_LEASE_MS + 1000);
	assert_int_equal(talk_error(&t), WERR_LEASE);
	assert_int_equal(s->state, SESSION_DISCARDING);
	session_free(s);
	talk_end(&t);
	close(mine);
	close(listener);
	serve_free(serve);
	pair_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(test_job, rig_teardown),
		cmocka_unit_test_teardown(test_refused_jobs, rig_teardown),
		cmocka_unit_test_teardown(test_malformed, rig_teardown),
		cmocka_unit_test_teardown(test_altered_input, rig_teardown),
		cmocka_unit_test_teardown(test_cancel, rig_teardown),
		cmocka_unit_test_teardown(test_connection_lost, rig_teardown),
		cmocka_unit_test_teardown(test_sandbox_fails, rig_teardown),
		cmocka_unit_test_teardown(test_helper_full, rig_teardown),
		cmocka_unit_test_teardown(test_deadlines, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
