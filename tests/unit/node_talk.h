/* Somebody who speaks to a node of tests/unit/node_rig.h: over the wire as a peer, or on its control socket. */
#ifndef TESTS_UNIT_NODE_TALK_H
#define TESTS_UNIT_NODE_TALK_H

#include "mesh/conn.h"
#include "tests/unit/node_rig.h"

/* --- a peer --- */

struct talk {
	struct conn *conn;
	bool open, closed;
	unsigned count[32]; /* messages of each type */
	uint8_t last;       /* the last one that was no PING */
	struct buf body;    /* of it */
	char why[256];
};

static inline void
talk_ready(void *arg, struct conn *c)
{
	(void)c;
	((struct talk *)arg)->open = true;
}

static inline void
talk_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct talk *t = arg;
	t->count[type & 31]++;
	if (type == WIRE_PING)
		return;
	t->last = type;
	buf_reset(&t->body);
	buf_put(&t->body, p, len);
}

static inline void
talk_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)err;
	struct talk *t = arg;
	t->closed = true;
	snprintf(t->why, sizeof t->why, "%s", why);
	conn_free(c);
	t->conn = NULL;
}

static const struct conn_ops talk_ops = {
        .ready = talk_ready, .message = talk_message, .closed = talk_closed};

/* Connects to `to` with this identity. */
static inline void
talk_start(struct talk *t, const struct conn_identity *id, const struct rig *to)
{
	struct endpoint e = rig_endpoint(to);
	memset(t, 0, sizeof *t);
	buf_init(&t->body, CHANNEL_MESSAGE_MAX);
	t->conn = conn_connect(rig_loop, id, &e, &talk_ops, t);
	assert_non_null(t->conn);
	UNTIL(t->open || t->closed);
}

static inline void
talk_open(struct talk *t, const struct rig *as, const struct rig *to)
{
	talk_start(t, identity_conn(as->n.identity), to);
	assert_true(t->open);
}

static inline void
talk_end(struct talk *t)
{
	conn_free(t->conn);
	t->conn = NULL;
	buf_fini(&t->body);
}

static inline void
talk_send(struct talk *t, uint8_t type, const struct buf *body)
{
	t->last = 0;
	assert_int_equal(
	        body ? conn_send_buf(t->conn, type, body) : conn_send(t->conn, type, NULL, 0), 0);
}

static inline void
talk_wait(struct talk *t, uint8_t type)
{
	UNTIL(t->last == type || t->last == WIRE_ERROR || t->closed);
	if (t->last != type)
		fail_msg("message %u instead of %u; the log: %s", t->last, type, rig_log);
}

/* The code of the ERROR that comes. */
static inline unsigned
talk_error(struct talk *t)
{
	uint32_t code = 0;
	talk_wait(t, WIRE_ERROR);
	assert_int_equal(wire_error_decode(t->body.data, t->body.len, &code, t->why), 0);
	return code;
}

/* RESERVE; the type of the answer, its number in *number. */
static inline uint8_t
talk_reserve_as(struct talk *t, const struct wire_reserve *r, uint32_t *number)
{
	struct buf body;
	struct wire_load load;
	buf_init(&body, 256);
	wire_reserve_encode(&body, r);
	talk_send(t, WIRE_RESERVE, &body);
	buf_fini(&body);
	UNTIL(t->last || t->closed);
	if (t->last == WIRE_GRANT || t->last == WIRE_NACK || t->last == WIRE_QUEUED)
		assert_int_equal(wire_answer_decode(t->body.data, t->body.len, number, &load), 0);
	return t->last;
}

static inline uint8_t
talk_reserve(struct talk *t, const struct digest *toolchain, uint32_t *number)
{
	return talk_reserve_as(
	        t, &(struct wire_reserve){.job = 7, .toolchain = *toolchain}, number);
}

/* As talk_reserve(), of one who waits when there is no slot. */
static inline uint8_t
talk_queue(struct talk *t, const struct digest *toolchain, uint32_t *number)
{
	return talk_reserve_as(
	        t, &(struct wire_reserve){.job = 7, .toolchain = *toolchain, .wait = true}, number);
}

/* A job as icemesh-cc makes it, for a text that is streamed. */
struct talk_job {
	struct digest toolchain;
	const char *env, *extra; /* one variable and one more word of the command, or NULL */
};

