/* Leases: who is asked, late binding, whose turn it is, what is withdrawn, and that every want ends exactly once. */
#include "tests/unit/lease_rig.h"

static struct lease_rig r;

/* A refusal brings the next peer; after three the want queues at two. */
static void
test_refused_then_queued(void **state)
{
	(void)state;
	lease_rig_open(&r);
	for (unsigned i = 0; i < LEASE_TRIES + LEASE_PLACES; i++)
		peer(&r, i, 4, 0);
	want(&r, 1);
	unsigned asked = 0;
	for (int i = 0; i < LEASE_TRIES; i++) {
		const struct lease_action *a = next(&r, LEASE_ASK);
		assert_false(a->wait);
		assert_false(asked & 1u << peer_of(a)); /* each time another */
		asked |= 1u << peer_of(a);
		nothing(&r);
		answer(&r, a->ask, LEASE_BUSY, 4, 5);
	}
	const struct lease_action *first = next(&r, LEASE_ASK);
	assert_true(first->wait);
	answer(&r, first->ask, LEASE_QUEUED, 4, 5);
	assert_false(next(&r, LEASE_WAIT)->cold);
	const struct lease_action *second = next(&r, LEASE_ASK);
	assert_true(second->wait);
	assert_int_not_equal(peer_of(first), peer_of(second));
	answer(&r, second->ask, LEASE_QUEUED, 4, 5);
	answer(&r, first->ask, LEASE_GRANT, 4, 4);
	/* the order of these two is of no account */
	assert_int_equal(next(&r, LEASE_GRANTED)->ask, first->ask);
	assert_int_equal(next(&r, LEASE_DROP)->ask, second->ask);
	nothing(&r);
	lease_rig_close(&r);
}

/* All full by their own word: no vain asks, but a place in two queues at once. */
static void
test_full(void **state)
{
	(void)state;
	lease_rig_open(&r);
	for (unsigned i = 0; i < 3; i++)
		peer(&r, i, 1, 2); /* a slot and one ahead */
	want(&r, 1);
	for (int i = 0; i < LEASE_PLACES; i++) {
		const struct lease_action *a = next(&r, LEASE_ASK);
		assert_true(a->wait);
		answer(&r, a->ask, LEASE_QUEUED, 1, 2);
		if (i == 0)
			next(&r, LEASE_WAIT);
	}
	nothing(&r);
	/* news that the third has room: it is asked, too */
	unsigned queued = peer_of(&r.seen[0]) + peer_of(&r.seen[2]);
	peer(&r, 3 - queued, 1, 0);
	const struct lease_action *a = next(&r, LEASE_ASK);
	assert_int_equal(peer_of(a), 3 - queued);
	assert_false(a->wait);
	answer(&r, a->ask, LEASE_GRANT, 1, 1);
	next(&r, LEASE_GRANTED);
	next(&r, LEASE_DROP);
	next(&r, LEASE_DROP);
	nothing(&r);
	lease_rig_close(&r);
}

/* A slot goes to the want of the group that takes longest, whoever asked for it; the asker keeps the other's places. */
static void
test_longest_first(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 1, 2);
	want_in(&r, 1, 7, 100);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	answer(&r, ask, LEASE_QUEUED, 1, 2);
	next(&r, LEASE_WAIT);
	want_in(&r, 2, 7, 5000);
	uint64_t other = next(&r, LEASE_ASK)->ask;
	answer(&r, other, LEASE_QUEUED, 1, 2);
	next(&r, LEASE_WAIT);
	want_in(&r, 3, 8, 9000); /* of another user */
	answer(&r, next(&r, LEASE_ASK)->ask, LEASE_QUEUED, 1, 2);
	next(&r, LEASE_WAIT);
	answer(&r, ask, LEASE_GRANT, 1, 2);
	assert_int_equal(next(&r, LEASE_GRANTED)->want, 2);
	nothing(&r); /* the place of the second is the first's now */
	answer(&r, other, LEASE_GRANT, 1, 2);
	assert_int_equal(next(&r, LEASE_GRANTED)->want, 1);
	nothing(&r);
	lease_rig_close(&r);
}

/* Of a few fast slots and many slow ones the long jobs get the fast ones more often. */
static void
test_long_to_fast(void **state)
{
	unsigned fast[2] = {0};
	struct node_id ids[2] = {peer_id(0), peer_id(1)};

	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 255, 0);
	peer(&r, 1, 1, 0);
	leases_worked(r.l, &ids[0], 1000, 1000, r.now);
	for (int i = 0; i < 20; i++)
		leases_worked(r.l, &ids[1], 1900, 1000, r.now);
	for (uint64_t id = 1; id <= 400; id++) {
		want_in(&r, id, 7, id % 2 ? 400 : 8000);
		fast[id % 2 == 0] += peer_of(next(&r, LEASE_ASK)) == 1;
		leases_cancel(r.l, id, r.now);
		settle(&r);
		next(&r, LEASE_DROP);
	}
	assert_in_range(fast[0], 40, 130);
	assert_in_range(fast[1], 180, 200);
	lease_rig_close(&r);
}

