#include "client/ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/now.h"
#include "client/printable.h"

int
ask_open(struct ask *a, const struct config *c)
{
	char paths[2][CONFIG_VALUE_SIZE];
	int n = config_sockets(c, paths), err = IM_ERR_ABSENT, saved = 0;

	*a = (struct ask){.fd = -1};
	for (int i = 0; i < n; i++) {
		int one = control_connect(paths[i], &a->fd);

		if (one == 0) {
			snprintf(a->where, sizeof a->where, "%s", paths[i]);
			return 0;
		}
		if (one != IM_ERR_ABSENT) {
			saved = errno;
			err = one;
		}
	}
	snprintf(a->where, sizeof a->where, "%s%s%s", n > 0 ? paths[0] : "any socket",
	        n > 1 ? " or " : "", n > 1 ? paths[1] : "");
	errno = saved;
	return err;
}

void
ask_use(struct ask *a, int fd)
{
	*a = (struct ask){.fd = fd, .where = "a test"};
}

void
ask_close(struct ask *a)
{
	if (a->fd >= 0)
		close(a->fd);
	a->fd = -1;
}

void
reply_fini(struct reply *r)
{
	packet_free(r->packet);
	r->packet = NULL;
	buf_fini(&r->bytes);
}

static int
wait_for(int fd, short events, int64_t deadline)
{
	struct pollfd p = {.fd = fd, .events = events};

	for (;;) {
		int64_t left = deadline - now_ms();
		int n;

		if (left <= 0)
			return IM_ERR_TIMEOUT;
		n = poll(&p, 1, (int)left);
		if (n > 0)
			return 0;
		if (n < 0 && errno != EINTR)
			return IM_ERR_SYSTEM;
	}
}

/* Reads a passed file whole; only a regular one, so that a read cannot block. */
static int
read_body(int fd, struct buf *out)
{
	struct stat st;
	uint8_t *room;
	size_t size;

	if (fstat(fd, &st) != 0)
		return IM_ERR_SYSTEM;
	if (!S_ISREG(st.st_mode))
		return IM_ERR_FORMAT;
	if (st.st_size < 0 || (uint64_t)st.st_size > CONTROL_BODY_MAX)
		return IM_ERR_LIMIT;
	size = (size_t)st.st_size;
	buf_reset(out);
	room = buf_room(out, size);
	if (room == NULL)
		return buf_err(out);
	while (out->len < size) {
		ssize_t n = pread(fd, room + out->len, size - out->len, (off_t)out->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? IM_ERR_SYSTEM : IM_ERR_TRUNCATED;
		out->len += (size_t)n;
	}
	return 0;
}

/* The daemon's ERROR {1: text} into a->error. */
static int
take_error(struct ask *a, const struct buf *body)
{
	char text[ASK_ERROR_SIZE] = "";
	struct packet *p;
	struct buf clean;
	const char *cleaned;

	if (packet_open(&p, body->data, body->len) != 0)
		return IM_ERR_FORMAT;
	if (item_text(packet_root(p), 1, text, sizeof text) != 0)
		snprintf(text, sizeof text, "refused without a reason");
	packet_free(p);
	buf_init(&clean, 2 * ASK_ERROR_SIZE);
	text_clean(&clean, text, ASK_ERROR_SIZE - 1);
	cleaned = buf_text(&clean);
	snprintf(a->error, sizeof a->error, "%s", cleaned != NULL ? cleaned : "refused");
	buf_fini(&clean);
	return IM_ERR_REFUSED;
}

/* One message with a type that we know; anything else is no daemon of ours. */
static int
receive(struct ask *a, int64_t deadline, struct reply *r)
{
	int fd = -1, err = wait_for(a->fd, POLLIN, deadline);

	if (err == 0)
		err = control_recv(a->fd, &r->type, &r->bytes, &fd);
	if (err != 0)
		return err;
	if (r->type == CONTROL_ERROR)
		err = take_error(a, &r->bytes);
	else if (r->type != CONTROL_OK && r->type != CONTROL_TOOLCHAIN)
		err = IM_ERR_FORMAT;
	else if (fd >= 0 && r->type == CONTROL_OK) /* with TOOLCHAIN comes an include graph */
		err = read_body(fd, &r->bytes);
	if (fd >= 0)
		close(fd);
	return err;
}

int
ask_daemon(struct ask *a, const struct ask_command *q, struct reply *out)
{
	int64_t deadline = now_ms() + q->timeout_ms;
	struct timeval limit = {
	        .tv_sec = q->timeout_ms / 1000, .tv_usec = q->timeout_ms % 1000 * 1000};
	struct reply r = {.type = 0};
	struct buf empty;
	int err;

	buf_init(&r.bytes, CONTROL_BODY_MAX);
	buf_init(&empty, 8);
	pack_map(&empty, 0);
	a->error[0] = 0;
	err = q->body != NULL ? buf_err(q->body) : buf_err(&empty);
	if (err != 0)
		goto out;
	if (setsockopt(a->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) != 0)
		err = IM_ERR_SYSTEM;
	if (err == 0)
		err = control_send(a->fd, q->type, q->body != NULL ? q->body : &empty, q->pass_fd);
	if (err == 0)
		err = receive(a, deadline, &r);
	if (err == 0 && r.bytes.len == 0) /* nothing to say is an empty map */
		pack_map(&r.bytes, 0);
	if (err == 0)
		err = packet_open(&r.packet, r.bytes.data, r.bytes.len);
out:
	buf_fini(&empty);
	if (err == 0)
		*out = r;
	else
		reply_fini(&r);
	return err;
}
