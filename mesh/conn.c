#include "mesh/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mesh/endpoint.h"

#define READ_CHUNK (128 * 1024)
/* Said at each call: a socket that comes back from a wrapper is the wrapper's too, which can make it block at any time. */
#define FLAGS MSG_DONTWAIT

enum conn_state { CONNECTING, GREETING, OPEN, DEAD };

struct conn {
	const struct conn_ops *ops;
	void *arg;
	int fd;
	enum conn_state state;
	bool reading;
	int depth; /* callbacks under way; a free inside one waits */
	bool doomed;
	bool again; /* reading was turned on inside a callback: c->in waits to be looked at */
	struct watch *watch;
	struct timer *deadline;
	struct buf in, out;
	struct greeting greeting;
	struct channel channel;
	uint8_t *plain;    /* CHANNEL_MESSAGE_MAX bytes, made when the channel opens */
	size_t plain_used; /* so many of them were ever written */
	struct node_id node;
	size_t behind; /* during a callback: bytes that came in after the message it is for */
	char name[NAME_SIZE + 2 * ENDPOINT_TEXT_SIZE];
};

static void
conn_destroy(struct conn *c)
{
	watch_free(c->watch);
	timer_free(c->deadline);
	greet_fini(&c->greeting);
	channel_wipe(&c->channel);
	buf_fini(&c->in);
	buf_fini(&c->out);
	if (c->plain) {
		explicit_bzero(c->plain, c->plain_used);
		free(c->plain);
	}
	if (c->fd >= 0)
		close(c->fd);
	free(c);
}

void
conn_free(struct conn *c)
{
	if (!c)
		return;
	c->state = DEAD;
	if (c->depth) {
		c->doomed = true;
		return;
	}
	conn_destroy(c);
}

static void
enter(struct conn *c)
{
	c->depth++;
}

/* Leaves a callback; true when the connection is gone. */
static bool
leave(struct conn *c)
{
	if (--c->depth || !c->doomed)
		return false;
	conn_destroy(c);
	return true;
}

static void
conn_fail(struct conn *c, int err, const char *why)
{
	if (c->state == DEAD)
		return;
	c->state = DEAD;
	watch_set(c->watch, 0);
	timer_stop(c->deadline);
	c->ops->closed(c->arg, c, err, why);
}

static void
arm(struct conn *c)
{
	if (c->state == DEAD)
		return;
	int events = c->reading && c->state != CONNECTING ? LOOP_READ : 0;
	if (c->out.len || c->state == CONNECTING)
		events |= LOOP_WRITE;
	watch_set(c->watch, events);
}

