#include "mesh/upload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crypto/sign.h"
#include "mesh/identity.h"
#include "mesh/store.h"

#define PIECE (64 * 1024)
#define AHEAD_BYTES (512u * 1024) /* put into the connection at a time */
#define RETRY_MS 5000             /* after a failure */
#define RETRY_LATE_MS 60000       /* after a peer said that it will not have it */
#define RETRY_SOON_MS 500         /* after "being received already" */
#define STALL_MS 30000            /* for the peer to take what waits */
#define ANSWER_MS 180000 /* for the peer's TOK after the last byte; PINGs do not extend it */

enum upload_state { UPLOAD_FREE, UPLOAD_ACTIVE, UPLOAD_DONE, UPLOAD_FAILED };

struct upload {
	struct uploads *all;
	enum upload_state state;
	struct node_id node;
	struct digest digest;
	struct conn *conn;
	int fd;
	bool sent; /* TEND is out */
	bool has;  /* TOK came before TEND: the peer had it already */
	uint64_t size, retry_ms;
	struct timer *deadline;
};

struct uploads {
	struct node *node;
	void (*done)(struct node *, const struct node_id *);
	struct upload list[UPLOADS_MAX];
};

struct uploads *
uploads_new(struct node *n, void (*done)(struct node *, const struct node_id *))
{
	struct uploads *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	u->node = n;
	u->done = done;
	return u;
}

/* Ends the transfer and remembers how. */
static void
end(struct upload *u, enum upload_state state, uint64_t retry_ms)
{
	conn_free(u->conn);
	timer_free(u->deadline);
	if (u->fd >= 0)
		close(u->fd);
	u->conn = NULL;
	u->deadline = NULL;
	u->fd = -1;
	u->state = state;
	u->retry_ms = retry_ms ? loop_now_ms() + retry_ms : 0;
}

void
uploads_free(struct uploads *u)
{
	if (!u)
		return;
	for (unsigned i = 0; i < UPLOADS_MAX; i++)
		if (u->list[i].state == UPLOAD_ACTIVE)
			end(&u->list[i], UPLOAD_FREE, 0);
	free(u);
}

static void
fail(struct upload *u, uint64_t retry_ms, const char *why)
{
	char hex[DIGEST_HEX_SIZE];
	struct node *n = u->all->node;
	struct node_id id = u->node;
	digest_hex(&u->digest, hex);
	log_warn(&n->log, "toolchain %.12s to %s: %s", hex, conn_name(u->conn), why);
	end(u, UPLOAD_FAILED, retry_ms);
	u->all->done(n, &id);
}

static void
succeed(struct upload *u)
{
	char hex[DIGEST_HEX_SIZE];
	struct node *n = u->all->node;
	struct node_id id = u->node;
	digest_hex(&u->digest, hex);
	log_info(&n->log, "toolchain %.12s is now at %s", hex, conn_name(u->conn));
	end(u, UPLOAD_DONE, 0);
	u->all->done(n, &id);
}

static void
pump(struct upload *u)
{
	uint8_t piece[PIECE];
	int err = 0;
	while (err == 0 && !u->sent && conn_waiting(u->conn) < AHEAD_BYTES) {
		ssize_t n = u->has ? 0 : read(u->fd, piece, sizeof piece);
		if (n < 0) {
			fail(u, RETRY_MS, "the tarball in the store cannot be read");
			return;
		}
		if (n == 0) {
			u->sent = true;
			timer_set(u->deadline, ANSWER_MS);
			err = conn_send(u->conn, WIRE_TEND, NULL, 0);
		} else {
			timer_set(u->deadline, STALL_MS);
			err = conn_send(u->conn, WIRE_TDATA, piece, (size_t)n);
		}
	}
	if (err < 0)
		fail(u, RETRY_MS, im_strerror(err));
}

static void
on_ready(void *arg, struct conn *c)
{
	struct upload *u = arg;
	struct buf sig, body;
	buf_init(&sig, SIGN_TEXT_MAX);
	buf_init(&body, 8192);
	int err = IM_ERR_UNKNOWN_KEY;
	if (node_id_cmp(conn_node(c), &u->node) == 0 &&
	        (err = store_signature(u->all->node->store, &u->digest, &sig)) == 0) {
		const char *text = buf_text(&sig);
		wire_toolchain_encode(&body, &u->digest, u->size, text ? text : "");
		err = conn_send_buf(c, WIRE_TOOLCHAIN, &body);
	}
	buf_fini(&sig);
	buf_fini(&body);
	if (err < 0)
		fail(u, RETRY_MS, im_strerror(err));
	else
		pump(u);
}

