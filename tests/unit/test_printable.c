#include "client/printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void
expect(const char *text, const char *want, size_t columns)
{
	struct buf b;

	buf_init(&b, 4096);
	text_clean(&b, text, columns);
	assert_string_equal(b.len > 0 ? buf_text(&b) : "", want);
	buf_fini(&b);
}

static void
test_clean(void **state)
{
	(void)state;
	expect("build1", "build1", 80);
	expect("a\033[31mred\007", "a?[31mred?", 80);
	expect("\302\233"
	       "31m",
	        "?31m", 80); /* CSI as one C1 code point */
	expect("caf\303\251", "caf\303\251", 80);
	expect("\303", "?", 80);                 /* cut in the middle */
	expect("\300\257", "??", 80);            /* overlong '/' */
	expect("\355\240\200", "???", 80);       /* a surrogate */
	expect("\342\200\256evil", "?evil", 80); /* right-to-left override */
	expect("a\342\200\213b", "a?b", 80);     /* zero-width space */
}

static void
test_width(void **state)
{
	(void)state;
	assert_int_equal(text_width("abc"), 3);
	assert_int_equal(text_width("caf\303\251"), 4);
	assert_int_equal(text_width("\346\227\245"), 2);
	assert_int_equal(text_width("e\314\201"), 1);
	expect("abcdef", "abc", 3);
	expect("a\346\227\245", "a", 2); /* half a wide letter is none */
	expect("abc", "", 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_clean), cmocka_unit_test(test_width)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
