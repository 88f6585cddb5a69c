/* Paths below a folder: nothing is written, read or removed through a link, and only plain files are collected. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/scratch.h"

static char dir[64];
static int in, top;

static int
start(void **state)
{
	(void)state;
	snprintf(dir, sizeof(dir), "/tmp/icemesh-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	top = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(top, "in", 0755), 0);
	assert_int_equal(mkdirat(top, "outside", 0755), 0);
	in = openat(top, "in", O_RDONLY | O_DIRECTORY);
	return in < 0;
}

static int
stop(void **state)
{
	(void)state;
	close(in);
	assert_int_equal(scratch_remove(top, "in"), 0);
	assert_int_equal(scratch_remove(top, "outside"), 0);
	close(top);
	return rmdir(dir);
}

static void
files_are_made(void **state)
{
	struct stat st;
	uint64_t size = 0;
	char text[8] = "";
	int fd, from = memfd_create("x", 0);

	(void)state;
	assert_int_equal(write(from, "hello", 5), 5);
	assert_int_equal(scratch_copy(in, "a/b/c", 0755, from, 5), 0);
	assert_int_equal(fstatat(in, "a/b/c", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0755);
	assert_int_equal(scratch_collect(in, "a/b/c", &fd, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(read(fd, text, 8), 5);
	assert_string_equal(text, "hello");
	close(fd);
	assert_int_not_equal(scratch_copy(in, "a/b/c", 0644, from, 5), 0);
	assert_int_equal(scratch_copy(in, "d", 0644, from, 4), IM_ERR_LIMIT);
	assert_int_equal(scratch_collect(in, "absent", &fd, &size), IM_ERR_ABSENT);
	assert_int_equal(scratch_collect(in, "absent/x", &fd, &size), IM_ERR_ABSENT);
	assert_int_equal(scratch_folder(in, ""), 0);
	assert_int_equal(scratch_folder(in, "a/b"), 0);
	close(from);
}

static void
links_lead_nowhere(void **state)
{
	int fd = -1;
	uint64_t size;

	(void)state;
	assert_int_equal(scratch_link(in, "x/l", "../../outside"), 0);
	assert_int_equal(symlinkat("../outside", in, "l"), 0);
	assert_true(scratch_create(in, "l/file", 0644) < 0);
	assert_true(scratch_create(in, "l", 0644) < 0);
	assert_int_not_equal(scratch_folder(in, "l/new"), 0);
	assert_int_not_equal(scratch_link(in, "l/link", "x"), 0);
	assert_true(scratch_create(in, "../outside/file", 0644) < 0);
	close(openat(top, "outside/file", O_CREAT | O_WRONLY, 0644));
	assert_int_equal(scratch_collect(in, "l/file", &fd, &size), IM_ERR_REFUSED);
	assert_int_equal(scratch_collect(in, "../outside/file", &fd, &size), IM_ERR_REFUSED);
	assert_int_equal(scratch_remove(top, "in"), 0);
	assert_int_equal(faccessat(top, "outside/file", F_OK, 0), 0);
	assert_int_equal(mkdirat(top, "in", 0755), 0);
}

static void
only_plain_files_are_collected(void **state)
{
	int fd = -1;
	uint64_t size;

	(void)state;
	assert_int_equal(mkfifoat(in, "fifo", 0644), 0);
	assert_int_equal(mkdirat(in, "folder", 0755), 0);
	assert_int_equal(symlinkat("plain", in, "link"), 0);
	close(openat(in, "plain", O_CREAT | O_WRONLY, 0644));
	assert_int_equal(linkat(in, "plain", in, "twin", 0), 0);
	assert_int_equal(scratch_collect(in, "fifo", &fd, &size), IM_ERR_REFUSED);
	assert_int_equal(scratch_collect(in, "folder", &fd, &size), IM_ERR_REFUSED);
	assert_int_equal(scratch_collect(in, "link", &fd, &size), IM_ERR_REFUSED);
	assert_int_equal(scratch_collect(in, "twin", &fd, &size), IM_ERR_REFUSED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(files_are_made, start, stop),
	        cmocka_unit_test_setup_teardown(links_lead_nowhere, start, stop),
	        cmocka_unit_test_setup_teardown(only_plain_files_are_collected, start, stop)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
