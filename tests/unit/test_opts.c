#include "client/opts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct opt table[] = {{"json", 0, false}, {"output", 'o', true}, {NULL, 'q', false}};

#define START(o, ...)                         \
	char *words[] = {"cmd", __VA_ARGS__}; \
	opts_init(o, sizeof words / sizeof words[0], words)

static void
test_forms(void **state)
{
	struct opts o;
	START(&o, "--json", "-o", "a", "-ob", "--output=c", "--output", "d", "-", "-q", "--",
	        "--json");

	(void)state;
	assert_int_equal(opts_next(&o, table, 3), 0);
	for (const char *want = "abcd"; *want != 0; want++) {
		assert_int_equal(opts_next(&o, table, 3), 1);
		assert_int_equal(o.value[0], *want);
	}
	assert_int_equal(opts_next(&o, table, 3), OPTS_OPERAND);
	assert_string_equal(o.value, "-");
	assert_int_equal(opts_next(&o, table, 3), 2);
	assert_int_equal(opts_next(&o, table, 3), OPTS_OPERAND);
	assert_string_equal(o.value, "--json");
	assert_int_equal(opts_next(&o, table, 3), OPTS_END);
}

static void
expect_bad(char *word, const char *want)
{
	struct opts o;
	START(&o, word);

	assert_int_equal(opts_next(&o, table, 3), OPTS_BAD);
	assert_string_equal(o.problem, want);
}

static void
test_bad(void **state)
{
	(void)state;
	expect_bad("--jso", "unknown option '--jso'");
	expect_bad("-x", "unknown option '-x'");
	expect_bad("-qq", "unknown option '-qq'");
	expect_bad("--json=1", "no value belongs to '--json=1'");
	expect_bad("--output", "a value is missing after '--output'");
	expect_bad("-o", "a value is missing after '-o'");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_forms), cmocka_unit_test(test_bad)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
