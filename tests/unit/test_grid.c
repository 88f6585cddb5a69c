#include "client/grid.h"

#include <string.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct grid_column columns[] = {
        {"NAME", false, 0}, {"N", true, 2}, {"WHERE", false, 1}};

static void
expect(unsigned width, bool colour, const char *want)
{
	struct grid t;
	struct buf b;

	buf_init(&b, 4096);
	grid_init(&t, columns, 3);
	grid_cell(&t, TONE_GOOD, "a");
	grid_printf(&t, TONE_PLAIN, "%d", 123);
	grid_cell(&t, TONE_PLAIN, "");
	grid_cell(&t, TONE_PLAIN, "caf\303\251s");
	grid_cell(&t, TONE_PLAIN, "4");
	grid_cell(&t, TONE_PLAIN, "h\033ere");
	assert_int_equal(grid_print(&t, width, colour, &b), 0);
	assert_string_equal(buf_text(&b), want);
	grid_fini(&t);
	buf_fini(&b);
}

static void
test_aligned(void **state)
{
	(void)state;
	expect(0, false, "NAME     N  WHERE\na      123  -\ncaf\303\251s    4  h?ere\n");
}

static void
test_cut(void **state)
{
	(void)state;
	expect(17, false, "NAME     N  WHERE\na      123  -\ncaf\303\251s    4  h?ere\n");
	expect(16, false, "NAME   WHERE\na      -\ncaf\303\251s  h?ere\n");
	expect(11, false, "NAME\na\ncaf\303\251s\n");
	expect(1, false, "NAME\na\ncaf\303\251s\n");
}

static void
test_colour(void **state)
{
	(void)state;
	expect(5, true, "\033[2mNAME\033[0m\n\033[32ma\033[0m\ncaf\303\251s\n");
}

static void
test_long_cell(void **state)
{
	struct grid t;
	struct buf b;
	char text[200];

	(void)state;
	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	buf_init(&b, 4096);
	grid_init(&t, columns, 1);
	grid_cell(&t, TONE_PLAIN, text);
	assert_int_equal(grid_print(&t, 0, false, &b), 0);
	assert_int_equal(b.len, strlen("NAME\n") + GRID_CELL_MAX + 1);
	grid_fini(&t);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_aligned),
	        cmocka_unit_test(test_cut), cmocka_unit_test(test_colour),
	        cmocka_unit_test(test_long_cell)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
