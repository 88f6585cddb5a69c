/* Admission: slots and the one ahead, turns, fair shares, who is turned away; and, for random events, that nothing is promised twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "gossip/rng.h"
#include "mesh/admit.h"

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

static struct admit *a;
static struct node_id clients[4];

static int
begin(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < 4; i++)
		memset(clients[i].bytes, i + 1, sizeof clients[i].bytes);
	a = admit_new();
	return a ? 0 : -1;
}

static int
end(void **state)
{
	(void)state;
	admit_free(a);
	return 0;
}

static enum admit_answer
ask(uint64_t id, unsigned client)
{
	return admit_reserve(a, id, &clients[client], 0, true);
}

/* The next thing to do is this. */
static void
next_is(enum admit_action_type type, uint64_t id)
{
	struct admit_action got;

	assert_true(admit_next(a, &got));
	assert_int_equal(got.type, type);
	assert_int_equal(got.id, id);
}

static void
nothing_next(void)
{
	struct admit_action got;

	assert_false(admit_next(a, &got));
}

static void
slots_and_one_ahead(void **state)
{
	struct admit_load l;

	(void)state;
	assert_int_equal(ask(1, 0), ADMIT_BUSY); /* nothing is lent yet */
	admit_slots(a, 2);
	assert_int_equal(admit_reserve(a, 1, &clients[0], 0, false), ADMIT_GRANTED);
	assert_int_equal(admit_reserve(a, 2, &clients[0], 0, false), ADMIT_GRANTED);
	assert_int_equal(
	        admit_reserve(a, 3, &clients[0], 0, false), ADMIT_BUSY); /* it would not wait */
	assert_int_equal(ask(3, 0), ADMIT_GRANTED);
	assert_int_equal(admit_reserve(a, 4, &clients[0], 0, false), ADMIT_BUSY);
	assert_int_equal(ask(4, 0), ADMIT_QUEUED);
	assert_int_equal(ask(5, 0), ADMIT_QUEUED);
	assert_int_equal(admit_before(a, 5), 1);
	admit_ready(a, 3);
	next_is(ADMIT_START, 3); /* who is ready first runs first */
	admit_ready(a, 1);
	next_is(ADMIT_START, 1);
	admit_ready(a, 2);
	nothing_next();
	admit_load(a, &l);
	assert_true(l.slots == 2 && l.used == 3 && l.queued == 2);
	assert_int_equal(admit_running(a), 2);
	admit_end(a, 3);
	next_is(ADMIT_START, 2);
	next_is(ADMIT_GRANT, 4);
	nothing_next();
	admit_end(a, 5); /* left the queue */
	admit_end(a, 5);
	admit_end(a, 4);
	nothing_next();
	assert_int_equal(ask(6, 0), ADMIT_GRANTED);
}

static void
who_waits_goes_first(void **state)
{
	(void)state;
	admit_slots(a, 1);
	assert_int_equal(ask(1, 0), ADMIT_GRANTED);
	assert_int_equal(ask(2, 0), ADMIT_GRANTED);
	assert_int_equal(ask(3, 0), ADMIT_QUEUED);
	admit_end(a, 1);
	assert_int_equal(ask(4, 0), ADMIT_QUEUED); /* there is room, but not for him yet */
	next_is(ADMIT_GRANT, 3);
	nothing_next();
}

static void
a_full_queue(void **state)
{
	uint64_t id = 1;

	(void)state;
	admit_slots(a, 1);
	while (id <= 1 + ADMIT_AHEAD)
		assert_int_equal(ask(id++, 0), ADMIT_GRANTED);
	for (unsigned i = 0; i < ADMIT_QUEUE_PER_SLOT; i++)
		assert_int_equal(ask(id++, 0), ADMIT_QUEUED);
	assert_int_equal(ask(id, 0), ADMIT_BUSY);
	assert_int_equal(ask(100, 1), ADMIT_QUEUED);
	next_is(ADMIT_NACK, id - 1); /* the newest of the one with the most */
	nothing_next();
	assert_int_equal(ask(101, 1), ADMIT_QUEUED);
	next_is(ADMIT_NACK, id - 2);
	assert_int_equal(ask(102, 1), ADMIT_BUSY); /* he would have more than the other */
	nothing_next();
}

