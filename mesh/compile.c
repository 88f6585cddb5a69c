#include "mesh/compile.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "exec/witness.h"
#include "mesh/control.h"
#include "mesh/graphs.h"
#include "mesh/identity.h"
#include "mesh/peers.h"
#include "mesh/store.h"

#define PATH_LEN_MAX 4096

static void
answer_local(struct client *c, const char *reason, const char *text)
{
	struct buf body;
	buf_init(&body, 1024);
	pack_map(&body, 2);
	pack_ktext(&body, 1, reason);
	pack_ktext(&body, 2, text);
	client_answer(c, CONTROL_LOCAL, &body, -1);
	buf_fini(&body);
}

/* ---- compilers ---- */

/* The user's include graph, -1 for none.  Once for each connection: a client that does not read its
 * answers would fill up the descriptors that may be on their way. */
static int
graph_for(struct client *c)
{
	if (c->has_graph)
		return -1;
	c->has_graph = true;
	return graphs_fd(c->all->node->graphs, c->uid);
}

static void
answer_toolchain(
        struct client *c, const struct digest *d, const void *witness, size_t len, const char *sig)
{
	struct buf body;
	struct toolchain *t = store_find(c->all->node->store, d);
	if (t)
		t->used_ms = loop_now_ms();
	buf_init(&body, CONTROL_LEN_MAX - 1);
	pack_map(&body, sig ? 3 : 2);
	pack_kbytes(&body, 1, d->bytes, DIGEST_LEN);
	pack_kbytes(&body, 2, witness, len);
	if (sig)
		pack_kbytes(&body, 3, sig, strlen(sig));
	client_answer(c, CONTROL_TOOLCHAIN, &body, graph_for(c));
	buf_fini(&body);
}

/* What is remembered of this compiler's failures; NULL when nothing is. */
static struct unpackable *
find_unpackable(struct clients *all, uid_t uid, const char *path)
{
	for (unsigned i = 0; i < UNPACKABLE_MAX; i++) {
		struct unpackable *u = &all->unpackable[i];
		if (u->uid == uid && loop_now_ms() < u->until_ms && strcmp(u->path, path) == 0)
			return u;
	}
	return NULL;
}

static bool
is_unpackable(struct clients *all, uid_t uid, const char *path)
{
	const struct unpackable *u = find_unpackable(all, uid, path);
	return u && u->deaths >= PACKERS_MAX;
}

static void
note_failure(struct clients *all, uid_t uid, const char *path, unsigned deaths)
{
	struct unpackable *u = find_unpackable(all, uid, path);
	if (!u) {
		u = &all->unpackable[all->next_unpackable++ % UNPACKABLE_MAX];
		*u = (struct unpackable){.uid = uid};
		snprintf(u->path, sizeof u->path, "%s", path);
	}
	u->deaths += deaths;
	u->until_ms = loop_now_ms() + UNPACKABLE_MS;
}

static struct client *
next_waiting(struct clients *all, uid_t uid, const char *path)
{
	struct client *c = all->list;
	while (c && (c->uid != uid || !c->awaits || strcmp(c->awaits, path) != 0))
		c = c->next;
	return c;
}

/* After a packing ended: those who waited for it get the result, or the next of them packs. */
static void
promote(struct clients *all, uid_t uid, const char *path)
{
	struct client *c;
	/* from the start each time: an answer that cannot be sent ends clients */
	while ((c = next_waiting(all, uid, path))) {
		const struct compiler *known = store_compiler(all->node->store, uid, path);
		char *mine = c->awaits;
		c->awaits = NULL;
		if (known) {
			answer_toolchain(
			        c, &known->digest, known->witness, known->witness_len, NULL);
		} else if (is_unpackable(all, uid, path)) {
			answer_local(c, "toolchain", "the compiler could not be packed");
		} else {
			c->packing = mine;
			client_answer(c, CONTROL_PACK, NULL, -1);
			return;
		}
		free(mine);
	}
}

/* This client packs no more; deaths says how bad that is (PACKERS_MAX: it cannot be packed). */
static void
stop_packing(struct client *c, unsigned deaths)
{
	char *path = c->packing;
	if (!path)
		return;
	c->packing = NULL;
	if (deaths)
		note_failure(c->all, c->uid, path, deaths);
	promote(c->all, c->uid, path);
	free(path);
}

