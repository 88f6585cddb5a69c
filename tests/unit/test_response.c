#include "exec/response.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

static int
enter(void **state)
{
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	return cwd ? scratch_enter(cwd) : -1;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

static int
expand(const char *word, int *argc, char ***out)
{
	char *argv[] = {"gcc", (char *)(uintptr_t)word, "-c", NULL};

	return args_expand(3, argv, argc, out);
}

static void
test_none(void **state)
{
	char **out = (char **)1;
	int argc = 0;

	(void)state;
	assert_int_equal(expand("a@b", &argc, &out), 0);
	assert_null(out);
	assert_int_equal(argc, 3);
	assert_int_equal(expand("@", &argc, &out), 0);
	assert_null(out);
}

static void
test_quotes(void **state)
{
	static const char *const want[] = {
	        "gcc", "-DA=b c", "-DQ=\"x\"", "it's", "a\\b", "", "e f", "-c"};
	char **out = NULL;
	int argc = 0;

	(void)state;
	assert_int_equal(
	        scratch_text("r", " -DA='b c'\n\t\"-DQ=\\\"x\\\"\" it\\'s a\\\\b '' e\\ f\r\n"), 0);
	assert_int_equal(expand("@r", &argc, &out), 0);
	assert_int_equal(argc, 8);
	for (int i = 0; i < argc; i++)
		assert_string_equal(out[i], want[i]);
	assert_null(out[argc]);
	free(out);
}

static void
test_nested(void **state)
{
	char **out = NULL;
	int argc = 0;

	(void)state;
	assert_int_equal(scratch_text("outer", "-O2 @inner @empty -g"), 0);
	assert_int_equal(scratch_text("inner", "-Ix"), 0);
	assert_int_equal(scratch_text("empty", " \n"), 0);
	assert_int_equal(expand("@outer", &argc, &out), 0);
	assert_int_equal(argc, 5);
	assert_string_equal(out[2], "-Ix");
	assert_string_equal(out[3], "-g");
	free(out);
}

static void
test_refused(void **state)
{
	char **out = NULL, *big;
	int argc = -1;

	(void)state;
	assert_int_equal(expand("@absent", &argc, &out), IM_ERR_SYSTEM);
	assert_int_equal(scratch_text("loop", "-a @loop"), 0);
	assert_int_equal(expand("@loop", &argc, &out), IM_ERR_LIMIT);
	assert_int_equal(scratch_text("quote", "-a 'b"), 0);
	assert_int_equal(expand("@quote", &argc, &out), IM_ERR_FORMAT);
	assert_int_equal(scratch_write("nul", "a\0b", 3, 0644), 0);
	assert_int_equal(expand("@nul", &argc, &out), IM_ERR_FORMAT);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	assert_int_equal(expand("@fifo", &argc, &out), IM_ERR_SYSTEM);
	big = calloc(1, RESPONSE_BYTES_MAX + 1);
	memset(big, 'a', RESPONSE_BYTES_MAX + 1);
	assert_int_equal(scratch_write("big", big, RESPONSE_BYTES_MAX + 1, 0644), 0);
	assert_int_equal(expand("@big", &argc, &out), IM_ERR_LIMIT);
	memset(big, ' ', RESPONSE_BYTES_MAX);
	for (int i = 0; i < RESPONSE_BYTES_MAX; i += 2)
		big[i] = 'x';
	assert_int_equal(scratch_write("many", big, RESPONSE_BYTES_MAX, 0644), 0);
	assert_int_equal(expand("@many", &argc, &out), IM_ERR_LIMIT);
	free(big);
	assert_null(out);
	assert_int_equal(argc, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_none),
	        cmocka_unit_test(test_quotes),
	        cmocka_unit_test(test_nested),
	        cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
