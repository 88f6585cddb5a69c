#include "exec/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define KEEP_MAX 80
#define ID_OF_NOBODY 60977 /* in no distribution's ranges of users or services */
#define ID_IN_SANDBOX 1000

static int
by_number(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;

	return (x > y) - (x < y);
}

int
confine_fds(const int *keep, unsigned n)
{
	int sorted[KEEP_MAX];
	unsigned from = STDERR_FILENO + 1;

	if (n > KEEP_MAX)
		return IM_ERR_LIMIT;
	if (n > 0) {
		memcpy(sorted, keep, n * sizeof(int));
		qsort(sorted, n, sizeof(int), by_number);
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned fd = (unsigned)sorted[i];

		if (fd > from && syscall(SYS_close_range, from, fd - 1, 0) != 0)
			return IM_ERR_SYSTEM;
		if (fd >= from)
			from = fd + 1;
	}
	return syscall(SYS_close_range, from, ~0U, 0) == 0 ? 0 : IM_ERR_SYSTEM;
}

int
confine_harmless(void)
{
	struct rlimit none = {0, 0};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return IM_ERR_SYSTEM;
	return setrlimit(RLIMIT_CORE, &none) == 0 ? 0 : IM_ERR_SYSTEM;
}

int
confine_capabilities(uint32_t keep)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct has[2] = {{0}}, left[2] = {{0}};

	/* Past the last capability the kernel answers EINVAL; without CAP_SETPCAP there is nothing to drop. */
	for (int cap = 0; cap < 64; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) != 0)
			break;
	}
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0 && errno != EINVAL)
		return IM_ERR_SYSTEM;
	if (syscall(SYS_capget, &header, has) != 0)
		return IM_ERR_SYSTEM;
	left[0].effective = left[0].permitted = has[0].permitted & keep;
	return syscall(SYS_capset, &header, left) == 0 ? 0 : IM_ERR_SYSTEM;
}

/* By its group, which loses what other rights it had there. */
static int
let_through(int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return IM_ERR_SYSTEM;
	if ((st.st_mode & S_IXOTH) != 0)
		return 0;
	if (fchown(fd, (uid_t)-1, ID_OF_NOBODY) != 0)
		return IM_ERR_SYSTEM;
	return fchmod(fd, (st.st_mode & 07707) | S_IXGRP) == 0 ? 0 : IM_ERR_SYSTEM;
}

int
confine_identity(int store_fd, int dir_fd)
{
	if (geteuid() != 0)
		return 0;
	/* EINVAL, EPERM: root of a user namespace without that id, or a root without capabilities. */
	if (fchown(dir_fd, ID_OF_NOBODY, ID_OF_NOBODY) != 0)
		return errno == EINVAL || errno == EPERM ? 0 : IM_ERR_SYSTEM;
	if (let_through(store_fd) != 0)
		return IM_ERR_SYSTEM;
	if (setgroups(0, NULL) != 0 || setresgid(ID_OF_NOBODY, ID_OF_NOBODY, ID_OF_NOBODY) != 0)
		return IM_ERR_SYSTEM;
	return setresuid(ID_OF_NOBODY, ID_OF_NOBODY, ID_OF_NOBODY) == 0 ? 0 : IM_ERR_SYSTEM;
}

static int
write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return IM_ERR_SYSTEM;
	n = write(fd, text, strlen(text));
	close(fd);
	return n == (ssize_t)strlen(text) ? 0 : IM_ERR_SYSTEM;
}

int
confine_processes(const char *proc)
{
	char path[64];

	if ((size_t)snprintf(path, sizeof(path), "%s/sys/kernel/pid_max", proc) >= sizeof(path))
		return IM_ERR_SYSTEM;
	return write_text(path, "301\n");
}

int
confine_map_ids(unsigned uid, unsigned gid)
{
	char users[32], groups[32];
	int r;

	snprintf(users, sizeof(users), "%d %u 1\n", ID_IN_SANDBOX, uid);
	snprintf(groups, sizeof(groups), "%d %u 1\n", ID_IN_SANDBOX, gid);
	/* The files in /proc/self belong to root while the process is not dumpable. */
	if (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
		return IM_ERR_SYSTEM;
	r = write_text("/proc/self/setgroups", "deny");
	if (r == 0)
		r = write_text("/proc/self/uid_map", users);
	if (r == 0)
		r = write_text("/proc/self/gid_map", groups);
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return IM_ERR_SYSTEM;
	return r;
}

int
confine_to_parent(int parent_fd)
{
	struct pollfd p = {.fd = parent_fd};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0)
		return IM_ERR_SYSTEM;
	if (poll(&p, 1, 0) > 0 && (p.revents & (POLLHUP | POLLERR)) != 0)
		return IM_ERR_CLOSED;
	return 0;
}
