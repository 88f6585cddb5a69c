/* Asks and wants: more than there is room for are refused, and what was given back is used again. */
#include "mesh/asks.h"
#include "tests/unit/lease_rig.h"

static struct lease_rig r;

static void
test_full(void **state)
{
	struct lease_want w = {.predicted_ms = 1};
	struct lease_counts c;

	(void)state;
	for (int round = 0; round < 2; round++) {
		lease_rig_open(&r);
		for (int again = 0; again < 2; again++) {
			peer(&r, 0, VIEW_SLOTS_MAX, 0);
			for (uint64_t i = 1; i <= LEASE_WANTS_MAX; i++) {
				w.id = i;
				assert_int_equal(leases_want(r.l, &w, r.now), 0);
			}
			w.id = LEASE_WANTS_MAX + 1;
			assert_int_equal(leases_want(r.l, &w, r.now), IM_ERR_LIMIT);
			unsigned asks = 0, waits = 0;
			struct lease_action a;
			while (leases_next(r.l, &a)) {
				asks += a.type == LEASE_ASK;
				waits += a.type == LEASE_WAIT;
			}
			assert_int_equal(asks, LEASE_WANTS_MAX);
			assert_int_equal(waits, 0);
			if (round == 0)
				for (uint64_t i = 1; i <= LEASE_WANTS_MAX; i++)
					leases_cancel(r.l, i, r.now);
			else
				leases_reset(r.l);
			while (leases_next(r.l, &a))
				assert_int_equal(a.type, LEASE_DROP);
			leases_counts(r.l, &c);
			assert_int_equal(c.wants + c.under_way, 0);
		}
		lease_rig_close(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_full),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
