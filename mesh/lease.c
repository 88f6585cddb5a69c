#include "mesh/lease.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mesh/identity.h"
#include "mesh/peers.h"
#include "mesh/pick.h"
#include "mesh/upload.h"

#define CANDIDATES_MAX 512
#define ANSWER_MS 3000 /* for GRANT or NACK */
#define TRIES_MAX 3    /* refusals in a row before a want waits for news */
#define PROBES_MAX 8   /* waiting wants looked at to find one that can ask */
#define PROBE_MS 250   /* waiting wants ask blindly this often, one at a time */
#define EXPIRE_MS 5000 /* between two looks at the channels that nobody uses */

/* An open channel without a job. */
struct idle {
	struct leases *leases;
	struct idle *next;
	struct conn *conn;
	uid_t uid;
	struct node_id node;
	uint64_t until_ms;
};

enum want_state { WANT_NEW, WANT_ASKING, WANT_WAITING };

struct want {
	struct leases *leases;
	struct want *next;
	struct want_spec spec;
	const struct want_ops *ops;
	void *arg;
	enum want_state state;
	bool said_busy;
	unsigned tries;
	struct conn *conn;
	struct node_id target;
	char target_name[NAME_SIZE];
	uint64_t asked_us;
	struct timer *deadline;
};

struct leases {
	struct node *node;
	struct want *wants; /* oldest first */
	struct idle *idle;
	unsigned nidle;
	struct timer *tick;
	uint64_t look_ms; /* when it is set to; 0: not at all */
	bool kicking;
};

/* Asks a peer for w or ends it; false when it stays waiting. */
static bool want_try(struct want *w, bool probe);

static uint64_t
random64(void)
{
	uint64_t r;
	random_bytes(&r, sizeof r);
	return r;
}

/* Has on_tick() called in time. */
static void
look_in(struct leases *l, uint64_t ms)
{
	uint64_t at = loop_now_ms() + ms;
	if (l->look_ms && l->look_ms <= at)
		return;
	l->look_ms = at;
	timer_set(l->tick, ms);
}

/* ---- idle channels ---- */

static void
idle_drop(struct idle *i)
{
	struct leases *l = i->leases;
	for (struct idle **p = &l->idle; *p; p = &(*p)->next) {
		if (*p != i)
			continue;
		*p = i->next;
		l->nidle--;
		break;
	}
	conn_free(i->conn);
	free(i);
}

static void
idle_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c, (void)p, (void)len;
	if (type != WIRE_PING) /* nothing was asked, so nothing may be answered */
		idle_drop(arg);
}

static void
idle_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err, (void)why;
	idle_drop(arg);
}

static const struct conn_ops idle_ops = {.message = idle_message, .closed = idle_closed};

static void
idle_keep(struct leases *l, uid_t uid, const struct node_id *node, struct conn *c)
{
	struct idle *i = l->nidle < LEASE_IDLE_MAX ? calloc(1, sizeof *i) : NULL;
	if (!i) {
		conn_free(c);
		return;
	}
	*i = (struct idle){.leases = l,
	        .next = l->idle,
	        .conn = c,
	        .uid = uid,
	        .node = *node,
	        .until_ms = loop_now_ms() + LEASE_IDLE_MS};
	l->idle = i;
	l->nidle++;
	look_in(l, EXPIRE_MS);
	conn_hand(c, &idle_ops, i);
}

/* The most recently used one, which its peer least likely has closed. */
static struct conn *
idle_take(struct leases *l, uid_t uid, const struct node_id *node)
{
	for (struct idle **p = &l->idle; *p; p = &(*p)->next) {
		struct idle *i = *p;
		if (i->uid != uid || node_id_cmp(&i->node, node) != 0)
			continue;
		struct conn *c = i->conn;
		*p = i->next;
		l->nidle--;
		free(i);
		return c;
	}
	return NULL;
}

/* ---- wants ---- */

