#include "client/suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const char *const names[] = {
        "init", "invite", "join", "leave", "peers", "status", "toolchain"};

static const char *
near(const char *word)
{
	return suggest(word, names, sizeof names / sizeof names[0]);
}

static void
test_suggest(void **state)
{
	(void)state;
	assert_string_equal(near("pers"), "peers");
	assert_string_equal(near("stauts"), "status");
	assert_string_equal(near("toolchian"), "toolchain");
	assert_string_equal(near("jion"), "join");
	assert_null(near("xy"));
	assert_null(near(""));
	assert_null(near("a word that is much longer than any command could ever be"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_suggest)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
