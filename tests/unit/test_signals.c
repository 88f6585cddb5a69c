/* client/signals: what is taken, what is left alone, and that all is as it was afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <unistd.h>
#include "client/signals.h"

static void
test_taken(void **state)
{
	struct signals s;

	(void)state;
	signals_take(&s);
	assert_true(s.fd >= 0);
	assert_int_equal(signals_next(&s), 0);
	assert_int_equal(raise(SIGCHLD), 0);
	assert_int_equal(signals_next(&s), 0);
	assert_int_equal(raise(SIGCHLD), 0);
	assert_int_equal(raise(SIGTERM), 0);
	assert_int_equal(signals_next(&s), SIGTERM);
	assert_int_equal(signals_next(&s), 0);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(raise(SIGINT), 0);
	assert_int_not_equal(signals_next(&s), 0);
	assert_int_equal(signals_next(&s), 0);
	assert_int_equal(raise(SIGXFSZ), 0);
	signals_give_back(&s);
	assert_int_equal(s.fd, -1);
}

static void
test_left_alone(void **state)
{
	struct signals s;
	sigset_t hup;

	(void)state;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	assert_int_equal(sigprocmask(SIG_BLOCK, &hup, NULL), 0);
	signal(SIGQUIT, SIG_IGN);
	signals_take(&s);
	assert_int_equal(raise(SIGHUP), 0);
	assert_int_equal(raise(SIGQUIT), 0);
	assert_int_equal(signals_next(&s), 0);
	signals_give_back(&s);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_IGN); /* discards the pending one */
	assert_int_equal(sigprocmask(SIG_UNBLOCK, &hup, NULL), 0);
	signal(SIGHUP, SIG_DFL);
}

static void
test_given_back(void **state)
{
	struct sigaction before, after;
	sigset_t was, is;
	struct signals s;

	(void)state;
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &was), 0);
	assert_int_equal(sigaction(SIGXFSZ, NULL, &before), 0);
	signals_take(&s);
	assert_int_equal(sigaction(SIGXFSZ, NULL, &after), 0);
	assert_true(after.sa_handler == SIG_IGN);
	signals_give_back(&s);
	assert_int_equal(sigprocmask(SIG_SETMASK, NULL, &is), 0);
	assert_int_equal(sigaction(SIGXFSZ, NULL, &after), 0);
	assert_true(after.sa_handler == before.sa_handler);
	for (int i = 1; i < 32; i++)
		assert_int_equal(sigismember(&is, i), sigismember(&was, i));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_taken),
	        cmocka_unit_test(test_left_alone), cmocka_unit_test(test_given_back)};

	alarm(30);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