static void
want_unlink(struct want *w)
{
	for (struct want **p = &w->leases->wants; *p; p = &(*p)->next) {
		if (*p == w) {
			*p = w->next;
			break;
		}
	}
}

static void
want_free(struct want *w)
{
	want_unlink(w);
	conn_free(w->conn);
	timer_free(w->deadline);
	free(w);
}

static void
want_local(struct want *w, const char *reason, const char *text)
{
	const struct want_ops *ops = w->ops;
	void *arg = w->arg;
	want_free(w);
	ops->local(arg, reason, text);
}

static void
want_wait(struct want *w, bool cold)
{
	w->state = WANT_WAITING;
	look_in(w->leases, PROBE_MS);
	w->tries = 0;
	if (!w->said_busy) {
		w->said_busy = true;
		w->ops->busy(w->arg, cold);
	}
}

static bool
name_matches(const struct member *m, const char *wanted)
{
	char id[NODE_ID_TEXT_SIZE];
	if (!*wanted || strcmp(m->beacon.name, wanted) == 0)
		return true;
	node_id_text(&m->node, id);
	return strlen(wanted) >= 6 && strncmp(id, wanted, strlen(wanted)) == 0;
}

/* Whether this peer could run the job at all, busy or not. */
static bool
compatible(const struct leases *l, const struct want *w, const struct member *m)
{
	const struct beacon *b = &m->beacon;
	return m->trust == TRUST_MEMBER && m->roles & ROLE_WORKER &&
	       strcmp(b->platform, l->node->platform) == 0 && b->load.slots > 0 &&
	       b->sandbox >= 1 && !(b->load.state & (STATE_DRAINING | STATE_PAUSED)) &&
	       name_matches(m, w->spec.peer);
}

static bool
has_toolchain(const struct leases *l, const struct peer *v, const struct digest *d)
{
	uint32_t tag = get_u32(d->bytes);
	for (uint32_t i = 0; i < v->ntags; i++)
		if (v->tags[i] == tag)
			return true;
	return upload_done(l->node->uploads, &v->node, d);
}

static bool
avoided(const struct want *w, const struct node_id *id)
{
	for (unsigned i = 0; i < w->spec.navoid; i++)
		if (node_id_cmp(&w->spec.avoid[i], id) == 0)
			return true;
	return false;
}

/* The compatible peers, and what pick.h wants to know of each; brings the toolchain to those that lack it. */
static unsigned
gather(struct want *w, const struct member **members, struct candidate *c)
{
	struct leases *l = w->leases;
	const struct member *live[CANDIDATES_MAX];
	unsigned n = peers_live(l->node->peers, live, CANDIDATES_MAX), count = 0;
	uint64_t now = loop_now_ms();
	for (unsigned i = 0; i < n; i++) {
		struct peer *v = peers_view(l->node->peers, &live[i]->node);
		if (!v || !compatible(l, w, live[i]) || avoided(w, &live[i]->node))
			continue;
		members[count] = live[i];
		c[count] = (struct candidate){.slots = v->slots,
		        .used = v->used,
		        .avoid = now < v->avoid_until_ms,
		        .speed = v->speed,
		        .ready = has_toolchain(l, v, &w->spec.toolchain)};
		if (!c[count].ready && !c[count].avoid)
			upload_begin(l->node->uploads, live[i], &w->spec.toolchain);
		count++;
	}
	return count;
}

static void
want_failed(struct want *w, const char *why)
{
	struct leases *l = w->leases;
	log_debug(&l->node->log, "%s: %s", w->target_name, why);
	conn_free(w->conn);
	w->conn = NULL;
	timer_stop(w->deadline);
	lease_ended(l, &w->target);
	peers_failed(l->node->peers, &w->target);
	want_try(w, false);
}

static void
send_reserve(struct want *w)
{
	struct buf body;
	buf_init(&body, 256);
	wire_reserve_encode(&body, &(struct wire_reserve){.job = w->spec.job,
	                                   .toolchain = w->spec.toolchain,
	                                   .predicted_ms = w->spec.predicted_ms});
	w->asked_us = loop_now_us();
	int err = conn_send_buf(w->conn, WIRE_RESERVE, &body);
	buf_fini(&body);
	if (err < 0)
		want_failed(w, im_strerror(err));
}

