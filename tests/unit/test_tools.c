#include "client/tools.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static char dir[64];

static void
make_file(const char *name, mode_t mode)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

static int
set_up(void **state)
{
	char target[128], path[128];

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-test.XXXXXX");
	assert_non_null(mkdtemp(dir));
	for (const char *const *p = (const char *const[]){"links", "real", "wrapper", NULL};
	        *p != NULL; p++) {
		snprintf(path, sizeof path, "%s/%s", dir, *p);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	make_file("wrapper/icemesh-cc", 0755);
	make_file("real/gcc", 0755);
	make_file("real/text", 0644);
	snprintf(target, sizeof target, "%s/wrapper/icemesh-cc", dir);
	snprintf(path, sizeof path, "%s/links/gcc", dir);
	assert_int_equal(symlink(target, path), 0);
	return 0;
}

static int
tear_down(void **state)
{
	static const char *const names[] = {"links/gcc", "real/gcc", "real/text",
	        "wrapper/icemesh-cc", "links", "real", "wrapper", ""};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		snprintf(path, sizeof path, "%s/%s", dir, names[i]);
		assert_int_equal(remove(path), 0);
	}
	return 0;
}

static int
find(const char *name, const char *fmt, char out[256])
{
	char path[512];

	snprintf(path, sizeof path, fmt, dir, dir);
	return tools_compiler(name, path, out, 256);
}

static void
test_compiler(void **state)
{
	char out[256], want[256];

	(void)state;
	snprintf(want, sizeof want, "%s/real/gcc", dir);
	assert_int_equal(find("gcc", "%s/links:%s/real", out), 0);
	assert_string_equal(out, want);
	assert_int_equal(find("gcc", "relative::%s/nothing:%s/real", out), 0);
	assert_string_equal(out, want);
	assert_int_equal(find("gcc", "%s/links", out), IM_ERR_ABSENT);
	assert_int_equal(find("text", "%s/links:%s/real", out), IM_ERR_ABSENT);
	assert_int_equal(find("", "%s/links:%s/real", out), IM_ERR_ABSENT);
	assert_int_equal(tools_compiler("gcc", "", out, sizeof out), IM_ERR_ABSENT);
}

static void
test_same(void **state)
{
	char path[256], *own = strdup(getenv("PATH"));

	(void)state;
	snprintf(path, sizeof path, "%s/nothing:%s/real", dir, dir);
	assert_false(tools_same("gcc", path));
	assert_true(tools_same("no such program", dir));
	assert_int_equal(setenv("PATH", path, 1), 0);
	assert_true(tools_same("gcc", path + strlen(dir) + strlen("/nothing:")));
	assert_false(tools_same("gcc", "/nowhere"));
	assert_true(tools_same("text", "/nowhere"));
	assert_int_equal(setenv("PATH", own, 1), 0);
	free(own);
}

static void
test_written(void **state)
{
	char out[256], name[128];

	(void)state;
	snprintf(name, sizeof name, "%s/real/gcc", dir);
	assert_int_equal(tools_compiler(name, "", out, sizeof out), 0);
	assert_string_equal(out, name);
	assert_int_equal(tools_compiler(name, "", out, 8), IM_ERR_LIMIT);
	snprintf(name, sizeof name, "%s/links/gcc", dir);
	assert_int_equal(tools_compiler(name, "", out, sizeof out), IM_ERR_REFUSED);
	assert_true(tools_is_wrapper(name));
	assert_false(tools_is_wrapper("/bin/sh"));
	assert_int_equal(tools_compiler("./nothing", "", out, sizeof out), IM_ERR_ABSENT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_compiler),
	        cmocka_unit_test(test_same), cmocka_unit_test(test_written)};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
