/* Counting by name, and the wall clock. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "mesh/node.h"

#define MAX 4

static void
test_tally(void **state)
{
	struct tally list[MAX];
	char longer[200];
	unsigned n = 0;

	(void)state;
	tally_add(list, &n, MAX, "a");
	tally_add(list, &n, MAX, "b");
	tally_add(list, &n, MAX, "a");
	assert_int_equal(n, 2);
	assert_string_equal(list[0].name, "a");
	assert_true(list[0].count == 2 && list[1].count == 1);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	tally_add(list, &n, MAX, longer);
	tally_add(list, &n, MAX, longer); /* the same, although only its beginning is kept */
	assert_int_equal(n, 3);
	assert_true(list[2].count == 2);
	assert_int_equal(strlen(list[2].name), sizeof list[2].name - 1);
	for (int i = 0; i < 10; i++) {
		char name[8];
		snprintf(name, sizeof name, "more%d", i);
		tally_add(list, &n, MAX, name);
	}
	assert_int_equal(n, MAX);
	assert_string_equal(list[MAX - 1].name, "others");
	assert_true(list[MAX - 1].count == 10);
	tally_add(list, &n, MAX, "b");
	assert_true(list[1].count == 2);
}

static void
test_clock(void **state)
{
	uint64_t s = wall_seconds(), ms = wall_milliseconds(), now = (uint64_t)time(NULL);

	(void)state;
	assert_true(s >= now - 60 && s <= now + 1); /* time() may be a tick behind */
	assert_true(ms / 1000 >= s && ms / 1000 <= s + 60);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_tally),
	        cmocka_unit_test(test_clock),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
