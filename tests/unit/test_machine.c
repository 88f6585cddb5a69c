/* The machine's platform and load, the latter out of made-up counters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/utsname.h>
#include "mesh/machine.h"
#include "tests/unit/scratch.h"

static char dir[PATH_MAX];

static int
set_up(void **state)
{
	(void)state;
	return scratch_enter(dir);
}

static int
tear_down(void **state)
{
	(void)state;
	return scratch_leave(dir);
}

static uint32_t
load(struct machine *m, const char *counters)
{
	assert_int_equal(scratch_text("stat", counters), 0);
	return machine_load_from(m, "stat");
}

static void
test_load(void **state)
{
	struct machine m = {0};

	(void)state;
	/* user nice system idle iowait irq softirq steal */
	assert_int_equal(load(&m, "cpu  100 0 0 900 0 0 0 0 0 0\ncpu0 1 2 3 4\n"), 100);
	assert_int_equal(load(&m, "cpu  150 25 25 900 0 0 0 0 0 0\n"), 1000);
	assert_int_equal(
	        load(&m, "cpu  155 25 25 900 0 0 0 0 0 0\n"), 1000); /* too early to tell */
	assert_int_equal(
	        load(&m, "cpu  150 25 25 950 50 0 0 0 0 0\n"), 0); /* waiting for a disk is idle */
	assert_int_equal(load(&m, "cpu  150 25 25 950 50 20 20 10 0 0\n"), 1000);
	assert_int_equal(load(&m, "cpu  200 25 25 1000 50 20 20 10 0 0\n"), 500);
	assert_int_equal(
	        load(&m, "cpu  400 25 25 900 50 20 20 10 0 0\n"), 1000);  /* idle stepped back */
	assert_int_equal(load(&m, "cpu  10 0 0 10 0 0 0 0 0 0\n"), 1000); /* all of it did */
	assert_int_equal(load(&m, "cpu  400 25 25\n"), 1000);
	assert_int_equal(load(&m, "nonsense\n"), 1000);
	assert_int_equal(machine_load_from(&m, "missing"), 1000);
}

static void
test_here(void **state)
{
	struct machine m = {0};
	char platform[PLATFORM_SIZE];
	struct utsname u;

	(void)state;
	assert_int_equal(uname(&u), 0);
	machine_platform(platform);
	assert_true(platform[0]);
	assert_int_equal(strncmp(platform, u.machine, PLATFORM_SIZE - 1), 0);
	assert_true(machine_load(&m) <= 1000);
	assert_true(m.total > 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_load),
	        T(test_here),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
