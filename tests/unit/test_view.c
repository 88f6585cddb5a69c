/* Views: news, what old news are worth, failures, refusals, speed. */
#include "mesh/view.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static struct node_id
id_of(uint32_t n)
{
	struct node_id id = {{0}};
	memcpy(id.bytes, &n, sizeof n);
	return id;
}

static void
news(struct view *v, uint32_t slots, uint32_t used, uint64_t at_ms)
{
	view_news(v, &(struct view_load){.slots = slots, .used = used}, at_ms);
}

static void
test_news(void **state)
{
	struct view v = {.own = 2};

	(void)state;
	news(&v, 8, 5, 1000);
	assert_true(v.there);
	assert_int_equal(view_used(&v, 1000), 5);
	news(&v, 8, 1, 2000); /* two of those are ours, whatever it says */
	assert_int_equal(view_used(&v, 2000), 2);
	news(&v, 8, 7, 1500); /* late on its way */
	assert_int_equal(view_used(&v, 2000), 2);
	v.asking = 3;
	assert_int_equal(view_used(&v, 2000), 5);
	news(&v, UINT32_MAX, UINT32_MAX, 3000);
	assert_int_equal(v.slots, VIEW_SLOTS_MAX);
	news(&v, 0, 0, 4000);
	assert_false(v.there);
}

/* What others had there counts for less and less; what is ours does not. */
static void
test_old_news(void **state)
{
	struct view v = {.own = 2};
	uint32_t before = 10;

	(void)state;
	news(&v, 12, 10, 1000);
	assert_int_equal(view_used(&v, 1000 + VIEW_FRESH_MS), 10);
	for (uint64_t t = 1000; t < 1000 + VIEW_STALE_MS; t += 100) {
		uint32_t now = view_used(&v, t);
		assert_true(now <= before);
		before = now;
	}
	assert_in_range(view_used(&v, 1000 + (VIEW_FRESH_MS + VIEW_STALE_MS) / 2), 5, 7);
	assert_int_equal(view_used(&v, 1000 + VIEW_STALE_MS), 2);
	assert_int_equal(view_used(&v, UINT64_MAX), 2);
}

static void
test_failures(void **state)
{
	struct view v = {0};

	(void)state;
	view_failed(&v, 5000);
	view_failed(&v, 5000); /* at the same time: one */
	assert_int_equal(v.failures, 1);
	assert_true(view_avoided(&v, 5000 + VIEW_AVOID_FIRST_MS - 1));
	assert_false(view_avoided(&v, 5000 + VIEW_AVOID_FIRST_MS));
	v.asking = 1; /* one ask finds out whether it is well again */
	assert_true(view_avoided(&v, 5000 + VIEW_AVOID_FIRST_MS));
	view_worked(&v);
	assert_false(view_avoided(&v, 5000));
	uint64_t now = 10000, pause = 0;
	for (int i = 0; i < 60; i++) {
		view_failed(&v, now);
		assert_true(v.avoid_until_ms - now >= pause);
		pause = v.avoid_until_ms - now;
		now = v.avoid_until_ms;
	}
	assert_int_equal(pause, VIEW_AVOID_MAX_MS);
}

static void
test_refusals(void **state)
{
	struct view v = {0};

	(void)state;
	view_refused(&v, 1000);
	assert_true(view_avoided(&v, 1000 + VIEW_SHY_MS - 1));
	assert_false(view_avoided(&v, 1000 + VIEW_SHY_MS));
	for (int i = 0; i < 20; i++)
		view_refused(&v, 1000);
	assert_int_equal(v.shy_until_ms, 1000 + 64 * VIEW_SHY_MS);
}

static void
test_speed(void **state)
{
	struct view v = {0};

	(void)state;
	assert_int_equal(view_takes(&v, 700), 700);
	view_timed(&v, 1000, 1000, 1);
	assert_int_equal(v.speed, 1000);
	for (uint64_t i = 0; i < 40; i++)
		view_timed(&v, 1000, 500, i);
	assert_in_range(v.speed, 1900, 2000);
	assert_in_range(view_takes(&v, 700), 350, 370);
	view_timed(&v, UINT32_MAX, 1, 50); /* one wonder is not believed */
	assert_in_range(v.speed, 2500, 2800);
	for (uint64_t i = 0; i < 200; i++)
		view_timed(&v, 1, UINT32_MAX, i);
	assert_in_range(v.speed, VIEW_SPEED_MIN, VIEW_SPEED_MIN + 10);
	assert_true(view_takes(&v, UINT32_MAX) > UINT32_MAX);
}

/* More peers than there is room for take the places of those that are gone, never of one that is there or has a job of ours. */
static void
test_places(void **state)
{
	struct views *vs = views_new();
	struct node_id here = id_of(1), ours = id_of(2), id;

	(void)state;
	news(views_add(vs, &here), 1, 0, 1);
	views_add(vs, &ours)->own = 1;
	for (uint32_t i = 3; i < VIEWS_MAX + 100; i++) {
		id = id_of(i);
		struct view *v = views_add(vs, &id);
		assert_non_null(v);
		assert_int_equal(v->heard_ms, 0);
		news(v, 0, 0, i);
		assert_ptr_equal(views_find(vs, &id), v);
	}
	assert_int_equal(views_count(vs), VIEWS_MAX);
	assert_non_null(views_find(vs, &here));
	assert_int_equal(views_find(vs, &ours)->own, 1);
	id = id_of(3);
	assert_null(views_find(vs, &id)); /* the oldest of them went first */
	id = id_of(VIEWS_MAX + 99);
	assert_non_null(views_find(vs, &id));
	for (unsigned i = 0; i < VIEWS_MAX; i++)
		views_at(vs, i)->there = true;
	id = id_of(0);
	assert_null(views_add(vs, &id));
	views_free(vs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_news),
	        cmocka_unit_test(test_old_news),
	        cmocka_unit_test(test_failures),
	        cmocka_unit_test(test_refusals),
	        cmocka_unit_test(test_speed),
	        cmocka_unit_test(test_places),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
