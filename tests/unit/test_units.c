#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "mesh/units.h"

static void
sizes(void **state)
{
	static const char *const bad[] = {"", "G", "-1", "1.5G", "4 G", "4GB", "4x", "9999999999G",
	        "99999999999999999999", "0x10", " 1"};
	uint64_t v;

	(void)state;
	assert_int_equal(parse_size(&v, "0"), 0);
	assert_true(v == 0);
	assert_int_equal(parse_size(&v, "64k"), 0);
	assert_true(v == 65536);
	assert_int_equal(parse_size(&v, "512M"), 0);
	assert_true(v == UINT64_C(512) << 20);
	assert_int_equal(parse_size(&v, "5g"), 0);
	assert_true(v == UINT64_C(5) << 30);
	assert_int_equal(parse_size(&v, "2T"), 0);
	assert_true(v == UINT64_C(2) << 40);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_size(&v, bad[i]), IM_ERR_FORMAT);
	assert_true(v == UINT64_C(2) << 40); /* untouched */
}

static void
durations(void **state)
{
	static const char *const bad[] = {"", "m", "15min", "1.5h", "-1s", "99999999d", "1M"};
	unsigned v;

	(void)state;
	assert_int_equal(parse_duration(&v, "90"), 0);
	assert_int_equal(v, 90);
	assert_int_equal(parse_duration(&v, "90s"), 0);
	assert_int_equal(v, 90);
	assert_int_equal(parse_duration(&v, "15m"), 0);
	assert_int_equal(v, 900);
	assert_int_equal(parse_duration(&v, "24h"), 0);
	assert_int_equal(v, 86400);
	assert_int_equal(parse_duration(&v, "2d"), 0);
	assert_int_equal(v, 172800);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_duration(&v, bad[i]), IM_ERR_FORMAT);
}

static void
percents(void **state)
{
	static const char *const bad[] = {
	        "", "%", "1.", "1.25 %", ".5%", "101%", "100.1%", "1 % %", "-1%"};
	unsigned v;

	(void)state;
	assert_int_equal(parse_percent(&v, "1 %"), 0);
	assert_int_equal(v, 10);
	assert_int_equal(parse_percent(&v, "1%"), 0);
	assert_int_equal(v, 10);
	assert_int_equal(parse_percent(&v, "0.5 %"), 0);
	assert_int_equal(v, 5);
	assert_int_equal(parse_percent(&v, "100"), 0);
	assert_int_equal(v, 1000);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parse_percent(&v, bad[i]), IM_ERR_FORMAT);
}

static void
the_rest(void **state)
{
	uint64_t n;
	unsigned mode;

	(void)state;
	assert_int_equal(parse_number(&n, "4096", 4096), 0);
	assert_int_equal(parse_number(&n, "4097", 4096), IM_ERR_FORMAT);
	assert_int_equal(parse_number(&n, "18446744073709551615", UINT64_MAX), 0);
	assert_true(n == UINT64_MAX);
	assert_int_equal(parse_number(&n, "18446744073709551616", UINT64_MAX), IM_ERR_FORMAT);
	assert_int_equal(parse_number(&n, "9", 5), IM_ERR_FORMAT);
	assert_int_equal(parse_octal(&mode, "0660"), 0);
	assert_int_equal(mode, 0660);
	assert_int_equal(parse_octal(&mode, "068"), IM_ERR_FORMAT);
	assert_int_equal(parse_octal(&mode, ""), IM_ERR_FORMAT);
	assert_int_equal(parse_choice("auto never only", "auto"), 0);
	assert_int_equal(parse_choice("auto never only", "only"), 2);
	assert_int_equal(parse_choice("auto never only", "on"), -1);
	assert_int_equal(parse_choice("auto never only", ""), -1);
	assert_int_equal(parse_choice("auto never only", "auto never"), -1);
	assert_true(
	        is_address("[::]:9777") && is_address("10.0.0.1:0") && is_address("host:65535"));
	assert_false(is_address("host") || is_address(":1") || is_address("host:") ||
	             is_address("host:65536") || is_address("::1:9777") || is_address("[::1:9777"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(sizes),
	        cmocka_unit_test(durations),
	        cmocka_unit_test(percents),
	        cmocka_unit_test(the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