/* Sends what waits as far as the socket takes it. */
static void
flush(struct conn *c)
{
	size_t sent = 0;
	while (sent < c->out.len) {
		ssize_t n =
		        send(c->fd, c->out.data + sent, c->out.len - sent, FLAGS | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			break;
		if (n <= 0) {
			buf_consume(&c->out, sent);
			conn_fail(c, IM_ERR_CLOSED, "connection lost while sending");
			return;
		}
		sent += (size_t)n;
	}
	buf_consume(&c->out, sent);
	arm(c);
}

/* The channel opens. */
static int
opened(struct conn *c)
{
	c->plain = malloc(CHANNEL_MESSAGE_MAX);
	if (!c->plain)
		return IM_ERR_MEMORY;
	greet_fini(&c->greeting);
	if (c->greeting.has_cert) {
		char where[ENDPOINT_TEXT_SIZE];
		snprintf(where, sizeof where, "%.*s", (int)sizeof where - 1, c->name);
		snprintf(c->name, sizeof c->name, "%s (%s)", c->greeting.cert.name, where);
		c->node = c->greeting.cert.node;
	}
	c->state = OPEN;
	timer_stop(c->deadline);
	c->behind = c->in.len;
	c->ops->ready(c->arg, c);
	return 1;
}

/* One step: 1 when it was taken, 0 when more bytes are needed, negative error with *why. */
static int
greet(struct conn *c, const char **why)
{
	int got = greet_take(&c->greeting, &c->channel, &c->in, &c->out, why);
	if (got > 0 && c->greeting.step == GREET_DONE) {
		*why = "out of memory";
		got = opened(c);
	}
	/* why it is refused; whether the peer still hears it does not matter */
	if (got < 0 && c->out.len)
		(void)send(c->fd, c->out.data, c->out.len, FLAGS | MSG_NOSIGNAL);
	return got;
}

static int
take_frame(struct conn *c, size_t at, size_t *used, const char **why)
{
	if (c->in.len - at < 4)
		return 0;
	size_t len = get_u32(c->in.data + at);
	if (len > CHANNEL_FRAME_MAX || len < CHANNEL_OVERHEAD + 1) {
		*why = "frame length outside the limits";
		return IM_ERR_LIMIT;
	}
	if (c->in.len - at < 4 + len)
		return 0;
	size_t plain;
	int err = channel_open(&c->channel, c->in.data + at + 4, len, c->plain, &plain);
	if (err < 0) {
		*why = "frame does not verify: altered or truncated on the way";
		return err;
	}
	if (plain > c->plain_used)
		c->plain_used = plain;
	*used = 4 + len;
	c->behind = c->in.len - at - *used;
	c->ops->message(c->arg, c, c->plain[0], c->plain + 1, plain - 1);
	return 1;
}

/* All whole frames in c->in; consumed once at the end, so that a burst is not moved byte by byte. */
static int
take_frames(struct conn *c, const char **why)
{
	size_t at = 0, used = 0;
	int got = 1;
	while (c->state == OPEN && c->reading && (got = take_frame(c, at, &used, why)) > 0)
		at += used;
	buf_consume(&c->in, at);
	c->behind = c->in.len;
	return got < 0 ? got : 0;
}

static void
advance(struct conn *c)
{
	const char *why = "out of memory";
	int got = 1;
	c->again = false;
	while (got > 0 && c->state == GREETING)
		got = greet(c, &why);
	if (got >= 0 && c->state == OPEN)
		got = take_frames(c, &why);
	if (got < 0)
		conn_fail(c, got, why);
}

/* The peer has closed, or the connection broke. */
static void
ended(struct conn *c)
{
	const char *why = "connection closed by the peer";
	int err = IM_ERR_CLOSED;
	if (c->state == GREETING) {
		err = greet_ended(&c->greeting, &c->in, &why);
	} else if (c->in.len) {
		err = IM_ERR_TRUNCATED;
		why = "truncated frame: the connection ended in its middle";
	}
	conn_fail(c, err, why);
}

static void
receive(struct conn *c)
{
	uint8_t *room = buf_room(&c->in, READ_CHUNK);
	if (!room) {
		conn_fail(c, IM_ERR_MEMORY, "out of memory");
		return;
	}
	ssize_t n = recv(c->fd, room, READ_CHUNK, FLAGS);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		ended(c);
		return;
	}
	c->in.len += (size_t)n;
	advance(c);
}

static void
connected(struct conn *c)
{
	int e = 0;
	socklen_t len = sizeof e;
	getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &len);
	if (e) {
		conn_fail(c, IM_ERR_CLOSED, strerror(e));
		return;
	}
	c->state = GREETING;
	if (greet_begin(&c->greeting, &c->out) < 0)
		conn_fail(c, IM_ERR_MEMORY, "out of memory");
}

static void
on_socket(void *arg, int events)
{
	struct conn *c = arg;
	enter(c);
	if (c->state == CONNECTING && events & LOOP_WRITE)
		connected(c);
	else if (events & LOOP_READ && c->state != DEAD)
		receive(c);
	do {
		if (c->again)
			advance(c);
		bool had = c->state != DEAD && c->out.len;
		if (had)
			flush(c);
		if (had && c->state == OPEN && c->out.len == 0 && c->ops->drained)
			c->ops->drained(c->arg, c);
	} while (c->again && c->state == OPEN);
	arm(c);
	leave(c);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;
	enter(c);
	conn_fail(c, IM_ERR_TIMEOUT,
	        c->state == CONNECTING ? "no answer to the connection" : "handshake took too long");
	leave(c);
}

static struct conn *
conn_make(struct loop *l, int fd, const struct conn_ops *ops, void *arg)
{
	struct conn *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return NULL;
	}
	c->ops = ops;
	c->arg = arg;
	c->fd = fd;
	c->reading = true;
	buf_init(&c->in, CHANNEL_FRAME_MAX + 4 + 2 * READ_CHUNK);
	buf_init(&c->out, CONN_OUT_MAX + 4 + CHANNEL_FRAME_MAX);
	int one = 1;
	/* a machine that vanishes says no goodbye: what is sent to it, a PING at least, goes unanswered */
	unsigned patience_ms = 2 * WIRE_SILENCE_MS;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience_ms, sizeof patience_ms);
	c->watch = watch_new(l, fd, 0, on_socket, c);
	c->deadline = timer_new(l, on_deadline, c);
	if (!c->watch || !c->deadline) {
		conn_destroy(c);
		return NULL;
	}
	return c;
}

