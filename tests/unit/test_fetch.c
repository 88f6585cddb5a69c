/* Inputs from another member in place of the client: what is saved, and that nothing is lost whatever the holder does. */
#include "mesh/fetch.h"

#include "tests/unit/node_trio.h"

static void
test_all(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	trio_put(p, &p->holder, TRIO_HEADERS);
	trio_job(p, rig_id(&p->holder));
	talk_wait(&p->t, WIRE_DONE);
	assert_int_equal(p->t.count[WIRE_NEED], 1);
	assert_int_equal(p->worker.n.counters.fetched, trio_bytes(p, TRIO_HEADERS));
	assert_int_equal(p->holder.n.counters.lent, trio_bytes(p, TRIO_HEADERS));
	assert_true(blobs_laid_out(p->worker.n.blobs, &p->tree));
	trio_close(p);
}

static void
test_some(void **state)
{
	(void)state;
	const unsigned n = 25;
	struct trio *p = trio_open();
	trio_put(p, &p->holder, n);
	trio_job(p, rig_id(&p->holder));
	trio_rest(p, TRIO_HEADERS - n);
	assert_int_equal(p->worker.n.counters.fetched, trio_bytes(p, n));
	trio_close(p);
}

/* Not worth the question, or nobody to ask. */
static void
test_nobody(void **state)
{
	(void)state;
	static const struct node_id unknown = {{1, 2, 3}};
	struct trio *p = trio_open();
	trio_put(p, &p->holder, TRIO_HEADERS);
	trio_put(p, &p->worker, TRIO_HEADERS - FETCH_BLOBS_MIN);
	trio_job(p, rig_id(&p->holder)); /* so few */
	trio_rest(p, FETCH_BLOBS_MIN);
	assert_int_equal(p->holder.n.counters.lent, 0);
	for (int i = 0; i < 3; i++) {
		trio_again(p);
		trio_job(p, i == 0 ? NULL : i == 1 ? &unknown : rig_id(&p->worker));
		trio_rest(p, TRIO_HEADERS);
		assert_int_equal(p->worker.n.counters.fetched, 0);
	}
	trio_close(p);
}

/* Each is chosen once, in any order; this node never. */
static void
test_two_holders(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	struct node_id ids[2] = {*rig_id(&p->holder), *rig_id(&p->client)};
	uint32_t asked = 0;
	const struct member *first = fetch_choose(&p->worker.n, ids, 2, &asked);
	const struct member *second = fetch_choose(&p->worker.n, ids, 2, &asked);
	assert_true(first && first != second);
	assert_true(second && !fetch_choose(&p->worker.n, ids, 2, &asked));
	asked = 0;
	ids[1] = *rig_id(&p->worker);
	assert_ptr_equal(
	        fetch_choose(&p->worker.n, ids, 2, &asked), rig_member(&p->worker, &p->holder));
	assert_null(fetch_choose(&p->worker.n, ids, 2, &asked));
	trio_close(p);
}

/* --- a holder that does not do what it should --- */

enum misdeed {
	WRONG_BYTES,
	UNASKED,
	TWICE,
	NESTED,
	TOO_LARGE,
	SILENT,
	CLOSES_AT_ONCE,
	CLOSES_IN_THE_MIDDLE,
	SAYS_ERROR,
	SAYS_NONSENSE,
	DONE_WITHOUT_ANY,
	NEVER_ENDS, /* a good blob, and then only PING */
	MISDEEDS
};

static const unsigned good_before[MISDEEDS] = {
        [TWICE] = 1, [CLOSES_IN_THE_MIDDLE] = 1, [SAYS_ERROR] = 1, [NEVER_ENDS] = 1};

struct evil {
	struct trio *p;
	struct talk t; /* the holder's side; t.conn is the accepted one */
	enum misdeed misdeed;
	bool asked;
	struct timer *ping;
};

static void
evil_text(struct evil *v, const char *text, const struct digest *d)
{
	talk_announce(&v->t, d, strlen(text));
	talk_bytes(&v->t, text, strlen(text));
	talk_finish(&v->t, d, strlen(text));
}

static void
evil_close(struct evil *v)
{
	conn_free(v->t.conn);
	v->t.conn = NULL;
}

static void
evil_ping(void *arg)
{
	struct evil *v = arg;
	if (v->t.conn && conn_send(v->t.conn, WIRE_PING, NULL, 0) == 0)
		timer_set(v->ping, FETCH_QUIET_MS / 4);
}

