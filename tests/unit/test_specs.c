/* exec/specs: what may stand in the one specs file that a peer reads. */
#include "exec/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static bool
ok(const char *words)
{
	struct buf b;
	bool good;

	buf_init(&b, 4 * SPECS_LEN_MAX);
	specs_put(&b, words);
	assert_int_equal(buf_err(&b), 0);
	good = specs_ok((const char *)b.data, b.len);
	for (size_t cut = 0; good && cut < b.len; cut++)
		assert_false(specs_ok((const char *)b.data, cut));
	buf_fini(&b);
	return good;
}

static void
test_words_of_a_processor(void **state)
{
	(void)state;
	assert_true(ok(""));
	assert_true(ok("-march=znver3 -mmmx -mno-sse4a --param l1-cache-size=32 -mtune=znver3"));
	assert_true(ok("  -mavx  --param=l2-cache-size=512 "));
}

static void
test_nothing_else(void **state)
{
	static const char *const bad[] = {"-fplugin=x", "-o", "x", "-m", "%(cc1)", "-mavx %{x:y}",
	        "-march=x\n\n*asm:\nsh", "-mavx\t-mavx2", "--param", "--param -o", "--params",
	        "-mx/y", "-mx\"", "-mx'", "-wrapper", "@file", "--param x=1 y=2"};
	char longer[2 * SPECS_LEN_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (ok(bad[i]))
			fail_msg("taken: %s", bad[i]);
	memset(longer, 'a', sizeof(longer) - 1);
	memcpy(longer, "-m", 2);
	longer[sizeof(longer) - 1] = '\0';
	assert_false(ok(longer));
	assert_false(specs_ok("*asm:\nsh\n\n", 10));
	assert_false(specs_ok("", 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_words_of_a_processor), cmocka_unit_test(test_nothing_else)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
