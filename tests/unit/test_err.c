/* Every error has a text of its own, fit to stand behind "what: ". */
#include "crypto/err.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

static void
test_distinct_texts(void **state)
{
	int a, b;

	(void)state;
	for (a = IM_ERR_UNSUPPORTED; a <= 0; a++) {
		const char *text = im_strerror(a);

		assert_non_null(text);
		assert_true(text[0] >= 'a' && text[0] <= 'z');
		assert_null(strchr(text, '\n'));
		for (b = IM_ERR_UNSUPPORTED; b < a; b++)
			assert_string_not_equal(text, im_strerror(b));
	}
}

static void
test_unknown(void **state)
{
	(void)state;
	assert_string_equal(im_strerror(IM_ERR_UNSUPPORTED - 1), "unknown error");
	assert_string_equal(im_strerror(1), "unknown error");
	assert_string_equal(im_strerror(IM_ERR_SIGNATURE), "signature does not verify");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_distinct_texts),
	        cmocka_unit_test(test_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