static void
want_ready(void *arg, struct conn *c)
{
	struct want *w = arg;
	if (node_id_cmp(conn_node(c), &w->target) != 0)
		want_failed(w, "another node answers at its address");
	else
		send_reserve(w);
}

static void
on_grant(struct want *w, uint32_t lease_ms)
{
	uint8_t state[CHANNEL_STATE_LEN];
	int fd;
	timer_stop(w->deadline);
	if (conn_export(w->conn, state, &fd) < 0) {
		want_failed(w, "bytes behind a GRANT");
		return;
	}
	w->conn = NULL;
	const struct want_ops *ops = w->ops;
	void *arg = w->arg;
	struct node_id node = w->target;
	char name[NAME_SIZE];
	memcpy(name, w->target_name, sizeof name);
	want_free(w);
	ops->granted(arg, &node, name, lease_ms, fd, state);
	explicit_bzero(state, sizeof state);
}

static void
on_nack(struct want *w, uint32_t why)
{
	struct leases *l = w->leases;
	struct conn *c = w->conn;
	timer_stop(w->deadline);
	w->conn = NULL;
	idle_keep(l, w->spec.uid, &w->target, c);
	if (why == NACK_TOOLCHAIN || why == NACK_INSTALLING) {
		struct peer *v = peers_view(l->node->peers, &w->target);
		if (v)
			v->ntags = 0; /* its next beacon says what it has */
		/* brought, and gone again: it would have it brought for ever */
		if (upload_done(l->node->uploads, &w->target, &w->spec.toolchain))
			peers_failed(l->node->peers, &w->target);
		upload_forget(l->node->uploads, &w->target, &w->spec.toolchain);
	} else if (why != NACK_BUSY) {
		peers_failed(l->node->peers, &w->target);
	}
	if (++w->tries >= TRIES_MAX)
		want_wait(w, false);
	else
		want_try(w, false);
}

static void
want_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct want *w = arg;
	uint32_t number;
	struct wire_load load;
	if (type == WIRE_PING)
		return;
	if ((type != WIRE_GRANT && type != WIRE_NACK) ||
	        wire_answer_decode(p, len, &number, &load) < 0) {
		want_failed(w, "unexpected answer to RESERVE");
		return;
	}
	peers_heard_load(
	        w->leases->node->peers, &w->target, &load, (uint32_t)(loop_now_us() - w->asked_us));
	if (type == WIRE_GRANT)
		on_grant(w, number);
	else
		on_nack(w, number);
}

static void
want_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err;
	want_failed(arg, why);
}

static void
want_deadline(void *arg)
{
	struct want *w = arg;
	want_failed(w, w->conn ? "no answer to RESERVE" : "cannot connect");
}

static const struct conn_ops want_conn_ops = {
        .ready = want_ready, .message = want_message, .closed = want_closed};

static void
want_ask(struct want *w, const struct member *m)
{
	struct leases *l = w->leases;
	struct peer *v = peers_view(l->node->peers, &m->node);
	w->state = WANT_ASKING;
	w->target = m->node;
	snprintf(w->target_name, sizeof w->target_name, "%s", m->beacon.name);
	if (v)
		v->used++; /* until its answer says how it really stands */
	timer_set(w->deadline, ANSWER_MS);
	w->conn = idle_take(l, w->spec.uid, &m->node);
	if (w->conn) {
		conn_hand(w->conn, &want_conn_ops, w);
		send_reserve(w);
		return;
	}
	w->conn = conn_connect(
	        l->node->loop, identity_conn(l->node->identity), &m->tcp, &want_conn_ops, w);
	if (!w->conn)
		timer_set(w->deadline, 0); /* not at once: with many such peers that would nest */
}

