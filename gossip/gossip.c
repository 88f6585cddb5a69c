#include "gossip/gossip.h"

#include <stdlib.h>
#include <string.h>
#include "gossip/inbox.h"
#include "gossip/outbox.h"
#include "gossip/relay.h"
#include "gossip/saved.h"
#include "gossip/segment.h"
#include "gossip/state.h"

#define EDGE_MIN_MS 250                       /* between beacons out of turn, in a small mesh */
#define EDGE_AHEAD_MS ((8 - 1) * EDGE_MIN_MS) /* of these eight may come at once */
#define SWEEP_MS 1000
#define PAUSE_MS 2000 /* a sweep later than this means that we did not run */
#define HELLO_TRIES 10
#define HELLO_PER_SWEEP 64
#define HELLO_WAIT_MAX_MS 60000

static void
take_config(struct gossip *g, const struct gossip_config *c)
{
	uint64_t boot = g->config.boot;

	g->config = *c;
	if (g->config.boot < boot) /* it may only grow */
		g->config.boot = boot;
	g->config.cert = NULL;
	g->config.cert_len = 0;
	if (c->cert) {
		memcpy(g->cert, c->cert, c->cert_len);
		g->config.cert = g->cert;
		g->config.cert_len = c->cert_len;
	}
	node_id_of(&g->self, c->key->sign_pk);
	g->hello_due = true;
	g->silent = false;
}

struct gossip *
gossip_new(const struct gossip_config *c)
{
	struct gossip *g;

	if (c->cert && c->cert_len > CERT_LEN_MAX)
		return NULL;
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->rng.state = c->seed;
	if (table_init(&g->table, rng_next(&g->rng))) {
		free(g);
		return NULL;
	}
	queue_init(&g->queue);
	bucket_init(&g->known, INBOX_KNOWN_BURST, c->wall_at_ms);
	bucket_init(&g->unasked, INBOX_UNASKED_BURST, c->wall_at_ms);
	bucket_init(&g->fresh, INBOX_FRESH_BURST, c->wall_at_ms);
	g->waiting.salt = rng_next(&g->rng);
	bucket_init(&g->stranger, STRANGER_PER_S, c->wall_at_ms);
	take_config(g, c);
	g->multicast = true; /* until the owner says otherwise */
	relay_start(g, c->wall_at_ms);
	return g;
}

void
gossip_free(struct gossip *g)
{
	if (!g)
		return;
	queue_fini(&g->queue);
	table_fini(&g->table);
	free(g);
}

static void
forget(struct gossip *g, struct entry *e)
{
	if (e->m.state != MEMBER_GONE && e->m.heard_ms)
		queue_tell(&g->queue, GOSSIP_DOWN, &e->m.node);
	table_remove(&g->table, e);
}

int
gossip_set_mesh(struct gossip *g, const struct gossip_config *c)
{
	if (c->cert && c->cert_len > CERT_LEN_MAX)
		return IM_ERR_LIMIT;
	if (memcmp(c->mesh.bytes, g->config.mesh.bytes, MESH_ID_LEN) ||
	        memcmp(c->root_pk, g->config.root_pk, SIGN_PK_LEN))
		while (g->table.count)
			forget(g, g->table.list[g->table.count - 1]);
	take_config(g, c);
	return 0;
}

static bool
has_addr(const struct beacon_addr *list, uint32_t n, const struct beacon_addr *a)
{
	for (uint32_t i = 0; i < n; i++)
		if (list[i].len == a->len && !memcmp(list[i].bytes, a->bytes, a->len))
			return true;
	return false;
}

void
gossip_set_wall(struct gossip *g, uint64_t wall_s, uint64_t now_ms)
{
	g->config.wall_s = wall_s;
	g->config.wall_at_ms = now_ms;
}

void
gossip_set_addrs(struct gossip *g, const struct beacon_addr *addrs, uint32_t n)
{
	struct beacon_addr new[BEACON_ADDRS_MAX] = {0};
	bool moved = false;

	n = n < BEACON_ADDRS_MAX ? n : BEACON_ADDRS_MAX;
	memcpy(new, addrs, n * sizeof(*addrs));
	for (uint32_t i = 0; i < g->naddrs; i++)
		moved |= !has_addr(new, n, &g->addrs[i]);
	g->naddrs = n;
	memcpy(g->addrs, new, sizeof(new));
	/* Another network perhaps: who was in the segment is to be found out, and the others hear it
	 * at once. */
	if (moved && n && g->last_ms) {
		segment_leave(g);
		g->hello_due = true;
	}
}

