/* client/jobserver: a token for each free slot and for none that is not, and what MAKEFLAGS becomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include "client/jobserver.h"
#include "client/local.h"
#include "tests/unit/scratch.h"

#define SLOTS 4

static int
enter(void **state)
{
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	return cwd ? scratch_enter(cwd) : -1;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

static int
inside(int fd)
{
	int n = -1;

	assert_int_equal(ioctl(fd, FIONREAD, &n), 0);
	return n;
}

/* What a make does for one more job. */
static void
use(struct jobserver *j)
{
	char c;

	assert_int_equal(inside(j->read_fd), 1);
	assert_int_equal(read(j->read_fd, &c, 1), 1);
}

/* How many slots are free. */
static unsigned
count_free(void)
{
	unsigned n = 0;
	int fds[SLOTS];

	while (n < SLOTS && local_slot_try("pool", SLOTS, &fds[n]) == 0)
		n++;
	for (unsigned i = 0; i < n; i++)
		local_slot_give(fds[i]);
	return n;
}

static void
test_tokens(void **state)
{
	struct jobserver j;
	int own = -1;

	(void)state;
	assert_int_equal(local_slot_take("pool", SLOTS, &own), 0);
	assert_int_equal(jobserver_open(&j, "pool", SLOTS, NULL), 0);
	assert_int_equal(inside(j.read_fd), 0);
	jobserver_step(&j);
	jobserver_step(&j);
	assert_int_equal(j.given, 1); /* nobody asks for more */
	assert_int_equal(count_free(), SLOTS - 2);
	use(&j);
	jobserver_step(&j);
	assert_int_equal(j.given, 2);
	use(&j);
	jobserver_step(&j);
	assert_int_equal(j.given, 3); /* and its own: that is all */
	assert_int_equal(count_free(), 0);
	use(&j);
	jobserver_step(&j);
	assert_int_equal(j.given, 3);
	assert_int_equal(inside(j.read_fd), 0);
	/* two come back */
	assert_int_equal(write(j.write_fd, "++", 2), 2);
	jobserver_step(&j);
	assert_int_equal(j.given, 2);
	assert_int_equal(inside(j.read_fd), 1);
	assert_int_equal(count_free(), 1);
	jobserver_close(&j); /* one was never given back */
	assert_int_equal(count_free(), SLOTS - 1);
	local_slot_give(own);
}

/* Who waits for a slot goes first. */
static void
test_waiters_first(void **state)
{
	struct jobserver j;
	int own = -1, queue;

	(void)state;
	assert_int_equal(local_slot_take("pool", SLOTS, &own), 0);
	assert_int_equal(jobserver_open(&j, "pool", SLOTS, NULL), 0);
	jobserver_step(&j);
	assert_int_equal(inside(j.read_fd), 1);
	queue = open("pool/queue", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(queue, LOCK_EX), 0);
	jobserver_step(&j);
	assert_int_equal(inside(j.read_fd), 0);
	assert_int_equal(j.given, 0);
	close(queue);
	jobserver_step(&j);
	assert_int_equal(inside(j.read_fd), 1);
	jobserver_close(&j);
	local_slot_give(own);
}

/* Ours cost the outer one its own, and all come back as they were. */
static void
check_outer(const char *flags, int read_fd, int write_fd)
{
	struct jobserver j;
	int own = -1;
	char c[8];

	assert_int_equal(write(write_fd, "ab", 2), 2);
	assert_true(jobserver_named(flags));
	assert_int_equal(local_slot_take("pool", SLOTS, &own), 0);
	assert_int_equal(jobserver_open(&j, "pool", SLOTS, flags), 0);
	jobserver_step(&j);
	use(&j);
	jobserver_step(&j);
	use(&j);
	jobserver_step(&j);
	assert_int_equal(j.given, 2); /* a slot would be free */
	assert_int_equal(inside(read_fd), 0);
	assert_int_equal(count_free(), 1);
	jobserver_close(&j);
	assert_int_equal(read(read_fd, c, 8), 2);
	assert_int_equal(c[0] + c[1], 'a' + 'b');
	local_slot_give(own);
}

static void
test_outer(void **state)
{
	char flags[128];
	int ends[2], fd;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	snprintf(flags, sizeof flags, " -j3 --jobserver-auth=%d,%d", ends[0], ends[1]);
	check_outer(flags, ends[0], ends[1]);
	assert_int_equal(fcntl(ends[0], F_GETFL) & O_NONBLOCK, 0); /* it stays as it was */
	close(ends[0]);
	assert_false(jobserver_named(flags));
	close(ends[1]);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	fd = open("fifo", O_RDWR | O_CLOEXEC);
	check_outer(" -j3 --jobserver-auth=fifo:fifo", fd, fd);
	close(fd);
}

/* Descriptors that a make named and closed may be anything by now: they are left alone. */
static void
test_not_one(void **state)
{
	char flags[128];
	int fd = open("pool/queue", O_RDONLY | O_CLOEXEC);

	(void)state;
	snprintf(flags, sizeof flags, " -j --jobserver-auth=%d,%d", fd, fd);
	assert_false(jobserver_named(flags));
	close(fd);
	assert_false(jobserver_named(NULL));
	assert_false(jobserver_named(""));
	assert_false(jobserver_named(" -j --jobserver-auth=-2,-2"));
	assert_false(jobserver_named(" -j --jobserver-auth="));
	assert_false(jobserver_named(" -j --jobserver-auth=fifo:pool/queue"));
	assert_false(jobserver_named(" -k -- X=--jobserver-auth=0,1"));
}

static void
check_flags(const char *before, const char *start, const char *end)
{
	struct jobserver j;
	char wanted[256];

	assert_int_equal(jobserver_open(&j, "pool", SLOTS, before), 0);
	snprintf(wanted, sizeof wanted, "%s-j4 --jobserver-auth=%d,%d%s", start, j.read_fd,
	        j.write_fd, end);
	assert_string_equal(j.flags, wanted);
	jobserver_close(&j);
}

static void
test_flags(void **state)
{
	struct jobserver j;

	(void)state;
	check_flags(NULL, " ", "");
	check_flags("", " ", "");
	check_flags("ks", "ks ", "");
	check_flags(" -j64 --jobserver-auth=77,78", " ", "");
	check_flags("k -j --jobserver-fds=77,78 --warn -- CFLAGS=-O2\\ -g", "k --warn ",
	        " -- CFLAGS=-O2\\ -g");
	assert_int_equal(jobserver_open(&j, "pool", 0, NULL), IM_ERR_LIMIT);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_tokens),
	        cmocka_unit_test(test_waiters_first),
	        cmocka_unit_test(test_outer),
	        cmocka_unit_test(test_not_one),
	        cmocka_unit_test(test_flags),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
