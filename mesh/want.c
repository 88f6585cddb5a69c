#include "mesh/want.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gossip/rng.h"
#include "mesh/lack.h"
#include "mesh/peers.h"
#include "mesh/reservation.h"
#include "mesh/upload.h"

#define REFRESH_MS 1000 /* between two looks at all peers while there are wants */

/* A wish, and after that the jobs that it was granted slots for. */
struct want {
	struct wants *all;
	struct want *next;
	uint64_t id;
	struct want_spec spec;
	const struct want_ops *ops;
	void *arg;
	bool open; /* it has no slot yet */
	unsigned jobs;
};

struct held {
	struct held *next;
	uint64_t lease;
	struct want *want;
};

struct wants {
	struct node *node;
	struct leases *leases;
	struct channels *channels;
	struct want *list, *found; /* found: the last that was looked for */
	struct held *jobs;
	struct reservations *reservations;
	struct lacks lacks;
	uint64_t last_id, refresh_ms;
	struct timer *tick;
	bool settling;
};

static void settle(struct wants *ws);

/* ---- what fits ---- */

static struct want *
find_want(struct wants *ws, uint64_t id)
{
	if (ws->found && ws->found->id == id)
		return ws->found;
	struct want *w = ws->list;
	while (w && w->id != id)
		w = w->next;
	return ws->found = w;
}

