/* What belongs to a program: links on the way, folders left through "..", libraries. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/closure.h"
#include "exec/scratch.h"
#include "tests/unit/scratch.h"

static char cwd[PATH_MAX], why[256];
static struct closure *c;

static int
start(void **state)
{
	(void)state;
	c = malloc(sizeof(*c));
	closure_init(c, why);
	return scratch_enter(cwd);
}

static int
stop(void **state)
{
	(void)state;
	closure_fini(c);
	free(c);
	scratch_leave(cwd);
	return 0;
}

static const struct manifest_entry *
entry(const char *format, const char *tail)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), format, cwd, tail);
	for (uint32_t i = 0; i < c->n; i++) {
		if (strcmp(c->entries[i].path, path) == 0)
			return &c->entries[i];
	}
	return NULL;
}

static int
add(const char *path)
{
	char absolute[PATH_MAX + 64];

	snprintf(absolute, sizeof(absolute), "%s/%s", cwd, path);
	return closure_add_file(c, absolute);
}

static void
links_and_folders_are_noted(void **state)
{
	FILE *f;

	(void)state;
	assert_int_equal(mkdir("real", 0755), 0);
	assert_int_equal(mkdir("real/deep", 0755), 0);
	assert_int_equal(symlink("real", "alias"), 0);
	f = fopen("real/cc-12", "w");
	fclose(f);
	assert_int_equal(chmod("real/cc-12", 0700), 0);
	assert_int_equal(symlink("cc-12", "real/cc"), 0);
	assert_int_equal(add("alias/deep/../cc"), 0);
	assert_int_equal(c->n, 4);
	assert_string_equal(entry("%s/%s", "alias")->target, "real");
	assert_string_equal(entry("%s/%s", "real/cc")->target, "cc-12");
	assert_int_equal(entry("%s/%s", "real/deep")->kind, MANIFEST_FOLDER);
	assert_int_equal(entry("%s/%s", "real/cc-12")->kind, MANIFEST_FILE);
	assert_int_equal(entry("%s/%s", "real/cc-12")->mode, 0755);
	assert_int_equal(add("real/cc"), 0);
	assert_int_equal(c->n, 4);
}

static void
what_is_no_file_is_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("loop", "loop"), 0);
	assert_int_equal(add("loop"), IM_ERR_LIMIT);
	assert_int_equal(add("absent"), IM_ERR_ABSENT);
	assert_int_equal(add("."), IM_ERR_ABSENT);
	assert_int_equal(closure_add_file(c, "relative"), IM_ERR_ABSENT);
	assert_non_null(strstr(why, "relative"));
}

static void
libraries_come_along(void **state)
{
	struct elf elf;
	char self[PATH_MAX] = "";
	int libc = 0, sorted = 1;

	(void)state;
	assert_true(readlink("/proc/self/exe", self, sizeof(self) - 1) > 0);
	assert_int_equal(closure_add_program(c, self, &elf), 0);
	closure_sort(c);
	for (uint32_t i = 0; i < c->n; i++) {
		libc |= strstr(c->entries[i].path, "libc.so") != NULL ||
		        strstr(c->entries[i].path, "musl") != NULL;
		sorted &= i == 0 || strcmp(c->entries[i - 1].path, c->entries[i].path) < 0;
	}
	assert_true(libc);
	assert_true(sorted);
	assert_string_equal(c->libraries, "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(links_and_folders_are_noted, start, stop),
	        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, start, stop),
	        cmocka_unit_test_setup_teardown(libraries_come_along, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