void
gossip_set_subnets(struct gossip *g, const struct subnet *subnets, uint32_t n)
{
	g->nsubnets = n < GOSSIP_SUBNETS_MAX ? n : GOSSIP_SUBNETS_MAX;
	memcpy(g->subnets, subnets, g->nsubnets * sizeof(*subnets));
	g->multicast = n > 0;
}

size_t
gossip_count_deaf(const struct gossip *g, uint64_t now_ms, const struct member **example)
{
	size_t n = 0;

	for (size_t i = 0; i < g->table.count; i++) {
		const struct entry *e = g->table.list[i];

		if (!segment_is_deaf_to(g, e, now_ms))
			continue;
		if (!n++ && example)
			*example = &e->m;
	}
	return n;
}

int
gossip_add_seed(struct gossip *g, const struct endpoint *e)
{
	for (size_t i = 0; i < g->nseeds; i++)
		if (endpoint_same(&g->seeds[i], e))
			return 0;
	if (g->nseeds == GOSSIP_SEEDS_MAX)
		return IM_ERR_LIMIT;
	g->seeds[g->nseeds++] = *e;
	/* A new hope is tried at once, not with the next beacon. */
	if (g->last_ms && !g->silent)
		outbox_beacon_to(g, BEACON_HELLO, e);
	return 0;
}

int
gossip_receive(struct gossip *g, const void *bytes, size_t len, const struct endpoint *from,
        bool via_multicast, uint64_t now_ms)
{
	struct arrival a = {bytes, len, from, via_multicast, now_ms, false, NULL};

	return letter_is(bytes, len) ? relay_receive(g, &a) : inbox_receive(g, &a);
}

/* Sends a beacon to everybody. Each postpones the next out of turn by the part of the mesh's pace
 * that is this node's, so that edges add nothing to what all receive. */
static void
speak(struct gossip *g, enum beacon_kind kind, uint64_t now_ms)
{
	uint64_t share = (uint64_t)(g->table.live + 1) * 1000 / PACE_RECEIVED_PER_S;
	uint64_t gap = share < EDGE_MIN_MS   ? EDGE_MIN_MS
	               : share < PACE_MAX_MS ? share
	                                     : PACE_MAX_MS;
	uint64_t from = g->edge_ms > now_ms ? g->edge_ms : now_ms;

	outbox_beacon(g, kind, now_ms);
	g->edge_ms = from + gap < now_ms + gap + EDGE_AHEAD_MS ? from + gap
	                                                       : now_ms + gap + EDGE_AHEAD_MS;
}

/* From when on a beacon may go out of turn. */
static uint64_t
edge_deadline(const struct gossip *g)
{
	return g->edge_ms > EDGE_AHEAD_MS ? g->edge_ms - EDGE_AHEAD_MS : 0;
}

static bool
has_tag(const struct load *l, uint32_t tag)
{
	for (uint32_t i = 0; i < l->ntags; i++)
		if (l->tags[i] == tag)
			return true;
	return false;
}

/* Worth telling out of turn: it changes whom the others would ask. */
static bool
is_edge(const struct load *was, const struct load *is)
{
	uint32_t moved = is->used > was->used ? is->used - was->used : was->used - is->used;

	if ((was->used < was->slots) != (is->used < is->slots) || was->state != is->state ||
	        was->ntags != is->ntags)
		return true;
	for (uint32_t i = 0; i < is->ntags; i++)
		if (!has_tag(was, is->tags[i]))
			return true;
	return moved && moved >= (is->slots + 1) / 2;
}

static void
send_edge(struct gossip *g, uint64_t now_ms)
{
	g->edge_due = now_ms < edge_deadline(g);
	if (!g->edge_due)
		speak(g, BEACON_ALIVE, now_ms);
	/* The next slice goes ahead, as long as those that went early stay within one interval. */
	if (!g->edge_due && g->slice_ms &&
	        g->slice_ms < now_ms + pace_interval_ms(g->table.live + 1))
		outbox_slice(g, now_ms);
}

void
gossip_load(struct gossip *g, const struct load *l, uint64_t now_ms)
{
	g->load = *l;
	if (g->load.ntags > BEACON_TAGS_MAX)
		g->load.ntags = BEACON_TAGS_MAX;
	if (g->silent || g->hello_due)
		return;
	if (is_edge(&g->sent_load, &g->load))
		send_edge(g, now_ms);
	else
		g->edge_due = false;
}

/* A remembered node that has not been heard yet is asked again, each time after twice the wait. */
static bool
ask_remembered(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	uint64_t wait = UINT64_C(1000) << (e->hellos < 10 ? e->hellos : 10);

	if (now_ms < e->hello_ms)
		return false;
	if (e->hellos == HELLO_TRIES) {
		table_set_state(&g->table, e, MEMBER_GONE);
		g->table.due_ms[e->index] = 0;
		return false;
	}
	outbox_beacon_to(g, BEACON_HELLO, &e->m.from);
	e->hellos++;
	e->hello_ms = now_ms + (wait < HELLO_WAIT_MAX_MS ? wait : HELLO_WAIT_MAX_MS);
	return true;
}

