/* With the real gcc (skipped where there is none): what it prints under many locale settings is,
 * byte for byte, what it prints under the one chosen for a peer, whenever locale_remote() says
 * so.  Locales that the machine lacks are made in the test's own folder. */
#include "client/locale.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <spawn.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

#define ENV_MAX 8

static char cwd[PATH_MAX], path_variable[PATH_MAX], locpath[PATH_MAX + 16];

static int
run(char *const *argv, char *const *environment, const char *err)
{
	posix_spawn_file_actions_t files;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, err, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environment) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&files);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool
make_locale(const char *source, const char *charmap, const char *name)
{
	char *argv[] = {"localedef", "-i", (char *)(uintptr_t)source, "-f",
	        (char *)(uintptr_t)charmap, NULL, NULL};
	char *environment[] = {path_variable, NULL}, folder[256];

	snprintf(folder, sizeof folder, "./locales/%s", name);
	argv[5] = folder;
	return run(argv, environment, "/dev/null") == 0;
}

static int
enter(void **state)
{
	(void)state;
	snprintf(path_variable, sizeof path_variable, "PATH=%s", getenv("PATH"));
	if (scratch_enter(cwd) || mkdir("locales", 0755))
		return -1;
	snprintf(locpath, sizeof locpath, "LOCPATH=%s/locales", cwd);
	if (scratch_text("a.c", "#warning \"hello\"\nint f(int z\xc3\xbc) { int x; if (x = "
	                        "z\xc3\xbc) return y\xc3\xbc; }\n"))
		return -1;
	return 0;
}

static int
leave(void **state)
{
	(void)state;
	return scratch_leave(cwd);
}

/* gcc's words about a source with faults and about one that is not there. */
static void
print(char *const *environment, char **text, size_t *len)
{
	char *fault[] = {"gcc", "-Wall", "-c", "a.c", NULL},
	     *absent[] = {"gcc", "-c", "none.c", NULL};
	size_t n[2] = {0, 0};
	char *part[2];

	(void)!run(fault, environment, "fault");
	(void)!run(absent, environment, "absent");
	part[0] = scratch_read("fault", &n[0]);
	part[1] = scratch_read("absent", &n[1]);
	assert_true(part[0] && part[1] && n[0] > 100 && n[1] > 20);
	*text = malloc(n[0] + n[1]);
	assert_non_null(*text);
	memcpy(*text, part[0], n[0]);
	memcpy(*text + n[0], part[1], n[1]);
	*len = n[0] + n[1];
	free(part[0]);
	free(part[1]);
}

/* variables: up to three; remote: what locale_remote() is to say, -1 when it depends on the
 * machine. */
static void
one(char *const *variables, int remote)
{
	char *here[ENV_MAX] = {path_variable}, *there[] = {path_variable, NULL, NULL}, *a, *b;
	const char *lc_all = NULL;
	size_t an, bn;
	bool same;

	for (int i = 0; variables[i]; i++)
		here[i + 1] = variables[i];
	same = locale_remote(here, &lc_all);
	if (remote >= 0 && same != remote)
		fail_msg("%s...: %d", variables[0] ? variables[0] : "nothing", same);
	there[1] = (char *)(uintptr_t)lc_all;
	print(here, &a, &an);
	print(there, &b, &bn);
	if (same != (an == bn && memcmp(a, b, an) == 0) && (same || remote == 0))
		fail_msg("%s... and %s: said %d\n%.*s\n%.*s",
		        variables[0] ? variables[0] : "nothing", lc_all, same, (int)an, a, (int)bn,
		        b);
	free(a);
	free(b);
}

#define ONE(remote, ...) one((char *[]){__VA_ARGS__, NULL}, remote)

static bool
have_gcc(void)
{
	char *argv[] = {"gcc", "--version", NULL}, *environment[] = {path_variable, NULL};

	return run(argv, environment, "/dev/null") == 0;
}

