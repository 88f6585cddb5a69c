/* client/submit with a second copy of a job: made-up peers do what each step of a script says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "tests/unit/submit_rig.h"

/* Said of a copy beside which the other one goes on, and of the last one. */
#define LOST "copy:0:1:peer-lost "
#define ALL_LOST "report:0:1:peer-lost "
#define FAILED "copy:0:2:job-failed "
#define ALL_FAILED "report:0:2:job-failed "

/* A compile with a second copy; what came of it, and what was said of it. */
static void
expect_copies(const char *script, enum submit_state state, const char *reason, const char *log)
{
	struct bench b;

	bench_open(&b, script);
	run(&b);
	assert_string_equal(b.fake.log, log);
	assert_int_equal(b.s.state, state);
	assert_true(b.s.hedged);
	assert_int_equal(b.s.retries, 0);
	if (state == SUBMIT_DONE) {
		assert_output(&b, TEXT);
		assert_int_equal(b.s.exit_code, 0);
	} else {
		assert_string_equal(b.s.reason, reason);
		assert_int_equal(access(b.output, F_OK), -1);
	}
	bench_close(&b);
}

#define BOTH "want:0 directives end directives end "

/* Whichever is accepted first wins, and the other is closed. */
static void
test_one_copy_wins(void **state)
{
	(void)state;
	expect_copies("(1+1T2+2T2g1X)", SUBMIT_DONE, "", BOTH "closed return ");
	expect_copies("(1+1T2+2T1g2X)", SUBMIT_DONE, "", BOTH "closed return ");
	/* the first is in the middle of its result, and leaves nothing */
	expect_copies("(1+1T2+2T1P2g1X)", SUBMIT_DONE, "", BOTH "closed return ");
	expect_copies("(1+1T2+2T2P1P2Q1X)", SUBMIT_DONE, "", BOTH "closed return ");
}

/* What is lost or fails leaves the other to go on, and its peer is told of. */
static void
test_one_copy_fails(void **state)
{
	(void)state;
	expect_copies("(1+1T2+2T1d2g)", SUBMIT_DONE, "", BOTH LOST "return ");
	expect_copies("(1+1T2+2T2d2R1g)", SUBMIT_DONE, "", BOTH LOST "return ");
	expect_copies("(1+1T2+2T2r2d2R1g)", SUBMIT_DONE, "", BOTH LOST "return ");
	expect_copies("(1+1T2+2T2b2X2R1g)", SUBMIT_DONE, "", BOTH "closed " LOST "return ");
	expect_copies("(1+1T2+2T1m1R1R2g)", SUBMIT_DONE, "", BOTH "return " FAILED "return ");
	expect_copies("(1+1T2+2T2u2R2R1g)", SUBMIT_DONE, "", BOTH "return " FAILED "return ");
	expect_copies("(1+1T2+2T1n1R1R2g)", SUBMIT_DONE, "", BOTH "return " FAILED "return ");
}

/* What is exact only here ends both. */
static void
test_one_copy_says_local(void **state)
{
	(void)state;
	expect_copies("(1+1T2+2T2w1X)", SUBMIT_LOCAL, "diagnostics", BOTH "closed return ");
	expect_copies("(1+1T2+2T1x2X)", SUBMIT_LOCAL, "compile-error", BOTH "closed return ");
}

static void
test_both_copies_fail(void **state)
{
	struct bench b;

	(void)state;
	expect_copies("(1+1T2+2T1m2m)", SUBMIT_LOCAL, "job-failed",
	        BOTH "return " FAILED "return " ALL_FAILED);
	expect_copies("(1+1T2+2T1d2u)", SUBMIT_LOCAL, "job-failed", BOTH LOST "return " ALL_FAILED);
	bench_open(&b, "(1+1T2+2T1d2d)g");
	run(&b);
	assert_string_equal(b.fake.log, BOTH LOST ALL_LOST "want:2 directives end return ");
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(b.s.retries, 1);
	assert_string_equal(b.s.attempt->peer, "peer3");
	assert_output(&b, TEXT);
	bench_close(&b);
}

/* A slot that is offered when it is of no use is given up, and nothing is told of its peer. */
static void
test_hedge_of_no_use(void **state)
{
	static const char *const scripts[] = {"(1+1T1P2+2X1Q)", "(1+1d2+2X)g", "(2+2X1+1T1g)"};
	static const char *const logs[] = {"want:0 directives end closed return ",
	        "want:0 closed " ALL_LOST "want:1 directives end return ",
	        "want:0 closed directives end return "};
	struct bench b;

	(void)state;
	for (int i = 0; i < 3; i++) {
		bench_open(&b, scripts[i]);
		run(&b);
		assert_string_equal(b.fake.log, logs[i]);
		assert_int_equal(b.s.state, SUBMIT_DONE);
		assert_false(b.s.hedged);
		assert_output(&b, TEXT);
		bench_close(&b);
	}
	/* behind the result: the wrapper may be gone already */
	bench_open(&b, "(1+1T1g2+)");
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_false(b.s.hedged);
	bench_close(&b);
}

/* The place of a copy that is gone may be taken by another one. */
static void
test_hedge_again(void **state)
{
	(void)state;
	expect_copies("(1+1T2+2T2d2R2+2T1d1R2g)", SUBMIT_DONE, "",
	        BOTH LOST "directives end " LOST "return ");
}

/* The first peer takes nothing: the second copy gets all, and has its result accepted, while the first is being sent. */
static void
test_hedge_while_sending(void **state)
{
	struct bench b;
	struct stat st;

	(void)state;
	bench_open(&b, "(1+2+2T2g1X)");
	b.cpp[PLAN_DIRECTIVES][0] = (char *)"/bin/sh";
	b.cpp[PLAN_DIRECTIVES][1] = (char *)"-c";
	b.cpp[PLAN_DIRECTIVES][2] = (char *)"head -c 3000000 /dev/urandom";
	run(&b);
	assert_string_equal(b.fake.log, "want:0 directives end closed return ");
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_string_equal(b.s.attempt->peer, "peer2");
	assert_true(b.s.bytes_out > 3000000);
	assert_int_equal(stat(b.output, &st), 0);
	assert_int_equal(st.st_size, 3000004);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_one_copy_wins),
	        cmocka_unit_test(test_one_copy_fails),
	        cmocka_unit_test(test_one_copy_says_local),
	        cmocka_unit_test(test_both_copies_fail),
	        cmocka_unit_test(test_hedge_of_no_use),
	        cmocka_unit_test(test_hedge_again),
	        cmocka_unit_test(test_hedge_while_sending),
	};

	alarm(120);
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
