#include "exec/env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void
test_check(void **state)
{
	char *good[] = {"PATH=/bin", "CPATH=/x", "COMPILER_PATHS=/x", NULL};
	char *bad[] = {"PATH=/bin", "COMPILER_PATH=/x", NULL};
	char *empty[] = {"DEPENDENCIES_OUTPUT=", NULL};
	char reason[REASON_SIZE] = "";

	(void)state;
	assert_int_equal(env_check(good, reason), 0);
	assert_string_equal(reason, "");
	assert_int_equal(env_check(bad, reason), IM_ERR_REFUSED);
	assert_string_equal(reason, "environment COMPILER_PATH");
	assert_int_equal(env_check(empty, reason), IM_ERR_REFUSED);
	assert_string_equal(reason, "environment DEPENDENCIES_OUTPUT");
}

static void
test_allowed(void **state)
{
	char longest[400];

	(void)state;
	assert_true(env_allowed("LANG=de_DE.UTF-8"));
	assert_true(env_allowed("LC_ALL=C"));
	assert_true(env_allowed("LC_ALL="));
	assert_true(env_allowed("SOURCE_DATE_EPOCH=12"));
	assert_true(env_allowed("GCC_COLORS=error=01;31"));
	assert_false(env_allowed("LANG"));
	assert_false(env_allowed("LANGX=a"));
	assert_false(env_allowed("LANG=/tmp/evil"));
	assert_false(env_allowed("LC_ALL=../evil"));
	assert_false(env_allowed("LC_x=1"));
	assert_false(env_allowed("PATH=/bin"));
	assert_false(env_allowed("LD_PRELOAD=/x.so"));
	assert_false(env_allowed("LC_ALL=a\nb"));
	assert_false(env_allowed("=x"));
	assert_false(env_allowed(""));
	memset(longest, 'a', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	memcpy(longest, "LANG=", 5);
	assert_false(env_allowed(longest));
	longest[5 + ENV_VALUE_MAX] = 0;
	assert_true(env_allowed(longest));
}

static void
test_select(void **state)
{
	char *environment[] = {"PATH=/bin", "LANG=C", "HOME=/root", "LC_ALL=C", "LC_CTYPE=C", NULL};
	const char *out[3];

	(void)state;
	assert_int_equal(env_select(environment, out, 3), 3);
	assert_string_equal(out[0], "LANG=C");
	assert_string_equal(out[2], "LC_CTYPE=C");
	assert_int_equal(env_select(environment, out, 2), 2);
	assert_int_equal(env_select(environment, out, 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_check),
	        cmocka_unit_test(test_allowed),
	        cmocka_unit_test(test_select),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
