/* Where our own programs are looked for, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "mesh/programs.h"
#include "tests/unit/scratch.h"

static char dir[PATH_MAX];

static int
set_up(void **state)
{
	static const char *const folders[] = {
	        "bin", "sbin", "libexec", "libexec/icemesh", "libexec/icemesh/bin", "built"};

	(void)state;
	if (scratch_enter(dir) < 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
		if (mkdir(folders[i], 0755) < 0)
			return -1;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return scratch_leave(dir);
}

/* From dir/self, the program is the same file as dir/expected. */
static void
finds(const char *self, const char *expected)
{
	char from[PROGRAM_PATH_SIZE], fallback[PROGRAM_PATH_SIZE], out[PROGRAM_PATH_SIZE] = "";
	struct stat a, b;

	snprintf(from, sizeof from, "%.1000s/%.100s", dir, self);
	snprintf(fallback, sizeof fallback, "%.1000s/built", dir);
	assert_int_equal(program_find_from(from, fallback, "tool", out, sizeof out), 0);
	assert_int_equal(out[0], '/');
	assert_int_equal(stat(out, &a), 0);
	assert_int_equal(stat(expected, &b), 0);
	if (a.st_ino != b.st_ino)
		fail_msg("from %s: %s and not %s", self, out, expected);
}

static void
test_order(void **state)
{
	char out[PROGRAM_PATH_SIZE] = "as it was", from[PROGRAM_PATH_SIZE];

	(void)state;
	snprintf(from, sizeof from, "%.1000s/bin/icemesh", dir);
	assert_int_equal(
	        program_find_from(from, "/nowhere", "tool", out, sizeof out), IM_ERR_ABSENT);
	assert_string_equal(out, "as it was");
	assert_int_equal(scratch_write("built/tool", "", 0, 0755), 0);
	finds("bin/icemesh", "built/tool");
	assert_int_equal(scratch_write("sbin/tool", "", 0, 0755), 0);
	finds("bin/icemesh", "sbin/tool");
	finds("libexec/icemesh/icemesh-exec", "sbin/tool");
	assert_int_equal(scratch_write("libexec/icemesh/tool", "", 0, 0755), 0);
	finds("bin/icemesh", "libexec/icemesh/tool");
	finds("sbin/icemeshd", "sbin/tool");
	assert_int_equal(unlink("sbin/tool"), 0);
	finds("sbin/icemeshd", "libexec/icemesh/tool");
	assert_int_equal(scratch_write("bin/tool", "", 0, 0644), 0); /* no program */
	assert_int_equal(mkdir("bin/tool.d", 0755), 0);
	finds("bin/icemesh", "libexec/icemesh/tool");
	assert_int_equal(chmod("bin/tool", 0755), 0);
	finds("bin/icemesh", "bin/tool");
	assert_int_equal(unlink("bin/tool"), 0);
	assert_int_equal(mkdir("bin/tool", 0755), 0);
	finds("bin/icemesh", "libexec/icemesh/tool");
}

static void
test_limits(void **state)
{
	char out[PROGRAM_PATH_SIZE], longer[PROGRAM_PATH_SIZE + 10];

	(void)state;
	assert_int_equal(scratch_write("built/tool", "", 0, 0755), 0);
	memset(longer, 'x', sizeof longer);
	longer[0] = '/';
	longer[sizeof longer - 1] = 0;
	assert_int_equal(program_find_from(longer, longer, "tool", out, sizeof out), IM_ERR_LIMIT);
	assert_int_equal(program_find_from("", dir, "built/tool", out, 8), IM_ERR_LIMIT);
	assert_int_equal(program_find_from("", dir, "built/tool", out, sizeof out),
	        0); /* who does not know where it is */
	assert_int_equal(
	        program_find_from("/icemesh", "/nowhere", "tool", out, sizeof out), IM_ERR_ABSENT);
}

static void
test_beside_this_one(void **state)
{
	char out[PROGRAM_PATH_SIZE];

	(void)state;
	assert_int_equal(program_find("icemesh-no-such-program", out, sizeof out), IM_ERR_ABSENT);
	assert_int_equal(program_find("test_programs", out, sizeof out), 0);
	assert_int_equal(access(out, X_OK), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_order),
	        T(test_limits),
	        cmocka_unit_test(test_beside_this_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
