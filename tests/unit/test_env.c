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
test_folders(void **state)
{
	char longest[ENV_PATHS_MAX + 20];

	(void)state;
	assert_true(env_allowed("CPATH=/x:/y:"));
	assert_true(env_allowed("C_INCLUDE_PATH="));
	assert_true(env_allowed("CPLUS_INCLUDE_PATH=x"));
	assert_true(env_allowed("OBJC_INCLUDE_PATH=x"));
	assert_true(env_allowed("OBJCPLUS_INCLUDE_PATH=/\xc3\xa4 b"));
	assert_false(env_allowed("CPATH"));
	assert_false(env_allowed("CPATHS=/x"));
	assert_false(env_allowed("CPATH=/x\ty"));
	assert_false(env_allowed("LIBRARY_PATH=/x"));
	memset(longest, 'a', sizeof(longest));
	memcpy(longest, "CPATH=", 6);
	longest[6 + ENV_PATHS_MAX + 1] = 0;
	assert_false(env_allowed(longest));
	longest[6 + ENV_PATHS_MAX] = 0;
	assert_true(env_allowed(longest));
}

static void
test_source(void **state)
{
	char *good[] = {"PATH=/a\tb", "CPATH=/x", "LC_ALL=../x", "LANG=a/b", NULL};
	char *bad[] = {"PATH=/bin", "CPATH=/x\ty", NULL};
	char *date[] = {"SOURCE_DATE_EPOCH=1\n", NULL};
	char reason[REASON_SIZE] = "";

	(void)state;
	assert_int_equal(env_source(good, reason), 0);
	assert_string_equal(reason, "");
	assert_int_equal(env_source(bad, reason), IM_ERR_REFUSED);
	assert_string_equal(reason, "environment CPATH");
	assert_int_equal(env_source(date, reason), IM_ERR_REFUSED);
	assert_string_equal(reason, "environment SOURCE_DATE_EPOCH");
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
	        cmocka_unit_test(test_folders),
	        cmocka_unit_test(test_source),
	        cmocka_unit_test(test_select),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