static const struct member *
find_member(const struct wants *ws, const struct node_id *id)
{
	struct gossip *g = ws->node->peers ? peers_gossip(ws->node->peers) : NULL;
	return g ? gossip_find(g, id) : NULL;
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

/* Whether this peer could run jobs of this node at all, busy or not. */
static bool
compatible(const struct wants *ws, const struct member *m)
{
	const struct beacon *b = &m->beacon;
	return (m->state == MEMBER_UP || m->state == MEMBER_SUSPECT) && m->heard_ms && m->tcp.len &&
	       m->trust == TRUST_MEMBER && m->roles & ROLE_WORKER &&
	       strcmp(b->platform, ws->node->platform) == 0 && b->load.slots > 0 &&
	       b->sandbox >= 1 && !(b->load.state & (STATE_DRAINING | STATE_PAUSED));
}

static bool
has_toolchain(const struct wants *ws, const struct member *m, const struct digest *d)
{
	uint32_t tag = get_u32(d->bytes);
	const struct load *l = &m->beacon.load;
	for (uint32_t i = 0; i < l->ntags; i++)
		if (l->tags[i] == tag)
			return !lacks_has(&ws->lacks, m, tag);
	return upload_done(ws->node->uploads, &m->node, d);
}

/* Brings the toolchain to a peer that lacks it. */
static enum lease_fit
fit(void *arg, uint64_t id, const struct node_id *peer)
{
	struct wants *ws = arg;
	const struct want *w = find_want(ws, id);
	const struct member *m = w ? find_member(ws, peer) : NULL;
	if (!m || !compatible(ws, m) || !name_matches(m, w->spec.peer))
		return LEASE_FIT_NONE;
	if (has_toolchain(ws, m, &w->spec.toolchain))
		return LEASE_FIT_READY;
	if (!wants_avoid(ws, peer))
		upload_begin(ws->node->uploads, m, &w->spec.toolchain);
	return LEASE_FIT_COLD;
}

static void
tell_of(struct wants *ws, const struct member *m)
{
	const struct load *l = &m->beacon.load;
	uint64_t now = loop_now_ms();
	if (!compatible(ws, m)) {
		leases_peer_gone(ws->leases, &m->node, now);
		return;
	}
	leases_peer(ws->leases, &m->node,
	        &(struct view_load){.slots = l->slots,
	                .used = l->used,
	                .queued = l->queued,
	                .silent = m->state == MEMBER_SUSPECT},
	        m->heard_ms, now);
}

/* Beacons that repeat what is known are no news to gossip, but here they count as fresh. */
static void
refresh(struct wants *ws)
{
	struct gossip *g = ws->node->peers ? peers_gossip(ws->node->peers) : NULL;
	uint64_t now = loop_now_ms();
	const struct member *m;
	if (now < ws->refresh_ms)
		return;
	ws->refresh_ms = now + REFRESH_MS;
	for (size_t i = 0; g && (m = gossip_member(g, i)); i++)
		if (m->state == MEMBER_UP || m->state == MEMBER_SUSPECT)
			tell_of(ws, m);
}

/* ---- asking a peer ---- */

/* What a NACK means for leases. */
static enum lease_answer
refusal(struct wants *ws, const struct node_id *node, const struct digest *d, uint32_t why)
{
	const struct member *m = find_member(ws, node);
	if (why == NACK_BUSY)
		return LEASE_BUSY;
	if (why != NACK_TOOLCHAIN && why != NACK_INSTALLING)
		return LEASE_REFUSED;
	if (m)
		lacks_note(&ws->lacks, m, get_u32(d->bytes));
	/* brought, and gone again: it would have it brought for ever */
	bool brought = upload_done(ws->node->uploads, node, d);
	upload_forget(ws->node->uploads, node, d);
	return brought ? LEASE_REFUSED : LEASE_COLD;
}

static void
on_answered(void *arg, uint64_t id, const struct node_id *node, const struct wire_reserve *what,
        uint8_t type, uint32_t number, const struct wire_load *load, uint32_t rtt_us)
{
	struct wants *ws = arg;
	struct view_load l = {.slots = load->slots, .used = load->used, .queued = load->queued};
	enum lease_answer a = type == WIRE_GRANT    ? LEASE_GRANT
	                      : type == WIRE_QUEUED ? LEASE_QUEUED
	                                            : refusal(ws, node, &what->toolchain, number);
	leases_answer(ws->leases, id, a, &l, rtt_us, loop_now_ms());
	settle(ws);
}

static void
on_alive(void *arg, uint64_t id)
{
	leases_heard(((struct wants *)arg)->leases, id, loop_now_ms());
}

static void
on_lost(void *arg, uint64_t id, const char *name, const char *why)
{
	struct wants *ws = arg;
	log_debug(&ws->node->log, "%s: %s", name, why);
	leases_answer(ws->leases, id, LEASE_LOST, NULL, 0, loop_now_ms());
	settle(ws);
}

static const struct reservation_ops reservation_ops = {on_answered, on_alive, on_lost};

static void
do_ask(struct wants *ws, const struct lease_action *x)
{
	const struct want *w = find_want(ws, x->want);
	const struct member *m = find_member(ws, &x->node);
	struct wire_reserve what = {.predicted_ms = x->predicted_ms, .wait = x->wait};
	int err = IM_ERR_ABSENT;
	if (w && m) {
		what.job = w->spec.job;
		what.toolchain = w->spec.toolchain;
		err = reservation_begin(ws->reservations, x->ask, w->spec.uid, m, &what);
	}
	if (err < 0)
		leases_answer(ws->leases, x->ask, LEASE_LOST, NULL, 0, loop_now_ms());
}

/* ---- wants ---- */

static void
want_unlink(struct want *w)
{
	struct wants *ws = w->all;
	struct want **p = &ws->list;
	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	if (ws->found == w)
		ws->found = NULL;
	free(w);
}

/* Wants of one user for one toolchain may take each other's slots. */
static uint64_t
group_of(const struct want_spec *s)
{
	uint64_t tag;
	if (*s->peer)
		return 0;
	memcpy(&tag, s->toolchain.bytes, sizeof tag);
	tag = rng_mix(tag ^ rng_mix((uint64_t)s->uid + 1));
	return tag ? tag : 1;
}

static void
fill(struct lease_want *out, const struct want *w)
{
	*out = (struct lease_want){.id = w->id,
	        .group = group_of(&w->spec),
	        .predicted_ms = w->spec.predicted_ms,
	        .navoid = w->spec.navoid};
	memcpy(out->avoid, w->spec.avoid, sizeof out->avoid);
}

static void
end_local(struct want *w, const char *reason, const char *text)
{
	const struct want_ops *ops = w->ops;
	void *arg = w->arg;
	want_unlink(w);
	ops->local(arg, reason, text);
}

static bool
job_add(struct want *w, uint64_t lease)
{
	struct held *j = calloc(1, sizeof *j);
	if (!j)
		return false;
	*j = (struct held){.next = w->all->jobs, .lease = lease, .want = w};
	w->all->jobs = j;
	w->jobs++;
	return true;
}

/* The want whose job it was; NULL when it is not known. */
static struct want *
job_remove(struct wants *ws, uint64_t lease)
{
	struct held **p = &ws->jobs;
	while (*p && (*p)->lease != lease)
		p = &(*p)->next;
	struct held *j = *p;
	if (!j)
		return NULL;
	struct want *w = j->want;
	*p = j->next;
	w->jobs--;
	free(j);
	return w;
}

/* Bytes behind a GRANT, for one; the want tries again. */
static void
grant_failed(struct wants *ws, const struct lease_action *x, struct want *w)
{
	struct lease_want again;
	leases_ended(ws->leases, x->ask, loop_now_ms());
	leases_failed(ws->leases, &x->node, loop_now_ms());
	if (!w || x->type == LEASE_HEDGE)
		return;
	fill(&again, w);
	if (leases_want(ws->leases, &again, loop_now_ms()) < 0)
		end_local(w, "busy", "too many compiles wait for a peer");
}

/* Hands the channel of a granted ask to the want's owner. */
static void
do_grant(struct wants *ws, const struct lease_action *x)
{
	bool second = x->type == LEASE_HEDGE;
	struct want *w = find_want(ws, x->want);
	struct reservation_taken got;
	if (!w || !job_add(w, x->ask)) {
		reservation_withdraw(ws->reservations, x->ask);
		grant_failed(ws, x, w);
		return;
	}
	if (reservation_take(ws->reservations, x->ask, &got) < 0) {
		job_remove(ws, x->ask);
		grant_failed(ws, x, w);
		return;
	}
	w->open = w->open && second;
	w->ops->granted(w->arg, &(struct want_grant){.lease = x->ask,
	                                .node = &x->node,
	                                .name = got.name,
	                                .lease_ms = got.lease_ms,
	                                .fd = got.fd,
	                                .state = got.state,
	                                .second = second});
	explicit_bzero(got.state, sizeof got.state);
}

static void
act(struct wants *ws, const struct lease_action *x)
{
	struct want *w =
	        x->type == LEASE_ASK || x->type == LEASE_DROP ? NULL : find_want(ws, x->want);
	switch (x->type) {
	case LEASE_ASK:
		do_ask(ws, x);
		break;
	case LEASE_DROP:
		reservation_withdraw(ws->reservations, x->ask);
		break;
	case LEASE_GRANTED:
	case LEASE_HEDGE:
		do_grant(ws, x);
		break;
	case LEASE_WAIT:
		if (w)
			w->ops->busy(w->arg, x->cold);
		break;
	case LEASE_LOCAL:
		if (w)
			end_local(w, "no-compatible-peer",
			        *w->spec.peer ? "the peer asked for is not there"
			                      : "no peer of this platform lends slots");
	}
}

/* Carries out what leases want done; what a callback causes is done by the outermost call. */
static void
settle(struct wants *ws)
{
	struct lease_action x;
	if (ws->settling)
		return;
	ws->settling = true;
	while (leases_next(ws->leases, &x))
		act(ws, &x);
	ws->settling = false;
	uint64_t at = leases_deadline(ws->leases), now = loop_now_ms();
	if (at == UINT64_MAX)
		timer_stop(ws->tick);
	else
		timer_set(ws->tick, at > now ? at - now : 0);
}

static void
on_tick(void *arg)
{
	struct wants *ws = arg;
	refresh(ws);
	leases_tick(ws->leases, loop_now_ms());
	settle(ws);
}

struct want *
want_new(struct wants *ws, const struct want_spec *spec, const struct want_ops *ops, void *arg)
{
	struct want *w = calloc(1, sizeof *w);
	struct lease_want lw;
	if (!w) {
		ops->local(arg, "busy", "out of memory");
		return NULL;
	}
	*w = (struct want){.all = ws,
	        .next = ws->list,
	        .id = ++ws->last_id,
	        .spec = *spec,
	        .ops = ops,
	        .arg = arg,
	        .open = true};
	ws->list = w;
	refresh(ws);
	fill(&lw, w);
	if (leases_want(ws->leases, &lw, loop_now_ms()) < 0) {
		end_local(w, "busy", "too many compiles wait for a peer");
		return NULL;
	}
	uint64_t id = w->id;
	settle(ws);
	w = find_want(ws, id);
	return w && w->open ? w : NULL;
}

void
want_cancel(struct want *w)
{
	if (!w || !w->open)
		return;
	struct wants *ws = w->all;
	leases_cancel(ws->leases, w->id, loop_now_ms());
	w->open = false;
	if (w->jobs == 0)
		want_unlink(w);
	settle(ws);
}

void
want_ended(struct wants *ws, uint64_t lease)
{
	struct want *w = job_remove(ws, lease);
	if (!w)
		return;
	if (w->jobs == 0 && !w->open)
		want_unlink(w);
	leases_ended(ws->leases, lease, loop_now_ms());
	settle(ws);
}

void
want_return(struct wants *ws, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN])
{
	channels_return(ws->channels, uid, node, fd, state);
}

