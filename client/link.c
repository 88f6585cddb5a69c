#include "client/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define LENGTH_BYTES 4
#define READ_MIN (16 * 1024)
#define WAKEUP_MAX (64 * 1024)
#define IN_MAX (LENGTH_BYTES + CHANNEL_FRAME_MAX + READ_MIN)

void
link_init(struct link *l)
{
	memset(l, 0, sizeof *l);
	l->fd = -1;
	buf_init(&l->out, LINK_OUT_MAX);
	buf_init(&l->in, IN_MAX);
}

int
link_open(struct link *l, int fd, const uint8_t state[CHANNEL_STATE_LEN])
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0) {
		close(fd);
		return IM_ERR_SYSTEM;
	}
	l->fd = fd;
	l->torn = false;
	l->wakeup = 1;
	l->in_used = 0;
	buf_reset(&l->in);
	buf_reset(&l->out);
	channel_import(&l->channel, state);
	return 0;
}

void
link_close(struct link *l)
{
	if (l->fd >= 0)
		close(l->fd);
	l->fd = -1;
	l->in_used = 0;
	channel_wipe(&l->channel);
	buf_fini(&l->out);
	buf_fini(&l->in);
}

int
link_send(struct link *l, uint8_t type, const void *body, size_t len)
{
	if (l->fd < 0)
		return IM_ERR_CLOSED;
	return channel_seal(&l->channel, type, body, len, &l->out);
}

bool
link_room(const struct link *l)
{
	return l->fd >= 0 && l->out.len < LINK_OUT_FULL;
}

int
link_flush(struct link *l)
{
	ssize_t n;

	while (l->fd >= 0 && l->out.len > 0) {
		n = send(l->fd, l->out.data, l->out.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return 0;
		if (n < 0) {
			l->torn = true;
			return IM_ERR_CLOSED;
		}
		l->bytes_out += (uint64_t)n;
		buf_consume(&l->out, (size_t)n);
	}
	return 0;
}

uint64_t
link_taken(const struct link *l, uint32_t *ago_ms)
{
	struct tcp_info info;
	socklen_t len = sizeof info;
	int waiting = 0;

	if (ago_ms != NULL)
		*ago_ms = getsockopt(l->fd, IPPROTO_TCP, TCP_INFO, &info, &len) == 0
		                  ? info.tcpi_last_ack_recv
		                  : 0;
	if (l->fd < 0 || ioctl(l->fd, SIOCOUTQ, &waiting) != 0 || waiting < 0 ||
	        (uint64_t)waiting > l->bytes_out)
		return 0;
	return l->bytes_out - (uint64_t)waiting;
}

/* How many bytes the frame at the front still lacks; 0 when its length is not known yet. */
static size_t
missing(const struct link *l)
{
	size_t have = l->in.len, whole;

	if (have < LENGTH_BYTES)
		return 0;
	whole = LENGTH_BYTES + (size_t)get_u32(l->in.data);
	return whole > have && whole <= LENGTH_BYTES + CHANNEL_FRAME_MAX ? whole - have : 0;
}

/* To be woken once for a long frame, not for every segment of it. */
static void
set_wakeup(struct link *l)
{
	size_t lacks = missing(l);
	int least = lacks > READ_MIN ? (int)lacks : 1;

	if (least > WAKEUP_MAX)
		least = WAKEUP_MAX;
	if (least == l->wakeup)
		return;
	if (setsockopt(l->fd, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least) == 0)
		l->wakeup = least;
}

int
link_fill(struct link *l)
{
	uint8_t *room;
	size_t want;
	ssize_t n;

	if (l->fd < 0)
		return IM_ERR_CLOSED;
	buf_consume(&l->in, l->in_used);
	l->in_used = 0;
	/* with the beginning of the next frame, whose length is then known */
	want = missing(l) + READ_MIN;
	room = buf_room(&l->in, want);
	if (room == NULL)
		return buf_err(&l->in);
	do
		n = recv(l->fd, room, want, 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno == EAGAIN)
		return 0;
	if (n <= 0) {
		l->torn = true;
		return IM_ERR_CLOSED;
	}
	l->in.len += (size_t)n;
	l->bytes_in += (uint64_t)n;
	set_wakeup(l);
	return 0;
}

int
link_next(struct link *l, uint8_t *type, const uint8_t **body, size_t *len)
{
	uint8_t *front = l->in.data + l->in_used, *message;
	size_t have = l->in.len - l->in_used, cipher, plain;
	int r;

	if (have < LENGTH_BYTES)
		return IM_ERR_ABSENT;
	cipher = get_u32(front);
	if (cipher > CHANNEL_FRAME_MAX || cipher <= CHANNEL_OVERHEAD)
		return IM_ERR_LIMIT;
	if (have < LENGTH_BYTES + cipher)
		return IM_ERR_ABSENT;
	message = front + LENGTH_BYTES + 1;
	r = channel_open(&l->channel, front + LENGTH_BYTES, cipher, message, &plain);
	if (r != 0)
		return r;
	l->in_used += LENGTH_BYTES + cipher;
	*type = message[0];
	*body = message + 1;
	*len = plain - 1;
	return 0;
}

short
link_events(const struct link *l)
{
	return (short)(POLLIN | (l->out.len > 0 ? POLLOUT : 0));
}

bool
link_idle(const struct link *l)
{
	return l->fd >= 0 && !l->torn && l->out.len == 0 && l->in.len == l->in_used;
}
