#include "exec/pieces.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

static void
test_cpp(void **state)
{
	struct pieces_cpp found = {.deps = NULL};

	(void)state;
	assert_int_equal(pieces_cpp("-MMD,a/.b.d,-MP,-MQ,t,-DX", FOR_GCC, &found), 0);
	assert_string_equal(found.deps, "a/.b.d");
	assert_true(found.target);
	free(found.deps);
	found.deps = NULL;
	assert_int_equal(pieces_cpp("-DX=1,-UY", FOR_CLANG, &found), 0);
	assert_null(found.deps);
	assert_int_equal(pieces_cpp("", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,-MT,x", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,a,-MD,b", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MT,a", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,a,-MT", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,a,-MP", FOR_CLANG, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-MD,a,-DX", FOR_CLANG, &found), IM_ERR_REFUSED);
	assert_int_equal(pieces_cpp("-D", FOR_GCC, &found), IM_ERR_REFUSED);
	assert_null(found.deps);
}

static void
test_assembler(void **state)
{
	(void)state;
	assert_true(pieces_assembler_ok("--noexecstack"));
	assert_true(pieces_assembler_ok("-mbig-obj,--gdwarf-5,--defsym,A=1,-L"));
	assert_true(pieces_assembler_ok("--compress-debug-sections=zlib"));
	assert_false(pieces_assembler_ok(""));
	assert_false(pieces_assembler_ok("-a"));
	assert_false(pieces_assembler_ok("--noexecstack,-o,x"));
	assert_false(pieces_assembler_ok("-mx=/etc"));
	assert_false(pieces_assembler_ok("@x"));
	assert_false(pieces_assembler_ok("-m@x"));
	assert_false(pieces_assembler_ok("--defsym"));
	assert_false(pieces_assembler_ok("--defsym,-o"));
	assert_false(pieces_assembler_ok("--noexecstack,"));
}

static void
test_xpreprocessor(void **state)
{
	(void)state;
	assert_true(pieces_xpreprocessor_ok("-DX=1"));
	assert_true(pieces_xpreprocessor_ok("-UX"));
	assert_true(pieces_xpreprocessor_ok("-fopenmp"));
	assert_false(pieces_xpreprocessor_ok("-D"));
	assert_false(pieces_xpreprocessor_ok("-I."));
	assert_false(pieces_xpreprocessor_ok("-MD"));
	assert_false(pieces_xpreprocessor_ok("x.d"));
	assert_false(pieces_xpreprocessor_ok("-fplugin=x"));
	assert_false(pieces_xpreprocessor_ok(""));
}

static void
test_xclang(void **state)
{
	(void)state;
	assert_true(pieces_xclang_ok(NULL, "-fno-builtin"));
	assert_true(pieces_xclang_ok(NULL, "-Wall"));
	assert_true(pieces_xclang_ok(NULL, "-disable-llvm-passes"));
	assert_false(pieces_xclang_ok(NULL, "-load"));
	assert_false(pieces_xclang_ok(NULL, "-main-file-name"));
	assert_false(pieces_xclang_ok(NULL, "file"));
	assert_false(pieces_xclang_ok(NULL, "-fmodules"));
	assert_false(pieces_xclang_ok(NULL, "-fdebug-prefix-map=a=b"));
	assert_false(pieces_xclang_ok(NULL, "-o"));
	assert_false(pieces_xclang_ok(NULL, ""));
	assert_true(pieces_xclang_ok(NULL, "-target-feature"));
	assert_true(pieces_xclang_ok("-target-feature", "+sse4.1"));
	assert_true(pieces_xclang_ok("-target-feature", "-avx2"));
	assert_false(pieces_xclang_ok("-target-feature", "-"));
	assert_false(pieces_xclang_ok("-target-feature", "+a/b"));
	assert_false(pieces_xclang_ok("-target-feature", "avx2"));
	assert_false(pieces_xclang_ok("+avx2", "-load"));
	assert_false(pieces_xclang_ok("-fno-builtin", "-avx2"));
	assert_false(pieces_xclang_ok(NULL, "-fixit"));
	assert_false(pieces_xclang_ok(NULL, "-fix-what-you-can"));
	assert_false(pieces_xclang_ok(NULL, "-finclude-default-header"));
}

static void
test_llvm(void **state)
{
	(void)state;
	assert_true(pieces_llvm_ok("-inline-threshold=5"));
	assert_true(pieces_llvm_ok("-enable-name-compression=false"));
	assert_false(pieces_llvm_ok("-info-output-file=x"));
	assert_false(pieces_llvm_ok("-info-output-file"));
	assert_false(pieces_llvm_ok("x"));
	assert_false(pieces_llvm_ok("-time-passes"));
	assert_false(pieces_llvm_ok("-attributor-dump-dep-graph"));
	assert_false(pieces_llvm_ok("-load=x.so"));
	assert_false(pieces_llvm_ok(""));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_cpp),
	        cmocka_unit_test(test_assembler),
	        cmocka_unit_test(test_xpreprocessor),
	        cmocka_unit_test(test_xclang),
	        cmocka_unit_test(test_llvm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
