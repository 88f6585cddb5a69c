#include "client/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static void
pieces_are_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = {1, 0, 7, 8, 9, 65536, 65537, 3, 200000, 40000, 40000};
	unsigned char *at[11];
	struct pool p;

	(void)state;
	pool_init(&p);
	for (size_t i = 0; i < 11; i++) {
		at[i] = pool_get(&p, sizes[i]);
		assert_non_null(at[i]);
		assert_int_equal((uintptr_t)at[i] % 8, 0);
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(at[i][k], 0);
		memset(at[i], (int)i + 1, sizes[i]);
	}
	for (size_t i = 0; i < 11; i++)
		for (size_t k = 0; k < sizes[i]; k++)
			assert_int_equal(at[i][k], i + 1);
	assert_string_equal(pool_text(&p, "abcdef", 3), "abc");
	assert_null(pool_get(&p, SIZE_MAX));
	pool_fini(&p);
	assert_null(p.last);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pieces_are_zeroed_aligned_and_apart)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
