#include "mesh/conn.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/handshake.h"
#include "mesh/endpoint.h"

#define READ_CHUNK (128 * 1024)

enum conn_state { CONNECTING, PREAMBLE, HANDSHAKE, STREAM_HEADER, OPEN, DEAD };

struct conn {
	struct loop *loop;
	const struct conn_identity *id;
	const struct conn_ops *ops;
	void *arg;
	int fd;
	enum conn_state state;
	bool initiator, reading;
	bool stranger;         /* this side, or the accepted one, knows no mesh yet */
	int depth;             /* callbacks under way; a free inside one waits */
	bool doomed;
	struct watch *watch;
	struct timer *deadline;
	struct buf in, out;
	struct handshake *noise;
	uint8_t recv_key[32], hash[NOISE_HASH_LEN];
	struct channel channel;
	uint8_t *plain;        /* CHANNEL_MESSAGE_MAX bytes, made when the channel opens */
	bool has_cert;
	struct cert cert;
	struct node_id node;
	size_t behind;         /* during a message callback: bytes that came in after that message */
	char name[NAME_SIZE + 2 * ENDPOINT_TEXT_SIZE];
};

static void
conn_destroy(struct conn *c)
{
	watch_free(c->watch);
	timer_free(c->deadline);
	handshake_free(c->noise);
	channel_wipe(&c->channel);
	explicit_bzero(c->recv_key, sizeof c->recv_key);
	buf_fini(&c->in);
	buf_fini(&c->out);
	if (c->plain) {
		explicit_bzero(c->plain, CHANNEL_MESSAGE_MAX);
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
		ssize_t n = send(c->fd, c->out.data + sent, c->out.len - sent, MSG_NOSIGNAL);
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

static int
send_noise(struct conn *c)
{
	struct buf payload, message;
	buf_init(&payload, NOISE_MESSAGE_MAX);
	buf_init(&message, NOISE_MESSAGE_MAX);
	/* nothing of ours goes into the first message, which is in clear */
	if (!c->initiator || handshake_peer(c->noise))
		wire_payload_encode(&payload, c->id->cert, c->id->cert_len);
	int err = buf_err(&payload);
	if (err == 0)
		err = handshake_write(c->noise, payload.data, payload.len, &message);
	if (err == 0) {
		buf_put_u16(&c->out, (uint16_t)message.len);
		buf_put(&c->out, message.data, message.len);
		err = buf_err(&c->out);
	}
	buf_fini(&payload);
	buf_fini(&message);
	return err;
}

static int
start_noise(struct conn *c)
{
	uint8_t prologue[sizeof WIRE_PROLOGUE - 1 + MESH_ID_LEN];
	memcpy(prologue, WIRE_PROLOGUE, sizeof WIRE_PROLOGUE - 1);
	if (c->stranger)
		memset(prologue + sizeof WIRE_PROLOGUE - 1, 0, MESH_ID_LEN);
	else
		memcpy(prologue + sizeof WIRE_PROLOGUE - 1, c->id->mesh.bytes, MESH_ID_LEN);
	c->noise = handshake_new(c->initiator, c->id->key->dh_pk, c->id->key->dh_sk, prologue, sizeof prologue, NULL);
	c->state = HANDSHAKE;
	return c->noise ? 0 : IM_ERR_MEMORY;
}

/* Both sides: the handshake is over; the stream keys are made and our stream's header goes out. */
static int
start_channel(struct conn *c)
{
	uint8_t send_key[32], header[CHANNEL_HEADER_LEN];
	handshake_split(c->noise, send_key, c->recv_key);
	memcpy(c->hash, handshake_hash(c->noise), sizeof c->hash);
	handshake_free(c->noise);
	c->noise = NULL;
	channel_start_send(&c->channel, send_key, header);
	explicit_bzero(send_key, sizeof send_key);
	buf_put(&c->out, header, sizeof header);
	c->plain = malloc(CHANNEL_MESSAGE_MAX);
	if (!c->plain)
		return IM_ERR_MEMORY;
	c->state = STREAM_HEADER;
	return buf_err(&c->out);
}

/* Checks the peer's handshake payload: a certificate of our mesh for the very key it shook hands with, or none. */
static int
check_payload(struct conn *c, const struct buf *payload)
{
	const uint8_t *cert;
	size_t len;
	int err = wire_payload_decode(payload->data, payload->len, &cert, &len);
	if (err < 0 || len == 0 || c->stranger)
		return err;
	err = cert_check(&c->cert, cert, len, c->id->root_pk, c->id->wall_s());
	if (err < 0)
		return err == IM_ERR_SIGNATURE ? IM_ERR_UNKNOWN_KEY : err;
	if (memcmp(c->cert.dh_pk, handshake_peer(c->noise), DH_LEN) != 0)
		return IM_ERR_SIGNATURE;
	c->has_cert = true;
	c->node = c->cert.node;
	char where[ENDPOINT_TEXT_SIZE];
	snprintf(where, sizeof where, "%.*s", (int)sizeof where - 1, c->name);
	snprintf(c->name, sizeof c->name, "%s (%s)", c->cert.name, where);
	return 0;
}

/* Says no in clear before the channel exists; nothing else can be said yet. */
static void
refuse(struct conn *c, enum wire_refusal code)
{
	uint8_t bytes[3] = {0, 0, (uint8_t)code};
	if (send(c->fd, bytes, sizeof bytes, MSG_NOSIGNAL) < 0)
		return;
}

static const char *
refusal_text(uint8_t code)
{
	switch (code) {
	case REFUSE_MESH:
		return "the peer belongs to another mesh";
	case REFUSE_VERSION:
		return "the peer speaks another version of the protocol";
	case REFUSE_BUSY:
		return "the peer takes no more connections now";
	case REFUSE_CERT:
		return "the peer does not accept this node's certificate";
	default:
		return "the peer refused the connection";
	}
}

/* The steps below take one element from c->in: 1 taken, 0 more bytes are needed, negative error with *why. */
static int
take_preamble(struct conn *c, const char **why)
{
	if (c->in.len < WIRE_PREAMBLE_LEN)
		return 0;
	if (memcmp(c->in.data, WIRE_MAGIC, 4) != 0) {
		refuse(c, REFUSE_VERSION);
		*why = "not an icemesh connection, or another version of the protocol";
		return IM_ERR_VERSION;
	}
	static const struct mesh_id none;
	c->stranger = memcmp(c->in.data + 4, none.bytes, MESH_ID_LEN) == 0;
	if (!c->stranger && memcmp(c->in.data + 4, c->id->mesh.bytes, MESH_ID_LEN) != 0) {
		refuse(c, REFUSE_MESH);
		*why = "asks for another mesh than this node's";
		return IM_ERR_OTHER_MESH;
	}
	buf_consume(&c->in, WIRE_PREAMBLE_LEN);
	return start_noise(c) < 0 ? IM_ERR_MEMORY : 1;
}

static int
read_noise(struct conn *c, size_t len, const char **why)
{
	struct buf payload;
	buf_init(&payload, NOISE_MESSAGE_MAX);
	int err = handshake_read(c->noise, c->in.data + 2, len, &payload);
	if (err < 0)
		*why = "handshake does not verify: another mesh, altered bytes, or not icemesh";
	else if (handshake_peer(c->noise) && (err = check_payload(c, &payload)) < 0) {
		*why = err == IM_ERR_UNKNOWN_KEY ? "certificate is not signed by this mesh's root"
			: err == IM_ERR_EXPIRED  ? "certificate is outside its lifetime: check both clocks, or join anew"
						 : "certificate does not belong to the key of the handshake";
		if (!c->initiator)
			refuse(c, REFUSE_CERT);
	}
	buf_fini(&payload);
	return err;
}

static int
take_handshake(struct conn *c, const char **why)
{
	if (c->in.len < 2)
		return 0;
	size_t len = get_u16(c->in.data);
	if (len == 0 && c->in.len >= 3) {
		*why = refusal_text(c->in.data[2]);
		return IM_ERR_REFUSED;
	}
	if (len > NOISE_MESSAGE_MAX) {
		*why = "handshake message too long";
		return IM_ERR_LIMIT;
	}
	if (len == 0 || c->in.len < 2 + len)
		return 0;
	int err = read_noise(c, len, why);
	if (err < 0)
		return err;
	buf_consume(&c->in, 2 + len);
	if (!handshake_done(c->noise) && handshake_writes(c->noise) && (err = send_noise(c)) < 0)
		return err;
	if (handshake_done(c->noise) && (err = start_channel(c)) < 0)
		return err;
	return 1;
}

static int
take_header(struct conn *c, const char **why)
{
	if (c->in.len < CHANNEL_HEADER_LEN)
		return 0;
	int err = channel_start_recv(&c->channel, c->recv_key, c->in.data);
	explicit_bzero(c->recv_key, sizeof c->recv_key);
	if (err < 0) {
		*why = "stream header does not fit";
		return err;
	}
	buf_consume(&c->in, CHANNEL_HEADER_LEN);
	c->state = OPEN;
	timer_stop(c->deadline);
	c->ops->ready(c->arg, c);
	return 1;
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
	while (got > 0 && c->state != DEAD) {
		switch (c->state) {
		case PREAMBLE:
			got = take_preamble(c, &why);
			break;
		case HANDSHAKE:
			got = take_handshake(c, &why);
			break;
		case STREAM_HEADER:
			got = take_header(c, &why);
			break;
		case OPEN:
			got = take_frames(c, &why);
			break;
		default:
			got = 0;
		}
	}
	if (got < 0)
		conn_fail(c, got, why);
}

static void
receive(struct conn *c)
{
	uint8_t *room = buf_room(&c->in, READ_CHUNK);
	if (!room) {
		conn_fail(c, IM_ERR_MEMORY, "out of memory");
		return;
	}
	ssize_t n = recv(c->fd, room, READ_CHUNK, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		bool inside = c->in.len > 0;
		conn_fail(c, inside ? IM_ERR_TRUNCATED : IM_ERR_CLOSED,
			inside ? "truncated frame: the connection ended in its middle" : "connection closed by the peer");
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
	buf_put(&c->out, WIRE_MAGIC, 4);
	buf_put(&c->out, c->id->mesh.bytes, MESH_ID_LEN);
	if (start_noise(c) < 0 || send_noise(c) < 0)
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
	bool had = c->state != DEAD && c->out.len;
	if (had)
		flush(c);
	if (had && c->state == OPEN && c->out.len == 0 && c->ops->drained)
		c->ops->drained(c->arg, c);
	if (c->state != DEAD)
		arm(c);
	leave(c);
}

static void
on_deadline(void *arg)
{
	struct conn *c = arg;
	enter(c);
	conn_fail(c, IM_ERR_TIMEOUT, c->state == CONNECTING ? "no answer to the connection" : "handshake took too long");
	leave(c);
}

static struct conn *
conn_make(struct loop *l, const struct conn_identity *id, int fd, const struct conn_ops *ops, void *arg)
{
	struct conn *c = calloc(1, sizeof *c);
	if (!c) {
		close(fd);
		return NULL;
	}
	c->loop = l;
	c->id = id;
	c->ops = ops;
	c->arg = arg;
	c->fd = fd;
	c->reading = true;
	buf_init(&c->in, CHANNEL_FRAME_MAX + 4 + 2 * READ_CHUNK);
	buf_init(&c->out, CONN_OUT_MAX + CHANNEL_FRAME_MAX);
	int one = 1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	c->watch = watch_new(l, fd, 0, on_socket, c);
	c->deadline = timer_new(l, on_deadline, c);
	if (!c->watch || !c->deadline) {
		conn_destroy(c);
		return NULL;
	}
	return c;
}

struct conn *
conn_connect(struct loop *l, const struct conn_identity *id, const struct endpoint *to, const struct conn_ops *ops, void *arg)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(to, false, &sa);
	int fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return NULL;
	struct conn *c = conn_make(l, id, fd, ops, arg);
	if (!c)
		return NULL;
	static const struct mesh_id none;
	c->initiator = true;
	c->stranger = memcmp(id->mesh.bytes, none.bytes, MESH_ID_LEN) == 0;
	endpoint_text(to, c->name);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS) {
		conn_free(c);
		return NULL;
	}
	c->state = CONNECTING;
	timer_set(c->deadline, CONN_HANDSHAKE_MS);
	arm(c);
	return c;
}

struct conn *
conn_accept(struct loop *l, const struct conn_identity *id, int fd, const struct conn_ops *ops, void *arg)
{
	struct conn *c = conn_make(l, id, fd, ops, arg);
	if (!c)
		return NULL;
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	struct endpoint e = {0};
	if (getpeername(fd, (struct sockaddr *)&sa, &len) < 0 || endpoint_from_sockaddr(&e, (struct sockaddr *)&sa) < 0)
		e.len = 0;
	endpoint_text(&e, c->name);
	c->state = PREAMBLE;
	timer_set(c->deadline, CONN_HANDSHAKE_MS);
	arm(c);
	return c;
}

struct conn *
conn_adopt(struct loop *l, int fd, const uint8_t state[CHANNEL_STATE_LEN], const struct node_id *node, const struct conn_ops *ops, void *arg)
{
	struct conn *c = conn_make(l, NULL, fd, ops, arg);
	if (!c)
		return NULL;
	c->plain = malloc(CHANNEL_MESSAGE_MAX);
	if (!c->plain) {
		conn_free(c);
		return NULL;
	}
	channel_import(&c->channel, state);
	c->node = *node;
	c->initiator = true;
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
	bool again = on && !c->reading && c->in.len && c->state == OPEN && !c->depth;
	c->reading = on;
	if (again) {
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
	return c->has_cert ? &c->cert : NULL;
}

bool
conn_stranger(const struct conn *c)
{
	return c->stranger;
}

const struct node_id *
conn_node(const struct conn *c)
{
	return &c->node;
}

const uint8_t *
conn_hash(const struct conn *c)
{
	return c->hash;
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