static bool
want_try(struct want *w, bool probe)
{
	const struct member *members[CANDIDATES_MAX];
	struct candidate c[CANDIDATES_MAX];
	unsigned n = gather(w, members, c), usable = 0, ready = 0;
	for (unsigned i = 0; i < n; i++) {
		usable += !c[i].avoid;
		ready += c[i].ready;
	}
	if (n == 0 || (usable == 0 && w->spec.navoid)) {
		want_local(w, "no-compatible-peer",
		        *w->spec.peer ? "the peer asked for is not there"
		                      : "no peer of this platform lends slots");
		return true;
	}
	int i = probe ? pick_probe(c, n, random64()) : pick_peer(c, n, random64());
	if (i >= 0)
		want_ask(w, members[i]);
	else
		want_wait(w, ready == 0);
	return i >= 0;
}

struct want *
lease_want(struct leases *l, const struct want_spec *spec, const struct want_ops *ops, void *arg)
{
	struct want *w = calloc(1, sizeof *w), **end = &l->wants;
	if (w)
		w->deadline = timer_new(l->node->loop, want_deadline, w);
	if (!w || !w->deadline) {
		free(w);
		ops->local(arg, "busy", "out of memory");
		return NULL;
	}
	w->leases = l;
	w->spec = *spec;
	w->ops = ops;
	w->arg = arg;
	while (*end)
		end = &(*end)->next;
	*end = w;
	want_try(w, false);
	for (struct want *i = l->wants; i; i = i->next)
		if (i == w)
			return w;
	return NULL; /* it has ended already */
}

void
lease_cancel(struct want *w)
{
	if (!w)
		return;
	if (w->state == WANT_ASKING)
		lease_ended(w->leases, &w->target);
	want_free(w);
}

void
lease_return(struct leases *l, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN])
{
	struct conn *c = conn_adopt(l->node->loop, fd, state, node, &idle_ops, NULL);
	if (c)
		idle_keep(l, uid, node, c);
}

void
lease_ended(struct leases *l, const struct node_id *node)
{
	struct peer *v = peers_view(l->node->peers, node);
	if (v && v->used)
		v->used--;
}

void
leases_kick(struct leases *l)
{
	if (l->kicking)
		return; /* a try of ours brought the news */
	l->kicking = true;
	struct want *next;
	struct digest full = {
	        {0}}; /* no peer has room for this toolchain's jobs: do not try each of them */
	for (struct want *w = l->wants; w; w = next) {
		next = w->next;
		bool choosy = w->spec.navoid || *w->spec.peer;
		if (w->state != WANT_WAITING ||
		        (!choosy && digest_equal(&w->spec.toolchain, &full)))
			continue;
		struct digest d = w->spec.toolchain;
		if (!want_try(w, false) && !choosy)
			full = d;
	}
	l->kicking = false;
}

static void
on_tick(void *arg)
{
	struct leases *l = arg;
	uint64_t now = loop_now_ms();
	struct idle *next;
	l->look_ms = 0;
	for (struct idle *i = l->idle; i; i = next) {
		next = i->next;
		if (now >= i->until_ms)
			idle_drop(i);
	}
	struct want *after;
	unsigned tried = 0;
	for (struct want *w = l->wants; w && tried < PROBES_MAX; w = after) {
		after = w->next;
		if (w->state == WANT_WAITING && (++tried, want_try(w, true)))
			break;
	}
	if (tried)
		look_in(l, PROBE_MS);
	else if (l->idle)
		look_in(l, EXPIRE_MS);
}

struct leases *
leases_new(struct node *n)
{
	struct leases *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->node = n;
	l->tick = timer_new(n->loop, on_tick, l);
	if (!l->tick) {
		free(l);
		return NULL;
	}
	return l;
}

void
leases_reset(struct leases *l)
{
	while (l->idle)
		idle_drop(l->idle);
	while (l->wants)
		want_local(l->wants, "no-mesh", "the mesh changed");
}

void
leases_free(struct leases *l)
{
	if (!l)
		return;
	leases_reset(l);
	timer_free(l->tick);
	free(l);
}
