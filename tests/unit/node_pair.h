/* A worker and a client in one mesh, and a channel between them: for the tests of sessions. */
#ifndef TESTS_UNIT_NODE_PAIR_H
#define TESTS_UNIT_NODE_PAIR_H

#include "mesh/session.h"
#include "tests/unit/node_talk.h"

/* A worker and a client of one mesh; the worker can run the toolchain d. */
struct pair {
	struct rig worker, client;
	struct digest d;
	struct talk t;
};

static inline struct pair *
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

static inline void
pair_close(struct pair *p)
{
	talk_end(&p->t);
	rig_close(&p->client);
	rig_close(&p->worker);
	free(p);
}

static inline unsigned
pair_used(struct pair *p)
{
	struct wire_load l;
	serve_wire_load(p->worker.n.serve, &l);
	return l.used;
}

static inline void
pair_reserve(struct pair *p)
{
	uint32_t number;
	assert_int_equal(talk_reserve(&p->t, &p->d, &number), WIRE_GRANT);
	assert_int_equal(number, WIRE_LEASE_MS);
	assert_int_equal(pair_used(p), 1);
}

/* A session without a serve that accepted it, so that a test can tell it what time it is. */
struct lone {
	struct serve *serve;
	struct session *session;
	struct talk t;
};

static inline void
lone_open(struct lone *l, struct pair *p)
{
	int listener, theirs;
	char why[256];
	struct endpoint e = {.len = 4, .bytes = {127, 0, 0, 1}};
	memset(l, 0, sizeof *l);
	assert_int_equal(radio_listen("127.0.0.1:0", &listener, &e.port, why), 0);
	buf_init(&l->t.body, CHANNEL_MESSAGE_MAX);
	l->t.conn =
	        conn_connect(rig_loop, identity_conn(p->client.n.identity), &e, &talk_ops, &l->t);
	while ((theirs = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) < 0)
		rig_spin();
	close(listener);
	l->serve = serve_new(&p->worker.n);
	l->session = session_new(l->serve, theirs);
	assert_non_null(l->session);
	UNTIL(l->t.open && l->session->state == SESSION_IDLE);
}

static inline void
lone_close(struct lone *l)
{
	session_free(l->session);
	talk_end(&l->t);
	serve_free(l->serve);
}

#endif
