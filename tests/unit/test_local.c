#include "client/local.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

#define TAKERS 64
#define SLOTS 3
#define DEADLINE_MS 30000

struct shared {
	atomic_int inside, most, done;
};

static struct shared *shared;

static int
enter(void **state)
{
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	shared = mmap(
	        NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return cwd && shared != MAP_FAILED ? scratch_enter(cwd) : -1;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	munmap(shared, sizeof(*shared));
	return r;
}

static void
count_in(void)
{
	int now = atomic_fetch_add(&shared->inside, 1) + 1, most = atomic_load(&shared->most);

	while (now > most && !atomic_compare_exchange_weak(&shared->most, &most, now))
		;
}

/* fork, but the child does not outlive a test that fails. */
static pid_t
spawn(void)
{
	pid_t pid = fork();

	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

/* A taker: counts itself in, works a little, counts itself out. */
static void
take_once(void)
{
	int fd = -1;

	if (local_slot_take("pool", SLOTS, &fd))
		_exit(1);
	count_in();
	for (int i = 0; i < 20; i++)
		sched_yield();
	atomic_fetch_sub(&shared->inside, 1);
	atomic_fetch_add(&shared->done, 1);
	local_slot_give(fd);
	_exit(0);
}

static int
wait_all(int n)
{
	int bad = 0, status;

	for (int i = 0; i < n; i++)
		bad += wait(&status) < 0 || !WIFEXITED(status) || WEXITSTATUS(status);
	return bad;
}

static void
test_never_more(void **state)
{
	(void)state;
	memset(shared, 0, sizeof(*shared));
	for (int i = 0; i < TAKERS; i++) {
		pid_t pid = spawn();

		assert_true(pid >= 0);
		if (pid == 0)
			take_once();
	}
	assert_int_equal(wait_all(TAKERS), 0);
	assert_int_equal(shared->done, TAKERS);
	assert_true(shared->most >= 1 && shared->most <= SLOTS);
}

/* A child that takes a slot, says so on the pipe and waits to be killed. */
static pid_t
holder(int ready)
{
	pid_t pid = spawn();
	int fd = -1;

	if (pid)
		return pid;
	if (local_slot_take("pool", SLOTS, &fd) || write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* One byte within the deadline. */
static void
await(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};
	char c;

	assert_int_equal(poll(&p, 1, DEADLINE_MS), 1);
	assert_int_equal(read(fd, &c, 1), 1);
}

static void
end(pid_t pid)
{
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void
test_killed_holders(void **state)
{
	pid_t pids[2 * SLOTS];
	int ready[2], fd = -1, fds[SLOTS];

	(void)state;
	assert_int_equal(pipe(ready), 0);
	for (int i = 0; i < 2 * SLOTS; i++)
		pids[i] = holder(ready[1]);
	for (int i = 0; i < SLOTS; i++)
		await(ready[0]);
	assert_int_equal(local_slot_try("pool", SLOTS, &fd), IM_ERR_ABSENT);
	assert_int_equal(fd, -1);
	/* waiters die as well as holders, in any order */
	for (int i = 0; i < 2 * SLOTS; i++)
		end(pids[i]);
	for (int i = 0; i < SLOTS; i++)
		assert_int_equal(local_slot_try("pool", SLOTS, &fds[i]), 0);
	assert_int_equal(local_slot_try("pool", SLOTS, &fd), IM_ERR_ABSENT);
	for (int i = 0; i < SLOTS; i++)
		local_slot_give(fds[i]);
	close(ready[0]);
	close(ready[1]);
}

static void
test_give_and_inherit(void **state)
{
	int fd = -1, other = -1;
	pid_t pid;

	(void)state;
	assert_int_equal(local_slot_try("one", 1, &fd), 0);
	assert_int_equal(fcntl(fd, F_GETFD), 0);
	assert_true(fd >= LOCAL_SLOT_FD);
	pid = spawn();
	if (pid == 0)
		for (;;)
			pause();
	close(fd);
	assert_int_equal(local_slot_try("one", 1, &other), IM_ERR_ABSENT);
	end(pid);
	assert_int_equal(local_slot_take("one", 1, &other), 0);
	pid = spawn();
	if (pid == 0)
		for (;;)
			pause();
	local_slot_give(other);
	assert_int_equal(local_slot_try("one", 1, &fd), 0);
	local_slot_give(fd);
	end(pid);
}

/* Nobody jumps the queue. */
static void
test_try_yields_to_waiters(void **state)
{
	int queue, fd = -1;

	(void)state;
	assert_int_equal(local_slot_try("fair", 2, &fd), 0);
	local_slot_give(fd);
	fd = -1;
	queue = open("fair/queue", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(queue, LOCK_EX), 0);
	assert_int_equal(local_slot_try("fair", 2, &fd), IM_ERR_ABSENT);
	close(queue);
	assert_int_equal(local_slot_try("fair", 2, &fd), 0);
	local_slot_give(fd);
}

static void
on_signal(int sig)
{
	(void)sig;
}

static void
test_signals_do_not_end_it(void **state)
{
	struct sigaction act = {.sa_handler = on_signal}, old;
	int fd = -1;
	pid_t pid, self = getpid();

	(void)state;
	assert_int_equal(sigaction(SIGUSR1, &act, &old), 0);
	assert_int_equal(local_slot_take("sig", 1, &fd), 0);
	pid = spawn();
	if (pid == 0) {
		for (int i = 0; i < 20; i++) {
			kill(self, SIGUSR1);
			poll(NULL, 0, 1);
		}
		local_slot_give(fd);
		_exit(0);
	}
	close(fd);
	fd = -1;
	assert_int_equal(local_slot_take("sig", 1, &fd), 0);
	assert_true(fd >= 0);
	local_slot_give(fd);
	assert_int_equal(wait_all(1), 0);
	sigaction(SIGUSR1, &old, NULL);
}

/* A child that waits for one of n slots, says so when it has it and keeps it. */
static pid_t
waiter(const char *pool, unsigned n, int ready)
{
	pid_t pid = spawn();
	int fd = -1;

	if (pid)
		return pid;
	if (local_slot_take(pool, n, &fd) || write(ready, "x", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

/* Until the process sleeps, or has been stopped: state as in proc(5). */
static void
await_state(pid_t pid, char wanted)
{
	char path[64], is = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	for (int i = 0; i < DEADLINE_MS && is != wanted; i++) {
		f = fopen(path, "re");
		assert_non_null(f);
		assert_int_equal(fscanf(f, "%*d (%*[^)]) %c", &is), 1);
		fclose(f);
		poll(NULL, 0, 1);
	}
	assert_int_equal(is, wanted);
}

static bool
queue_taken(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC), r = flock(fd, LOCK_EX | LOCK_NB);

	close(fd);
	return r != 0;
}

/* The first of the queue is stopped: the next one gets the slot all the same. */
static void
test_stopped_waiter(void **state)
{
	int fd = -1, ready[2], status;
	pid_t first, second;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(local_slot_take("stop", 1, &fd), 0);
	first = waiter("stop", 1, ready[1]);
	while (!queue_taken("stop/queue"))
		poll(NULL, 0, 1);
	assert_int_equal(kill(first, SIGSTOP), 0);
	await_state(first, 'T');
	second = waiter("stop", 1, ready[1]);
	local_slot_give(fd);
	await(ready[0]);
	await_state(second, 'S');
	end(second);
	/* and the stopped one goes on where it was */
	assert_int_equal(kill(first, SIGCONT), 0);
	await(ready[0]);
	/* a waiter ends at once of what ends any other process */
	second = waiter("stop", 1, ready[1]);
	while (!queue_taken("stop/queue"))
		poll(NULL, 0, 1);
	assert_int_equal(kill(second, SIGTERM), 0);
	assert_int_equal(waitpid(second, &status, 0), second);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	end(first);
	close(ready[0]);
	close(ready[1]);
}

/* Others can lock what was made under any umask. */
static void
test_umask(void **state)
{
	mode_t before = umask(0777);
	struct stat st;
	int fd = -1;

	(void)state;
	assert_int_equal(local_slot_take("mask", 2, &fd), 0);
	umask(before);
	local_slot_give(fd);
	assert_int_equal(stat("mask", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	assert_int_equal(stat("mask/1", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
}

/* Takers with different numbers: the larger one is the most, and the smaller holds for who has it. */
static void
test_two_numbers(void **state)
{
	int fds[4], fd = -1;

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(local_slot_try("two", 4, &fds[i]), 0);
	assert_int_equal(local_slot_try("two", 2, &fd), IM_ERR_ABSENT);
	assert_int_equal(local_slot_try("two", 4, &fds[3]), 0);
	assert_int_equal(local_slot_try("two", 4, &fd), IM_ERR_ABSENT);
	local_slot_give(fds[1]);
	assert_int_equal(local_slot_try("two", 2, &fds[1]), 0);
	assert_int_equal(local_slot_try("two", 4, &fd), IM_ERR_ABSENT);
	for (int i = 0; i < 4; i++)
		local_slot_give(fds[i]);
}

/* When memory is short, one job runs at a time, whichever slot it has. */
static void
test_memory(void **state)
{
	int first = -1, second = -1, fd = -1, ready[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(mkdir("short", 0755), 0);
	assert_int_equal(mkdir("short/proc", 0755), 0);
	scratch_text("short/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 151 kB\n");
	assert_int_equal(local_slot_try("short", 3, &first), 0);
	assert_int_equal(local_slot_try("short", 3, &second), 0);
	scratch_text("short/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 140 kB\n");
	assert_int_equal(local_slot_try("short", 3, &fd), IM_ERR_ABSENT);
	local_slot_give(first);
	assert_int_equal(local_slot_try("short", 3, &fd), IM_ERR_ABSENT);
	pid = waiter("short", 3, ready[1]);
	while (!queue_taken("short/queue"))
		poll(NULL, 0, 1);
	local_slot_give(second);
	await(ready[0]); /* nobody else runs: memory or not */
	assert_int_equal(local_slot_try("short", 3, &fd), IM_ERR_ABSENT);
	scratch_text("short/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 400 kB\n");
	assert_int_equal(local_slot_try("short", 3, &fd), 0);
	local_slot_give(fd);
	end(pid);
	close(ready[0]);
	close(ready[1]);
}

static void
test_refused(void **state)
{
	int fd = -1;

	(void)state;
	assert_int_equal(local_slot_try("pool", 0, &fd), IM_ERR_LIMIT);
	assert_int_equal(local_slot_try("pool", LOCAL_SLOTS_MAX + 1, &fd), IM_ERR_LIMIT);
	assert_int_equal(mkdir("open", 0755), 0);
	assert_int_equal(chmod("open", 01777), 0);
	assert_int_equal(local_slot_try("open", 1, &fd), IM_ERR_REFUSED);
	assert_int_equal(symlink("pool", "link"), 0);
	assert_int_equal(local_slot_try("link", 1, &fd), IM_ERR_REFUSED);
	assert_int_equal(local_slot_try("no/such", 1, &fd), IM_ERR_SYSTEM);
	assert_int_equal(mkdir("odd", 0755), 0);
	assert_int_equal(mkfifo("odd/0", 0600), 0);
	assert_int_equal(local_slot_try("odd", 1, &fd), IM_ERR_SYSTEM);
	assert_int_equal(fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_never_more),
	        cmocka_unit_test(test_killed_holders),
	        cmocka_unit_test(test_give_and_inherit),
	        cmocka_unit_test(test_try_yields_to_waiters),
	        cmocka_unit_test(test_signals_do_not_end_it),
	        cmocka_unit_test(test_stopped_waiter),
	        cmocka_unit_test(test_umask),
	        cmocka_unit_test(test_two_numbers),
	        cmocka_unit_test(test_memory),
	        cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
