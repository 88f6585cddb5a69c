#include "fake_mesh.h"

#include "gossip/rng.h"

/* The published first outputs of splitmix64 for seed 1234567. */
static void
known_outputs(void **state)
{
	struct rng r = {1234567};

	(void)state;
	assert_true(rng_next(&r) == UINT64_C(6457827717110365317));
	assert_true(rng_next(&r) == UINT64_C(3203168211198807973));
	assert_true(rng_next(&r) == UINT64_C(9817491932198370423));
}

static void
below_covers_its_range(void **state)
{
	struct rng r = {1};
	unsigned seen[10] = {0};

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint32_t v = rng_below(&r, 10);

		assert_true(v < 10);
		seen[v]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 850, 1150);
	assert_int_equal(rng_below(&r, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(known_outputs),
	        cmocka_unit_test(below_covers_its_range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