/* Somebody must pack this compiler: this client, unless another one of the same user is at it. */
static void
have_packed(struct client *c, const char *path)
{
	char *copy = strdup(path);
	if (!copy) {
		answer_local(c, "toolchain", "out of memory");
		return;
	}
	for (struct client *o = c->all->list; o; o = o->next) {
		if (o != c && o->uid == c->uid && o->packing && strcmp(o->packing, path) == 0) {
			free(c->awaits);
			c->awaits = copy;
			return;
		}
	}
	stop_packing(c, 0);
	c->packing = copy;
	client_answer(c, CONTROL_PACK, NULL, -1);
}

static bool
can_submit(struct client *c)
{
	struct node *n = c->all->node;
	const struct member *one;
	if (!identity_cert(n->identity))
		answer_local(c, "no-mesh",
		        "this node is in no mesh: 'icemesh init' or 'icemesh join TOKEN'");
	else if (peers_live(n->peers, &one, 1) == 0)
		answer_local(c, "no-compatible-peer", "no peer is there");
	else
		return true;
	return false;
}

static int
text_of(const struct item *m, unsigned key, char *out, size_t size)
{
	const uint8_t *p;
	size_t len;
	int err = item_bytes(m, key, size - 1, &p, &len);
	if (err < 0)
		return err;
	if (len == 0 || memchr(p, 0, len))
		return IM_ERR_FORMAT;
	memcpy(out, p, len);
	out[len] = 0;
	return 0;
}

static int
on_compiler(struct client *c, const struct item *m, bool stale)
{
	char path[PATH_LEN_MAX];
	int err = c->import ? IM_ERR_FORMAT : text_of(m, 1, path, sizeof path);
	if (err < 0)
		return err;
	if (!can_submit(c))
		return 0;
	const struct compiler *known =
	        stale ? NULL : store_compiler(c->all->node->store, c->uid, path);
	if (known)
		answer_toolchain(c, &known->digest, known->witness, known->witness_len, NULL);
	else if (is_unpackable(c->all, c->uid, path))
		answer_local(c, "toolchain",
		        "the compiler could not be packed; it is tried again in a minute");
	else
		have_packed(c, path);
	return 0;
}

static void
on_imported(void *arg, int err, const struct digest *d, const char *sig, const char *why)
{
	struct client *c = arg;
	struct node *n = c->all->node;
	char hex[DIGEST_HEX_SIZE];
	c->import = NULL;
	if (err < 0) {
		log_warn(&n->log, "%s: %s", c->packing, why);
		client_error(c, "%s", why);
	} else {
		digest_hex(d, hex);
		log_info(&n->log, "%s is toolchain %.12s", c->packing, hex);
		if (store_set_compiler(n->store, c->uid, c->packing, d, c->import_witness.data,
		            c->import_witness.len) < 0)
			log_warn(&n->log, "the list of compilers cannot be written");
		answer_toolchain(c, d, c->import_witness.data, c->import_witness.len, sig);
	}
	stop_packing(c, err < 0 ? PACKERS_MAX : 0);
}

static int
on_import(struct client *c, const struct item *m, int *fd)
{
	char path[PATH_LEN_MAX], why[256];
	const uint8_t *witness;
	size_t len;
	int err = text_of(m, 1, path, sizeof path);
	if (err == 0)
		err = item_bytes(m, 2, WITNESS_LEN_MAX, &witness, &len);
	if (err < 0 || *fd < 0 || c->import)
		return err < 0 ? err : IM_ERR_FORMAT;
	if (!c->packing || strcmp(c->packing, path) != 0) {
		char *copy = strdup(path);
		if (!copy)
			return IM_ERR_MEMORY;
		stop_packing(c, 0);
		c->packing = copy;
	}
	buf_reset(&c->import_witness);
	buf_put(&c->import_witness, witness, len);
	c->import = import_begin(c->all->node, c->uid, *fd, on_imported, c, why);
	*fd = -1;
	if (!c->import) {
		client_error(c, "%s", why);
		stop_packing(c, PACKERS_MAX);
	}
	return 0;
}

