/* exec/text: splices, trigraphs, gaps and words, and which state each byte of a text is in. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include "exec/text.h"

static const struct {
	const char *bytes, *read, *with_trigraphs;
	bool odd;
} readings[] = {
        {"", "", "", false},
        {"a\\\nb", "ab", "ab", false},
        {"a\\\r\nb\\\rc", "abc", "abc", false},
        {"a\\ \t\v\f\nb", "ab", "ab", false},
        {"a\\b\\", "a\\b\\", "a\\b\\", false},
        {"a\\\\\nb", "a\\b", "a\\b", false},
        {"\\\n\\\na", "a", "a", false},
        {"a\\\n\rb", "a\rb", "a\rb", true},
        {"?\?=?\?(?\?)?\?<?\?>?\?!?\?'?\?-", "?\?=?\?(?\?)?\?<?\?>?\?!?\?'?\?-", "#[]{}|^~", false},
        {"a?\?/\nb", "a?\?/\nb", "ab", false},
        {"?\?\?=?\?a?\?", "?\?\?=?\?a?\?", "?#?\?a?\?", false},
};

static void
test_readings(void **state)
{
	struct text t;

	(void)state;
	for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
		for (int trigraphs = 0; trigraphs < 2; trigraphs++) {
			const char *bytes = readings[i].bytes;
			const char *expected =
			        trigraphs ? readings[i].with_trigraphs : readings[i].read;
			assert_int_equal(text_init(&t, bytes, strlen(bytes), trigraphs), 0);
			assert_int_equal(t.end - t.at, strlen(expected));
			assert_memory_equal(t.at, expected, strlen(expected));
			assert_int_equal(t.odd, readings[i].odd);
			text_fini(&t);
			assert_int_equal(text_has_trigraphs(bytes, strlen(bytes)),
			        strstr(bytes, "?\?=") || strstr(bytes, "?\?/"));
		}
}

/* Below each byte its state: c code, / comment, s string, ? unsure. */
static const struct {
	const char *bytes, *states;
} lexed[] = {
        {"a/b/*c*/d//e", "ccc/////c///"},
        {"a//\"\nb/*\"\n*/c", "c///cc//////c"},
        {"\"a\\\"/*\"b", "sssssssc"},
        {"\"a\nb'c\nd", "ssccsscc"},
        {"'\"'\"'\"a", "ssssssc"},
        {"1'0'0'a'", "cccccccs"},
        {"u8'a'", "ccsss"},
        {"1'0 /*", "c?????"},
        {"1'0/**/", "ccc////"},
        {"xR\"(a", "ccsss"},
        {"R\"(a", "c???"},
        {"=u8R\"(", "cccc??"},
        {"/*/a", "////"},
        {"#i<a/*", "cccc??"},
        {" i<a/*", "cccc//"},
};

static char
state_letter(enum text_state state)
{
	return "c/s?"[state];
}

static void
test_states(void **state)
{
	struct text t;

	(void)state;
	for (size_t i = 0; i < sizeof lexed / sizeof lexed[0]; i++) {
		size_t len = strlen(lexed[i].bytes);
		char forward[32] = "", backward[32] = "";
		assert_int_equal(text_init(&t, lexed[i].bytes, len, false), 0);
		for (size_t k = 0; k < len; k++)
			forward[k] = state_letter(text_state(&t, t.at + k));
		for (size_t k = len; k-- > 0;)
			backward[k] = state_letter(text_state(&t, t.at + k));
		assert_string_equal(forward, lexed[i].states);
		assert_string_equal(backward, forward);
		text_fini(&t);
	}
}

static void
test_gaps_and_words(void **state)
{
	static const char bytes[] = " /* a */\t/**/ ab1$_\xc3\xa4+ (\n // x\n\v*/ #";
	const char *p, *end;
	struct text t;

	(void)state;
	assert_int_equal(text_init(&t, bytes, sizeof bytes - 1, false), 0);
	p = text_gap(&t, t.at);
	end = text_word(&t, p);
	assert_true(text_is(p, end, "ab1$_\xc3\xa4"));
	assert_false(text_is(p, end, "ab1"));
	assert_ptr_equal(text_word(&t, end), end);
	assert_true(text_begins_word(&t, p));
	assert_false(text_begins_word(&t, p + 1));
	assert_ptr_equal(text_word_begin(&t, p + 2), p);
	p = strchr(bytes, '(') + 1;
	assert_ptr_equal(text_word_before(&t, p, &end), p - 2); /* only a sign */
	p = text_gap(&t, p + 1);
	assert_ptr_equal(p, text_line_end(&t, p));
	assert_true(text_begins_line(&t, p + 1));
	assert_true(text_begins_line(&t, t.end - 1));
	assert_true(text_directive(&t, t.end - 1));
	assert_false(text_begins_line(&t, p - 1));
	assert_ptr_equal(text_gap(&t, t.end), t.end);
	assert_false(text_tired(&t));
	text_fini(&t);
}

/* Comments that are walked over again and again end the patience. */
static void
test_tired(void **state)
{
	size_t len = 65536;
	char *bytes = malloc(len);
	struct text t;

	(void)state;
	assert_non_null(bytes);
	memset(bytes, ' ', len);
	assert_int_equal(text_init(&t, bytes, len, false), 0);
	for (int i = 0; i < 8; i++)
		assert_ptr_equal(text_gap(&t, t.at), t.end);
	assert_false(text_tired(&t));
	text_gap(&t, t.at);
	text_gap(&t, t.at);
	assert_true(text_tired(&t));
	text_fini(&t);
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_readings),
	        cmocka_unit_test(test_states),
	        cmocka_unit_test(test_gaps_and_words),
	        cmocka_unit_test(test_tired),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
