/* client/submit: the life of one compile against a made-up daemon and made-up peers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>
#include "tests/unit/submit_rig.h"

/* Runs a script and compares how it ended and what the daemon and the peers saw. */
static void
expect(const char *script, enum submit_state state, const char *reason, const char *log)
{
	struct bench b;

	bench_open(&b, script);
	run(&b);
	assert_string_equal(b.fake.log, log);
	assert_int_equal(b.s.state, state);
	if (state == SUBMIT_DONE)
		assert_output(&b, TEXT);
	else {
		assert_string_equal(b.s.reason, reason);
		assert_int_equal(access(b.output, F_OK), -1);
	}
	bench_close(&b);
}

static void
test_success(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "g");
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_string_equal(b.fake.log, "want:0 directives end return ");
	assert_output(&b, TEXT);
	assert_int_equal(b.s.slot_fd, -1);
	assert_int_equal(b.s.ms.queue, 7);
	assert_int_equal(b.s.ms.compile, 5);
	assert_string_equal(b.s.attempt->peer, "peer1");
	bench_close(&b);
}

#define LOST "report:0:1:peer-lost "

static void
test_predicted(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "dg");
	b.s.predicted_ms = 1500;
	run(&b);
	assert_string_equal(
	        b.fake.log, "want:0:1500ms closed " LOST "want:1:1500ms directives end return ");
	assert_int_equal(b.s.compile_us, 5000);
	bench_close(&b);
}

static void
test_large_text(void **state)
{
	struct bench b;
	struct stat st;

	(void)state;
	bench_open(&b, "g");
	b.cpp[PLAN_DIRECTIVES][0] = (char *)"/bin/sh";
	b.cpp[PLAN_DIRECTIVES][1] = (char *)"-c";
	b.cpp[PLAN_DIRECTIVES][2] = (char *)"head -c 3000000 /dev/urandom";
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_int_equal(stat(b.output, &st), 0);
	assert_int_equal(st.st_size, 3000004);
	bench_close(&b);
}

static void
test_peer_lost_then_another(void **state)
{
	(void)state;
	expect("dg", SUBMIT_DONE, "", "want:0 closed " LOST "want:1 directives end return ");
	expect("eg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("rg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("tg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("qg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("og", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
}

static void
test_bad_output_then_another(void **state)
{
	(void)state;
	expect("bg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("fg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("pg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
	expect("hg", SUBMIT_DONE, "",
	        "want:0 directives end " LOST "want:1 directives end return ");
}

static void
test_all_peers_lost(void **state)
{
	(void)state;
	expect("ded", SUBMIT_LOCAL, "peer-lost",
	        "want:0 closed " LOST "want:1 directives end " LOST "want:2 closed " LOST);
	expect("dl", SUBMIT_LOCAL, "peer-lost", "want:0 closed " LOST "want:1 ");
}

static void
test_could_not_run(void **state)
{
	(void)state;
	expect("mg", SUBMIT_DONE, "",
	        "want:0 directives end return report:0:2:job-failed want:1 directives end return ");
	expect("mn", SUBMIT_LOCAL, "job-failed",
	        "want:0 directives end return report:0:2:job-failed want:1 directives end return "
	        "report:0:2:job-failed ");
	expect("u", SUBMIT_LOCAL, "job-failed",
	        "want:0 directives end return report:0:2:job-failed ");
}

static void
test_compiler_spoke(void **state)
{
	(void)state;
	expect("w", SUBMIT_LOCAL, "diagnostics", "want:0 directives end return ");
	expect("x", SUBMIT_LOCAL, "compile-error", "want:0 directives end return ");
}

static void
test_daemon_says_no(void **state)
{
	(void)state;
	expect("l", SUBMIT_LOCAL, "no-compatible-peer", "want:0 ");
	expect("v", SUBMIT_LOCAL, "no-daemon", "want:0 ");
	expect("Y", SUBMIT_DONE, "", "want:0 directives end return ");
	expect("V", SUBMIT_DONE, "", "want:0 directives end ");
}

static void
test_busy_takes_local_slot(void **state)
{
	struct bench b;
	int other;

	(void)state;
	bench_open(&b, "y");
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "busy");
	assert_true(b.s.slot_fd >= 0);
	assert_int_equal(local_slot_try(b.slots, 1, &other), IM_ERR_ABSENT);
	bench_close(&b);
}

static void
test_dated_source_stays_for_its_macros(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "gg");
	b.cpp[PLAN_DIRECTIVES][1] = b.dated;
	b.plan.plain_loses = true;
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "date-time");
	bench_close(&b);
}

static void
test_dated_source_is_expanded_here(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "gg");
	b.cpp[PLAN_DIRECTIVES][1] = b.dated;
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_non_null(strstr(b.fake.log, "plain end return"));
	assert_output(&b, TEXT);
	bench_close(&b);
}

static void
test_directives_only_fails(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "gg");
	b.cpp[PLAN_DIRECTIVES][0] = (char *)"/bin/false";
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_non_null(strstr(b.fake.log, "plain end return"));
	bench_close(&b);
}

