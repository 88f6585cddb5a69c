/* Picking: free slots, then one job ahead; never who is avoided or not ready. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mesh/pick.h"
#include "mesh/view.h"

#define DRAWS 10000
#define SPREAD 0x9e3779b97f4a7c15u /* numbers that lie all over 64 bits */

static void
test_nobody(void **state)
{
	static const struct candidate none[] = {{4, 4, true, false, 0}, {0, 0, true, false, 0},
	        {4, 0, false, false, 0}, {4, 0, true, true, 0}, {4, 5, true, false, 0},
	        {4, UINT32_MAX, true, false, 0}};

	(void)state;
	assert_int_equal(pick_peer(none, 0, 0), -1);
	assert_int_equal(pick_peer(none + 1, 5, 17), -1);
	for (uint64_t r = 0; r < 100; r++)
		assert_int_equal(pick_peer(none, 6, r * SPREAD), 0); /* it takes one ahead */
}

static void
test_free_before_ahead(void **state)
{
	static const struct candidate c[] = {
	        {8, 8, true, false, 0}, {1, 0, true, false, 0}, {8, 9, true, false, 0}};

	(void)state;
	for (uint64_t r = 0; r < 100; r++)
		assert_int_equal(pick_peer(c, 3, r), 1);
}

static void
test_weights(void **state)
{
	static const struct candidate c[] = {
	        {4, 3, true, false, 0}, {4, 1, true, false, 0}, {4, 2, true, true, 0}};
	unsigned got[3] = {0};

	(void)state;
	for (uint64_t r = 0; r < DRAWS; r++)
		got[pick_peer(c, 3, r * SPREAD)]++;
	assert_in_range(got[0], DRAWS / 4 - DRAWS / 100, DRAWS / 4 + DRAWS / 100); /* 1 : 3 */
	assert_int_equal(got[0] + got[1], DRAWS);
}

/* Twice the speed weighs 256 times as much, with free slots and without; one not measured counts as ordinary. */
static void
test_speeds(void **state)
{
	struct candidate c[] = {{4, 0, true, false, 2000}, {4, 0, true, false, 0}};

	(void)state;
	for (int full = 0; full < 2; full++) {
		unsigned got[2] = {0};

		for (uint64_t r = 0; r < DRAWS; r++)
			got[pick_peer(c, 2, r * SPREAD)]++;
		assert_in_range(got[1], DRAWS / 512, DRAWS / 128);
		c[0].used = c[1].used = 4;
	}
	c[0].speed = UINT32_MAX;
	c[0].used = 5;
	assert_int_equal(pick_peer(c, 2, 1), 1); /* but a full one gets nothing */
	c[0].used = 0;
	assert_int_equal(pick_peer(c, 2, UINT64_MAX / 3), 0);
}

/* Slots as no peer has them: every draw still hits somebody, and both get their part. */
static void
test_huge_numbers(void **state)
{
	static const struct candidate c[] = {{UINT32_MAX, 0, true, false, 0},
	        {UINT32_MAX, 1, true, false, 0}, {UINT32_MAX, 2, true, false, 0}};
	static const struct candidate full = {UINT32_MAX, UINT32_MAX, true, false, 0};
	unsigned got[3] = {0};
	uint64_t x = 1;

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		int k = pick_peer(c, 3, x ^ x >> 32);
		assert_in_range(k, 0, 2);
		got[k]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(got[i], DRAWS / 3 - DRAWS / 20, DRAWS / 3 + DRAWS / 20);
	assert_int_equal(pick_peer(&full, 1, 5), 0);
}

/* As many as there can be, as fast and as free as can be. */
static void
test_most(void **state)
{
	static struct candidate c[VIEWS_MAX];
	unsigned first = 0;

	(void)state;
	for (unsigned i = 0; i < VIEWS_MAX; i++)
		c[i] = (struct candidate){UINT32_MAX, 0, true, false, UINT32_MAX};
	for (uint64_t r = 0; r < DRAWS; r++)
		first += pick_peer(c, VIEWS_MAX, r * SPREAD) < VIEWS_MAX / 2;
	assert_in_range(first, DRAWS / 2 - DRAWS / 20, DRAWS / 2 + DRAWS / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_nobody),
	        cmocka_unit_test(test_free_before_ahead),
	        cmocka_unit_test(test_weights),
	        cmocka_unit_test(test_speeds),
	        cmocka_unit_test(test_huge_numbers),
	        cmocka_unit_test(test_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