/* ---- leases ---- */

static void
on_granted(void *arg, const struct want_grant *g)
{
	struct client *c = arg;
	struct buf body;
	if (!g->second)
		c->want = NULL;
	if (c->ngranted == GRANTED_MAX) {
		close(g->fd);
		want_ended(c->all->node->wants, g->lease);
		client_error(c, "more than %d channels at a time", GRANTED_MAX);
		return;
	}
	c->granted[c->ngranted++] = (struct granted){conn_inode(g->fd), g->lease, *g->node};
	c->met[c->nmet++ % GRANTED_MAX] = *g->node;
	buf_init(&body, 1024);
	pack_map(&body, 5);
	pack_kbytes(&body, 1, g->state, CHANNEL_STATE_LEN);
	pack_kbytes(&body, 2, g->node->bytes, NODE_ID_LEN);
	pack_ktext(&body, 3, g->name);
	pack_kuint(&body, 4, g->lease_ms);
	pack_kuint(&body, 5, g->second);
	client_answer(c, CONTROL_GRANT, &body, g->fd);
	if (body.data)
		explicit_bzero(body.data, body.len);
	buf_fini(&body);
	close(g->fd);
}

static void
on_busy(void *arg, bool cold)
{
	struct buf body;
	buf_init(&body, 64);
	pack_map(&body, 1);
	pack_kuint(&body, 1, cold);
	client_answer(arg, CONTROL_BUSY, &body, -1);
	buf_fini(&body);
}

static void
on_local(void *arg, const char *reason, const char *text)
{
	struct client *c = arg;
	c->want = NULL;
	answer_local(c, reason, text);
}

static const struct want_ops want_ops = {on_granted, on_busy, on_local};

static int
decode_want(const struct item *m, struct want_spec *w)
{
	const struct item *avoid;
	uint32_t n = 0;
	uint64_t predicted = 0;
	int err = item_fixed(m, 1, w->toolchain.bytes, DIGEST_LEN);
	if (err == 0)
		err = item_uint(m, 2, UINT64_MAX, &w->job);
	if (err == 0 && item_get(m, 3))
		err = item_text(m, 3, w->peer, sizeof w->peer);
	if (err == 0 && item_get(m, 4))
		err = item_array(m, 4, LEASE_AVOID_MAX, &avoid, &n);
	if (err == 0 && item_get(m, 5))
		err = item_uint(m, 5, UINT32_MAX, &predicted);
	w->predicted_ms = (uint32_t)predicted;
	for (uint32_t i = 0; i < n && err == 0; i++) {
		const uint8_t *id;
		size_t len;
		err = value_bytes(item_at(avoid, i), NODE_ID_LEN, &id, &len);
		if (err == 0 && len != NODE_ID_LEN)
			err = IM_ERR_FORMAT;
		if (err == 0)
			memcpy(w->avoid[w->navoid++].bytes, id, NODE_ID_LEN);
	}
	return err;
}

static int
on_want(struct client *c, const struct item *m)
{
	struct want_spec w = {.uid = c->uid};
	int err = decode_want(m, &w);
	if (err < 0)
		return err;
	if (c->want)
		return IM_ERR_FORMAT;
	c->predicted_ms = w.predicted_ms;
	if (can_submit(c))
		c->want = want_new(c->all->node->wants, &w, &want_ops, c);
	if (c->gone) { /* BUSY could not be sent */
		want_cancel(c->want);
		c->want = NULL;
	}
	return 0;
}

static int
on_return(struct client *c, const struct item *m, int *fd)
{
	uint8_t state[CHANNEL_STATE_LEN];
	struct node_id node;
	int err = item_fixed(m, 1, state, sizeof state);
	if (err == 0)
		err = item_fixed(m, 2, node.bytes, NODE_ID_LEN);
	uint64_t inode = err == 0 && *fd >= 0 ? conn_inode(*fd) : 0;
	for (unsigned i = 0; i < c->ngranted && inode; i++) {
		if (c->granted[i].inode != inode || node_id_cmp(&c->granted[i].node, &node) != 0)
			continue;
		uint64_t lease = c->granted[i].lease;
		c->granted[i] = c->granted[--c->ngranted];
		/* the wrapper may have changed its mode, and waiting for it would stop everything */
		fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) | O_NONBLOCK);
		want_return(c->all->node->wants, c->uid, &node, *fd, state);
		*fd = -1;
		want_ended(c->all->node->wants, lease);
		break;
	}
	explicit_bzero(state, sizeof state);
	return err;
}

