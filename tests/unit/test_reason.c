#include "exec/reason.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

static void
test_rows(void **state)
{
	(void)state;
	for (unsigned i = 0; reason_row(i); i++) {
		const struct reason *r = reason_row(i), *next = reason_row(i + 1);

		assert_null(strchr(r->word, ' '));
		/* one sentence: what it means; what can be done */
		assert_true(strlen(r->advice) > 10 && r->advice[strlen(r->advice) - 1] == '.');
		assert_null(strstr(r->advice, ". "));
		assert_non_null(strstr(r->advice, "; "));
		if (next)
			assert_true(strcmp(r->word, next->word) < 0);
	}
}

static void
test_find(void **state)
{
	(void)state;
	assert_string_equal(reason_find("linking")->word, "linking");
	assert_string_equal(reason_find("option -fplugin=")->word, "option");
	assert_null(reason_find("optio"));
	assert_null(reason_find("options"));
	assert_null(reason_find(""));
}

static void
test_set(void **state)
{
	char text[REASON_SIZE], detail[300];

	(void)state;
	reason_set(text, "linking", NULL);
	assert_string_equal(text, "linking");
	reason_set(text, "option", "-f\033x\n");
	assert_string_equal(text, "option -f?x?");
	memset(detail, 'a', sizeof(detail));
	detail[sizeof(detail) - 1] = 0;
	reason_set(text, "option", detail);
	assert_int_equal(strlen(text), REASON_SIZE - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_rows),
	        cmocka_unit_test(test_find),
	        cmocka_unit_test(test_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
