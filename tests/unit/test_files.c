/* Small files: read with a bound, written whole, folders made. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include "mesh/files.h"
#include "tests/unit/scratch.h"

static char dir[PATH_MAX];

static int
set_up(void **state)
{
	(void)state;
	umask(022);
	return scratch_enter(dir);
}

static int
tear_down(void **state)
{
	(void)state;
	return scratch_leave(dir);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
test_path(void **state)
{
	char out[FILES_PATH_SIZE], longer[FILES_PATH_SIZE];

	(void)state;
	assert_int_equal(files_path(out, "/a", "b"), 0);
	assert_string_equal(out, "/a/b");
	memset(longer, 'x', sizeof longer);
	longer[FILES_PATH_SIZE - 3] = 0;
	assert_int_equal(files_path(out, longer, "b"), 0);
	assert_int_equal(strlen(out), FILES_PATH_SIZE - 1);
	assert_int_equal(files_path(out, longer, "bb"), IM_ERR_LIMIT);
}

static void
test_read(void **state)
{
	static uint8_t big[50000];
	struct buf b;

	(void)state;
	memset(big, 'q', sizeof big);
	assert_int_equal(scratch_write("big", big, sizeof big, 0644), 0);
	buf_init(&b, sizeof big + 1);
	buf_put(&b, "x", 1);
	assert_int_equal(files_read("big", &b), 0);
	assert_int_equal(b.len, sizeof big + 1);
	assert_int_equal(b.data[0], 'x');
	assert_memory_equal(b.data + 1, big, sizeof big);
	buf_fini(&b);
	buf_init(&b, sizeof big - 1);
	assert_int_equal(files_read("big", &b), IM_ERR_LIMIT);
	buf_fini(&b);
	assert_int_equal(files_read("missing", &b), IM_ERR_ABSENT);
	assert_int_equal(files_read(".", &b), IM_ERR_SYSTEM);
	assert_int_equal(symlink("big", "link"), 0);
	assert_int_equal(files_read("link", &b), IM_ERR_SYSTEM);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	alarm(20); /* a pipe without a writer: the answer comes at once, whatever it is */
	assert_int_not_equal(files_read("fifo", &b), IM_ERR_ABSENT);
	alarm(0);
	assert_int_equal(b.len, 0);
}

static void
test_write(void **state)
{
	char longer[FILES_PATH_SIZE + 100];
	struct buf b;

	(void)state;
	assert_int_equal(files_write("f", "one", 3, 0600), 0);
	assert_int_equal(mode_of("f"), 0600);
	assert_int_equal(scratch_text("f.tmp", "left by a crash"), 0);
	assert_int_equal(files_write("f", "second", 6, 0644), 0);
	assert_int_equal(mode_of("f"), 0644);
	assert_int_equal(access("f.tmp", F_OK), -1);
	buf_init(&b, 100);
	assert_int_equal(files_read("f", &b), 0);
	assert_string_equal(buf_text(&b), "second");
	buf_fini(&b);
	assert_int_equal(files_write("no/such/folder", "x", 1, 0600), IM_ERR_SYSTEM);
	assert_int_equal(mkdir("d", 0755), 0);
	assert_int_equal(files_write("d", "x", 1, 0600), IM_ERR_SYSTEM);
	assert_int_equal(access("d.tmp", F_OK), -1);
	/* a link in the way of the temporary name leads nowhere */
	assert_int_equal(scratch_text("victim", "safe"), 0);
	assert_int_equal(symlink("victim", "g.tmp"), 0);
	assert_int_equal(files_write("g", "new", 3, 0600), 0);
	assert_int_equal(files_read("victim", &b), 0);
	assert_string_equal(buf_text(&b), "safe");
	buf_fini(&b);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(files_write(longer, "x", 1, 0600), IM_ERR_LIMIT);
}

static void
test_mkdir(void **state)
{
	char longer[FILES_PATH_SIZE + 100];

	(void)state;
	assert_int_equal(files_mkdir("a/b/c", 0700), 0);
	assert_int_equal(mode_of("a"), 0755);
	assert_int_equal(mode_of("a/b"), 0755);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_int_equal(files_mkdir("a/b/c", 0755), 0);
	assert_int_equal(mode_of("a/b/c"), 0700);
	assert_int_equal(files_mkdir("p/q//", 0700), 0);
	assert_int_equal(mode_of("p"), 0755);
	assert_int_equal(mode_of("p/q"), 0700);
	assert_int_equal(files_mkdir("/", 0700), 0);
	assert_int_equal(scratch_text("file", ""), 0);
	assert_int_equal(files_mkdir("file", 0700), IM_ERR_SYSTEM);
	assert_int_equal(errno, ENOTDIR);
	assert_int_equal(files_mkdir("file/below", 0700), IM_ERR_SYSTEM);
	assert_int_equal(symlink("a", "to"), 0);
	assert_int_equal(files_mkdir("to", 0700), 0); /* the owner may have moved it */
	assert_int_equal(files_mkdir("", 0700), IM_ERR_LIMIT);
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	assert_int_equal(files_mkdir(longer, 0700), IM_ERR_LIMIT);
}

static void
test_memory(void **state)
{
	int fd = files_memory("test", "content", 7);
	char out[16];

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(read(fd, out, sizeof out), 7);
	assert_memory_equal(out, "content", 7);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	close(fd);
	assert_int_equal(files_write_all(-1, "x", 1), IM_ERR_SYSTEM);
	assert_int_equal(files_write_all(-1, "x", 0), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_path),
	        T(test_read),
	        T(test_write),
	        T(test_mkdir),
	        cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
