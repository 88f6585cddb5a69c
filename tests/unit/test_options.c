#include "exec/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>
#include "exec/reason.h"

static void
test_sorted(void **state)
{
	unsigned n = 0;

	(void)state;
	for (const struct option *o = option_row(0), *next; (next = option_row(n + 1));
	        o = next, n++) {
		int c = strcmp(o->name, next->name);

		if (c > 0 || (c == 0 && o->compilers & next->compilers))
			fail_msg("row %u: %s before %s", n, o->name, next->name);
	}
	assert_true(n > 300);
}

static void
test_rows_are_whole(void **state)
{
	(void)state;
	for (unsigned i = 0; option_row(i); i++) {
		const struct option *o = option_row(i);
		int reasoned = o->class == OPT_LOCAL || o->class == OPT_SOURCE ||
		               o->class == OPT_INPUT || o->class == OPT_NATIVE ||
		               o->class == OPT_ASK;

		if (!o->forms || !o->compilers || o->name[0] != '-' || !!o->reason != reasoned)
			fail_msg("row %s", o->name);
		if (o->reason && !reason_find(o->reason))
			fail_msg("row %s: reason %s is not in the list", o->name, o->reason);
		if (o->forms & FORM_EXACT && o->forms & FORM_SEPARATE)
			fail_msg("row %s: with or without an operand?", o->name);
	}
}

static void
finds(const char *word, enum option_compiler c, const char *name, enum option_form form)
{
	enum option_form how = 0;
	const struct option *o = option_find(word, c, &how);

	if (!name) {
		if (o)
			fail_msg("%s found as %s", word, o->name);
		return;
	}
	if (!o || strcmp(o->name, name) != 0 || how != form)
		fail_msg("%s found as %s, form %d", word, o ? o->name : "nothing", how);
}

static void
test_longest_name_wins(void **state)
{
	(void)state;
	finds("-Ifoo", FOR_GCC, "-I", FORM_JOINED);
	finds("-I", FOR_GCC, "-I", FORM_SEPARATE);
	finds("-include", FOR_CLANG, "-include", FORM_SEPARATE);
	finds("-include-pch", FOR_CLANG, "-include-pch", FORM_SEPARATE);
	finds("-std=c99", FOR_GCC, "-std", FORM_EQUALS);
	finds("--sysroot=/x", FOR_GCC, "--sysroot", FORM_EQUALS);
	finds("--sysroot", FOR_GCC, "--sysroot", FORM_SEPARATE);
	finds("-march=native", FOR_GCC, "-march=native", FORM_EXACT);
	finds("-march=native2", FOR_GCC, "-march", FORM_EQUALS);
	finds("-ftime-trace-granularity=5", FOR_CLANG, "-ftime-trace-granularity", FORM_EQUALS);
	finds("-ftime-report", FOR_CLANG, "-ftime-", FORM_JOINED);
	finds("-fprofile-use", FOR_GCC, "-fprofile-use", FORM_EXACT);
	finds("-fprofile-usx", FOR_GCC, "-fprofile-", FORM_JOINED);
	finds("-fprofile-generate", FOR_GCC, "-fprofile-generate", FORM_EXACT);
	finds("-fplugin=x.so", FOR_GCC, "-fplugin", FORM_EQUALS);
	finds("-fplugin-arg-x-y=1", FOR_GCC, "-fplugin-arg-", FORM_JOINED);
	finds("-fomit-frame-pointer", FOR_GCC, "-f", FORM_JOINED);
	finds("-flto", FOR_GCC, "-flto", FORM_EXACT);
	finds("-Wa,-a", FOR_GCC, "-Wa,", FORM_JOINED);
	finds("-Wall", FOR_GCC, "-Wall", FORM_EXACT);
	finds("-Wall", FOR_CLANG, "-W", FORM_JOINED);
	finds("-O2", FOR_GCC, "-O", FORM_JOINED);
	finds("-O", FOR_GCC, "-O", FORM_EXACT);
	finds("-target", FOR_CLANG, "-target", FORM_SEPARATE);
	finds("-target", FOR_GCC, NULL, 0);
	finds("--unknown", FOR_GCC, NULL, 0);
	finds("-", FOR_GCC, NULL, 0);
}

static void
test_general_rows_name_no_file(void **state)
{
	(void)state;
	finds("-fnew-thing=3", FOR_GCC, "-f", FORM_JOINED);
	finds("-fnew-thing=file", FOR_GCC, NULL, 0);
	finds("-fnew-thing=/tmp/x", FOR_GCC, NULL, 0);
	finds("-fnew/thing", FOR_GCC, NULL, 0);
	finds("-mnew-thing", FOR_GCC, "-m", FORM_JOINED);
	finds("-mnew=12", FOR_GCC, "-m", FORM_JOINED);
	finds("-mnew=word-1.2", FOR_GCC, NULL, 0);
	finds("-mnew=a/b", FOR_GCC, NULL, 0);
	finds("-gnew=word", FOR_GCC, NULL, 0);
	finds("-gdwarf-5", FOR_GCC, "-g", FORM_JOINED);
	finds("-Wnew=/x", FOR_GCC, NULL, 0);
	finds("-gnew=/x", FOR_GCC, NULL, 0);
	assert_true(
	        option_harmless("-x") && option_harmless("-x=12") && option_harmless("-x=true"));
	assert_false(
	        option_harmless("-x=") || option_harmless("-x=1a") || option_harmless("-a/b=1"));
}

static void
test_long_words(void **state)
{
	char word[5000];

	(void)state;
	memset(word, 'a', sizeof(word) - 1);
	word[sizeof(word) - 1] = 0;
	word[0] = '-';
	finds(word, FOR_GCC, NULL, 0);
	word[1] = 'f';
	finds(word, FOR_GCC, "-f", FORM_JOINED);
	word[1] = 'D';
	finds(word, FOR_GCC, "-D", FORM_JOINED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_sorted),
	        cmocka_unit_test(test_rows_are_whole),
	        cmocka_unit_test(test_longest_name_wins),
	        cmocka_unit_test(test_general_rows_name_no_file),
	        cmocka_unit_test(test_long_words),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
