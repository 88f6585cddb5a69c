#include "client/computed.h"

#include "tests/unit/inputs_case.h"

static int
start(void **state)
{
	if (begin(state))
		return -1;
	rig_search(rig, "inc");
	return mkdir("inc", 0755) || scratch_text("inc/one.h", "#include \"two.h\"\n") ||
	       scratch_text("inc/two.h", "");
}

static int
find(const char *source)
{
	assert_int_equal(scratch_text("a.c", source), 0);
	return rig_find(rig, rig->cwd, "a.c");
}

static void
defined_where_it_is_used(void **state)
{
	(void)state;
	assert_int_equal(find("#define M <one.h>\n#include M\n"), 0);
	assert_true(rig_follows(rig, "a.c", "inc/one.h"));
	assert_true(rig_follows(rig, "inc/one.h", "inc/two.h"));
}

static void
defined_anywhere_and_more_than_once(void **state)
{
	(void)state;
	assert_int_equal(scratch_text("inc/defs.h",
	                         "#if 0\n#define M \"one.h\"\n#else\n#define M N\n#endif\n"),
	        0);
	assert_int_equal(scratch_text("inc/one.h", "#define N <three.h>\n#include M\n"), 0);
	assert_int_equal(scratch_text("inc/three.h", ""), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(find("#include <defs.h>\n#include M\n"), 0);
		assert_true(rig_follows(rig, "a.c", "inc/one.h"));
		assert_true(rig_follows(rig, "a.c", "inc/three.h"));
		assert_true(rig_follows(rig, "inc/one.h", "inc/three.h"));
		rig->later_ns = 10000000000;
	}
}

static void
defined_on_the_command_line(void **state)
{
	static const char *const macros[] = {"OTHER", "M=\"one.h\"", "F(x)=x"};

	(void)state;
	rig->search.macros = (const char **)macros;
	rig->search.nmacros = 3;
	assert_int_equal(find("#include M\n"), 0);
	assert_true(rig_follows(rig, "a.c", "inc/one.h"));
	assert_int_equal(find("#include OTHER\n"), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "computed include OTHER in the command line"));
	assert_int_equal(find("#include F\n"), IM_ERR_REFUSED);
}

static void
defined_nowhere(void **state)
{
	(void)state;
	assert_int_equal(find("#include M\n"), 0);
	/* but the compiler may */
	assert_int_equal(find("#include __FILE__\n"), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "a.c: computed include"));
}

static void
defined_as_something_else(void **state)
{
	static const char *const bodies[] = {"X(y)", "\"one\" \".h\"", "<one.h", "(x)"};
	char source[128];

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		snprintf(source, sizeof(source), "#define M %s\n#ifdef A\n#include M\n#endif\n",
		        bodies[i]);
		assert_int_equal(find(source), IM_ERR_REFUSED);
		assert_non_null(strstr(rig->why, "computed include M in "));
	}
	/* No file includes it. */
	assert_int_equal(find("#define M X(y)\n"), 0);
	/* Round in a circle. */
	assert_int_equal(find("#define M N\n#define N M\n#include M\n"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(defined_where_it_is_used),
	        TEST(defined_anywhere_and_more_than_once), TEST(defined_on_the_command_line),
	        TEST(defined_nowhere), TEST(defined_as_something_else)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