static void
test_plain_locales(void **state)
{
	(void)state;
	if (!have_gcc() || access("/usr/lib/locale/C.utf8/LC_CTYPE", R_OK) != 0)
		skip();
	ONE(1, NULL);
	ONE(1, "LC_ALL=C");
	ONE(1, "LC_ALL=POSIX", "LANG=C.UTF-8");
	ONE(1, "LC_ALL=", "LANG=C.UTF-8");
	ONE(1, "LC_ALL=C.UTF-8");
	ONE(1, "LANG=C.utf8");
	ONE(1, "LC_CTYPE=C.UTF-8");
	ONE(1, "LC_MESSAGES=C.UTF-8");
	ONE(1, "LANG=C.UTF-8", "LC_CTYPE=C");
	ONE(1, "LANG=C.UTF-8", "LC_ALL=xx_YY.UTF-8");
	ONE(1, "LANG=C", "LANGUAGE=de");
	ONE(1, "LANG=C.UTF-8", "LANGUAGE=C:de");
	ONE(1, "LANG=C.UTF-8", "LANGUAGE=en");
	ONE(-1, "LANG=C.UTF-8", "LANGUAGE=en:de");
	ONE(-1, "LC_ALL=en_US.UTF-8");
	ONE(-1, "LC_ALL=en_US");
	ONE(-1, "LC_ALL=de_DE.UTF-8");
}

static void
test_made_locales(void **state)
{
	(void)state;
	if (!have_gcc() || !make_locale("en_US", "UTF-8", "en_US.UTF-8") ||
	        !make_locale("en_US", "ISO-8859-1", "en_US.ISO-8859-1") ||
	        !make_locale("de_DE", "UTF-8", "de_DE.UTF-8"))
		skip();
	putenv(locpath);
	ONE(1, locpath, "LC_ALL=en_US.UTF-8");
	ONE(1, locpath, "LANG=en_US.UTF-8", "LC_CTYPE=C");
	ONE(1, locpath, "LC_CTYPE=en_US.UTF-8");
	ONE(0, locpath, "LC_ALL=en_US.ISO-8859-1");
	ONE(-1, locpath, "LC_ALL=de_DE.UTF-8");
	ONE(-1, locpath, "LC_ALL=en_US.UTF-8", "LANGUAGE=de_AT");
	ONE(-1, locpath, "LC_ALL=C.UTF-8");
	unsetenv("LOCPATH");
}

static void
test_catalogues(void **state)
{
	(void)state;
	assert_int_equal(mkdir("de", 0755), 0);
	assert_int_equal(mkdir("de/LC_MESSAGES", 0755), 0);
	assert_int_equal(mkdir("zh_TW", 0755), 0);
	assert_int_equal(mkdir("zh_TW/LC_MESSAGES", 0755), 0);
	assert_int_equal(scratch_text("zh_TW/LC_MESSAGES/cpplib-12.mo", ""), 0);
	assert_int_equal(scratch_text("de/LC_MESSAGES/tar.mo", ""), 0);
	assert_false(locale_translated(".", "de_DE.UTF-8"));
	assert_int_equal(scratch_text("de/LC_MESSAGES/gcc-12.mo", ""), 0);
	assert_true(locale_translated(".", "de_DE.UTF-8"));
	assert_true(locale_translated(".", "de"));
	assert_true(locale_translated(".", "de_DE@euro"));
	assert_true(locale_translated(".", "en:fr:de_AT"));
	assert_false(locale_translated(".", "en:C:de"));
	assert_true(locale_translated(".", "zh_TW.Big5"));
	assert_false(locale_translated(".", "zh_CN"));
	assert_true(locale_translated(".", "german"));
	assert_true(locale_translated(".", "../x"));
	assert_true(locale_translated(
	        ".", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	assert_false(locale_translated(".", ""));
	assert_false(locale_translated(".", "C.UTF-8"));
	assert_false(locale_translated(".", "en_GB.UTF-8"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_plain_locales),
	        cmocka_unit_test(test_made_locales),
	        cmocka_unit_test(test_catalogues),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
