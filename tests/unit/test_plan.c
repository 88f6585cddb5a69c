/* client/plan: paths as the peer will see them, and what is declined because they would not be
 * exact. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/plan.h"

static char dir[64];

/* dir/real/sub, dir/link -> real/sub, dir/real/a.c; the working directory is dir/real. */
static int
setup(void **state)
{
	char path[128];

	(void)state;
	snprintf(dir, sizeof dir, "/tmp/icemesh-plan-XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) != 0 || mkdir("real", 0755) != 0 ||
	        mkdir("real/sub", 0755) != 0 || symlink("real/sub", "link") != 0 ||
	        symlink("real", "logical") != 0)
		return -1;
	snprintf(path, sizeof path, "%s/real", dir);
	close(open("real/a.c", O_WRONLY | O_CREAT, 0644));
	return chdir(path) != 0 || setenv("PWD", path, 1) != 0;
}

static int
teardown(void **state)
{
	char command[96];

	(void)state;
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	return chdir("/") != 0 || system(command) != 0;
}

static void
assert_path(const char *got, const char *below)
{
	char want[256];

	snprintf(want, sizeof want, "%s%s", dir, below);
	assert_string_equal(got, want);
}

static void
test_cwd(void **state)
{
	char out[JOB_PATH_MAX + 1], pwd[128];

	(void)state;
	snprintf(pwd, sizeof pwd, "%s/logical", dir);
	assert_int_equal(plan_cwd(pwd, out), 0);
	assert_string_equal(out, pwd);
	assert_int_equal(plan_cwd(NULL, out), 0);
	assert_path(out, "/real");
	assert_int_equal(plan_cwd(dir, out), 0); /* another folder */
	assert_path(out, "/real");
	snprintf(pwd, sizeof pwd, "%s/real/../real", dir);
	assert_int_equal(plan_cwd(pwd, out), IM_ERR_FORMAT); /* a compiler would say it so */
	assert_int_equal(plan_cwd(".", out), 0);
	assert_path(out, "/real");
}

static void
test_path(void **state)
{
	char cwd[128], logical[128], out[JOB_PATH_MAX + 1];

	(void)state;
	snprintf(cwd, sizeof cwd, "%s/real", dir);
	assert_int_equal(plan_path(cwd, "a.c", out), 0);
	assert_path(out, "/real/a.c");
	assert_int_equal(plan_path(cwd, "./sub//../a.c", out), 0);
	assert_path(out, "/real/a.c");
	assert_int_equal(plan_path(cwd, "../real/a.c", out), 0);
	assert_path(out, "/real/a.c");
	assert_int_equal(plan_path(cwd, "../link/../a.c", out), IM_ERR_REFUSED);
	assert_int_equal(plan_path(cwd, "none/../a.c", out), IM_ERR_REFUSED);
	assert_int_equal(plan_path(cwd, "a..c", out), 0);
	assert_path(out, "/real/a..c");
	/* below the logical directory ".." is not what the text says */
	snprintf(logical, sizeof logical, "%s/logical", dir);
	assert_int_equal(plan_path(logical, "a.c", out), 0);
	assert_path(out, "/logical/a.c");
	assert_int_equal(plan_path(logical, "../real/a.c", out), IM_ERR_REFUSED);
	assert_true(plan_path(cwd, "a\nb.c", out) != 0);
}

/* Makes a plan of gcc's words; the result of plan_make. */
static int
make(struct plan *p, struct args *a, const char *compiler, char **argv, char reason[REASON_SIZE])
{
	static char *const env[] = {(char *)"LANG=C", (char *)"SECRET=1", (char *)"PWD=/x", NULL};
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	args_analyse(a, argc, argv, args_compiler(compiler));
	assert_int_equal(a->verdict, ARGS_REMOTE);
	return plan_make(p, a, compiler, env, reason);
}

#define WORDS(...) ((char *[]){(char *)"cc", __VA_ARGS__, NULL})

static void
test_gcc(void **state)
{
	char reason[REASON_SIZE];
	struct plan p;
	struct args a;

	(void)state;
	assert_int_equal(
	        make(&p, &a, "/usr/bin/gcc", WORDS("-c", "a.c", "-o", "sub/a.o"), reason), 0);
	assert_path(p.source, "/real/a.c");
	assert_path(p.output, "/real/sub/a.o");
	assert_path(p.job.cwd, "/real");
	assert_non_null(p.cpp[PLAN_DIRECTIVES]);
	assert_non_null(p.cpp[PLAN_PLAIN]);
	assert_string_equal(p.remote[PLAN_PLAIN][0], "/usr/bin/gcc");
	assert_null(p.text_file);
	assert_true(p.object);
	assert_int_equal(p.way, OUTPUT_RENAME);
	assert_int_equal(p.job.ninputs, 1);
	assert_true(p.job.inputs[0].streamed);
	assert_int_equal(p.job.nenv, 1);
	assert_string_equal(p.job.env[0], "LANG=C");
	plan_fini(&p);
	args_fini(&a);
}

static void
test_clang_and_assembly(void **state)
{
	char reason[REASON_SIZE];
	struct plan p;
	struct args a;

	(void)state;
	assert_int_equal(make(&p, &a, "/usr/bin/clang", WORDS("-S", "a.c"), reason), 0);
	assert_null(p.cpp[PLAN_DIRECTIVES]);
	assert_non_null(p.cpp[PLAN_PLAIN]);
	assert_false(p.object);
	assert_path(p.output, "/real/a.s");
	plan_fini(&p);
	args_fini(&a);
}

static void
test_preprocessed_source(void **state)
{
	char reason[REASON_SIZE];
	struct plan p;
	struct args a;

	(void)state;
	assert_int_equal(make(&p, &a, "/usr/bin/gcc", WORDS("-c", "a.i"), reason), 0);
	assert_null(p.cpp[PLAN_DIRECTIVES]);
	assert_null(p.cpp[PLAN_PLAIN]);
	assert_string_equal(p.text_file, "a.i");
	plan_fini(&p);
	args_fini(&a);
}

static void
test_declined(void **state)
{
	char reason[REASON_SIZE];
	struct plan p;
	struct args a;

	(void)state;
	assert_int_not_equal(
	        make(&p, &a, "/usr/bin/gcc", WORDS("-c", "../link/../a.c"), reason), 0);
	assert_string_equal(reason, "path");
	args_fini(&a);
	assert_int_not_equal(
	        make(&p, &a, "/usr/bin/gcc", WORDS("-c", "a.c", "-o", "sub"), reason), 0);
	assert_string_equal(reason, "output-special");
	args_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cwd), cmocka_unit_test(test_path),
	        cmocka_unit_test(test_gcc), cmocka_unit_test(test_clang_and_assembly),
	        cmocka_unit_test(test_preprocessed_source), cmocka_unit_test(test_declined)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
