/* client/trip: what is believed of a compile's trips, and what is kept of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "client/trip.h"

static struct trip
after(uint32_t compile_us, uint32_t around_us, unsigned times)
{
	struct trip t = {.count = 0};

	while (times-- > 0)
		(void)trip_add(&t, compile_us, around_us);
	return t;
}

static void
test_wasted(void **state)
{
	struct trip t;

	(void)state;
	t = after(10000, 30000, TRIP_COUNT_MIN);
	assert_true(trip_wasted(&t));
	t = after(10000, 30000, TRIP_COUNT_MIN - 1);
	assert_false(trip_wasted(&t));
	t = after(20000, 30000, TRIP_COUNT_MIN);
	assert_false(trip_wasted(&t));
	t = after(TRIP_TINY_US, 5 * TRIP_TINY_US, TRIP_COUNT_MIN);
	assert_false(trip_wasted(&t));
	t = after(0, 0, TRIP_COUNT_MIN);
	assert_false(trip_wasted(&t));
}

/* One slow trip among quick ones says nothing, and neither does one quick compile. */
static void
test_the_best_trip_counts(void **state)
{
	struct trip t = after(10000, 5000, 1);

	(void)state;
	assert_true(trip_add(&t, 9000, 90000));
	assert_false(trip_wasted(&t));
	assert_int_equal(t.compile_us, 10000);
	assert_int_equal(t.around_us, 5000);
	/* no news that would decide otherwise */
	assert_false(trip_add(&t, 9000, 90000));
	t = after(10000, 90000, TRIP_COUNT_MIN);
	assert_true(trip_wasted(&t));
	assert_true(trip_add(&t, 10000, 5000));
	assert_false(trip_wasted(&t));
}

static void
test_kept(void **state)
{
	struct digest one = {{1}}, other = {{2}};
	struct graph *g = NULL;
	struct trip t, found;
	int fd = memfd_create("graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, GRAPH_FILE_MIN), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	assert_int_equal(graph_open(&g, fd), 0);
	trip_find(&found, g, &one);
	assert_int_equal(found.count, 0);
	t = after(10000, 30000, TRIP_COUNT_MIN);
	trip_keep(&t, g, &one);
	trip_find(&found, g, &one);
	assert_memory_equal(&found, &t, sizeof(t));
	trip_find(&found, g, &other);
	assert_int_equal(found.count, 0);
	graph_free(g);
	trip_keep(&t, NULL, &one);
	trip_find(&found, NULL, &one);
	assert_false(trip_wasted(&found));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_wasted),
	        cmocka_unit_test(test_the_best_trip_counts), cmocka_unit_test(test_kept)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
