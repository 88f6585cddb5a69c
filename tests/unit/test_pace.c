#include "fake_mesh.h"

#include "gossip/pace.h"

static void
intervals_grow_with_the_mesh(void **state)
{
	(void)state;
	assert_int_equal(pace_interval_ms(1), 1000);
	assert_int_equal(pace_interval_ms(100), 1000);
	assert_int_equal(pace_interval_ms(200), 2000);
	assert_int_equal(pace_interval_ms(1000), 10000);
	assert_int_equal(pace_interval_ms(1000000), 120000);
}

static void
silence_has_lower_bounds(void **state)
{
	(void)state;
	assert_int_equal(pace_suspect_ms(1000), 4000);
	assert_int_equal(pace_suspect_ms(10000), 35000);
	assert_int_equal(pace_gone_ms(100), 10000);
	assert_int_equal(pace_gone_ms(2000), 20000);
}

static void
bucket_holds_and_refills(void **state)
{
	struct bucket b;
	int taken = 0;

	(void)state;
	bucket_init(&b, 8, 1000);
	while (bucket_take(&b, 4, 1000))
		taken++;
	assert_int_equal(taken, 8);
	assert_int_equal(bucket_ready_ms(&b, 4, 1000), 1250);
	assert_false(bucket_take(&b, 4, 1249));
	assert_true(bucket_take(&b, 4, 1250));
	assert_false(bucket_take(&b, 4, 500)); /* a clock that goes back adds nothing */
	for (taken = 0; bucket_take(&b, 4, UINT64_MAX); taken++)
		;
	assert_int_equal(taken, 8);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(intervals_grow_with_the_mesh),
	        cmocka_unit_test(silence_has_lower_bounds),
	        cmocka_unit_test(bucket_holds_and_refills),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
