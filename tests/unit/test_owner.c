/* The owner: readings from made-up files, and what follows from them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "gossip/beacon.h"
#include "mesh/owner.h"
#include "tests/unit/scratch.h"

#define NOW 1800000000u

static char cwd[PATH_MAX];

static int
set_up(void **state)
{
	(void)state;
	return scratch_enter(cwd);
}

static int
tear_down(void **state)
{
	(void)state;
	return scratch_leave(cwd);
}

static struct owner_reading
reading(void)
{
	struct owner_reading r;
	owner_read(&r, cwd, NOW);
	return r;
}

static void
folder(const char *path)
{
	char part[PATH_MAX];
	for (const char *p = path; (p = strchr(p, '/')); p++) {
		snprintf(part, sizeof part, "%.*s", (int)(p - path), path);
		mkdir(part, 0755);
	}
	mkdir(path, 0755);
}

static void
test_nothing_there(void **state)
{
	(void)state;
	struct owner_reading r = reading();
	assert_true(r.memory_permille == 1000 && r.pressure == 0 && !r.battery && !r.active);
	assert_int_equal(owner_state(&r, LEND_IDLE), 0);
	assert_false(owner_short_of_memory(&r, true));
}

static void
test_memory(void **state)
{
	(void)state;
	folder("proc/pressure");
	scratch_text("proc/meminfo",
	        "MemTotal:       16000 kB\nMemFree: 1 kB\nMemAvailable:    8000 kB\n");
	assert_int_equal(reading().memory_permille, 500);
	scratch_text("proc/pressure/memory",
	        "some avg10=12.34 avg60=0.00 avg300=0.00 total=0\nfull avg10=99.00\n");
	assert_int_equal(reading().pressure, 1234);
	scratch_text("proc/pressure/memory", "some avg10=nan");
	scratch_text("proc/meminfo", "MemTotal: 0 kB\nMemAvailable: 99999999999999999999999 kB\n");
	struct owner_reading r = reading();
	assert_true(r.pressure == 0 && r.memory_permille == 1000);
}

/* What stops it has to pass clearly before it goes on. */
static void
test_short(void **state)
{
	struct owner_reading r = {.memory_permille = OWNER_MEMORY_LOW};

	(void)state;
	assert_false(owner_short_of_memory(&r, false));
	assert_true(owner_short_of_memory(&r, true));
	r.memory_permille--;
	assert_true(owner_short_of_memory(&r, false));
	r.memory_permille = OWNER_MEMORY_HIGH;
	assert_false(owner_short_of_memory(&r, true));
	r.pressure = OWNER_PRESSURE_LOW + 1;
	assert_false(owner_short_of_memory(&r, false));
	assert_true(owner_short_of_memory(&r, true));
	r.pressure = OWNER_PRESSURE_HIGH + 1;
	assert_true(owner_short_of_memory(&r, false));
}

static void
test_battery(void **state)
{
	(void)state;
	folder("sys/class/power_supply/BAT0");
	folder("sys/class/power_supply/AC");
	scratch_text("sys/class/power_supply/BAT0/type", "Battery\n");
	scratch_text("sys/class/power_supply/BAT0/status", "Discharging\n");
	scratch_text("sys/class/power_supply/AC/type", "Mains\n");
	scratch_text("sys/class/power_supply/AC/online", "0\n");
	struct owner_reading r = reading();
	assert_true(r.battery);
	assert_int_equal(owner_state(&r, LEND_ALWAYS), 0);
	assert_int_equal(owner_state(&r, LEND_AC), STATE_ON_BATTERY);
	assert_int_equal(owner_state(&r, LEND_IDLE), STATE_ON_BATTERY);
	scratch_text("sys/class/power_supply/AC/online", "1\n");
	assert_false(reading().battery);
	scratch_text("sys/class/power_supply/AC/online", "0\n");
	scratch_text("sys/class/power_supply/BAT0/status", "Full\n");
	assert_false(reading().battery);
}

static void
touch_at(const char *path, time_t s)
{
	const struct timespec at[2] = {{s, 0}, {s, 0}};
	scratch_text(path, "");
	assert_int_equal(utimensat(AT_FDCWD, path, at, 0), 0);
}

static void
test_hands(void **state)
{
	(void)state;
	folder("dev/pts");
	touch_at("dev/tty", NOW); /* no terminal of its own */
	touch_at("dev/pts/ptmx", NOW);
	touch_at("dev/tty1", NOW - OWNER_AWAY_S - 1);
	touch_at("dev/pts/3", NOW - OWNER_AWAY_S - 1);
	assert_false(reading().active);
	touch_at("dev/pts/3", NOW - OWNER_AWAY_S);
	struct owner_reading r = reading();
	assert_true(r.active);
	assert_int_equal(owner_state(&r, LEND_IDLE), STATE_OWNER_BUSY);
	assert_int_equal(owner_state(&r, LEND_AC), 0);
	unlink("dev/pts/3");
	touch_at("dev/tty1", NOW);
	assert_true(reading().active);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_nothing_there, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_memory, set_up, tear_down),
	        cmocka_unit_test(test_short),
	        cmocka_unit_test_setup_teardown(test_battery, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_hands, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
