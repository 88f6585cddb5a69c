#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "gossip/waiting.h"

static const struct endpoint HERE = {4, {10, 0, 0, 1}, 1, 0};

static void
offer(struct waiter *w, struct rng *r, uint8_t what, uint64_t now_ms)
{
	struct arrival a = {&what, 1, &HERE, true, now_ms, false, NULL};

	waiter_offer(w, &a, r);
}

static void
the_newest_waits(void **state)
{
	struct waiter *w = calloc(1, sizeof(*w));
	struct rng r = {1};

	(void)state;
	assert_false(waiter_ready(w, 5));
	offer(w, &r, 1, 5);
	offer(w, &r, 2, 6);
	assert_true(waiter_ready(w, 6));
	assert_int_equal(waiter_arrival(w).bytes[0], 2);
	assert_int_equal(waiter_arrival(w).now_ms, 6);
	assert_int_equal(w->n, 2);
	waiter_done(w, false, 7);
	assert_false(waiter_ready(w, 7));
	assert_false(waiter_doubts(w, 7));
	free(w);
}

/* After a forged one each of a hundred that come has the same chance. */
static void
a_forger_cannot_choose(void **state)
{
	struct waiter *w = calloc(1, sizeof(*w));
	unsigned kept[100] = {0}, early = 0;
	struct rng r = {1};

	(void)state;
	offer(w, &r, 0, 1);
	waiter_done(w, true, 1);
	for (int round = 0; round < 10000; round++) {
		for (uint8_t i = 0; i < 100; i++)
			offer(w, &r, i, 2);
		kept[waiter_arrival(w).bytes[0]]++;
		w->len = 0;
		w->n = 0;
	}
	for (int i = 0; i < 100; i++) {
		assert_in_range(kept[i], 50, 160);
		early += i < 50 ? kept[i] : 0;
	}
	assert_in_range(early, 4700, 5300);
	free(w);
}

static void
forgeries_cost_patience(void **state)
{
	struct waiter *w = calloc(1, sizeof(*w));
	uint64_t now = 1000, last = 0;
	struct rng r = {1};

	(void)state;
	for (int i = 0; i < 300; i++) {
		offer(w, &r, 1, now);
		while (!waiter_ready(w, now))
			now++;
		assert_true(i < 2 || now - last >= 250);
		assert_true(now - last <= 2001 || !last);
		last = now;
		waiter_done(w, true, now);
	}
	assert_true(waiter_doubts(w, now + WAITING_DOUBT_MS - 1));
	assert_false(waiter_doubts(w, now + WAITING_DOUBT_MS));
	offer(w, &r, 1, now);
	assert_false(waiter_ready(w, now + 1999));
	assert_true(waiter_ready(w, now + 2000));
	waiter_done(w, false, now + 2000); /* a true one ends it */
	offer(w, &r, 1, now + 2000);
	assert_true(waiter_ready(w, now + 2000));
	free(w);
}

static void
addresses_take_turns(void **state)
{
	struct waiting *l = calloc(1, sizeof(*l));
	struct endpoint other = HERE;
	struct waiter *a, *b;
	struct rng r = {1};
	uint8_t what = 1;
	struct arrival in = {&what, 1, &HERE, true, 1, false, NULL};

	(void)state;
	l->salt = 99;
	assert_null(waiting_next(l, 1));
	a = waiting_place(l, &HERE);
	do
		b = waiting_place(l, &(struct endpoint){4, {10, 0, 0, ++other.bytes[3]}, 1, 0});
	while (a == b);
	for (int i = 0; i < 20; i++) { /* a's many do not keep b from its turn */
		waiting_offer(l, a, &in, &r);
		waiting_offer(l, a, &in, &r);
		if (i % 2)
			waiting_offer(l, b, &in, &r);
		assert_int_equal(l->count, 1 + i % 2);
		for (int k = 0; k < 1 + i % 2; k++) {
			struct waiter *w = waiting_next(l, 1);

			assert_non_null(w);
			waiting_done(l, w, false, 1);
		}
		assert_int_equal(l->count, 0);
		assert_null(waiting_next(l, 1));
	}
	free(l);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(the_newest_waits),
	        cmocka_unit_test(a_forger_cannot_choose),
	        cmocka_unit_test(forgeries_cost_patience),
	        cmocka_unit_test(addresses_take_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
