/* The unpacking child: what it refuses leaves nothing, what a killed one left is swept away. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "exec/unpack.h"
#include "tests/unit/scratch.h"

static char cwd[PATH_MAX];
static struct filter filter;

static int
start(void **state)
{
	(void)state;
	return scratch_enter(cwd) != 0 || mkdir("toolchains", 0755) != 0 ||
	       filter_build(&filter, FILTER_UNPACK) != 0;
}

static int
stop(void **state)
{
	(void)state;
	filter_fini(&filter);
	scratch_leave(cwd);
	return 0;
}

static struct unpack_report
finish(struct running *r)
{
	struct unpack_report report;
	struct pollfd p = {.fd = r->pidfd, .events = POLLIN};

	assert_int_equal(poll(&p, 1, 30000), 1);
	unpack_finish(r, &report);
	return report;
}

static void
wrong_bytes_leave_nothing(void **state)
{
	int fd = memfd_create("x", MFD_CLOEXEC);
	struct digest wrong = {{1}}, right;
	struct unpack_report report;
	struct running r;
	uint64_t size;

	(void)state;
	assert_int_equal(write(fd, "no archive", 10), 10);
	assert_int_equal(unpack_start(fd, &wrong, &filter, &r), 0);
	report = finish(&r);
	assert_int_equal(report.err, IM_ERR_DIGEST);
	assert_int_equal(digest_of_fd(&right, &size, fd), 0);
	assert_int_equal(unpack_start(fd, &right, &filter, &r), 0);
	report = finish(&r);
	assert_int_equal(report.err, IM_ERR_FORMAT);
	assert_int_not_equal(report.text[0], '\0');
	assert_int_equal(rmdir("toolchains"), 0);
	assert_int_equal(mkdir("toolchains", 0700), 0);
	close(fd);
}

static void
leftovers_are_swept(void **state)
{
	(void)state;
	assert_int_equal(mkdir("toolchains/0f.tmp-1", 0755), 0);
	assert_int_equal(mkdir("toolchains/0f.tmp-1/usr", 0755), 0);
	assert_int_equal(symlink("/", "toolchains/0f.tmp-1/usr/root"), 0);
	assert_int_equal(mkdir("toolchains/0f", 0755), 0);
	unpack_sweep();
	assert_int_not_equal(access("toolchains/0f.tmp-1", F_OK), 0);
	assert_int_equal(access("toolchains/0f", F_OK), 0);
	assert_int_equal(access("/", F_OK), 0);
}

static void
dropped_one_is_gone(void **state)
{
	char hex[DIGEST_HEX_SIZE], name[DIGEST_HEX_SIZE + 16];
	struct digest d = {{0xaa}};
	struct running r;

	(void)state;
	digest_hex(&d, hex);
	snprintf(name, sizeof(name), "toolchains/%s", hex);
	assert_int_equal(mkdir(name, 0755), 0);
	assert_int_equal(unpack_drop(&d, &filter, &r), 0);
	assert_int_equal(finish(&r).err, 0);
	assert_int_not_equal(access(name, F_OK), 0);
	assert_int_equal(unpack_drop(&d, &filter, &r), 0);
	assert_int_not_equal(finish(&r).err, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(wrong_bytes_leave_nothing),
	        cmocka_unit_test(leftovers_are_swept), cmocka_unit_test(dropped_one_is_gone)};

	return cmocka_run_group_tests(tests, start, stop);
}
