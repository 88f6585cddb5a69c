/*
 * Leases with peers that are plain tables: what is asked is noted, and the test answers.
 */
#ifndef TESTS_UNIT_LEASE_RIG_H
#define TESTS_UNIT_LEASE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "crypto/err.h"
#include "gossip/rng.h"
#include "mesh/lease.h"

#define RIG_PEERS 32
#define RIG_ACTIONS 1024

struct lease_rig {
	struct leases *l;
	uint64_t now;
	enum lease_fit fit[RIG_PEERS]; /* for every want */
	struct lease_action seen[RIG_ACTIONS];
	unsigned nseen, taken; /* taken: how many the test has looked at */
};

static inline struct node_id
peer_id(unsigned i)
{
	struct node_id id = {{0}};
	id.bytes[0] = (uint8_t)(i + 1);
	return id;
}

static inline unsigned
peer_of(const struct lease_action *a)
{
	return a->node.bytes[0] - 1u;
}

static inline enum lease_fit
rig_fit(void *arg, uint64_t want, const struct node_id *peer)
{
	(void)want;
	return ((struct lease_rig *)arg)->fit[peer->bytes[0] - 1];
}

static inline void
lease_rig_open(struct lease_rig *r)
{
	memset(r, 0, sizeof *r);
	r->now = 1000;
	for (unsigned i = 0; i < RIG_PEERS; i++)
		r->fit[i] = LEASE_FIT_READY;
	r->l = leases_new(42, &(struct lease_ops){rig_fit, r});
	assert_non_null(r->l);
}

static inline void
lease_rig_close(struct lease_rig *r)
{
	leases_free(r->l);
}

/* Takes what is to be done. */
static inline void
settle(struct lease_rig *r)
{
	while (leases_next(r->l, &r->seen[r->nseen]))
		assert_true(++r->nseen < RIG_ACTIONS);
}

/* News of a peer. */
static inline void
peer(struct lease_rig *r, unsigned i, uint32_t slots, uint32_t used)
{
	struct node_id id = peer_id(i);
	leases_peer(r->l, &id, &(struct view_load){.slots = slots, .used = used}, r->now, r->now);
	settle(r);
}

static inline struct view *
view(struct lease_rig *r, unsigned i)
{
	struct node_id id = peer_id(i);
	return views_find(leases_views(r->l), &id);
}

static inline void
want_in(struct lease_rig *r, uint64_t id, uint64_t group, uint32_t predicted_ms)
{
	struct lease_want w = {.id = id, .group = group, .predicted_ms = predicted_ms};
	assert_int_equal(leases_want(r->l, &w, r->now), 0);
	settle(r);
}

static inline void
want(struct lease_rig *r, uint64_t id)
{
	want_in(r, id, 1, 1000);
}

/* The next thing that was to be done, which has to be of this type. */
static inline const struct lease_action *
next(struct lease_rig *r, enum lease_action_type type)
{
	assert_true(r->taken < r->nseen);
	assert_int_equal(r->seen[r->taken].type, type);
	return &r->seen[r->taken++];
}

static inline void
nothing(const struct lease_rig *r)
{
	if (r->taken < r->nseen)
		fail_msg("action %d", r->seen[r->taken].type);
}

static inline void
answer(struct lease_rig *r, uint64_t ask, enum lease_answer a, uint32_t slots, uint32_t used)
{
	leases_answer(r->l, ask, a, &(struct view_load){.slots = slots, .used = used}, 100, r->now);
	settle(r);
}

static inline void
tick(struct lease_rig *r, uint64_t ms)
{
	for (uint64_t end = r->now + ms; r->now < end;) {
		r->now += end - r->now < LEASE_TICK_MS ? end - r->now : LEASE_TICK_MS;
		leases_tick(r->l, r->now);
		settle(r);
	}
}

/* A want that gets its slot at once; its job. */
static inline uint64_t
granted(struct lease_rig *r, uint64_t id, uint32_t predicted_ms, uint32_t slots, uint32_t used)
{
	want_in(r, id, 1, predicted_ms);
	uint64_t ask = next(r, LEASE_ASK)->ask;
	answer(r, ask, LEASE_GRANT, slots, used);
	const struct lease_action *a = next(r, LEASE_GRANTED);
	assert_int_equal(a->want, id);
	return a->ask;
}

#endif
