/* What compilers say about their search folders, as texts; a compiler that says nothing, fails, or
 * says too much. */
#include "client/builtin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

extern char **environ;

static const char gcc_text[] =
        "Using built-in specs.\n"
        "gcc version 12.2.0 (Debian 12.2.0-14) \n"
        "ignoring duplicate directory \"/usr/include\"\n"
        "  as it is a non-system directory that duplicates a system directory\n"
        "ignoring nonexistent directory \"/usr/local/include/x86_64-linux-gnu\"\n"
        "ignoring nonexistent directory \"/a \"quoted\" name\"\n"
        " /not/in/the/list\n"
        "#include \"...\" search starts here:\n"
        " quoted\n"
        "#include <...> search starts here:\n"
        " .\n"
        " /usr/lib/gcc/x86_64-linux-gnu/12/../include\n"
        " /with a blank \n"
        "End of search list.\n"
        " /behind\n"
        "COMPILER_PATH=/usr/lib/\n";

static const char clang_text[] =
        "Debian clang version 14.0.6\n"
        "Found candidate GCC installation: /usr/bin/../lib/gcc/x86_64-linux-gnu/11\n"
        "Selected GCC installation: /usr/bin/../lib/gcc/x86_64-linux-gnu/12\n"
        "#include \"...\" search starts here:\n"
        "#include <...> search starts here:\n"
        " /usr/include\n"
        "End of search list.\n";

static int
parse(struct builtin *b, const char *text)
{
	builtin_fini(b);
	builtin_init(b);
	return builtin_parse(b, text, strlen(text));
}

static void
texts(void **state)
{
	static const char folders[] =
	        "/usr/include\0/usr/local/include/x86_64-linux-gnu\0/a \"quoted\" name\0quoted\0.\0"
	        "/usr/lib/gcc/x86_64-linux-gnu/12/../include\0/with a blank ";
	struct builtin b;

	(void)state;
	builtin_init(&b);
	assert_int_equal(parse(&b, gcc_text), 0);
	assert_int_equal(b.gcc_major, 12);
	assert_int_equal(b.folders.len, sizeof(folders));
	assert_memory_equal(b.folders.data, folders, sizeof(folders));
	assert_int_equal(b.watch.len, 0);
	assert_int_equal(parse(&b, clang_text), 0);
	assert_int_equal(b.gcc_major, 0);
	assert_string_equal((char *)b.watch.data, "/usr/bin/../lib/gcc/x86_64-linux-gnu/");
	builtin_fini(&b);
}

static void
no_list(void **state)
{
	struct builtin b;

	(void)state;
	builtin_init(&b);
	assert_int_equal(parse(&b, ""), IM_ERR_FORMAT);
	assert_int_equal(parse(&b, "End of search list.\n"), IM_ERR_FORMAT);
	assert_int_equal(parse(&b, "#include <...> search starts here:\n /usr\n"), IM_ERR_FORMAT);
	assert_int_equal(parse(&b, "#include <...> search starts here:\nEnd of search list.\n"), 0);
	assert_int_equal(b.folders.len, 0);
	assert_int_equal(parse(&b, "#include <...> search starts here:\n"
	                           " /Library/Frameworks (framework directory)\n"
	                           "End of search list.\n"),
	        IM_ERR_REFUSED);
	builtin_fini(&b);
}

static int
ask_script(const char *script)
{
	static char shell[] = "/bin/sh", option[] = "-c";
	char *argv[] = {shell, option, (char *)(uintptr_t)script, NULL};
	struct builtin b;
	int r;

	builtin_init(&b);
	r = builtin_ask(&b, argv, environ);
	builtin_fini(&b);
	return r;
}

static void
asking(void **state)
{
	static const char list[] = "echo '#include <...> search starts here:' >&2; "
	                           "echo 'End of search list.' >&2; ";
	char script[512];

	(void)state;
	setenv("LC_ALL", "nowhere", 1);
	snprintf(script, sizeof(script), "%s test \"$LC_ALL\" = C", list);
	assert_int_equal(ask_script(script), 0);
	snprintf(script, sizeof(script), "%s exit 1", list);
	assert_int_equal(ask_script(script), IM_ERR_SYSTEM);
	snprintf(script, sizeof(script), "%s kill -9 $$", list);
	assert_int_equal(ask_script(script), IM_ERR_SYSTEM);
	snprintf(script, sizeof(script), "%s cat", list); /* no input */
	assert_int_equal(ask_script(script), 0);
	assert_int_equal(ask_script("echo much >&2; yes >&2"), IM_ERR_LIMIT);
	assert_int_equal(ask_script("echo nothing"), IM_ERR_FORMAT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(texts),
	        cmocka_unit_test(no_list),
	        cmocka_unit_test(asking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
