/* exec/incbin: names next to .incbin and .include are known, others computed, and ordinary code
 * is left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "exec/incbin.h"

static const struct {
	const char *bytes; /* looked at from its first point */
	const char *name;  /* NULL: none */
	bool computed;
} rows[] = {
        {".incbin \"a\"", "a", false},
        {".IncBin\t\"a\",1", "a", false},
        {".include\"a\"", "a", false},
        {"\"\\n.incbin \\\"a\\\"\"", "a", false},
        {"\"\\012.incbin\\t\\\"a\\\"\"", "a", false},
        {"x.incbin \"a\"", NULL, false},
        {".incbins \"a\"", NULL, false},
        {".inc", NULL, false},
        {".incbin", NULL, false},
        {".incbin \"a", NULL, true},
        {".incbin \"a\\x\"", NULL, true},
        {".incbin NAME", NULL, true},
        {"y, .include NAME", NULL, false},
        {".include = 1", NULL, false},
        {"\".incbin \" NAME", NULL, true},
        {"\".incbin \"\n\n \"x\"", NULL, true},
        {"\".incbin \" // c\n )", NULL, false},
        {"\".incbin\")", NULL, false},
        {"\".incbin \\\\name\"", NULL, true},
        {"\".incbin\\n\"", NULL, false},
        {"\".incbin %1\"", NULL, true},
        {"\".include of a\"", NULL, false},
        {"R\"(.include a)\"", NULL, true},
        {"R\"(.include \"a\")\"", NULL, true},
        {"/* .include a */", NULL, false},
};

static void
test_rows(void **state)
{
	static struct operands found;
	struct buf list;
	struct text t;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t len = rows[i].name ? strlen(rows[i].name) : 0;
		buf_init(&list, 64);
		operands_init(&found, &list);
		assert_int_equal(text_init(&t, rows[i].bytes, strlen(rows[i].bytes), false), 0);
		if (incbin_at(&t, strchr(t.at, '.'), &found) != rows[i].computed)
			fail_msg("%s", rows[i].bytes);
		assert_int_equal(operands_end(&found), 0);
		assert_int_equal(list.len, len ? OPERAND_HEAD_LEN + len : 0);
		if (len)
			assert_memory_equal(list.data + OPERAND_HEAD_LEN, rows[i].name, len);
		text_fini(&t);
		buf_fini(&list);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
