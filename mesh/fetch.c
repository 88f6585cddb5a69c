#include "mesh/fetch.h"

#include <stdlib.h>
#include "mesh/identity.h"
#include "mesh/peers.h"
#include "mesh/want.h"

struct fetch {
	struct node *node;
	const struct fetch_ops *ops;
	void *arg;
	struct node_id holder;
	struct conn *conn;
	bool open;
	struct buf need;
	struct timer *quiet;
	uint64_t until_ms;
};

static bool
may_serve(const struct cert *c)
{
	return c && c->roles & ROLE_WORKER;
}

static const struct member *
usable(struct node *n, const struct node_id *id)
{
	struct gossip *g = peers_gossip(n->peers);
	const struct member *m = g ? gossip_find(g, id) : NULL;
	if (!m || m->trust != TRUST_MEMBER || !(m->roles & ROLE_WORKER) || m->state != MEMBER_UP ||
	        m->tcp.len == 0 || node_id_cmp(id, identity_node(n->identity)) == 0)
		return NULL;
	return wants_avoid(n->wants, id) ? NULL : m;
}

const struct member *
fetch_choose(struct node *n, const struct node_id *ids, uint32_t nids, uint32_t *asked)
{
	uint32_t start = 0;
	if (nids == 0 || !n->peers || !may_serve(identity_cert(n->identity)))
		return NULL;
	random_bytes(&start, sizeof start); /* many peers are told the same names */
	for (uint32_t i = 0; i < nids; i++) {
		uint32_t at = (start % nids + i) % nids;
		const struct member *m = *asked >> at & 1 ? NULL : usable(n, &ids[at]);
		*asked |= 1u << at;
		if (m)
			return m;
	}
	return NULL;
}

static void
give_up(struct fetch *f, const char *why)
{
	log_debug(&f->node->log, "inputs from %s: %s", fetch_name(f), why);
	f->ops->ended(f->arg);
}

static void
on_ready(void *arg, struct conn *c)
{
	struct fetch *f = arg;
	f->open = true;
	if (node_id_cmp(conn_node(c), &f->holder) != 0 || !may_serve(conn_cert(c)))
		give_up(f, "not the member that was to be asked");
	else if (conn_send_buf(c, WIRE_FETCH, &f->need) < 0)
		give_up(f, "it cannot be asked");
}

static void
take(struct fetch *f, uint8_t type, const uint8_t *p, size_t len)
{
	struct digest d;
	uint64_t size;
	if (loop_now_ms() >= f->until_ms) {
		give_up(f, "it takes too long");
	} else if (f->ops->take(f->arg, type, p, len) < 0) {
		give_up(f, "refused");
	} else {
		timer_set(f->quiet, FETCH_QUIET_MS);
		if (type == WIRE_END && wire_end_decode(p, len, &d, &size) == 0)
			f->node->counters.fetched += size;
	}
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct fetch *f = arg;
	uint32_t code;
	char text[WIRE_TEXT_SIZE];
	switch (type) {
	case WIRE_PING:
		break;
	case WIRE_BLOB:
	case WIRE_DATA:
	case WIRE_END:
		take(f, type, p, len);
		break;
	case WIRE_DONE:
		f->ops->ended(f->arg);
		break;
	case WIRE_ERROR:
		give_up(f, wire_error_decode(p, len, &code, text) == 0 ? text : "malformed ERROR");
		break;
	default:
		give_up(f, "unexpected answer");
	}
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err;
	struct fetch *f = arg;
	if (!f->open)
		wants_failed(f->node->wants, &f->holder);
	give_up(f, why);
}

static void
on_quiet(void *arg)
{
	give_up(arg, "no answer");
}

static const struct conn_ops fetch_conn_ops = {
        .ready = on_ready, .message = on_message, .closed = on_closed};

struct fetch *
fetch_new(struct node *n, const struct member *holder, const struct buf *need,
        const struct fetch_ops *ops, void *arg)
{
	struct fetch *f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	*f = (struct fetch){.node = n,
	        .ops = ops,
	        .arg = arg,
	        .holder = holder->node,
	        .until_ms = loop_now_ms() + FETCH_MS};
	buf_init(&f->need, CHANNEL_MESSAGE_MAX);
	buf_put(&f->need, need->data, need->len);
	f->quiet = timer_new(n->loop, on_quiet, f);
	f->conn = f->quiet && buf_err(&f->need) == 0
	                  ? conn_connect(n->loop, identity_conn(n->identity), &holder->tcp,
	                            &fetch_conn_ops, f)
	                  : NULL;
	if (!f->conn) {
		fetch_free(f);
		return NULL;
	}
	timer_set(f->quiet, FETCH_QUIET_MS);
	return f;
}

void
fetch_free(struct fetch *f)
{
	if (!f)
		return;
	conn_free(f->conn);
	timer_free(f->quiet);
	buf_fini(&f->need);
	free(f);
}

const char *
fetch_name(const struct fetch *f)
{
	return conn_name(f->conn);
}
