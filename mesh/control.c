#include "mesh/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_S 2 /* longest wait for a place in the queue, and later in the socket */

int
control_connect(const char *path, int *fd)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	size_t len = strlen(path);
	if (len >= sizeof sa.sun_path)
		return IM_ERR_LIMIT;
	memcpy(sa.sun_path, path, len + 1);
	int s = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (s < 0)
		return IM_ERR_SYSTEM;
	/* connect() waits while the daemon's queue is full: for ever, should it hang */
	struct timeval patience = {.tv_sec = CONNECT_S};
	if (setsockopt(s, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience) < 0 ||
	        connect(s, (struct sockaddr *)&sa, sizeof sa) < 0) {
		int e = errno;
		close(s);
		errno = e;
		return e == ENOENT || e == ECONNREFUSED ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	}
	*fd = s;
	return 0;
}

int
control_send(int fd, uint8_t type, const struct buf *body, int pass_fd)
{
	size_t len = body ? body->len : 0;
	if (len + 1 > CONTROL_LEN_MAX)
		return IM_ERR_LIMIT;
	struct iovec iov[2] = {{&type, 1}, {body ? body->data : NULL, len}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = len ? 2 : 1};
	if (pass_fd >= 0) {
		m.msg_control = control.bytes;
		m.msg_controllen = sizeof control.bytes;
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(c), &pass_fd, sizeof(int));
	}
	ssize_t n;
	do
		n = sendmsg(fd, &m, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EPIPE || errno == ECONNRESET ? IM_ERR_CLOSED : IM_ERR_SYSTEM;
	return 0;
}

/* Keeps the first descriptor of a message, closes any further one. */
static int
take_fd(struct msghdr *m)
{
	int kept = -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < n; i++) {
			int got;
			memcpy(&got, CMSG_DATA(c) + i * sizeof(int), sizeof got);
			if (kept < 0)
				kept = got;
			else
				close(got);
		}
	}
	return kept;
}

int
control_recv(int fd, uint8_t *type, struct buf *body, int *got_fd)
{
	buf_reset(body);
	uint8_t *room = buf_room(body, CONTROL_LEN_MAX);
	if (!room)
		return buf_err(body);
	uint8_t kind;
	struct iovec iov[2] = {{&kind, 1}, {room, CONTROL_LEN_MAX}};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct msghdr m = {.msg_iov = iov,
	        .msg_iovlen = 2,
	        .msg_control = control.bytes,
	        .msg_controllen = sizeof control.bytes};
	ssize_t n;
	do
		n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == ECONNRESET ? IM_ERR_CLOSED : IM_ERR_SYSTEM;
	int passed = take_fd(&m);
	if (n ==
	        0) { /* an empty packet counts as the end, and may carry a descriptor all the same */
		if (passed >= 0)
			close(passed);
		return IM_ERR_CLOSED;
	}
	if (m.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		if (passed >= 0)
			close(passed);
		return IM_ERR_LIMIT;
	}
	*type = kind;
	body->len = (size_t)n - 1;
	*got_fd = passed;
	return 0;
}
