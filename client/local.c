#include "client/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include "client/memory.h"
#include "mesh/places.h"

#define POLL_FIRST_US 1000
#define POLL_MOST_US 10000
/* Who waits in the queue looks for himself now and then: the first of it may have been stopped. */
#define QUEUE_MS 2000

struct pool {
	const char *memory; /* below which root memory is looked at */
	int dir, queue;
	int *fds;   /* of the slots */
	unsigned n; /* of them */
};

/* Opens a folder that only root or this user can alter; makes it when `make`. -1 with errno. */
static int
open_folder(const char *path, bool make, bool root_only)
{
	bool made = make && mkdir(path, 0755) == 0;
	struct stat st;
	int fd;

	if (make && !made && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (made)
		(void)!fchmod(fd, 0755); /* whatever the umask */
	if (fstat(fd, &st) == 0 && (st.st_uid == 0 || (st.st_uid == geteuid() && !root_only)) &&
	        !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* Opens a lock file, making it where that is allowed.  Without O_CREAT first: in a sticky folder
 * that flag is refused for files of others even when they are there. */
static int
open_lock(int dir, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int fd = openat(dir, name, flags);

	if (fd < 0 && errno == ENOENT) {
		fd = openat(dir, name, flags | O_CREAT, 0644);
		if (fd >= 0)
			(void)!fchmod(fd, 0644); /* whatever the umask: others lock it, too */
	}
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
}

/* Opens the folder, its queue and its slots; fewer slots when the folder is another's and has fewer.
 * -1 with errno when it cannot be used. */
static int
open_pool(struct pool *p, const char *path, bool make, bool root_only)
{
	unsigned most = p->n;

	p->dir = open_folder(path, make, root_only);
	if (p->dir < 0)
		return -1;
	p->queue = open_lock(p->dir, "queue");
	for (p->n = 0; p->queue >= 0 && p->n < most; p->n++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", p->n);
		p->fds[p->n] = open_lock(p->dir, name);
		if (p->fds[p->n] < 0)
			break;
	}
	if (p->n > 0)
		return 0;
	if (p->queue >= 0)
		close(p->queue);
	close(p->dir);
	p->n = most;
	return -1;
}

/* The first that can be used. -1 with errno. */
static int
find_pool(struct pool *p, const char *folder)
{
	/* more than one, since any of them may be missing, read-only or taken by somebody else */
	static const char *const folders[] = {"/tmp", "/var/tmp", "/dev/shm"};
	char own[64];
	int r;

	if (folder)
		return open_pool(p, folder, true, false);
	r = open_pool(p, PLACE_SLOTS, false, true);
	if (r < 0)
		r = open_pool(p, "/tmp/icemesh-slots", geteuid() == 0, true);
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && r < 0; i++) {
		snprintf(own, sizeof(own), "%s/icemesh-slots-%u", folders[i], (unsigned)geteuid());
		r = open_pool(p, own, true, false);
	}
	return r;
}

static void
close_pool(struct pool *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->fds[i] >= 0)
			close(p->fds[i]);
	close(p->queue);
	close(p->dir);
}

/* flock that signals do not end. */
static int
lock(int fd, int how)
{
	int r;

	do
		r = flock(fd, how);
	while (r < 0 && errno == EINTR);
	return r;
}

/* True when a job holds one of the slots from i on. */
static bool
some_held(const struct pool *p, unsigned i)
{
	for (; i < p->n; i++) {
		if (lock(p->fds[i], LOCK_EX | LOCK_NB) != 0)
			return true;
		lock(p->fds[i], LOCK_UN);
	}
	return false;
}

/* The index of a slot that is now ours, or n.  Beside another job, none is for the taking while
 * memory is short; one job can always run. */
static unsigned
grab(const struct pool *p)
{
	struct memory memory;
	unsigned i;

	for (i = 0; i < p->n; i++)
		if (lock(p->fds[i], LOCK_EX | LOCK_NB) == 0)
			break;
	if (i == p->n || (i == 0 && !some_held(p, 1)))
		return i;
	memory_look(&memory, p->memory);
	if (!memory_short(&memory))
		return i;
	lock(p->fds[i], LOCK_UN);
	return p->n;
}

/* Hands the slot over as a descriptor that survives exec. */
static bool
keep(int *slot, int *fd)
{
	*fd = fcntl(*slot, F_DUPFD, LOCAL_SLOT_FD);
	if (*fd < 0 && fcntl(*slot, F_SETFD, 0) == 0) {
		*fd = *slot;
		*slot = -1;
	}
	return *fd >= 0;
}

static void
nap(long us)
{
	struct timespec t = {0, us * 1000};

	nanosleep(&t, NULL);
}

/* With the queue's lock held: one of the slots, waiting for it. */
static unsigned
wait_slot(const struct pool *p)
{
	unsigned i = grab(p);

	for (long us = POLL_FIRST_US; i == p->n; i = grab(p)) {
		nap(us);
		us = us * 3 / 2 < POLL_MOST_US ? us * 3 / 2 : POLL_MOST_US;
	}
	return i;
}

static void
on_alarm(int sig)
{
	(void)sig;
}

/* A slot, after waiting in the queue.  A timer ends the wait for the queue's lock from time to time. */
static unsigned
queue_up(const struct pool *p)
{
	const struct itimerval often = {{QUEUE_MS / 1000, 0}, {QUEUE_MS / 1000, 0}};
	struct itimerval timer_before;
	struct sigaction act = {.sa_handler = on_alarm}, before;
	unsigned i = p->n;
	bool queued, again;

	if (lock(p->queue, LOCK_EX | LOCK_NB) == 0)
		return wait_slot(p);
	sigaction(SIGALRM, &act, &before);
	setitimer(ITIMER_REAL, &often, &timer_before);
	do {
		queued = flock(p->queue, LOCK_EX) == 0;
		again = !queued && errno == EINTR;
		if (again)
			i = grab(p);
	} while (again && i == p->n);
	setitimer(ITIMER_REAL, &timer_before, NULL);
	sigaction(SIGALRM, &before, NULL);
	return queued ? wait_slot(p) : i;
}

static int
slot_get(const char *folder, unsigned n, bool wait, int *fd)
{
	struct pool p = {.memory = folder ? folder : "", .n = n};
	int err = IM_ERR_SYSTEM;
	unsigned i;

	if (n == 0 || n > LOCAL_SLOTS_MAX)
		return IM_ERR_LIMIT;
	p.fds = malloc(n * sizeof(*p.fds));
	if (!p.fds)
		return IM_ERR_MEMORY;
	if (find_pool(&p, folder) < 0) {
		err = errno == EPERM || errno == ELOOP || errno == ENOTDIR ? IM_ERR_REFUSED
		                                                           : IM_ERR_SYSTEM;
		goto out;
	}
	i = p.n;
	if (wait)
		i = queue_up(&p);
	else if (lock(p.queue, LOCK_EX | LOCK_NB) == 0)
		i = grab(&p);
	err = !wait ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	if (i < p.n && keep(&p.fds[i], fd))
		err = 0;
	close_pool(&p);
out:
	free(p.fds);
	return err;
}

int
local_slot_take(const char *folder, unsigned n, int *fd)
{
	return slot_get(folder, n, true, fd);
}

int
local_slot_try(const char *folder, unsigned n, int *fd)
{
	return slot_get(folder, n, false, fd);
}

void
local_slot_give(int fd)
{
	if (fd < 0)
		return;
	lock(fd, LOCK_UN);
	close(fd);
}
