/* Picking: free slots only, never who is avoided or not ready; the faster the more often, and most for who draws often. */
#include <limits.h>
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
	assert_int_equal(pick_peer(none, 0, 1, 0), -1);
	for (uint64_t r = 0; r < 100; r++)
		assert_int_equal(pick_peer(none, 6, 1 + r % 3, r * SPREAD), -1);
}

static void
test_only_free(void **state)
{
	static const struct candidate c[] = {
	        {8, 8, true, false, 0}, {1, 0, true, false, 0}, {8, 9, true, false, 0}};

	(void)state;
	for (uint64_t r = 0; r < 100; r++)
		assert_int_equal(pick_peer(c, 3, 1, r), 1);
}

static void
test_weights(void **state)
{
	static const struct candidate c[] = {
	        {4, 3, true, false, 0}, {4, 1, true, false, 0}, {4, 2, true, true, 0}};
	unsigned got[3] = {0};

	(void)state;
	for (uint64_t r = 0; r < DRAWS; r++)
		got[pick_peer(c, 3, 1, r * SPREAD)]++;
	assert_in_range(got[0], DRAWS / 4 - DRAWS / 100, DRAWS / 4 + DRAWS / 100); /* 1 : 3 */
	assert_int_equal(got[0] + got[1], DRAWS);
}

/* Twice the speed weighs 256 times as much; one not measured counts as ordinary. */
static void
test_speeds(void **state)
{
	struct candidate c[] = {{4, 0, true, false, 2000}, {4, 0, true, false, 0}};
	unsigned got[2] = {0};

	(void)state;
	for (uint64_t r = 0; r < DRAWS; r++)
		got[pick_peer(c, 2, 1, r * SPREAD)]++;
	assert_in_range(got[1], DRAWS / 512, DRAWS / 128);
	c[0].speed = UINT32_MAX;
	c[0].used = 4;
	assert_int_equal(pick_peer(c, 2, 1, 1), 1); /* but a full one gets nothing */
	c[0].used = 0;
	assert_int_equal(pick_peer(c, 2, 1, UINT64_MAX / 3), 0);
}

/* Two draws: the slower one only when both hit it. No end of draws is without harm. */
static void
test_draws(void **state)
{
	static const struct candidate c[] = {
	        {255, 0, true, false, 1000}, {1, 0, true, false, 2000}, {9, 0, false, false, 4000}};
	unsigned slow[4] = {0};

	(void)state;
	for (unsigned draws = 0; draws < 4; draws++)
		for (uint64_t r = 0; r < DRAWS; r++)
			slow[draws] += pick_peer(c, 3, draws, r * SPREAD) == 0;
	assert_in_range(slow[1], DRAWS / 2 - DRAWS / 20, DRAWS / 2 + DRAWS / 20);
	assert_int_equal(slow[0], slow[1]);
	assert_in_range(slow[2], DRAWS / 4 - DRAWS / 40, DRAWS / 4 + DRAWS / 40);
	assert_in_range(slow[3], DRAWS / 8 - DRAWS / 80, DRAWS / 8 + DRAWS / 80);
	assert_int_equal(pick_peer(c, 1, UINT_MAX, 5), 0);
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
		int k = pick_peer(c, 3, 1, x ^ x >> 32);
		assert_in_range(k, 0, 2);
		got[k]++;
	}
	for (int i = 0; i < 3; i++)
		assert_in_range(got[i], DRAWS / 3 - DRAWS / 20, DRAWS / 3 + DRAWS / 20);
	assert_int_equal(pick_peer(&full, 1, 1, 5), -1);
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
		first += pick_peer(c, VIEWS_MAX, 1, r * SPREAD) < VIEWS_MAX / 2;
	assert_in_range(first, DRAWS / 2 - DRAWS / 20, DRAWS / 2 + DRAWS / 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_nobody),
	        cmocka_unit_test(test_only_free),
	        cmocka_unit_test(test_weights),
	        cmocka_unit_test(test_speeds),
	        cmocka_unit_test(test_draws),
	        cmocka_unit_test(test_huge_numbers),
	        cmocka_unit_test(test_most),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
