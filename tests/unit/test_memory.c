/* client/memory: the figures of fake machines and of fake cgroups of both kinds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/memory.h"
#include "tests/unit/scratch.h"

#define MIB (1024 * 1024ull)
/* 1000 MiB, 400 of them available */
#define MEMINFO \
	"MemTotal:        1024000 kB\nMemFree:           9999 kB\nMemAvailable:     409600 kB\n"

static int
enter(void **state)
{
	static const char *const folders[] = {"m", "m/proc", "m/proc/self", "m/sys", "m/sys/fs",
	        "m/sys/fs/cgroup", "m/sys/fs/cgroup/memory", "m/sys/fs/cgroup/a",
	        "m/sys/fs/cgroup/a/b", "m/sys/fs/cgroup/memory/a"};
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	if (!cwd || scratch_enter(cwd) != 0)
		return -1;
	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++)
		if (mkdir(folders[i], 0755) != 0)
			return -1;
	return 0;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

static void
expect(uint64_t total_mib, uint64_t available_mib)
{
	struct memory m;

	memory_look(&m, "m");
	assert_int_equal(m.total / MIB, total_mib);
	assert_int_equal(m.available / MIB, available_mib);
}

static void
test_short(void **state)
{
	(void)state;
	assert_false(memory_short(&(struct memory){0, 0}));
	assert_false(memory_short(&(struct memory){1000, 1000}));
	assert_false(memory_short(&(struct memory){1000, 150}));
	assert_true(memory_short(&(struct memory){1000, 149}));
	assert_true(memory_short(&(struct memory){UINT64_MAX, 0}));
	assert_false(memory_short(&(struct memory){UINT64_MAX, UINT64_MAX}));
}

static void
test_narrow(void **state)
{
	struct memory m = {1000, 400};

	(void)state;
	memory_narrow(&m, 0, 0);
	memory_narrow(&m, 1000, 1000);       /* no less than the machine has */
	memory_narrow(&m, UINT64_MAX, 1000); /* none */
	memory_narrow(&m, 500, 250);         /* half is left, which is more */
	assert_int_equal(m.total, 1000);
	assert_int_equal(m.available, 400);
	memory_narrow(&m, 500, 400);
	assert_int_equal(m.total, 500);
	assert_int_equal(m.available, 100);
	memory_narrow(&m, 100, 300); /* over its limit */
	assert_int_equal(m.total, 100);
	assert_int_equal(m.available, 0);
}

static void
test_machine(void **state)
{
	struct memory m;

	(void)state;
	expect(0, 0);
	scratch_text("m/proc/meminfo", "MemTotal: 100 kB\nMemFree: 1 kB\n"); /* an old kernel */
	expect(0, 0);
	scratch_text("m/proc/meminfo", "");
	expect(0, 0);
	scratch_text("m/proc/meminfo", MEMINFO);
	expect(1000, 400);
	memory_look(&m, ""); /* this one */
	assert_true(m.total > 0 && m.available > 0 && m.available <= m.total);
}

static void
test_unified(void **state)
{
	(void)state;
	scratch_text("m/proc/self/cgroup", "1:name=systemd:/x\n0::/a/b\n");
	expect(1000, 400); /* no limits */
	scratch_text("m/sys/fs/cgroup/a/memory.max", "max\n");
	scratch_text("m/sys/fs/cgroup/a/memory.current", "1\n");
	expect(1000, 400);
	scratch_text("m/sys/fs/cgroup/a/b/memory.max", "104857600\n"); /* 100 MiB */
	scratch_text("m/sys/fs/cgroup/a/b/memory.current", "94371840\n");
	expect(100, 10);
	/* the page cache does not count */
	scratch_text("m/sys/fs/cgroup/a/b/memory.stat",
	        "anon 1\nworkingset_active_file 7340032\nactive_file 31457280\ninactive_file "
	        "31457280\n");
	expect(1000, 400);
	/* the tightest counts, wherever it stands */
	scratch_text("m/sys/fs/cgroup/a/memory.max", "209715200\n");
	scratch_text("m/sys/fs/cgroup/a/memory.current", "188743680\n");
	expect(200, 20);
	scratch_text("m/proc/self/cgroup", "0::/../../elsewhere\n");
	expect(1000, 400);
	/* a container whose mount is its own group, under the name that it has outside */
	scratch_text("m/sys/fs/cgroup/memory.max", "52428800\n");
	scratch_text("m/sys/fs/cgroup/memory.current", "47185920\n");
	scratch_text("m/proc/self/cgroup", "0::/docker/0123\n");
	expect(50, 5);
	scratch_text("m/proc/self/cgroup", "0::/\n");
	expect(50, 5);
	unlink("m/sys/fs/cgroup/memory.max");
}

static void
test_legacy(void **state)
{
	(void)state;
	scratch_text("m/proc/self/cgroup", "5:cpu,memory:/a\n0::/\n");
	scratch_text("m/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "9223372036854771712\n");
	scratch_text("m/sys/fs/cgroup/memory/a/memory.usage_in_bytes", "94371840\n");
	expect(1000, 400);
	scratch_text("m/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "104857600\n");
	expect(100, 10);
	scratch_text("m/sys/fs/cgroup/memory/a/memory.stat",
	        "active_file 1\ntotal_inactive_file 10485760\ntotal_active_file 0\n");
	expect(100, 20);
	scratch_text("m/proc/self/cgroup", "5:cpu:/a\n");
	expect(1000, 400);
}

static void
test_nonsense(void **state)
{
	static const char *const lines[] = {"", "\n", ":", "::", "a:memory\n",
	        "4:memory:", "0::/a/b/../..\n", "0::////\n", "x:memory:relative/path\n"};
	char *path = malloc(PATH_MAX + 64);

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		scratch_text("m/proc/self/cgroup", lines[i]);
		expect(1000, 400);
	}
	memset(path, '/', PATH_MAX + 63);
	memcpy(path, "0::", 3);
	path[PATH_MAX + 63] = 0;
	scratch_text("m/proc/self/cgroup", path);
	expect(1000, 400);
	free(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_short),
	        cmocka_unit_test(test_narrow),
	        cmocka_unit_test(test_machine),
	        cmocka_unit_test(test_unified),
	        cmocka_unit_test(test_legacy),
	        cmocka_unit_test(test_nonsense),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
