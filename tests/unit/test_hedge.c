/* Hedging: only when nothing waits, where a copy ends clearly earlier, once for each job, and within the budget. */
#include "mesh/hedge.h"
#include "tests/unit/lease_rig.h"

static struct lease_rig r;

/* A peer with this speed in permille, and nothing to do. */
static void
peer_of_speed(unsigned i, uint32_t slots, uint32_t speed)
{
	peer(&r, i, slots, 0);
	view(&r, i)->speed = speed;
}

/* A job of so many ms at peer 0, which is the only one with room then. */
static uint64_t
job_at_first(uint64_t want, uint32_t predicted_ms)
{
	for (unsigned i = 1; i < RIG_PEERS; i++)
		r.fit[i] = LEASE_FIT_NONE;
	uint64_t job = granted(&r, want, predicted_ms, 8, 1);
	for (unsigned i = 1; i < RIG_PEERS; i++)
		r.fit[i] = LEASE_FIT_READY;
	return job;
}

static void
test_faster_peer(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer_of_speed(0, 8, 500);
	peer_of_speed(1, 8, 2000);
	uint64_t job = job_at_first(1, 4000); /* 8 s there, 2 s at the other */
	tick(&r, LEASE_TICK_MS);
	const struct lease_action *a = next(&r, LEASE_ASK);
	assert_int_equal(peer_of(a), 1);
	assert_false(a->wait);
	assert_int_equal(a->job, job);
	tick(&r, LEASE_TICK_MS);
	nothing(&r); /* one at a time */
	answer(&r, a->ask, LEASE_GRANT, 8, 1);
	const struct lease_action *h = next(&r, LEASE_HEDGE);
	assert_int_equal(h->job, job);
	assert_int_equal(h->want, 1);
	tick(&r, 20000);
	nothing(&r); /* no third one, and no copy of the copy */
	struct lease_counts c;
	leases_counts(r.l, &c);
	assert_int_equal(c.jobs, 2);
	assert_int_equal(c.hedged, 1);
	leases_ended(r.l, job, r.now);
	leases_ended(r.l, h->ask, r.now);
	assert_int_equal(view(&r, 0)->own + view(&r, 1)->own, 0);
	lease_rig_close(&r);
}

/* Not while a want has no slot, not at a peer that would take as long, not late in a job, not at a full one. */
static void
test_not(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer_of_speed(0, 8, 1000);
	peer_of_speed(1, 8, 1100);
	job_at_first(1, 4000);
	tick(&r, 3000);
	nothing(&r); /* the other is hardly faster */
	view(&r, 1)->speed = 4000;
	tick(&r, 500);
	nothing(&r); /* it is nearly done */
	lease_rig_close(&r);

	lease_rig_open(&r);
	peer_of_speed(0, 8, 500);
	peer_of_speed(1, 8, 2000);
	job_at_first(1, 4000);
	r.fit[0] = r.fit[1] = LEASE_FIT_COLD;
	want(&r, 2);
	assert_true(next(&r, LEASE_WAIT)->cold);
	tick(&r, 1000);
	nothing(&r);
	leases_cancel(r.l, 2, r.now);
	tick(&r, 500);
	nothing(&r); /* no toolchain */
	r.fit[1] = LEASE_FIT_READY;
	peer(&r, 1, 8, 8);
	tick(&r, 500);
	nothing(&r);
	peer(&r, 1, 8, 7);
	tick(&r, 500);
	next(&r, LEASE_ASK);
	lease_rig_close(&r);
}

/* A job that was lost once does not get a copy, which could go to where it was lost. */
static void
test_once_bitten(void **state)
{
	struct lease_want w = {.id = 1, .predicted_ms = 4000, .navoid = 1, .avoid = {peer_id(1)}};

	(void)state;
	lease_rig_open(&r);
	peer_of_speed(0, 8, 500);
	peer_of_speed(1, 8, 2000);
	assert_int_equal(leases_want(r.l, &w, r.now), 0);
	settle(&r);
	answer(&r, next(&r, LEASE_ASK)->ask, LEASE_GRANT, 8, 1);
	next(&r, LEASE_GRANTED);
	tick(&r, 5000);
	nothing(&r);
	lease_rig_close(&r);
}

/* A job that ends while its copy is asked for needs none. */
static void
test_too_late(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer_of_speed(0, 8, 500);
	peer_of_speed(1, 8, 2000);
	uint64_t job = job_at_first(1, 4000);
	tick(&r, LEASE_TICK_MS);
	uint64_t ask = next(&r, LEASE_ASK)->ask;
	leases_ended(r.l, job, r.now);
	settle(&r);
	assert_int_equal(next(&r, LEASE_DROP)->ask, ask);
	answer(&r, ask, LEASE_GRANT, 8, 1);
	nothing(&r);
	assert_int_equal(view(&r, 1)->asking + view(&r, 1)->own, 0);
	lease_rig_close(&r);
}

/* A job that runs far beyond what was expected, or beyond all others when nothing was. */
static void
test_overdue(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer_of_speed(0, 8, 1000);
	peer_of_speed(1, 8, 1000);
	job_at_first(1, 2000);
	tick(&r, 3400);
	nothing(&r);
	tick(&r, 500);
	next(&r, LEASE_ASK);
	lease_rig_close(&r);

	struct node_id id = peer_id(0);
	lease_rig_open(&r);
	peer_of_speed(0, 8, 1000);
	peer_of_speed(1, 8, 1000);
	job_at_first(1, 0);
	tick(&r, 60000);
	nothing(&r); /* it may be what is usual */
	leases_worked(r.l, &id, 0, 1000, r.now);
	peer(&r, 1, 8, 0);
	tick(&r, 500);
	next(&r, LEASE_ASK);
	lease_rig_close(&r);
}

/* Of a thousand jobs that would all gain, one in twenty gets a copy. */
static void
test_budget(void **state)
{
	struct lease_counts c;

	(void)state;
	lease_rig_open(&r);
	for (uint64_t i = 1; i <= 1000; i++) {
		peer_of_speed(0, 8, 500);
		peer_of_speed(1, 8, 2000);
		uint64_t job = job_at_first(i, 4000), copy = 0;
		tick(&r, LEASE_TICK_MS);
		if (r.taken < r.nseen) {
			answer(&r, next(&r, LEASE_ASK)->ask, LEASE_GRANT, 8, 1);
			copy = next(&r, LEASE_HEDGE)->ask;
		}
		leases_ended(r.l, job, r.now);
		leases_ended(r.l, copy, r.now);
		settle(&r);
		r.taken = r.nseen = 0;
	}
	leases_counts(r.l, &c);
	assert_in_range(c.hedged, 50, 53);
	lease_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_faster_peer),
	        cmocka_unit_test(test_not),
	        cmocka_unit_test(test_once_bitten),
	        cmocka_unit_test(test_too_late),
	        cmocka_unit_test(test_overdue),
	        cmocka_unit_test(test_budget),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