static void
nothing_lent_any_more(void **state)
{
	(void)state;
	admit_slots(a, 1);
	for (uint64_t id = 1; id <= 3; id++)
		(void)ask(id, 0);
	admit_ready(a, 1);
	next_is(ADMIT_START, 1);
	admit_slots(a, 0);
	next_is(ADMIT_NACK, 3);
	nothing_next();
	assert_int_equal(ask(4, 0), ADMIT_BUSY);
	admit_ready(a, 2);
	nothing_next();
	admit_end(a, 1);
	next_is(ADMIT_START, 2); /* it was promised */
	admit_end(a, 2);
	nothing_next();
}

/* One client asks with 64 at a time, one with 8, of different lengths; each gets its share of the slots' time. */
struct share {
	uint64_t ids[64];
	unsigned count, max;
	uint32_t cost;
	uint64_t got_ms;
};

static void
refill(struct share *c, unsigned client, uint64_t *last)
{
	while (c->count < c->max &&
	        admit_reserve(a, *last + 1, &clients[client], c->cost, true) != ADMIT_BUSY)
		c->ids[c->count++] = ++*last;
}

static struct share *
owner(struct share *both, uint64_t id, unsigned *at)
{
	for (unsigned k = 0; k < 2; k++)
		for (*at = 0; *at < both[k].count; ++*at)
			if (both[k].ids[*at] == id)
				return &both[k];
	fail_msg("nobody asked for %llu", (unsigned long long)id);
	return NULL;
}

static void
shares_are_fair(void **state)
{
	struct share both[2] = {{.max = 64, .cost = 500}, {.max = 8, .cost = 1500}};
	uint64_t last = 0, running[4] = {0}, ends[4] = {0}, now = 0;
	struct admit_action got;
	unsigned at;

	(void)state;
	admit_slots(a, 4);
	while (now < 600000) {
		for (unsigned k = 0; k < 2; k++)
			refill(&both[k], k, &last);
		while (admit_next(a, &got)) {
			struct share *c = owner(both, got.id, &at);
			unsigned slot = 0;

			if (got.type == ADMIT_GRANT)
				admit_ready(a, got.id);
			if (got.type == ADMIT_NACK)
				c->ids[at] = c->ids[--c->count];
			if (got.type != ADMIT_START)
				continue;
			while (running[slot])
				assert_true(++slot < 4);
			running[slot] = got.id;
			ends[slot] = now + c->cost;
			c->got_ms += c->cost;
		}
		for (unsigned i = 0; now == 0 && i < last; i++)
			admit_ready(a, i + 1);
		assert_true(llabs((long long)both[0].got_ms - (long long)both[1].got_ms) <=
		            4 * (500 + 1500)); /* at any time */
		now += 100;
		for (unsigned slot = 0; slot < 4; slot++) {
			if (!running[slot] || ends[slot] > now)
				continue;
			struct share *c = owner(both, running[slot], &at);
			admit_end(a, running[slot]);
			c->ids[at] = c->ids[--c->count];
			running[slot] = 0;
		}
	}
	assert_in_range(both[0].got_ms * 100 / (both[0].got_ms + both[1].got_ms), 45, 55);
	assert_true(both[0].got_ms + both[1].got_ms > 600000 * 4 * 95 / 100);
}

/* Who had little while another had much comes first until it has caught up; who had nothing for long does not get all of it back. */
static void
left_time_is_not_lost(void **state)
{
	uint64_t id = 100;

	(void)state;
	admit_slots(a, 1);
	for (unsigned i = 1; i < 20; i++) { /* client 0 alone, in a row */
		assert_int_equal(ask(i, 0), ADMIT_GRANTED);
		admit_end(a, i);
	}
	assert_int_equal(ask(id, 0), ADMIT_GRANTED);
	for (uint64_t i = 1; i <= 4; i++)
		assert_int_equal(
		        ask(id + i, i <= 2 ? 0 : 1), i == 1 ? ADMIT_GRANTED : ADMIT_QUEUED);
	admit_end(a, id);
	nothing_next(); /* a slot, and no place ahead: they are two now */
	admit_end(a, id + 1);
	next_is(ADMIT_GRANT, id + 3);
	nothing_next();
	admit_end(a, id + 3);
	next_is(ADMIT_GRANT, id + 4);
	assert_int_equal(ask(id + 5, 1), ADMIT_QUEUED);
	assert_int_equal(ask(id + 6, 1), ADMIT_QUEUED);
	admit_end(a, id + 4);
	next_is(ADMIT_GRANT, id + 5); /* two seconds, and its share of this one */
	admit_end(a, id + 5);
	next_is(ADMIT_GRANT, id + 2);
	admit_end(a, id + 2);
	next_is(ADMIT_GRANT, id + 6);
}

