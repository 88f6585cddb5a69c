/* client/datemacro: the three names are found wherever the stream is cut, and nothing else is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include "client/datemacro.h"

/* Scans text in pieces of `step` bytes. */
static bool
scan(const char *text, size_t step)
{
	struct datemacro d;
	bool seen = false;

	datemacro_init(&d);
	for (size_t len = strlen(text), n; len > 0; text += n, len -= n) {
		n = len < step ? len : step;
		seen = datemacro_scan(&d, text, n);
	}
	return seen;
}

static void
test_found(void **state)
{
	static const char *const texts[] = {"__DATE__", "x = __TIME__;",
	        "/* a long comment before */ __TIMESTAMP__", "__TIME __TIME__ __DATE",
	        "_______DATE__ and some more text behind it"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t step = 1; step < 50; step++)
			assert_true(scan(texts[i], step));
}

static void
test_not_found(void **state)
{
	static const char *const texts[] = {"", "__DATE_", "__TIMESIZE __TIME_T_TYPE __TIMESTAMP_",
	        "_DATE__ x", "__DA__TE__ __TI__ME__"};

	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t step = 1; step < 50; step++)
			assert_false(scan(texts[i], step));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_found), cmocka_unit_test(test_not_found)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
