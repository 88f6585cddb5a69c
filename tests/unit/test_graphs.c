/* mesh/graphs: one graph for each user, made when needed, kept while young; the clock is the test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mesh/graphs.h"
#include "mesh/loop.h"

static uint64_t now = 1000;

uint64_t
loop_now_ms(void)
{
	return now;
}

static ino_t
inode(int fd)
{
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	return st.st_ino;
}

static void
test_one_for_each(void **state)
{
	(void)state;
	struct graphs *g = graphs_new();
	int a = graphs_fd(g, 1), b = graphs_fd(g, 2);
	assert_true(a >= 0 && b >= 0);
	assert_true(inode(a) != inode(b));
	assert_int_equal(graphs_fd(g, 1), a);
	assert_int_equal(graphs_fd(g, 2), b);
	graphs_free(g);
	assert_int_equal(fcntl(a, F_GETFD), -1);
	assert_int_equal(fcntl(b, F_GETFD), -1);
	graphs_free(NULL);
}

static void
test_sealed(void **state)
{
	(void)state;
	struct graphs *g = graphs_new();
	int fd = graphs_fd(g, 1);
	struct stat st;
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, GRAPHS_SIZE);
	assert_true(st.st_blocks < 100); /* nothing of it is there yet */
	assert_int_equal(ftruncate(fd, 4096), -1);
	assert_int_equal(ftruncate(fd, GRAPHS_SIZE + 4096), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	assert_int_equal(pwrite(fd, "x", 1, 0), 1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	graphs_free(g);
}

static void
test_forget(void **state)
{
	(void)state;
	struct graphs *g = graphs_new();
	int other = graphs_fd(g, 2);
	ino_t first = inode(graphs_fd(g, 1)), kept = inode(other), second;
	now += GRAPHS_AGE_MS - 1;
	graphs_forget(g, 1); /* too young */
	assert_true(inode(graphs_fd(g, 1)) == first);
	now++;
	graphs_forget(g, 1);
	graphs_forget(g, 1);
	second = inode(graphs_fd(g, 1));
	assert_true(second != first);
	graphs_forget(g, 1); /* the wrappers that still had the first one */
	assert_true(inode(graphs_fd(g, 1)) == second);
	assert_true(inode(graphs_fd(g, 2)) == kept);
	graphs_forget(g, 3);
	graphs_free(g);
}

static void
test_longest_ago_goes(void **state)
{
	(void)state;
	struct graphs *g = graphs_new();
	ino_t first, second;
	for (uid_t uid = 0; uid < GRAPHS_MAX; uid++)
		assert_true(graphs_fd(g, uid) >= 0);
	first = inode(graphs_fd(g, 0)); /* asked again: now 1 is the oldest */
	second = inode(graphs_fd(g, 2));
	int gone = graphs_fd(g, 1), next = dup(0);
	close(next);
	for (uid_t uid = 2; uid < GRAPHS_MAX; uid++)
		assert_true(graphs_fd(g, uid) >= 0);
	assert_true(inode(graphs_fd(g, 0)) == first);
	ino_t lost = inode(gone);
	assert_true(graphs_fd(g, 1000) >= 0);
	assert_true(inode(graphs_fd(g, 0)) == first);
	assert_true(inode(graphs_fd(g, 2)) == second);
	assert_true(inode(graphs_fd(g, 1)) != lost);
	int after = dup(0);
	close(after);
	assert_in_range(after, 0, next); /* no more descriptors than before */
	graphs_free(g);
}

/* Without descriptors there is no graph, and those that are there stay. */
static void
test_no_descriptors(void **state)
{
	(void)state;
	struct graphs *g = graphs_new();
	struct rlimit was, none;
	int fd = graphs_fd(g, 1);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	none = was;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(graphs_fd(g, 2), -1);
	assert_int_equal(graphs_fd(g, 1), fd);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	assert_true(graphs_fd(g, 2) >= 0);
	graphs_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_one_for_each),
	        cmocka_unit_test(test_sealed),
	        cmocka_unit_test(test_forget),
	        cmocka_unit_test(test_longest_ago_goes),
	        cmocka_unit_test(test_no_descriptors),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
