#include "client/local.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "mesh/places.h"

#define POLL_FIRST_US 1000
#define POLL_MOST_US 10000

/* Opens a folder that only root or this user can alter; makes it when `make`. -1 with errno. */
static int
open_folder(const char *path, bool make, bool root_only)
{
	struct stat st;
	int fd;

	if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
		return -1;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && (st.st_uid == 0 || (st.st_uid == geteuid() && !root_only)) &&
	        !(st.st_mode & (S_IWGRP | S_IWOTH)))
		return fd;
	close(fd);
	errno = EPERM;
	return -1;
}

/* The first folder that can be used. -1 with errno. */
static int
find_folder(const char *folder)
{
	/* more than one, since any of them may be missing, read-only or taken by somebody else */
	static const char *const folders[] = {"/tmp", "/var/tmp", "/dev/shm"};
	char own[64];
	int fd;

	if (folder)
		return open_folder(folder, true, false);
	fd = open_folder(PLACE_SLOTS, false, true);
	if (fd < 0)
		fd = open_folder("/tmp/icemesh-slots", geteuid() == 0, true);
	if (fd >= 0)
		return fd;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]) && fd < 0; i++) {
		snprintf(own, sizeof(own), "%s/icemesh-slots-%u", folders[i], (unsigned)geteuid());
		fd = open_folder(own, true, false);
	}
	return fd;
}

/* Opens a lock file, making it where that is allowed.  Without O_CREAT first: in a sticky folder
 * that flag is refused for files of others even when they are there. */
static int
open_lock(int dir, const char *name)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	struct stat st;
	int fd = openat(dir, name, flags);

	if (fd < 0 && errno == ENOENT)
		fd = openat(dir, name, flags | O_CREAT, 0644);
	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		errno = EINVAL;
		return -1;
	}
	return fd;
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

/* Opens the n slots; fewer when the folder is another's and has fewer.  Returns how many. */
static unsigned
open_slots(int dir, unsigned n, int *fds)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%u", i);
		fds[i] = open_lock(dir, name);
		if (fds[i] < 0)
			break;
	}
	return i;
}

/* The index of a slot that is now ours, or n. */
static unsigned
grab(const int *fds, unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (lock(fds[i], LOCK_EX | LOCK_NB) == 0)
			break;
	return i;
}

static void
nap(long us)
{
	struct timespec t = {0, us * 1000};

	nanosleep(&t, NULL);
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

/* With the queue's lock held: one of the slots, waiting for it when `wait`. */
static int
choose(int dir, unsigned n, bool wait, int *fd)
{
	int *fds = malloc(n * sizeof(*fds));
	unsigned i, opened;
	int err = IM_ERR_SYSTEM;

	if (!fds)
		return IM_ERR_MEMORY;
	opened = open_slots(dir, n, fds);
	if (opened == 0)
		goto out;
	i = grab(fds, opened);
	for (long us = POLL_FIRST_US; wait && i == opened; i = grab(fds, opened)) {
		nap(us);
		us = us * 3 / 2 < POLL_MOST_US ? us * 3 / 2 : POLL_MOST_US;
	}
	err = IM_ERR_ABSENT;
	if (i < opened && keep(&fds[i], fd))
		err = 0;
out:
	for (i = 0; i < opened; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	free(fds);
	return err;
}

static int
slot_get(const char *folder, unsigned n, bool wait, int *fd)
{
	int dir, queue, err = IM_ERR_SYSTEM;

	if (n == 0 || n > LOCAL_SLOTS_MAX)
		return IM_ERR_LIMIT;
	dir = find_folder(folder);
	if (dir < 0)
		return errno == EPERM || errno == ELOOP || errno == ENOTDIR ? IM_ERR_REFUSED
		                                                            : IM_ERR_SYSTEM;
	queue = open_lock(dir, "queue");
	if (queue < 0)
		goto out;
	if (lock(queue, wait ? LOCK_EX : LOCK_EX | LOCK_NB) == 0)
		err = choose(dir, n, wait, fd);
	else if (errno == EWOULDBLOCK)
		err = IM_ERR_ABSENT;
	close(queue);
out:
	close(dir);
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
