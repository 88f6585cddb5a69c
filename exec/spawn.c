#include "exec/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/init.h"

#define NAMESPACES \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET)

/* Like fork, with flags.  The raw call: the C library's clone() wants a stack. */
static pid_t
fork_with(unsigned long flags, int *pidfd)
{
#if defined(__s390__) || defined(__s390x__)
	return (pid_t)syscall(SYS_clone, 0, flags | CLONE_PIDFD | SIGCHLD, pidfd, NULL, 0);
#else
	return (pid_t)syscall(SYS_clone, flags | CLONE_PIDFD | SIGCHLD, 0, pidfd, NULL, 0);
#endif
}

int
spawn_start(const struct spawn *s, struct running *out)
{
	unsigned uid = geteuid(), gid = getegid();
	int pair[2], pidfd = -1;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return IM_ERR_SYSTEM;
	pid = fork_with(NAMESPACES, &pidfd);
	if (pid == 0) {
		close(pair[0]);
		init_run(s, pair[1], uid, gid);
	}
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return IM_ERR_SYSTEM;
	}
	*out = (struct running){.pid = pid, .pidfd = pidfd, .report = pair[0]};
	return 0;
}

void
spawn_kill(const struct running *r)
{
	/* Fails only when it has ended already. */
	if (syscall(SYS_pidfd_send_signal, r->pidfd, SIGKILL, NULL, 0) != 0)
		errno = 0;
}

static unsigned
take_fds(struct msghdr *hdr, int fds[SPAWN_FDS_MAX])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
	size_t len;

	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return 0;
	len = c->cmsg_len - CMSG_LEN(0);
	memcpy(fds, CMSG_DATA(c), len);
	return (unsigned)(len / sizeof(int));
}

static int
take_report(int fd, struct spawn_report *report, int fds[SPAWN_FDS_MAX], unsigned *nfds)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(SPAWN_FDS_MAX * sizeof(int))];
	struct iovec iov = {.iov_base = report, .iov_len = sizeof(*report)};
	struct msghdr hdr = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(fd, &hdr, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n != (ssize_t)sizeof(*report))
		return IM_ERR_CLOSED;
	*nfds = take_fds(&hdr, fds);
	report->text[sizeof(report->text) - 1] = '\0';
	return 0;
}

static uint64_t
in_us(struct timeval t)
{
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_usec;
}

void
init_usage(struct job_result *result, const struct rusage *u)
{
	result->user_us = in_us(u->ru_utime);
	result->system_us = in_us(u->ru_stime);
	result->max_rss_kb = (uint64_t)u->ru_maxrss;
}

void
spawn_finish(struct running *r, struct spawn_report *report, int fds[SPAWN_FDS_MAX], unsigned *nfds)
{
	struct rusage usage = {0};
	int status;

	while (wait4(r->pid, &status, 0, &usage) < 0 && errno == EINTR)
		continue;
	*nfds = 0;
	if (take_report(r->report, report, fds, nfds) != 0) {
		memset(report, 0, sizeof(*report));
		report->result.end = JOB_KILLED;
		report->result.signal = SIGKILL;
		init_usage(&report->result, &usage);
	}
	close(r->report);
	close(r->pidfd);
	r->report = r->pidfd = -1;
}