/* What the test knows of each id. */
enum told { UNKNOWN, WAITS, LET_IN, MADE_READY, STARTED };

static void
take_all(enum told *told, unsigned n)
{
	struct admit_action got;

	while (admit_next(a, &got)) {
		assert_in_range(got.id, 1, n - 1);
		switch (got.type) {
		case ADMIT_GRANT:
			assert_int_equal(told[got.id], WAITS);
			told[got.id] = LET_IN;
			break;
		case ADMIT_START:
			assert_int_equal(told[got.id], MADE_READY);
			told[got.id] = STARTED;
			break;
		case ADMIT_NACK:
			assert_int_equal(told[got.id], WAITS);
			told[got.id] = UNKNOWN;
		}
	}
}

static void
counts_hold(const enum told *told, unsigned n, uint32_t most)
{
	uint32_t of[STARTED + 1] = {0};
	struct admit_load l;

	for (unsigned i = 1; i < n; i++)
		of[told[i]]++;
	admit_load(a, &l);
	assert_int_equal(l.queued, of[WAITS]);
	assert_int_equal(l.used, of[LET_IN] + of[MADE_READY] + of[STARTED]);
	assert_int_equal(admit_running(a), of[STARTED]);
	assert_true(of[STARTED] <= most && l.used <= most + ADMIT_AHEAD);
	/* no slot is free while somebody is ready, nor a place while somebody waits */
	assert_true(l.slots == 0 || of[STARTED] >= l.slots || of[MADE_READY] == 0);
	assert_true(l.slots == 0 || l.used >= l.slots || of[WAITS] == 0);
}

static void
random_events(void **state)
{
	static enum told told[300];
	const unsigned n = sizeof told / sizeof told[0];
	const char *seed = getenv("SEED");
	struct rng rng = {.state = seed ? strtoull(seed, NULL, 10) : 20261123};
	uint32_t most = 0;

	(void)state;
	print_message("seed %llu\n", (unsigned long long)rng.state);
	memset(told, 0, sizeof told);
	for (unsigned step = 0; step < 100000; step++) {
		unsigned id = 1 + rng_below(&rng, n - 1);

		if (step % 5000 == 0) {
			for (unsigned i = 1; i < n; i++) { /* an empty house, of another size */
				admit_end(a, i);
				told[i] = UNKNOWN;
			}
			most = rng_below(&rng, 20);
			admit_slots(a, most);
		} else if (rng_below(&rng, 1000) == 0) {
			admit_slots(a, 0);
		} else if (told[id] == UNKNOWN) {
			bool wait = rng_below(&rng, 2);
			enum admit_answer got = admit_reserve(
			        a, id, &clients[rng_below(&rng, 4)], rng_below(&rng, 3000), wait);
			told[id] = got == ADMIT_GRANTED  ? LET_IN
			           : got == ADMIT_QUEUED ? WAITS
			                                 : UNKNOWN;
			assert_true(wait || got != ADMIT_QUEUED);
		} else if (told[id] == LET_IN && rng_below(&rng, 4)) {
			admit_ready(a, id);
			told[id] = MADE_READY;
		} else if (rng_below(&rng, 3) == 0) {
			admit_end(a, id);
			told[id] = UNKNOWN;
		}
		take_all(told, n);
		counts_hold(told, n, most);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(slots_and_one_ahead), TEST(who_waits_goes_first),
	        TEST(a_full_queue), TEST(nothing_lent_any_more), TEST(shares_are_fair),
	        TEST(left_time_is_not_lost), TEST(random_events)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