static inline void
talk_job(struct talk *t, const struct talk_job *what)
{
	const char *argv[] = {"gcc", "-fpreprocessed", "-c", "a.c", "-o", "a.o", what->extra, NULL};
	const char *env[] = {what->env, NULL}, *outputs[] = {"/w/a.o", NULL};
	struct job_input input = {.path = "/w/a.c", .mode = 0644, .streamed = 1};
	struct job j = {.toolchain = what->toolchain,
	        .cwd = "/w",
	        .argv = argv,
	        .argc = what->extra ? 7 : 6,
	        .env = env,
	        .nenv = what->env ? 1 : 0,
	        .inputs = &input,
	        .ninputs = 1,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
	struct buf body;
	buf_init(&body, JOB_LEN_MAX);
	assert_int_equal(job_encode(&j, &body), 0);
	talk_send(t, WIRE_JOB, &body);
	buf_fini(&body);
}

static inline void
talk_input(struct talk *t, const char *text, const char *digest_of_text)
{
	struct buf body;
	struct digest d;
	buf_init(&body, 2 * WIRE_BLOCK_MAX);
	assert_int_equal(wire_block_encode(&body, text, strlen(text)), 0);
	talk_send(t, WIRE_DATA, &body);
	buf_reset(&body);
	digest_of(&d, digest_of_text, strlen(digest_of_text));
	wire_end_encode(&body, &d, strlen(text));
	talk_send(t, WIRE_END, &body);
	buf_fini(&body);
}

/* --- a source job --- */

/* What is in it: trees by digest, and the source /w/a.c with this text. */
struct talk_source {
	struct digest toolchain;
	const struct digest *trees;
	uint32_t ntrees;
	const char *text;
	const struct node_id *holder; /* that it names, or NULL */
};

static inline void
talk_source(struct talk *t, const struct talk_source *what)
{
	const char *argv[] = {"/usr/bin/gcc", "-c", "a.c", "-o", "a.o", NULL};
	const char *env[] = {NULL}, *outputs[] = {"/w/a.o", NULL};
	struct tree_entry e = {.path = "/w/a.c", .kind = TREE_FILE, .mode = 0644};
	struct job j = {.toolchain = what->toolchain,
	        .cwd = "/w",
	        .argv = argv,
	        .argc = 5,
	        .env = env,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_SOURCE,
	        .trees = what->trees,
	        .ntrees = what->ntrees,
	        .own = {.entries = &e, .n = 1},
	        .holders = what->holder,
	        .nholders = what->holder ? 1 : 0};
	struct buf body;
	e.size = strlen(what->text);
	digest_of(&e.digest, what->text, strlen(what->text));
	buf_init(&body, JOB_LEN_MAX);
	assert_int_equal(job_encode(&j, &body), 0);
	talk_send(t, WIRE_JOB, &body);
	buf_fini(&body);
}

/* How many digests the next NEED names; they go to d. */
static inline uint32_t
talk_need(struct talk *t, struct digest d[WIRE_NEED_MAX])
{
	uint32_t n = 0;
	talk_wait(t, WIRE_NEED);
	assert_int_equal(wire_need_decode(t->body.data, t->body.len, d, &n), 0);
	return n;
}

static inline void
talk_announce(struct talk *t, const struct digest *d, uint64_t size)
{
	struct buf body;
	buf_init(&body, 256);
	wire_blob_encode(&body, d, size);
	talk_send(t, WIRE_BLOB, &body);
	buf_fini(&body);
}

static inline void
talk_bytes(struct talk *t, const void *bytes, size_t len)
{
	struct buf body;
	buf_init(&body, 2 * WIRE_BLOCK_MAX);
	assert_int_equal(wire_block_encode(&body, bytes, len), 0);
	talk_send(t, WIRE_DATA, &body);
	buf_fini(&body);
}

static inline void
talk_finish(struct talk *t, const struct digest *d, uint64_t size)
{
	struct buf body;
	buf_init(&body, 256);
	wire_end_encode(&body, d, size);
	talk_send(t, WIRE_END, &body);
	buf_fini(&body);
}

/* A whole blob of at most WIRE_BLOCK_MAX bytes. */
static inline void
talk_blob(struct talk *t, const void *bytes, size_t len)
{
	struct digest d;
	digest_of(&d, bytes, len);
	talk_announce(t, &d, len);
	talk_bytes(t, bytes, len);
	talk_finish(t, &d, len);
}

/* --- a client of the control socket --- */

struct ctl {
	int fd, got; /* got: descriptor of the last answer, -1 none */
	bool closed;
	uint8_t type; /* of the last answer, 0 none */
	struct buf body;
	struct packet *p;
};

static inline void
ctl_open(struct ctl *c, const struct rig *r)
{
	memset(c, 0, sizeof *c);
	c->got = -1;
	buf_init(&c->body, CONTROL_LEN_MAX);
	assert_int_equal(control_connect(r->n.config.socket, &c->fd), 0);
	assert_int_equal(fcntl(c->fd, F_SETFL, O_NONBLOCK), 0);
}

static inline void
ctl_forget(struct ctl *c)
{
	packet_free(c->p);
	c->p = NULL;
	if (c->got >= 0)
		close(c->got);
	c->got = -1;
	c->type = 0;
}

static inline void
ctl_close(struct ctl *c)
{
	ctl_forget(c);
	buf_fini(&c->body);
	close(c->fd);
}

/* True when an answer came, or the end. */
static inline bool
ctl_poll(struct ctl *c)
{
	int err;
	if (c->type || c->closed)
		return true;
	err = control_recv(c->fd, &c->type, &c->body, &c->got);
	if (err == IM_ERR_CLOSED)
		c->closed = true;
	if (err < 0) {
		c->type = 0;
		return c->closed;
	}
	if (c->body.len)
		assert_int_equal(packet_open(&c->p, c->body.data, c->body.len), 0);
	return true;
}

/* Waits for the next answer: its type, 0 at the end. */
static inline uint8_t
ctl_wait(struct ctl *c)
{
	ctl_forget(c);
	UNTIL(ctl_poll(c));
	return c->type;
}

/* Sends without waiting; fd -1 for none. */
static inline void
ctl_send(struct ctl *c, uint8_t type, const struct buf *body, int fd)
{
	assert_int_equal(control_send(c->fd, type, body, fd), 0);
}

static inline const struct item *
ctl_root(const struct ctl *c)
{
	return packet_root(c->p);
}

/* The text under key of the last answer. */
static inline const char *
ctl_text(const struct ctl *c, unsigned key)
{
	static char text[1024];
	if (!c->p || item_text(ctl_root(c), key, text, sizeof text) < 0)
		text[0] = 0;
	return text;
}

/* A map of one text; and its answer's type. */
static inline uint8_t
ctl_ask_text(struct ctl *c, uint8_t type, const char *text)
{
	struct buf b;
	buf_init(&b, 8192);
	pack_map(&b, text ? 1 : 0);
	if (text)
		pack_ktext(&b, 1, text);
	ctl_send(c, type, &b, -1);
	buf_fini(&b);
	return ctl_wait(c);
}

#endif
