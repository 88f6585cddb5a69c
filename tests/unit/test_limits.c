/* The helper's limits: parsing the words, and what they do to a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/limits.h"

static void
words_are_parsed(void **state)
{
	char *good[] = {"10", "4294967296", "900", "536870912"}, *minus[] = {"-5", "1", "1", "1"};
	char *bad[][4] = {{"20", "1", "1", "1"}, {"x", "1", "1", "1"}, {"0", "0", "1", "1"},
	        {"0", "1", "", "1"}, {"0", "1", "1", "1k"}, {"0", "-1", "1", "1"},
	        {"0", "1", "99999999999999999999", "1"}, {"--1", "1", "1", "1"}};
	struct limits l;

	(void)state;
	assert_int_equal(limits_parse(&l, good), 0);
	assert_int_equal(l.nice, 10);
	assert_int_equal(l.memory, 4294967296);
	assert_int_equal(l.time_s, 900);
	assert_int_equal(l.output, 536870912);
	assert_int_equal(limits_parse(&l, minus), 0);
	assert_int_equal(l.nice, -5);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_not_equal(limits_parse(&l, bad[i]), 0);
}

/* In a child: 0 when every limit is as it should be. */
static int
apply_and_look(void)
{
	const struct limits l = {.memory = 1ULL << 46, .time_s = 3, .output = 5000};
	struct rlimit before, after, r;

	if (getrlimit(RLIMIT_SIGPENDING, &before) != 0 || limits_apply(&l) != 0 ||
	        getrlimit(RLIMIT_SIGPENDING, &after) != 0)
		return 1;
	if (before.rlim_cur != after.rlim_cur || before.rlim_max != after.rlim_max)
		return 2;
	if (getrlimit(RLIMIT_CORE, &r) != 0 || r.rlim_max != 0)
		return 3;
	if (getrlimit(RLIMIT_FSIZE, &r) != 0 || r.rlim_max != 5000)
		return 4;
	if (getrlimit(RLIMIT_AS, &r) != 0 || r.rlim_max != 1ULL << 46)
		return 5;
	if (getrlimit(RLIMIT_CPU, &r) != 0 || r.rlim_max > 20)
		return 6;
	return getrlimit(RLIMIT_NPROC, &r) != 0 || r.rlim_max > LIMITS_PROCESSES ? 7 : 0;
}

static void
limits_apply_to_the_process(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(apply_and_look());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(words_are_parsed), cmocka_unit_test(limits_apply_to_the_process)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
