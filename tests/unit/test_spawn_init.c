/* Starting a job's first process and reading its report, without helper and toolchain: the probe. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include "exec/init.h"

static const struct limits limits = {.memory = 1ULL << 46, .time_s = 60, .output = 1 << 20};
static struct filter filter;

static int
start(void **state)
{
	(void)state;
	return filter_build(&filter, FILTER_COMPILE);
}

static int
stop(void **state)
{
	(void)state;
	filter_fini(&filter);
	return 0;
}

/* One probe, killed at once or not. */
static struct spawn_report
probe(int killed, unsigned *nfds)
{
	const struct spawn s = {.view = {.limits = &limits}, .filter = &filter};
	struct spawn_report report;
	struct running r;
	struct pollfd p = {.events = POLLIN};
	int fds[SPAWN_FDS_MAX];

	if (spawn_start(&s, &r) != 0)
		skip(); /* no user namespaces at all */
	if (killed)
		spawn_kill(&r);
	p.fd = r.pidfd;
	assert_int_equal(poll(&p, 1, 30000), 1);
	spawn_finish(&r, &report, fds, nfds);
	for (unsigned i = 0; i < *nfds; i++)
		close(fds[i]);
	assert_int_equal(r.pidfd, -1);
	return report;
}

static void
probe_ends_well(void **state)
{
	unsigned nfds;
	struct spawn_report r = probe(0, &nfds);

	(void)state;
	if (r.result.end == JOB_SANDBOX) {
		print_message("skipped: no sandbox on this machine: %s\n", r.text);
		skip();
	}
	assert_int_equal(r.result.end, JOB_EXITED);
	assert_int_equal(r.result.exit_code, 0);
	assert_int_equal(r.result.noutputs, 2);
	assert_int_equal(nfds, 2);
}

static void
killed_one_says_so(void **state)
{
	unsigned nfds;
	struct spawn_report r = probe(1, &nfds);

	(void)state;
	assert_int_equal(r.result.end, JOB_KILLED);
	assert_int_equal(r.result.signal, SIGKILL);
	assert_int_equal(nfds, 0);
}

static void
usage_is_in_microseconds(void **state)
{
	struct rusage u = {.ru_utime = {2, 5}, .ru_stime = {0, 7}};
	struct job_result r = {0};

	(void)state;
	u.ru_maxrss = 9;
	init_usage(&r, &u);
	assert_int_equal(r.user_us, 2000005);
	assert_int_equal(r.system_us, 7);
	assert_int_equal(r.max_rss_kb, 9);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(probe_ends_well),
	        cmocka_unit_test(killed_one_says_so), cmocka_unit_test(usage_is_in_microseconds)};

	return cmocka_run_group_tests(tests, start, stop);
}