static void
expect_preprocessor(const char *script, const char *reason)
{
	struct bench b;

	bench_open(&b, "gg");
	b.plan.cpp[PLAN_DIRECTIVES] = NULL;
	b.cpp[PLAN_PLAIN][0] = (char *)"/bin/sh";
	b.cpp[PLAN_PLAIN][1] = (char *)"-c";
	b.cpp[PLAN_PLAIN][2] = (char *)script;
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, reason);
	assert_true(b.s.slot_fd >= 0); /* kept for the compile */
	assert_int_equal(access(b.output, F_OK), -1);
	bench_close(&b);
}

static void
test_preprocessor_fails(void **state)
{
	(void)state;
	expect_preprocessor("echo x; exit 1", "compile-error");
	expect_preprocessor("echo x; echo oh >&2", "diagnostics");
	expect_preprocessor("kill -9 $$", "compile-error");
}

static void
test_preprocessed_file(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b, "g");
	b.plan.cpp[PLAN_DIRECTIVES] = b.plan.cpp[PLAN_PLAIN] = NULL;
	b.plan.text_file = b.source;
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	assert_string_equal(b.fake.log, "want:0 plain end return ");
	assert_output(&b, TEXT);
	bench_close(&b);
}

/* The preprocessor itself tells the wrapper to stop, in the middle. */
static void
test_signal(void **state)
{
	char script[64];
	struct bench b;

	(void)state;
	bench_open(&b, "g");
	snprintf(script, sizeof script, "echo x; kill -TERM %ld; sleep 60", (long)getpid());
	b.cpp[PLAN_DIRECTIVES][0] = (char *)"/bin/sh";
	b.cpp[PLAN_DIRECTIVES][1] = (char *)"-c";
	b.cpp[PLAN_DIRECTIVES][2] = script;
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_KILLED);
	assert_int_equal(b.s.signal, SIGTERM);
	assert_int_equal(b.s.input.child.pid, 0);
	assert_int_equal(access(b.output, F_OK), -1);
	bench_close(&b);
}

/* What the caller ignores or blocks ends no compile. */
static void
test_ignored_signals(void **state)
{
	char script[192];
	sigset_t hup;
	struct bench b;

	(void)state;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	signal(SIGTERM, SIG_IGN);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	bench_open(&b, "g");
	snprintf(script, sizeof script, "kill -TERM %ld; kill -HUP %ld; cat %s", (long)getpid(),
	        (long)getpid(), b.source);
	for (int i = 0; i < 2; i++) {
		b.cpp[i][0] = (char *)"/bin/sh";
		b.cpp[i][1] = (char *)"-c";
		b.cpp[i][2] = script;
	}
	run(&b);
	assert_int_equal(b.s.state, SUBMIT_DONE);
	bench_close(&b);
	signal(SIGHUP, SIG_IGN); /* discards the pending one */
	sigprocmask(SIG_UNBLOCK, &hup, NULL);
	signal(SIGHUP, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
}

/* An output over RLIMIT_FSIZE is an error of ours, not a signal. */
static void
test_file_limit(void **state)
{
	struct rlimit was, small = {16, RLIM_INFINITY};
	struct sigaction act;
	struct bench b;

	(void)state;
	bench_open(&b, "g");
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	run(&b);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(b.s.state, SUBMIT_LOCAL);
	assert_string_equal(b.s.reason, "system-error");
	assert_int_equal(access(b.output, F_OK), -1);
	assert_int_equal(sigaction(SIGXFSZ, NULL, &act), 0);
	assert_true(act.sa_handler == SIG_DFL);
	bench_close(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_success),
	        cmocka_unit_test(test_predicted),
	        cmocka_unit_test(test_large_text),
	        cmocka_unit_test(test_peer_lost_then_another),
	        cmocka_unit_test(test_bad_output_then_another),
	        cmocka_unit_test(test_all_peers_lost),
	        cmocka_unit_test(test_could_not_run),
	        cmocka_unit_test(test_compiler_spoke),
	        cmocka_unit_test(test_daemon_says_no),
	        cmocka_unit_test(test_busy_takes_local_slot),
	        cmocka_unit_test(test_dated_source_is_expanded_here),
	        cmocka_unit_test(test_dated_source_stays_for_its_macros),
	        cmocka_unit_test(test_directives_only_fails),
	        cmocka_unit_test(test_preprocessor_fails),
	        cmocka_unit_test(test_preprocessed_file),
	        cmocka_unit_test(test_signal),
	        cmocka_unit_test(test_ignored_signals),
	        cmocka_unit_test(test_file_limit),
	};

	alarm(120);
	if (crypto_start() != 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
