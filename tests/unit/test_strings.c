#include "exec/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void
test_pack(void **state)
{
	struct strings s;
	char **out = NULL;

	(void)state;
	strings_init(&s, 1000);
	for (int i = 0; i < 200; i++)
		strings_add(&s, i % 2 ? "odd" : "");
	assert_int_equal(strings_pack(&s, &out), 0);
	strings_fini(&s);
	assert_string_equal(out[0], "");
	assert_string_equal(out[199], "odd");
	assert_null(out[200]);
	free(out);
}

static void
test_splice(void **state)
{
	static const char *const three[] = {"x", "y", "z"};
	struct strings s;

	(void)state;
	strings_init(&s, 5);
	strings_add(&s, "a");
	strings_add(&s, "b");
	strings_add(&s, "c");
	strings_splice(&s, 1, three, 0);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.at[1], "c");
	strings_splice(&s, 0, three, 3);
	assert_int_equal(s.n, 4);
	assert_string_equal(s.at[2], "z");
	assert_string_equal(s.at[3], "c");
	strings_fini(&s);
}

static void
test_limit(void **state)
{
	struct strings s;
	char **out = NULL;

	(void)state;
	strings_init(&s, 2);
	strings_add(&s, "a");
	strings_add(&s, "b");
	assert_int_equal(s.err, 0);
	strings_add(&s, "c");
	assert_int_equal(strings_pack(&s, &out), IM_ERR_LIMIT);
	assert_null(out);
	strings_fini(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_pack),
	        cmocka_unit_test(test_splice),
	        cmocka_unit_test(test_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
