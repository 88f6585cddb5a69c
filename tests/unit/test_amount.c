#include "client/amount.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
expect(uint64_t bytes, const char *want)
{
	char text[AMOUNT_SIZE];

	amount_bytes(bytes, text);
	assert_string_equal(text, want);
}

static void
test_bytes(void **state)
{
	(void)state;
	expect(0, "0 B");
	expect(1023, "1023 B");
	expect(1024, "1.0 KiB");
	expect(1536, "1.5 KiB");
	expect(UINT64_C(5) << 30, "5.0 GiB");
	expect(UINT64_MAX, "15.9 EiB");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_bytes)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
