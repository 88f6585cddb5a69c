/* The table of calls that look names up: sound, and with those of this machine's C library in it. */
#include "exec/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/syscall.h>

static void
each_call_is_there_once(void **state)
{
	unsigned n;
	const struct names_call *c = names_calls(&n);

	(void)state;
	for (unsigned i = 0; i < n; i++) {
		if (c[i].nr < 0)
			continue;
		assert_ptr_equal(names_find(c[i].nr), &c[i]);
		assert_true(c[i].name >= 0 && c[i].dir < c[i].name);
		if (c[i].kind == NAMES_FOLLOW || c[i].kind == NAMES_NOFOLLOW)
			assert_int_equal(c[i].flags, -1);
		else
			assert_true(c[i].flags > c[i].name);
	}
}

static void
others_are_not(void **state)
{
	(void)state;
	assert_non_null(names_find(SYS_openat));
	assert_non_null(names_find(SYS_statx));
	assert_non_null(names_find(SYS_faccessat2));
	assert_null(names_find(SYS_read));
	assert_null(names_find(SYS_execve));
	assert_null(names_find(SYS_readlinkat));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(each_call_is_there_once), cmocka_unit_test(others_are_not)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