/* News whose signature has not been checked count before anybody is called silent, and within a segment they do for a while
 * unchecked: that saves most checks of a mesh that is idle.  Where many are forged, silence says nothing.  Returns when to look again. */
static uint64_t
judge_silence(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	uint64_t suspect_ms = pace_suspect_ms(e->m.interval_ms);
	uint64_t gone_ms = pace_gone_ms(e->m.interval_ms), silence = now_ms - e->m.heard_ms;

	if (!g->segment.far && segment_hears(e, e->m.heard_ms, now_ms))
		return silence < suspect_ms ? e->m.heard_ms + suspect_ms : now_ms + SWEEP_MS;
	if (silence >= suspect_ms && e->waiting.len)
		inbox_look(g, e, now_ms);
	silence = now_ms - e->m.heard_ms;
	if (silence < suspect_ms)
		return e->m.heard_ms + suspect_ms;
	if (e->waiting.len || waiter_doubts(&e->waiting, now_ms))
		return now_ms + SWEEP_MS;
	if (silence < gone_ms) {
		if (e->m.state == MEMBER_UP) {
			table_set_state(&g->table, e, MEMBER_SUSPECT);
			queue_tell(&g->queue, GOSSIP_CHANGED, &e->m.node);
		}
		return e->m.heard_ms + gone_ms;
	}
	table_set_state(&g->table, e, MEMBER_GONE);
	e->since_ms = now_ms;
	queue_tell(&g->queue, GOSSIP_DOWN, &e->m.node);
	return now_ms + TABLE_FORGET_MS;
}

/* Looks at one that has been heard; returns when to look again. */
static uint64_t
watch(struct gossip *g, struct entry *e, unsigned *asked, uint64_t now_ms)
{
	uint64_t due = judge_silence(g, e, now_ms), probe;

	if (*asked < HELLO_PER_SWEEP && !e->waiting.len)
		*asked += relay_probe(g, e, now_ms);
	probe = relay_probe_ms(e);
	return probe > now_ms && probe < due ? probe : due;
}

/* Time in which this node itself stood still (stopped, swapped out) says nothing about the
 * others. */
static void
excuse(struct gossip *g, uint64_t paused_ms)
{
	for (size_t i = 0; i < g->table.count; i++) {
		struct member *m = &g->table.list[i]->m;

		if (m->heard_ms)
			m->heard_ms += paused_ms;
		g->table.due_ms[i] = 0;
	}
}

/* Looks at every member whose time has come: who has fallen silent, who is to be asked, who can be forgotten. */
static void
sweep(struct gossip *g, uint64_t now_ms)
{
	unsigned asked = 0;

	if (g->sweep_ms && now_ms - g->sweep_ms > PAUSE_MS)
		excuse(g, now_ms - g->sweep_ms);
	for (size_t i = g->table.count; i-- > 0;) {
		struct entry *e;

		if (now_ms < g->table.due_ms[i])
			continue;
		e = g->table.list[i];
		if (e->m.state == MEMBER_GONE) {
			g->table.due_ms[i] = e->since_ms + TABLE_FORGET_MS;
			if (now_ms >= g->table.due_ms[i])
				forget(g, e);
		} else if (e->m.heard_ms) {
			g->table.due_ms[i] = watch(g, e, &asked, now_ms);
		} else if (asked < HELLO_PER_SWEEP && !g->silent) {
			asked += ask_remembered(g, e, now_ms);
		}
	}
	segment_update(g, now_ms);
	g->sweep_ms = now_ms + SWEEP_MS;
}

/* When the next beacon in turn is due; later when the mesh has grown since the last. */
static uint64_t
beacon_ms(const struct gossip *g)
{
	return g->last_ms + (uint64_t)pace_interval_ms(g->table.live + 1) * g->spread / 1000;
}

void
gossip_tick(struct gossip *g, uint64_t now_ms)
{
	g->now_ms = now_ms;
	if (now_ms >= inbox_deadline(g))
		inbox_tick(g, now_ms);
	if (now_ms >= g->sweep_ms)
		sweep(g, now_ms);
	if (g->silent)
		return;
	if (g->hello_due) {
		g->hello_due = false;
		speak(g, BEACON_HELLO, now_ms);
	} else if ((g->answer_ms && now_ms >= g->answer_ms) || now_ms >= beacon_ms(g)) {
		speak(g, BEACON_ALIVE, now_ms);
	} else if (g->edge_due) {
		send_edge(g, now_ms);
	}
	if (g->slice_ms && now_ms >= g->slice_ms)
		outbox_slice(g, now_ms);
	relay_tick(g, now_ms);
}

