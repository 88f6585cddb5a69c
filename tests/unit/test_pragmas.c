/* client/pragmas: a swallowed pragma is found wherever the stream is cut, and harmless files are left alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "client/pragmas.h"

static char dir[64];

static void
write_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The format's %s is the folder; the text is handed over in pieces of every length. */
static bool
seen(const char *format)
{
	static struct pragmas p;
	char text[512];
	bool first = false;

	snprintf(text, sizeof text, format, dir, dir);
	for (size_t piece = 1; piece <= strlen(text); piece++) {
		bool found = false;
		pragmas_init(&p);
		for (size_t at = 0; at < strlen(text); at += piece) {
			size_t left = strlen(text) - at;
			found = pragmas_scan(&p, text + at, left < piece ? left : piece);
		}
		if (piece > 1)
			assert_int_equal(found, first);
		first = found;
	}
	return first;
}

static void
test_finds(void **state)
{
	(void)state;
	assert_true(seen("# 1 \"%s/pop.h\"\n       \n"));
	assert_true(seen(
	        "# 1 \"%s/once.h\"\n       \n# 1 \"%s/pop.h\" 1 3 4\n/* c */         \nint x;\n"));
	assert_true(seen("# 1 \"%s/poi\\163on \\\"\\\\.h\"\n\t         \n"));
	assert_true(seen("# 1 \"%s/absent.h\"\n       \n"));
}

static void
test_leaves_alone(void **state)
{
	(void)state;
	assert_false(seen("# 1 \"%s/once.h\"\n       \nint x;\n       \n"));
	assert_false(seen("# 1 \"%s/pop.h\"\n      \nint x;      \n\n#define A        1\n"));
	assert_false(seen("# 1 \"%s/pop.h\"\n# 1 \"%s/once.h\"\n       \n"));
	assert_false(seen("# 1 \"%s/absent.h\"\nint x;\n"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_finds), cmocka_unit_test(test_leaves_alone)};
	char command[96];
	int failed;

	snprintf(dir, sizeof dir, "/tmp/icemesh-pragmas-XXXXXX");
	if (!mkdtemp(dir))
		return 1;
	write_file("pop.h", "#pragma pop_macro(\"A\")\n");
	write_file("poison \"\\.h", "#pragma GCC \\\n\tpoison x\n");
	write_file("once.h", "#pragma once\n/* poison pill, pop_macro */\n");
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof command, "rm -rf '%s'", dir);
	return system(command) != 0 || failed;
}