/* Nobody waits for ever for longer ones. */
static void
test_age_counts(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 1, 2);
	want_in(&r, 1, 7, 100);
	answer(&r, next(&r, LEASE_ASK)->ask, LEASE_QUEUED, 1, 2);
	next(&r, LEASE_WAIT);
	r.now += 5000;
	want_in(&r, 2, 7, 1000);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	answer(&r, ask, LEASE_GRANT, 1, 2);
	assert_int_equal(next(&r, LEASE_GRANTED)->want, 1);
	lease_rig_close(&r);
}

static void
test_nobody(void **state)
{
	struct lease_want w = {.id = 4, .navoid = 1, .avoid = {peer_id(0)}};

	(void)state;
	lease_rig_open(&r);
	want(&r, 1);
	assert_int_equal(next(&r, LEASE_LOCAL)->want, 1);
	peer(&r, 0, 4, 0);
	r.fit[0] = LEASE_FIT_NONE;
	want(&r, 2);
	assert_int_equal(next(&r, LEASE_LOCAL)->want, 2);
	r.fit[0] = LEASE_FIT_COLD;
	want(&r, 3);
	assert_true(next(&r, LEASE_WAIT)->cold);
	assert_int_equal(
	        leases_want(r.l, &w, r.now), 0); /* it must not go where the only peer is */
	settle(&r);
	assert_int_equal(next(&r, LEASE_LOCAL)->want, 4);
	r.fit[0] = LEASE_FIT_READY;
	leases_fit_changed(r.l);
	settle(&r);
	assert_int_equal(next(&r, LEASE_ASK)->want, 3);
	lease_rig_close(&r);
}

/* No answer, and no sign of life from a queue: the peer failed, the want goes elsewhere; late answers are nothing. */
static void
test_silence(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 4, 0);
	peer(&r, 1, 4, 4 + 1);
	want(&r, 1);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	tick(&r, LEASE_ANSWER_MS - LEASE_TICK_MS);
	nothing(&r);
	peer(&r, 1, 4, 4 + 1);
	tick(&r, 2 * LEASE_TICK_MS);
	assert_int_equal(next(&r, LEASE_DROP)->ask, ask);
	assert_int_equal(view(&r, 0)->failures, 1);
	answer(&r, ask, LEASE_GRANT, 4, 1);
	const struct lease_action *a = next(&r, LEASE_ASK);
	assert_int_equal(peer_of(a), 1);
	assert_true(a->wait);
	answer(&r, a->ask, LEASE_QUEUED, 4, 5);
	next(&r, LEASE_WAIT);
	r.taken = r.nseen;
	for (int i = 0; i < 5; i++) {
		tick(&r, LEASE_QUIET_MS / 2);
		leases_heard(r.l, a->ask, r.now);
		peer(&r, 1, 4, 5);
	}
	for (unsigned i = r.taken; i < r.nseen; i++)
		assert_false(r.seen[i].type == LEASE_DROP && r.seen[i].ask == a->ask);
	lease_rig_close(&r);
}

static void
test_cancel(void **state)
{
	struct lease_counts c;

	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 4, 0);
	want(&r, 1);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	assert_int_equal(view(&r, 0)->asking, 1);
	leases_cancel(r.l, 1, r.now);
	leases_cancel(r.l, 1, r.now);
	settle(&r);
	assert_int_equal(next(&r, LEASE_DROP)->ask, ask);
	assert_int_equal(view(&r, 0)->asking, 0);
	answer(&r, ask, LEASE_GRANT, 4, 1);
	nothing(&r);
	uint64_t job = granted(&r, 2, 1000, 4, 1);
	assert_int_equal(view(&r, 0)->own, 1);
	leases_ended(r.l, job, r.now);
	leases_ended(r.l, job, r.now);
	assert_int_equal(view(&r, 0)->own, 0);
	assert_int_equal(view(&r, 0)->used, 0);
	leases_counts(r.l, &c);
	assert_int_equal(c.wants + c.under_way + c.jobs + c.waiting, 0);
	assert_int_equal(leases_deadline(r.l), UINT64_MAX);
	lease_rig_close(&r);
}

/* A peer that says it has room and refuses is not asked without end; one that lacks the toolchain neither. */
static void
test_liar(void **state)
{
	struct lease_counts c;

	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 1000, 0);
	want(&r, 1);
	for (unsigned ms = 0; ms < 10000; ms += 10) {
		while (r.taken < r.nseen) {
			const struct lease_action *a = &r.seen[r.taken++];
			if (a->type == LEASE_ASK)
				answer(&r, a->ask, ms < 5000 ? LEASE_BUSY : LEASE_COLD, 1000, 0);
		}
		r.now += 10;
		peer(&r, 0, 1000, 0);
	}
	leases_counts(r.l, &c);
	assert_in_range(c.asks, 5, 60);
	lease_rig_close(&r);
}