/* Only of peers that it was sent to may a client say how they are. */
static bool
has_met(const struct client *c, const struct node_id *node)
{
	for (unsigned i = 0; i < c->nmet && i < GRANTED_MAX; i++)
		if (node_id_cmp(&c->met[i], node) == 0)
			return true;
	return false;
}

/* What came of a compile, once for each. */
static void
count_compile(struct client *c, const struct account *a)
{
	struct node *n = c->all->node;
	bool here = a->verdict != VERDICT_REMOTE;
	n->counters.remote += a->verdict == VERDICT_REMOTE;
	n->counters.local += a->verdict == VERDICT_LOCAL;
	n->counters.fallback += a->verdict == VERDICT_FALLBACK;
	n->counters.hedged += a->hedged;
	if (here && *a->reason)
		tally_add(n->counters.reasons, &n->counters.nreasons, NODE_REASONS_MAX, a->reason);
	if (here && strcmp(a->reason, "include-missed") == 0)
		log_told(&n->log, loop_now_ms(), "%s: %s (uid %u)", a->reason,
		        *a->text ? a->text : "no name was told", (unsigned)c->uid);
	history_add(c->all->history, c->uid, wall_milliseconds(), a);
}

/* A peer did what was asked of it; how long it took, transfers and all, says how fast it is. */
static void
on_worked(struct client *c, const struct account *a)
{
	uint64_t took = a->ms.compile ? a->ms.send + a->ms.compile + a->ms.receive : 0;
	wants_worked(c->all->node->wants, a->node, c->predicted_ms,
	        took < UINT32_MAX ? (uint32_t)took : 0);
}

static int
on_report(struct client *c, const struct item *m)
{
	struct node *n = c->all->node;
	struct account_room room;
	struct account a;
	int err = account_decode(&a, &room, m);
	if (err < 0)
		return err;
	bool met = a.node && has_met(c, a.node);
	if (met && a.outcome == OUTCOME_PEER_LOST)
		wants_failed(n->wants, a.node);
	else if (met && a.outcome == OUTCOME_FINE && a.verdict == VERDICT_REMOTE)
		on_worked(c, &a);
	n->counters.retried += a.outcome == OUTCOME_PEER_LOST && !a.hedged;
	n->counters.failed += a.outcome == OUTCOME_JOB_FAILED;
	if (a.outcome != OUTCOME_FINE)
		return 0; /* of one attempt: the compile goes on and is reported at its end */
	if (a.verdict != VERDICT_REMOTE && !c->import)
		stop_packing(c, PACKERS_MAX); /* it compiles here, so it could not */
	count_compile(c, &a);
	return 0;
}

/* ---- all of it ---- */

int
compile_dispatch(struct client *c, uint8_t type, const struct item *m, int *fd)
{
	switch (type) {
	case CONTROL_COMPILER:
		return on_compiler(c, m, false);
	case CONTROL_PACKING:
		return on_compiler(c, m, true);
	case CONTROL_IMPORT:
		return on_import(c, m, fd);
	case CONTROL_WANT:
		return on_want(c, m);
	case CONTROL_RETURN:
		return on_return(c, m, fd);
	case CONTROL_REPORT:
		return on_report(c, m);
	case CONTROL_GRAPH:
		graphs_forget(c->all->node->graphs, c->uid);
		return 0;
	default:
		return IM_ERR_VERSION;
	}
}

void
compile_gone(struct client *c)
{
	struct wants *wants = c->all->node->wants;
	want_cancel(c->want);
	c->want = NULL;
	import_cancel(c->import);
	c->import = NULL;
	while (c->ngranted)
		want_ended(wants, c->granted[--c->ngranted].lease);
	stop_packing(c, 1);
}
