/* client/lto: which links run several compilers at one time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/lto.h"
#include "tests/unit/words.h"

static enum lto
look(const char *line, enum option_compiler compiler)
{
	struct words w;

	words_split(&w, line);
	return lto_look(w.argc, w.argv, compiler);
}

static void
test_gcc(void **state)
{
	(void)state;
	assert_int_equal(look("gcc -flto=auto -c a.c", FOR_GCC), LTO_NOT_LINKED);
	assert_int_equal(look("gcc -E -flto=4 a.c", FOR_GCC), LTO_NOT_LINKED);
	assert_int_equal(look("gcc a.o b.o -o a", FOR_GCC), LTO_SERIAL);
	assert_int_equal(look("gcc -flto a.o -o a", FOR_GCC), LTO_SERIAL);
	assert_int_equal(look("gcc -flto=1 a.o -o a", FOR_GCC), LTO_SERIAL);
	assert_int_equal(look("gcc -flto=2 a.o -o a", FOR_GCC), LTO_PARALLEL);
	assert_int_equal(look("gcc -flto=auto a.c -o a", FOR_GCC), LTO_PARALLEL);
	assert_int_equal(look("gcc a.o -flto=jobserver -flto", FOR_GCC), LTO_PARALLEL);
}

static unsigned
jobs(const char *line)
{
	struct words w;

	words_split(&w, line);
	return lto_jobs(w.argc, w.argv, 16);
}

static void
test_clang(void **state)
{
	(void)state;
	assert_int_equal(look("clang -flto=full a.o", FOR_CLANG), LTO_SERIAL);
	assert_int_equal(look("clang -flto=thin a.o", FOR_CLANG), LTO_PARALLEL);
	assert_int_equal(look("clang -flto=thin -c a.c", FOR_CLANG), LTO_NOT_LINKED);
	assert_int_equal(jobs("clang -flto=thin a.o"), 16);
	assert_int_equal(jobs("clang -flto=thin a.o -flto-jobs=4"), 4);
	assert_int_equal(jobs("clang -flto=thin a.o -Wl,--thinlto-jobs=3"), 3);
	assert_int_equal(jobs("clang -flto=thin a.o -Wl,-plugin-opt,jobs=2"), 2);
	assert_int_equal(jobs("clang -flto=thin a.o -Wl,--thinlto-jobs=all -flto-jobs=0"), 16);
	assert_int_equal(jobs("clang -flto=thin a.o -Wl,-plugin-opt=jobs=99"), 16);
	assert_int_equal(jobs("clang -flto=thin -Djobs=1 a.o"), 16);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_gcc),
	        cmocka_unit_test(test_clang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
