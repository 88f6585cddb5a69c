#include "exec/pipe.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONTROL_SIZE CMSG_SPACE(PIPE_FDS_MAX * sizeof(int))

int
pipe_send(int fd, const struct pipe_msg *m, const int *fds, unsigned nfds)
{
	_Alignas(struct cmsghdr) char control[CONTROL_SIZE] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)m, .iov_len = sizeof(*m)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;

	if (nfds > PIPE_FDS_MAX)
		return IM_ERR_LIMIT;
	if (nfds > 0) {
		struct cmsghdr *c;

		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&hdr);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	do
		n = sendmsg(fd, &hdr, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(*m))
		return 0;
	return n < 0 && (errno == EPIPE || errno == ECONNRESET) ? IM_ERR_CLOSED : IM_ERR_SYSTEM;
}

static unsigned
take_fds(struct msghdr *hdr, int fds[PIPE_FDS_MAX])
{
	unsigned n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(hdr); c != NULL; c = CMSG_NXTHDR(hdr, c)) {
		size_t len;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		len = c->cmsg_len - CMSG_LEN(0);
		if (len / sizeof(int) > PIPE_FDS_MAX - n)
			len = (PIPE_FDS_MAX - n) * sizeof(int);
		memcpy(fds + n, CMSG_DATA(c), len);
		n += (unsigned)(len / sizeof(int));
	}
	return n;
}

static int
type_ok(uint32_t type)
{
	return (type >= PIPE_RUN && type <= PIPE_DROP) ||
	       (type >= PIPE_READY && type <= PIPE_UNPACKED);
}

int
pipe_recv(int fd, struct pipe_msg *m, int fds[PIPE_FDS_MAX], unsigned *nfds)
{
	_Alignas(struct cmsghdr) char control[CONTROL_SIZE];
	struct pipe_msg msg;
	int got[PIPE_FDS_MAX];
	struct iovec iov = {.iov_base = &msg, .iov_len = sizeof(msg)};
	struct msghdr hdr = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control)};
	ssize_t len;
	unsigned n;

	do
		len = recvmsg(fd, &hdr, MSG_CMSG_CLOEXEC);
	while (len < 0 && errno == EINTR);
	if (len < 0)
		return errno == ECONNRESET ? IM_ERR_CLOSED : IM_ERR_SYSTEM;
	n = take_fds(&hdr, got);
	if (len == (ssize_t)sizeof(msg) && (hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) == 0 &&
	        type_ok(msg.type) && msg.result.noutputs <= JOB_RESULTS_MAX &&
	        (unsigned)msg.result.end <= JOB_REFUSED) {
		msg.text[PIPE_TEXT_SIZE - 1] = '\0';
		*m = msg;
		memcpy(fds, got, n * sizeof(int));
		*nfds = n;
		return 0;
	}
	while (n > 0)
		close(got[--n]);
	return len == 0 ? IM_ERR_CLOSED : IM_ERR_FORMAT;
}
