#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mesh/lack.h"

static void
until_the_next_beacon(void **state)
{
	(void)state;
	struct lacks all = {0};
	struct member a = {.node.bytes = {1}, .heard_ms = 10},
	              b = {.node.bytes = {2}, .heard_ms = 10};
	assert_false(lacks_has(&all, &a, 7));
	lacks_note(&all, &a, 7);
	assert_true(lacks_has(&all, &a, 7));
	assert_false(lacks_has(&all, &a, 8));
	assert_false(lacks_has(&all, &b, 7));
	a.heard_ms = 11;
	assert_false(lacks_has(&all, &a, 7));
}

static void
the_oldest_is_forgotten(void **state)
{
	(void)state;
	struct lacks all = {0};
	struct member m = {.node.bytes = {1}, .heard_ms = 10};
	for (uint32_t tag = 0; tag < LACKS_MAX; tag++)
		lacks_note(&all, &m, tag);
	assert_true(lacks_has(&all, &m, 0));
	lacks_note(&all, &m, LACKS_MAX);
	assert_false(lacks_has(&all, &m, 0));
	for (uint32_t tag = 1; tag <= LACKS_MAX; tag++)
		assert_true(lacks_has(&all, &m, tag));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(until_the_next_beacon),
	        cmocka_unit_test(the_oldest_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