static uint32_t
patience(const struct conn_identity *id)
{
	return id->handshake_ms ? id->handshake_ms : CONN_HANDSHAKE_MS;
}

struct conn *
conn_connect(struct loop *l, const struct conn_identity *id, const struct endpoint *to,
        const struct conn_ops *ops, void *arg)
{
	struct sockaddr_storage sa;
	if (to->len != 4 && to->len != 16)
		return NULL;
	socklen_t len = endpoint_to_sockaddr(to, false, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NULL;
	struct conn *c = conn_make(l, fd, ops, arg);
	if (!c)
		return NULL;
	greet_init(&c->greeting, id, true);
	endpoint_text(to, c->name);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) {
		conn_free(c);
		return NULL;
	}
	c->state = CONNECTING;
	timer_set(c->deadline, patience(id));
	arm(c);
	return c;
}

struct conn *
conn_accept(struct loop *l, const struct conn_identity *id, int fd, const struct conn_ops *ops,
        void *arg)
{
	struct conn *c = conn_make(l, fd, ops, arg);
	if (!c)
		return NULL;
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct endpoint e = {0};
	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0 ||
	        endpoint_from_sockaddr(&e, (struct sockaddr *)&sa) < 0)
		e.len = 0;
	endpoint_text(&e, c->name);
	greet_init(&c->greeting, id, false);
	c->state = GREETING;
	timer_set(c->deadline, patience(id));
	arm(c);
	return c;
}

struct conn *
conn_adopt(struct loop *l, int fd, const uint8_t state[CHANNEL_STATE_LEN],
        const struct node_id *node, const struct conn_ops *ops, void *arg)
{
	struct conn *c = conn_make(l, fd, ops, arg);
	if (!c)
		return NULL;
	c->plain = malloc(CHANNEL_MESSAGE_MAX);
	if (!c->plain) {
		conn_free(c);
		return NULL;
	}
	channel_import(&c->channel, state);
	c->node = *node;
	node_id_text(node, c->name);
	c->state = OPEN;
	arm(c);
	return c;
}

void
conn_hand(struct conn *c, const struct conn_ops *ops, void *arg)
{
	c->ops = ops;
	c->arg = arg;
}

int
conn_send(struct conn *c, uint8_t type, const void *body, size_t len)
{
	if (c->state != OPEN)
		return IM_ERR_CLOSED;
	if (c->out.len > CONN_OUT_MAX)
		return IM_ERR_LIMIT;
	int err = channel_seal(&c->channel, type, body, len, &c->out);
	if (err == 0)
		arm(c);
	return err;
}

int
conn_send_buf(struct conn *c, uint8_t type, const struct buf *body)
{
	int err = buf_err(body);
	return err < 0 ? err : conn_send(c, type, body->data, body->len);
}

size_t
conn_waiting(const struct conn *c)
{
	return c->out.len;
}

void
conn_read(struct conn *c, bool on)
{
	bool again = on && !c->reading && c->in.len && c->state == OPEN;
	c->reading = on;
	if (again && c->depth) {
		c->again = true;
	} else if (again) {
		enter(c);
		advance(c);
		if (leave(c))
			return;
	}
	arm(c);
}

int
conn_export(struct conn *c, uint8_t state[CHANNEL_STATE_LEN], int *fd)
{
	if (c->state != OPEN || c->out.len || (c->depth ? c->behind : c->in.len))
		return IM_ERR_REFUSED;
	channel_export(&c->channel, state);
	watch_set(c->watch, 0);
	*fd = c->fd;
	c->fd = -1;
	conn_free(c);
	return 0;
}

const struct cert *
conn_cert(const struct conn *c)
{
	return c->greeting.has_cert ? &c->greeting.cert : NULL;
}

bool
conn_stranger(const struct conn *c)
{
	return c->greeting.stranger;
}

const struct node_id *
conn_node(const struct conn *c)
{
	return &c->node;
}

const uint8_t *
conn_hash(const struct conn *c)
{
	return c->greeting.hash;
}

const char *
conn_name(const struct conn *c)
{
	return c->name;
}

uint64_t
conn_inode(int fd)
{
	struct stat st;
	return fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) ? st.st_ino : 0;
}