void
gossip_bye(struct gossip *g, uint64_t now_ms)
{
	if (g->silent)
		return;
	/* Twice, since nobody will ask again. */
	outbox_beacon(g, BEACON_BYE, now_ms);
	outbox_beacon(g, BEACON_BYE, now_ms);
	g->silent = true;
}

uint64_t
gossip_deadline(const struct gossip *g)
{
	uint64_t at = g->sweep_ms, t = inbox_deadline(g);

	at = t < at ? t : at;
	if (g->silent)
		return at;
	if (g->hello_due)
		return 0;
	t = beacon_ms(g);
	at = t < at ? t : at;
	t = relay_deadline(g);
	at = t < at ? t : at;
	if (g->slice_ms && g->slice_ms < at)
		at = g->slice_ms;
	if (g->answer_ms && g->answer_ms < at)
		at = g->answer_ms;
	if (g->edge_due) {
		t = edge_deadline(g);
		at = t < at ? t : at;
	}
	return at;
}

bool
gossip_next(struct gossip *g, struct gossip_action *a)
{
	if (!queue_take(&g->queue, a))
		return false;
	if (a->type == GOSSIP_MULTICAST || a->type == GOSSIP_UNICAST) {
		g->counts.sent++;
		g->counts.bytes_out += a->len;
	}
	return true;
}

/* Each has its share when somebody looks at all again and again, or the end of the list would have
 * none. */
const struct member *
gossip_member(struct gossip *g, size_t i)
{
	struct entry *e;

	if (i >= g->table.count)
		return NULL;
	e = g->table.list[i];
	if (g->now_ms - e->checked_ms >= g->table.live * UINT64_C(1000) / INBOX_LOOKED_PER_S)
		inbox_look(g, e, g->now_ms);
	return &e->m;
}

const struct member *
gossip_find(struct gossip *g, const struct node_id *id)
{
	struct entry *e = table_find(&g->table, id);

	if (!e)
		return NULL;
	inbox_look(g, e, g->now_ms);
	return &e->m;
}

size_t
gossip_count_up(const struct gossip *g)
{
	return g->table.up;
}

void
gossip_counts(const struct gossip *g, struct gossip_counts *out)
{
	*out = g->counts;
}

void
gossip_save(const struct gossip *g, struct buf *out)
{
	struct saved *list = calloc(GOSSIP_MEMBERS_MAX, sizeof(*list));
	size_t n = 0;

	if (!list) {
		out->err = IM_ERR_MEMORY;
		return;
	}
	for (size_t i = 0; i < g->table.count; i++) {
		const struct member *m = &g->table.list[i]->m;

		if (!m->tcp.len)
			continue;
		list[n].gone = m->state == MEMBER_GONE;
		list[n].node = m->node;
		list[n].at = m->tcp;
		memcpy(list[n].name, m->beacon.name, NAME_SIZE);
		list[n].boot = m->beacon.boot;
		list[n].seq = m->beacon.seq;
		n++;
	}
	saved_encode(list, n, out);
	free(list);
}

static void
remember(struct gossip *g, const struct saved *s, uint64_t now_ms)
{
	struct entry *e;

	if (!node_id_cmp(&s->node, &g->self) || table_find(&g->table, &s->node))
		return;
	e = table_add(&g->table, &s->node, TRUST_SPARE);
	if (!e)
		return;
	e->m.from = e->m.tcp = s->at;
	e->m.beacon.node = s->node;
	e->m.beacon.boot = s->boot;
	e->m.beacon.seq = s->seq;
	e->m.beacon.port = s->at.port;
	memcpy(e->m.beacon.name, s->name, NAME_SIZE);
	e->m.interval_ms = PACE_MIN_MS;
	e->since_ms = now_ms;
	e->hello_ms = now_ms;
	table_set_state(&g->table, e, s->gone ? MEMBER_GONE : MEMBER_SUSPECT);
}

int
gossip_load_saved(struct gossip *g, const void *bytes, size_t len, uint64_t now_ms)
{
	struct saved *list = NULL;
	size_t n;
	int err = saved_decode(&list, &n, bytes, len);

	if (err)
		return err;
	for (size_t i = 0; i < n; i++)
		if (!list[i].gone)
			remember(g, &list[i], now_ms);
	for (size_t i = 0; i < n && g->table.spares < TABLE_SPARES_MAX; i++)
		if (list[i].gone)
			remember(g, &list[i], now_ms);
	free(list);
	return 0;
}
