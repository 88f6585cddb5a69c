/* client/forecast: what is expected of a compile after some times, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/forecast.h"
#include "tests/unit/inputs_rig.h"

static void
test_mean(void **state)
{
	struct forecast f = {.count = 0};

	(void)state;
	assert_int_equal(forecast_ms(&f), 0);
	assert_true(forecast_add(&f, 300));
	assert_int_equal(forecast_ms(&f), 1);
	f = (struct forecast){.count = 0};
	assert_true(forecast_add(&f, 1000000));
	assert_int_equal(forecast_ms(&f), 1000);
	assert_true(forecast_add(&f, 2000000));
	assert_int_equal(forecast_ms(&f), 1500);
	assert_true(forecast_add(&f, 3000000));
	assert_true(forecast_add(&f, 2000000));
	assert_int_equal(forecast_ms(&f), 2000);
	/* near what is known: no news, from either side */
	assert_false(forecast_add(&f, 1500000));
	assert_false(forecast_add(&f, 2500000));
	assert_int_equal(forecast_ms(&f), 2000);
	/* far from it: a quarter of the way */
	assert_true(forecast_add(&f, 4000000));
	assert_int_equal(forecast_ms(&f), 2500);
	assert_true(forecast_add(&f, 500000));
	assert_int_equal(forecast_ms(&f), 2000);
}

/* What a peer says that cannot be. */
static void
test_no_times(void **state)
{
	struct forecast f = {.count = 0};

	(void)state;
	assert_false(forecast_add(&f, 0));
	assert_false(forecast_add(&f, 3600000001u));
	assert_false(forecast_add(&f, UINT64_MAX));
	assert_int_equal(forecast_ms(&f), 0);
	assert_true(forecast_add(&f, 3600000000u));
	assert_int_equal(forecast_ms(&f), 3600000);
}

static void
test_kept(void **state)
{
	struct digest one = {{1}}, other = {{2}};
	struct forecast f = {.count = 0}, found, odd = {.mean_us = 7, .count = 77};
	struct graph *g = NULL;

	(void)state;
	assert_int_equal(graph_open(&g, rig_memory(GRAPH_FILE_MIN)), 0);
	forecast_find(&found, g, &one);
	assert_int_equal(found.count, 0);
	assert_true(forecast_add(&f, 5000));
	forecast_keep(&f, g, &one);
	forecast_find(&found, g, &one);
	assert_int_equal(forecast_ms(&found), 5);
	forecast_find(&found, g, &other);
	assert_int_equal(forecast_ms(&found), 0);
	forecast_keep(&odd, g, &one);
	forecast_find(&found, g, &one);
	assert_int_equal(forecast_ms(&found), 0);
	graph_free(g);
	forecast_keep(&f, NULL, &one);
	forecast_find(&found, NULL, &one);
	assert_int_equal(forecast_ms(&found), 0);
}

/* Commands differ by what is written in them, by where, and by what they make. */
static void
test_names(void **state)
{
	char *argv[] = {(char *)"gcc", (char *)"-O2", NULL};
	const char *outputs[] = {"/src/a.o"};
	struct job job = {.cwd = "/src", .outputs = outputs, .noutputs = 1};
	struct digest a, b;

	(void)state;
	forecast_name(&a, &job, argv);
	forecast_name(&b, &job, argv);
	assert_true(digest_equal(&a, &b));
	argv[1] = (char *)"-O0";
	forecast_name(&b, &job, argv);
	assert_false(digest_equal(&a, &b));
	argv[1] = (char *)"-O2";
	outputs[0] = "/src/b.o";
	forecast_name(&b, &job, argv);
	assert_false(digest_equal(&a, &b));
	outputs[0] = "/src/a.o";
	job.cwd = "/other";
	forecast_name(&b, &job, argv);
	assert_false(digest_equal(&a, &b));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_mean),
	        cmocka_unit_test(test_no_times), cmocka_unit_test(test_kept),
	        cmocka_unit_test(test_names)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
