/* Findings: what is noted is read back, what no peer of ours would write is refused, and too many end in an overflow. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "exec/findings.h"

static void
records_come_back(void **state)
{
	static const char bytes[] = "m/a/b.h\0x/tmp/x y\0o\0m/";
	enum finding what;
	const char *path;
	size_t at = 0;
	struct buf b;

	(void)state;
	buf_init(&b, FINDINGS_LEN_MAX);
	findings_add(&b, FINDING_MISS, "/a/b.h");
	findings_add(&b, FINDING_EXTRA, "/tmp/x y");
	findings_add(&b, FINDING_OVERFLOW, "does not matter");
	findings_add(&b, FINDING_OVERFLOW, "");
	findings_add(&b, FINDING_MISS, "/");
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(b.len, sizeof(bytes));
	assert_memory_equal(b.data, bytes, sizeof(bytes));
	assert_int_equal(findings_next(bytes, sizeof(bytes), &at, &what, &path), 1);
	assert_int_equal(what, FINDING_MISS);
	assert_string_equal(path, "/a/b.h");
	assert_int_equal(findings_next(bytes, sizeof(bytes), &at, &what, &path), 1);
	assert_int_equal(what, FINDING_EXTRA);
	assert_string_equal(path, "/tmp/x y");
	assert_int_equal(findings_next(bytes, sizeof(bytes), &at, &what, &path), 1);
	assert_int_equal(what, FINDING_OVERFLOW);
	assert_string_equal(path, "");
	assert_int_equal(findings_next(bytes, sizeof(bytes), &at, &what, &path), 1);
	assert_string_equal(path, "/");
	assert_int_equal(findings_next(bytes, sizeof(bytes), &at, &what, &path), 0);
	assert_int_equal(at, sizeof(bytes));
	buf_fini(&b);
}

/* The first record of a heap copy of exactly these bytes. */
static int
first(const char *bytes, size_t len)
{
	char *copy = malloc(len + 1);
	enum finding what = FINDING_EXTRA;
	const char *path = "before";
	size_t at = 0;
	int r;

	assert_non_null(copy);
	copy = realloc(memcpy(copy, bytes, len), len > 0 ? len : 1);
	r = findings_next(copy, len, &at, &what, &path);
	if (r < 0) {
		assert_int_equal(at, 0);
		assert_int_equal(what, FINDING_EXTRA);
		assert_string_equal(path, "before");
	}
	free(copy);
	return r;
}

static void
bad_records_are_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
	} bad[] = {{"m/a", 3}, {"m", 1}, {"", 1}, {"m", 2}, {"x", 2}, {"q/a", 4}, {"q", 2},
	        {"ma", 3}, {"o/a", 4}, {"o", 1}, {"M/a", 4}, {"\xed/a", 4}};
	enum finding what;
	const char *path;
	size_t at = 5;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(first(bad[i].bytes, bad[i].len), IM_ERR_FORMAT);
	assert_int_equal(first("m/a", 4), 1);
	assert_int_equal(first("o", 2), 1);
	assert_int_equal(first("", 0), 0);
	assert_int_equal(findings_next("m/a\0-m/b", 4, &at, &what, &path), IM_ERR_FORMAT);
}

static void
too_many_end_in_an_overflow(void **state)
{
	enum finding what = FINDING_MISS;
	const char *path;
	size_t at;
	struct buf b;

	(void)state;
	for (size_t max = 2; max < 40; max++) {
		unsigned records = 0;

		buf_init(&b, max);
		for (unsigned i = 0; i < 20; i++)
			findings_add(&b, FINDING_MISS, i % 3 == 0 ? "/longer/o" : "/o");
		assert_int_equal(buf_err(&b), 0);
		at = 0;
		for (; at < b.len; records++)
			assert_int_equal(
			        findings_next((char *)b.data, b.len, &at, &what, &path), 1);
		assert_int_equal(what, FINDING_OVERFLOW);
		assert_true(records <= 20);
		buf_fini(&b);
	}
	buf_init(&b, 6); /* just room for this one and an overflow */
	findings_add(&b, FINDING_MISS, "/o");
	assert_int_equal(b.len, 4);
	findings_add(&b, FINDING_MISS, "/");
	assert_memory_equal(b.data, "m/o\0o", 6);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(records_come_back),
	        cmocka_unit_test(bad_records_are_refused),
	        cmocka_unit_test(too_many_end_in_an_overflow)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
