/* exec/operands: each name once, whole lists or none, and what counts as a name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include "exec/operands.h"

static struct operands found;

static enum operand
literal(const char *bytes)
{
	enum operand r;
	struct text t;

	assert_int_equal(text_init(&t, bytes, strlen(bytes), false), 0);
	r = operands_literal(&found, &t, t.at);
	text_fini(&t);
	return r;
}

static void
test_list(void **state)
{
	struct buf list;

	(void)state;
	buf_init(&list, 64);
	buf_put(&list, "!", 1);
	operands_init(&found, &list);
	assert_int_equal(literal("\"a\""), OPERAND_TAKEN);
	assert_int_equal(literal("<a>"), OPERAND_TAKEN);
	assert_int_equal(literal("\"a\""), OPERAND_TAKEN);
	assert_int_equal(literal("<>"), OPERAND_TAKEN);
	assert_int_equal(literal("<a"), OPERAND_NONE);
	assert_int_equal(literal("a"), OPERAND_NONE);
	assert_int_equal(literal("\"b\\\"c\""), OPERAND_ODD);
	operands_add(&found, INCLUDE_MACRO, "a", 1);
	operands_add(&found, INCLUDE_MACRO, "a", 1);
	assert_int_equal(operands_end(&found), 0);
	assert_int_equal(list.len, 18);
	assert_memory_equal(list.data, "!\1\0\1a\2\0\1a\1\0\2b\\\4\0\1a", 18);
	buf_fini(&list);
}

static void
test_too_long(void **state)
{
	struct buf list;

	(void)state;
	buf_init(&list, 9);
	buf_put(&list, "!", 1);
	operands_init(&found, &list);
	operands_add(&found, INCLUDE_QUOTE, "ab", 2);
	assert_int_equal(list.len, 6);
	operands_add(&found, INCLUDE_QUOTE, "c", 1);
	assert_int_equal(operands_end(&found), IM_ERR_LIMIT);
	assert_int_equal(list.len, 1);
	assert_int_equal(buf_err(&list), 0);
	buf_fini(&list);
}

static void
test_names(void **state)
{
	static const char *const good[] = {"A", "_", "a1$", "__X", "____"};
	static const char *const bad[] = {"", "1a", "\xc3\xa4", "__FILE__"};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
		assert_true(operand_is_name(good[i], good[i] + strlen(good[i])));
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		assert_false(operand_is_name(bad[i], bad[i] + strlen(bad[i])));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_list),
	        cmocka_unit_test(test_too_long),
	        cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
