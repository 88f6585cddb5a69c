/* client/parallel: which links get a jobserver, which an option, and which stay as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/local.h"
#include "client/parallel.h"
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

#define SLOTS 3

static int
enter(void **state)
{
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	unsetenv("MAKEFLAGS");
	return cwd ? scratch_enter(cwd) : -1;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

static void
begin(struct parallel *p, struct run *run, struct words *w, const char *line)
{
	words_split(w, line);
	*run = (struct run){.path = w->argv[0], .argv = w->argv, .env = environ};
	parallel_begin(p, run,
	        &(struct parallel_request){.folder = "pool",
	                .slots = SLOTS,
	                .argc = w->argc,
	                .argv = w->argv,
	                .compiler = strcmp(w->argv[0], "clang") == 0 ? FOR_CLANG : FOR_GCC});
}

static void
test_gcc(void **state)
{
	struct parallel p;
	struct words w;
	struct run run;
	int ends[2];
	char flags[64];

	(void)state;
	begin(&p, &run, &w, "gcc -flto=auto a.o");
	assert_true(p.serves);
	assert_non_null(run.step);
	assert_string_equal(getenv("MAKEFLAGS"), p.jobserver.flags);
	assert_ptr_equal(run.argv, w.argv);
	run.step(run.step_arg);
	assert_int_equal(p.jobserver.given, 1);
	parallel_end(&p);
	parallel_end(&p);
	unsetenv("MAKEFLAGS");

	begin(&p, &run, &w, "gcc -flto=auto -c a.c");
	assert_false(p.serves);
	begin(&p, &run, &w, "gcc a.o");
	assert_false(p.serves);
	assert_null(getenv("MAKEFLAGS"));
	parallel_end(&p);
	/* with a jobserver at hand any link may have something to do for it */
	assert_int_equal(pipe(ends), 0);
	snprintf(flags, sizeof flags, " -j2 --jobserver-auth=%d,%d", ends[0], ends[1]);
	setenv("MAKEFLAGS", flags, 1);
	begin(&p, &run, &w, "gcc -c a.c");
	assert_false(p.serves);
	begin(&p, &run, &w, "gcc a.o");
	assert_true(p.serves);
	parallel_end(&p);
	unsetenv("MAKEFLAGS");
	close(ends[0]);
	close(ends[1]);
}

static void
test_clang(void **state)
{
	struct parallel p;
	struct words w;
	struct run run;
	int fd;

	(void)state;
	begin(&p, &run, &w, "clang -flto a.o");
	assert_ptr_equal(run.argv, w.argv);
	begin(&p, &run, &w, "clang -flto=thin a.o");
	assert_false(p.serves);
	assert_null(run.step);
	/* the caller's own slot is not taken here: one stays free */
	assert_string_equal(run.argv[w.argc], "-Wl,-plugin-opt=jobs=3");
	assert_null(run.argv[w.argc + 1]);
	assert_int_equal(local_slot_try("pool", SLOTS, &fd), 0);
	parallel_end(&p);
	begin(&p, &run, &w, "clang -flto=thin a.o");
	assert_string_equal(run.argv[w.argc], "-Wl,-plugin-opt=jobs=1");
	parallel_end(&p);
	local_slot_give(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_gcc),
	        cmocka_unit_test(test_clang),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