void
wants_worked(struct wants *ws, const struct node_id *id, uint32_t predicted_ms, uint32_t took_ms)
{
	leases_worked(ws->leases, id, predicted_ms, took_ms, loop_now_ms());
}

void
wants_failed(struct wants *ws, const struct node_id *id)
{
	leases_failed(ws->leases, id, loop_now_ms());
}

const struct view *
wants_view(const struct wants *ws, const struct node_id *id)
{
	return views_find(leases_views(ws->leases), id);
}

bool
wants_avoid(const struct wants *ws, const struct node_id *id)
{
	const struct view *v = wants_view(ws, id);
	return v && loop_now_ms() < v->avoid_until_ms;
}

void
wants_news(struct wants *ws, const struct node_id *id)
{
	const struct member *m = find_member(ws, id);
	if (m)
		tell_of(ws, m);
	else
		leases_peer_gone(ws->leases, id, loop_now_ms());
	settle(ws);
}

void
wants_counts(const struct wants *ws, struct lease_counts *out)
{
	leases_counts(ws->leases, out);
}

struct wants *
wants_new(struct node *n)
{
	struct wants *ws = calloc(1, sizeof *ws);
	uint64_t seed;
	if (!ws)
		return NULL;
	random_bytes(&seed, sizeof seed);
	ws->node = n;
	ws->leases = leases_new(seed, &(struct lease_ops){fit, ws});
	ws->channels = channels_new(n);
	ws->reservations = reservations_new(n, ws->channels, &reservation_ops, ws);
	ws->tick = timer_new(n->loop, on_tick, ws);
	if (!ws->leases || !ws->channels || !ws->reservations || !ws->tick) {
		wants_free(ws);
		return NULL;
	}
	return ws;
}

void
wants_reset(struct wants *ws)
{
	struct want *next;
	channels_reset(ws->channels);
	reservations_reset(ws->reservations);
	while (ws->jobs) {
		struct held *j = ws->jobs;
		ws->jobs = j->next;
		j->want->jobs--;
		free(j);
	}
	leases_reset(ws->leases);
	ws->refresh_ms = 0;
	for (struct want *w = ws->list; w; w = next) {
		next = w->next;
		if (w->open)
			end_local(w, "no-mesh", "the mesh changed");
		else
			want_unlink(w);
	}
}

void
wants_free(struct wants *ws)
{
	if (!ws)
		return;
	if (ws->leases && ws->channels && ws->reservations)
		wants_reset(ws);
	reservations_free(ws->reservations);
	channels_free(ws->channels);
	leases_free(ws->leases);
	timer_free(ws->tick);
	free(ws);
}
