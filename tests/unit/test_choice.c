/* The choice of a peer: who is left alone, and the shorter of the queues. */
#include "mesh/choice.h"
#include "tests/unit/lease_rig.h"

#define TRIALS 200

static struct lease_rig r;

/* How often, of TRIALS wants one after the other, peer i is asked first. */
static unsigned
asked(unsigned i)
{
	unsigned n = 0;
	for (uint64_t k = 0; k < TRIALS; k++) {
		want(&r, k + 1);
		const struct lease_action *a = next(&r, LEASE_ASK);
		n += peer_of(a) == i;
		leases_cancel(r.l, k + 1, r.now);
		settle(&r);
		r.taken = r.nseen = 0;
	}
	return n;
}

static void
test_speeds(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 4, 0);
	peer(&r, 1, 4, 0);
	assert_in_range(asked(0), TRIALS / 3, TRIALS * 2 / 3);
	view(&r, 0)->speed = 2000;
	assert_in_range(asked(0), TRIALS * 9 / 10, TRIALS);
	lease_rig_close(&r);
}

/* One that is many times slower than another gets nothing, though the other is full, but for a trial when nobody tried it for long. */
static void
test_too_slow(void **state)
{
	(void)state;
	lease_rig_open(&r);
	peer(&r, 0, 4, 5);
	peer(&r, 1, 4, 0);
	view(&r, 0)->speed = 1000;
	view(&r, 1)->speed = 100;
	view(&r, 1)->timed_ms = r.now;
	assert_int_equal(asked(1), 0);
	view(&r, 1)->speed = 200;
	assert_int_equal(asked(1), TRIALS);
	view(&r, 1)->speed = 100;
	r.now += 60000;
	peer(&r, 0, 4, 5);
	peer(&r, 1, 4, 0);
	assert_int_equal(asked(1), TRIALS);
	lease_rig_close(&r);
}

/* Those that fell silent are for when nobody else is there. */
static void
test_silent(void **state)
{
	struct node_id id = peer_id(0);

	(void)state;
	lease_rig_open(&r);
	leases_peer(r.l, &id, &(struct view_load){.slots = 4, .silent = true}, r.now, r.now);
	assert_int_equal(asked(0), TRIALS);
	peer(&r, 1, 4, 3);
	assert_int_equal(asked(0), 0);
	lease_rig_close(&r);
}

static void
test_shorter_queue(void **state)
{
	struct view_load l = {.slots = 4, .used = 5};

	(void)state;
	lease_rig_open(&r);
	for (unsigned i = 0; i < 4; i++) {
		struct node_id id = peer_id(i);
		l.queued = i == 2 ? 1 : 12;
		leases_peer(r.l, &id, &l, r.now, r.now);
	}
	assert_in_range(
	        asked(2), TRIALS / 2, TRIALS); /* of four that are drawn, it is one mostly */
	for (unsigned i = 0; i < 4; i++) {
		struct node_id id = peer_id(i);
		l.queued = 16; /* full, but others would be turned away for the first */
		leases_peer(r.l, &id, &l, r.now, r.now);
	}
	want(&r, 9000);
	assert_true(next(&r, LEASE_ASK)->wait);
	leases_cancel(r.l, 9000, r.now);
	settle(&r);
	r.taken = r.nseen;
	for (unsigned i = 0; i < 4; i++)
		view(&r, i)->queueing = 8; /* not for who has half of it */
	want(&r, 9001);
	next(&r, LEASE_WAIT);
	nothing(&r);
	lease_rig_close(&r);
}

/* Where one waits already, one waits longest. */
static void
test_own_places(void **state)
{
	struct view_load l = {.slots = 4, .used = 5};

	(void)state;
	lease_rig_open(&r);
	for (unsigned i = 0; i < 2; i++) {
		struct node_id id = peer_id(i);
		l.queued = i ? 8 : 6;
		leases_peer(r.l, &id, &l, r.now, r.now);
	}
	assert_in_range(asked(0), TRIALS * 8 / 10, TRIALS);
	view(&r, 0)->queueing = 3;
	assert_in_range(asked(1), TRIALS * 8 / 10, TRIALS);
	lease_rig_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_speeds),
	        cmocka_unit_test(test_too_slow),
	        cmocka_unit_test(test_silent),
	        cmocka_unit_test(test_shorter_queue),
	        cmocka_unit_test(test_own_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