static uint64_t
retry_after(uint32_t code)
{
	switch (code) {
	case WERR_LIMIT:
		return RETRY_SOON_MS;
	case WERR_REFUSED:
	case WERR_KEY:
		return RETRY_LATE_MS;
	default:
		return RETRY_MS;
	}
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct upload *u = arg;
	uint32_t code = 0;
	char text[WIRE_TEXT_SIZE];
	if (u->state != UPLOAD_ACTIVE || type == WIRE_PING)
		return;
	if (type == WIRE_TOK) {
		/* early: the peer has it already, and hears the end in order */
		u->has = true;
		if (!u->sent)
			pump(u);
		else if (conn_waiting(u->conn) == 0)
			succeed(u);
	} else if (type == WIRE_ERROR && wire_error_decode(p, len, &code, text) == 0) {
		fail(u, retry_after(code), text);
	} else {
		fail(u, RETRY_MS, "unexpected answer");
	}
}

static void
on_drained(void *arg, struct conn *c)
{
	(void)c;
	struct upload *u = arg;
	if (u->state == UPLOAD_ACTIVE && !u->sent)
		pump(u);
	else if (u->state == UPLOAD_ACTIVE && u->has)
		succeed(u);
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err;
	fail(arg, RETRY_MS, why);
}

static void
on_deadline(void *arg)
{
	fail(arg, RETRY_MS, "no answer");
}

static const struct conn_ops upload_ops = {on_ready, on_message, on_drained, on_closed};

static struct upload *
find(const struct uploads *u, const struct node_id *id, const struct digest *d)
{
	for (unsigned i = 0; i < UPLOADS_MAX; i++) {
		const struct upload *x = &u->list[i];
		if (x->state != UPLOAD_FREE && node_id_cmp(&x->node, id) == 0 &&
		        digest_equal(&x->digest, d))
			return (struct upload *)x;
	}
	return NULL;
}

/* A place in the list: a free one, else one that only remembers. */
static struct upload *
take_place(struct uploads *u)
{
	struct upload *old = NULL;
	for (unsigned i = 0; i < UPLOADS_MAX; i++) {
		if (u->list[i].state == UPLOAD_FREE)
			return &u->list[i];
		if (u->list[i].state != UPLOAD_ACTIVE)
			old = &u->list[i];
	}
	return old;
}

void
upload_begin(struct uploads *all, const struct member *m, const struct digest *d)
{
	struct upload *u = find(all, &m->node, d);
	unsigned active = 0;
	if (u && (u->state == UPLOAD_ACTIVE || u->state == UPLOAD_DONE ||
	                 loop_now_ms() < u->retry_ms))
		return;
	for (unsigned i = 0; i < UPLOADS_MAX; i++)
		active += all->list[i].state == UPLOAD_ACTIVE;
	if (active >= UPLOADS_AT_ONCE || (!u && !(u = take_place(all))))
		return;
	*u = (struct upload){.all = all, .node = m->node, .digest = *d, .fd = -1};
	const struct toolchain *t = store_find(all->node->store, d);
	if (!t || store_tarball(all->node->store, d, &u->fd) < 0)
		return;
	u->size = t->size;
	u->deadline = timer_new(all->node->loop, on_deadline, u);
	u->conn = u->deadline ? conn_connect(all->node->loop, identity_conn(all->node->identity),
	                                &m->tcp, &upload_ops, u)
	                      : NULL;
	if (!u->conn)
		end(u, UPLOAD_FAILED, RETRY_MS);
	else
		u->state = UPLOAD_ACTIVE;
}

bool
upload_done(const struct uploads *u, const struct node_id *id, const struct digest *d)
{
	const struct upload *x = find(u, id, d);
	return x && x->state == UPLOAD_DONE;
}

void
upload_forget(struct uploads *u, const struct node_id *id, const struct digest *d)
{
	struct upload *x = find(u, id, d);
	if (x && x->state == UPLOAD_DONE)
		x->state = UPLOAD_FREE;
}

bool
upload_pending(const struct uploads *u, const struct digest *d)
{
	for (unsigned i = 0; i < UPLOADS_MAX; i++)
		if (u->list[i].state == UPLOAD_ACTIVE && digest_equal(&u->list[i].digest, d))
			return true;
	return false;
}