static void
evil_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c, (void)p, (void)len;
	struct evil *v = arg;
	const struct tree_entry *e = v->p->e;
	struct digest other;
	assert_int_equal(type, WIRE_FETCH);
	v->asked = true;
	digest_of(&other, "other", 5);
	if (good_before[v->misdeed])
		talk_blob(&v->t, v->p->text[0], e[0].size);
	switch (v->misdeed) {
	case WRONG_BYTES:
		evil_text(v, "#define H0 9", &e[0].digest);
		break;
	case UNASKED:
		evil_text(v, "other", &other);
		break;
	case TWICE:
		talk_announce(&v->t, &e[0].digest, e[0].size);
		break;
	case NESTED:
		talk_announce(&v->t, &e[0].digest, e[0].size);
		talk_announce(&v->t, &e[1].digest, e[1].size);
		break;
	case TOO_LARGE:
		talk_announce(&v->t, &e[0].digest, e[0].size + 1);
		break;
	case CLOSES_IN_THE_MIDDLE:
		talk_announce(&v->t, &e[1].digest, e[1].size);
		talk_bytes(&v->t, v->p->text[1], 3);
		break; /* by the test, when that is out */
	case SAYS_ERROR:
		talk_send(&v->t, WIRE_ERROR, NULL);
		break;
	case SAYS_NONSENSE:
		talk_send(&v->t, WIRE_STARTED, NULL);
		break;
	case DONE_WITHOUT_ANY:
		talk_send(&v->t, WIRE_DONE, NULL);
		break;
	case CLOSES_AT_ONCE:
		evil_close(v);
		break;
	default:
		evil_ping(v);
	}
}

static void
evil_drained(void *arg, struct conn *c)
{
	(void)c;
	struct evil *v = arg;
	if (v->asked && v->misdeed == CLOSES_IN_THE_MIDDLE)
		evil_close(v);
}

static void
evil_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err, (void)why;
	evil_close(arg);
}

static void
evil_ready(void *arg, struct conn *c)
{
	(void)arg, (void)c;
}

static void
evil_accept(void *arg, int events)
{
	static const struct conn_ops ops = {evil_ready, evil_message, evil_drained, evil_closed};
	struct evil *v = arg;
	int fd = accept4(v->p->holder.listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	(void)events;
	if (fd >= 0)
		v->t.conn =
		        conn_accept(rig_loop, identity_conn(v->p->holder.n.identity), fd, &ops, v);
}

/* Instead of the holder's own sessions. */
static void
evil_open(struct evil *v, struct trio *p, enum misdeed m)
{
	struct rig *r = &p->holder;
	*v = (struct evil){.p = p, .misdeed = m};
	v->ping = timer_new(rig_loop, evil_ping, v);
	watch_free(r->accepting);
	r->accepting = watch_new(rig_loop, r->listener, LOOP_READ, evil_accept, v);
}

static void
test_misdeeds(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	for (enum misdeed m = 0; m < MISDEEDS; m++) {
		struct evil v;
		evil_open(&v, p, m);
		trio_job(p, rig_id(&p->holder));
		trio_rest(p, TRIO_HEADERS - good_before[m]);
		assert_true(v.asked);
		if (p->worker.n.counters.fetched != trio_bytes(p, good_before[m]))
			fail_msg("misdeed %u: fetched %llu", m,
			        (unsigned long long)p->worker.n.counters.fetched);
		UNTIL(!v.t.conn); /* the worker has hung up */
		timer_free(v.ping);
		trio_again(p);
	}
	trio_close(p);
}

/* The client goes away, sends what nobody asked it for, or withdraws while a member is asked. */
static void
test_client_meanwhile(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	for (int i = 0; i < 3; i++) {
		struct evil v;
		unsigned fds;
		evil_open(&v, p, SILENT);
		fds = rig_open_fds();
		trio_job(p, rig_id(&p->holder));
		UNTIL(v.t.conn);
		if (i == 0) {
			talk_blob(&p->t, p->text[0], p->e[0].size);
			assert_int_equal(talk_error(&p->t), WERR_PROTOCOL);
		} else if (i == 1) {
			talk_send(&p->t, WIRE_CANCEL, NULL);
			assert_int_equal(talk_error(&p->t), WERR_CANCELLED);
		} else {
			conn_free(p->t.conn);
			p->t.conn = NULL;
			fds -= 2;
		}
		UNTIL(!v.t.conn && rig_open_fds() <= fds);
		assert_int_equal(p->worker.n.helper->runs, 0);
		timer_free(v.ping);
		trio_again(p);
	}
	trio_close(p);
}

/* Its process died: the port is closed while the mesh still believes that it is up. */
static void
test_died(void **state)
{
	(void)state;
	struct trio *p = trio_open();
	int closed, fd = p->holder.listener;
	uint16_t port;
	char why[256];
	trio_put(p, &p->holder, TRIO_HEADERS);
	/* another descriptor stands in for the listener, which the rig closes */
	assert_int_equal(radio_listen("127.0.0.1:0", &closed, &port, why), 0);
	watch_free(p->holder.accepting);
	p->holder.accepting = NULL;
	assert_int_equal(dup2(closed, fd), fd);
	close(closed);
	trio_job(p, rig_id(&p->holder));
	trio_rest(p, TRIO_HEADERS);
	assert_int_equal(p->worker.n.counters.fetched, 0);
	assert_true(wants_view(p->worker.n.wants, rig_id(&p->holder))->failures > 0);
	trio_close(p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_all, rig_teardown),
	        cmocka_unit_test_teardown(test_some, rig_teardown),
	        cmocka_unit_test_teardown(test_nobody, rig_teardown),
	        cmocka_unit_test_teardown(test_two_holders, rig_teardown),
	        cmocka_unit_test_teardown(test_misdeeds, rig_teardown),
	        cmocka_unit_test_teardown(test_client_meanwhile, rig_teardown),
	        cmocka_unit_test_teardown(test_died, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