/* What a peer with jobs of ours on it says counts at once; a peer that is gone is asked no more, and its queue left. */
static void
test_gone(void **state)
{
	struct node_id id = peer_id(0);

	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 1, 2);
	want(&r, 1);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	answer(&r, ask, LEASE_QUEUED, 1, 2);
	next(&r, LEASE_WAIT);
	leases_peer_gone(r.l, &id, r.now);
	settle(&r);
	assert_int_equal(next(&r, LEASE_DROP)->ask, ask);
	assert_int_equal(next(&r, LEASE_LOCAL)->want, 1);
	nothing(&r);
	lease_rig_close(&r);
}

/* Random wants, answers and peers: every want ends exactly once, counts are right, and the same seed does the same. */
static uint64_t
one_run(uint64_t seed)
{
	struct rng rng = {seed};
	static uint8_t ended[2000];
	static uint64_t asks[4096], jobs[4096];
	unsigned nasks = 0, njobs = 0, nwants = 0;
	uint64_t hash = 0;
	lease_rig_open(&r);
	memset(ended, 0, sizeof ended);
	for (unsigned step = 0; step < 6000; step++) {
		r.now += rng_below(&rng, 30);
		unsigned i = rng_below(&rng, 10), k;
		if (step % 3 == 0)
			peer(&r, i, rng_below(&rng, 5), rng_below(&rng, 6));
		if (nwants < 1999 && rng_below(&rng, 2))
			want_in(&r, ++nwants, 1 + rng_below(&rng, 2), rng_below(&rng, 3000));
		if (nasks && rng_below(&rng, 4)) {
			k = rng_below(&rng, nasks);
			uint64_t ask = asks[k];
			enum lease_answer a = (enum lease_answer)rng_below(&rng, 6);
			if (a != LEASE_QUEUED)
				asks[k] = asks[--nasks];
			answer(&r, ask, a, 4, rng_below(&rng, 6));
		}
		if (njobs && rng_below(&rng, 2)) {
			k = rng_below(&rng, njobs);
			leases_ended(r.l, jobs[k], r.now);
			jobs[k] = jobs[--njobs];
		}
		if (nwants && rng_below(&rng, 20) == 0) {
			k = 1 + rng_below(&rng, nwants);
			struct lease_counts before, after;
			leases_counts(r.l, &before);
			leases_cancel(r.l, k, r.now);
			leases_counts(r.l, &after);
			ended[k] += before.wants != after.wants;
		}
		if (step % 10 == 0)
			leases_tick(r.l, r.now);
		settle(&r);
		for (; r.taken < r.nseen; r.taken++) {
			const struct lease_action *a = &r.seen[r.taken];
			hash = rng_mix(hash ^ (a->ask << 20) ^ a->want ^ ((uint64_t)a->type << 60));
			if (a->type == LEASE_ASK)
				asks[nasks++] = a->ask;
			if (a->type == LEASE_GRANTED || a->type == LEASE_HEDGE)
				jobs[njobs++] = a->ask;
			if (a->type == LEASE_GRANTED || a->type == LEASE_LOCAL)
				ended[a->want]++;
		}
		r.taken = r.nseen = 0;
		assert_in_range(nasks, 0, 4000);
	}
	struct lease_counts c;
	leases_counts(r.l, &c);
	unsigned open = 0;
	for (unsigned i = 1; i <= nwants; i++) {
		assert_in_range(ended[i], 0, 1);
		open += ended[i] == 0;
	}
	assert_int_equal(c.wants, open);
	assert_int_equal(c.jobs, njobs);
	uint32_t own = 0, asking = 0;
	for (unsigned i = 0; i < views_count(leases_views(r.l)); i++) {
		own += views_at(leases_views(r.l), i)->own;
		asking += views_at(leases_views(r.l), i)->asking;
		asking += views_at(leases_views(r.l), i)->queueing;
	}
	assert_int_equal(own, njobs);
	assert_int_equal(asking, c.under_way);
	lease_rig_close(&r);
	return hash;
}

static void
test_random(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++)
		assert_int_equal(one_run(seed), one_run(seed));
	assert_int_not_equal(one_run(1), one_run(2));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_refused_then_queued),
	        cmocka_unit_test(test_full),
	        cmocka_unit_test(test_longest_first),
	        cmocka_unit_test(test_long_to_fast),
	        cmocka_unit_test(test_age_counts),
	        cmocka_unit_test(test_nobody),
	        cmocka_unit_test(test_silence),
	        cmocka_unit_test(test_cancel),
	        cmocka_unit_test(test_liar),
	        cmocka_unit_test(test_gone),
	        cmocka_unit_test(test_random),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
