#include "gossip/outbox.h"

#include <string.h>
#include "gossip/relay.h"
#include "gossip/segment.h"

struct targets {
	struct endpoint list[2 * OUTBOX_TARGETS_MAX];
	size_t n;
};

bool
endpoint_same(const struct endpoint *a, const struct endpoint *b)
{
	return a->len == b->len && a->port == b->port && a->scope == b->scope &&
	       !memcmp(a->bytes, b->bytes, a->len);
}

static void
add_target(struct targets *t, const struct endpoint *e)
{
	if (!e->len || t->n == sizeof(t->list) / sizeof(t->list[0]))
		return;
	for (size_t i = 0; i < t->n; i++)
		if (endpoint_same(&t->list[i], e))
			return;
	t->list[t->n++] = *e;
}

static bool
wants_unicast(const struct gossip *g, const struct entry *e)
{
	if (!e->m.unicast || e->m.state == MEMBER_GONE)
		return false;
	if (segment_is_relay(g) && segment_is_far_relay(e))
		return true;
	return !e->guessed && e->m.beacon.reach & REACH_MULTICAST && segment_is_near(g, &e->m.from);
}

/* Those of one trust in turn, from the cursor on, until the number for one interval is full;
 * returns how far it came. */
static size_t
add_members(const struct gossip *g, struct targets *t, enum trust trust)
{
	size_t count = g->table.count, i;

	for (i = 0; i < count && t->n < OUTBOX_TARGETS_MAX; i++) {
		const struct entry *e = g->table.list[(g->target_cursor + i) % count];

		if (e->m.trust == trust && wants_unicast(g, e))
			add_target(t, &e->m.from);
	}
	return i;
}

/* True when some are left for the next time. */
static bool
add_answers(struct gossip *g, struct targets *t)
{
	for (size_t i = 0; i < g->table.count; i++) {
		struct entry *e = g->table.list[i];

		if (!e->answer)
			continue;
		if (t->n == sizeof(t->list) / sizeof(t->list[0]))
			return true;
		add_target(t, &e->m.from);
		e->answer = false;
	}
	return false;
}

/* A seed is asked while nobody is known there; and of a segment that has its relays, only these
 * ask. */
static void
add_seeds(const struct gossip *g, struct targets *t)
{
	bool known[GOSSIP_SEEDS_MAX] = {false};

	if (g->segment.spread && !segment_is_relay(g))
		return;
	for (size_t i = 0; g->nseeds && i < g->table.count; i++) {
		const struct entry *e = g->table.list[i];

		for (size_t k = 0; e->m.state == MEMBER_UP && k < g->nseeds; k++)
			known[k] |= endpoint_same(&g->seeds[k], &e->m.from);
	}
	for (size_t i = 0; i < g->nseeds; i++)
		if (!known[i])
			add_target(t, &g->seeds[i]);
}

/* When the next slice of many targets is due, so that all have their turn in one interval; one
 * that went early counts as the one that was due. */
static void
plan_slice(struct gossip *g, uint64_t now_ms)
{
	uint64_t from = g->slice_ms > now_ms ? g->slice_ms : now_ms;
	size_t all = 0;

	for (size_t i = 0; i < g->table.count; i++)
		all += wants_unicast(g, g->table.list[i]);
	g->slice_ms = 0;
	if (all > OUTBOX_TARGETS_MAX)
		g->slice_ms = from + (uint64_t)pace_interval_ms(g->table.live + 1) *
		                             OUTBOX_TARGETS_MAX / all;
}

/* Members, and only then strangers, who can be many. */
static void
add_others(struct gossip *g, struct targets *t)
{
	size_t passed = add_members(g, t, TRUST_MEMBER);

	(void)add_members(g, t, TRUST_SPARE);
	g->target_cursor = g->table.count ? (g->target_cursor + passed) % g->table.count : 0;
}

/* This node's next beacon; false when it cannot be made (no memory, or texts and certificate pass
 * the limit). */
static bool
make_beacon(struct gossip *g, enum beacon_kind kind, struct buf *out)
{
	const struct gossip_config *c = &g->config;
	struct beacon b = {0};

	b.mesh = c->mesh;
	b.node = g->self;
	b.boot = c->boot;
	b.seq = ++g->seq;
	b.kind = kind;
	memcpy(b.name, c->name, sizeof(b.name));
	memcpy(b.platform, c->platform, sizeof(b.platform));
	memcpy(b.version, c->version, sizeof(b.version));
	b.port = c->tcp_port;
	b.sandbox = c->sandbox;
	b.speed = c->speed;
	b.load = g->load;
	memcpy(b.addrs, g->addrs, sizeof(b.addrs));
	b.naddrs = g->naddrs;
	b.reach = REACH_KNOWN | (g->multicast ? REACH_MULTICAST : 0) |
	          (segment_is_relay(g) ? REACH_RELAY : 0) | (g->segment.ipv4 ? REACH_IPV4 : 0);
	return !beacon_encode(&b, c->key, c->cert, c->cert_len, out);
}

void
outbox_beacon(struct gossip *g, enum beacon_kind kind, uint64_t now_ms)
{
	struct targets t;
	struct buf bytes;
	bool more = false, in_slices = g->slice_ms && kind != BEACON_BYE;

	buf_init(&bytes, BEACON_LEN_MAX);
	if (make_beacon(g, kind, &bytes)) {
		queue_multicast(&g->queue, g->segment.ipv4_alone && kind == BEACON_ALIVE,
		        bytes.data, bytes.len);
		t.n = 0;
		add_seeds(g, &t);
		if (!in_slices)
			add_others(g, &t);
		more = g->answer_ms && add_answers(g, &t);
		for (size_t i = 0; i < t.n; i++)
			queue_send(&g->queue, &t.list[i], bytes.data, bytes.len);
	}
	buf_fini(&bytes);
	g->sent_load = g->load;
	g->edge_due = false;
	g->answer_ms = more ? now_ms + PACE_MIN_MS : 0;
	g->last_ms = now_ms;
	g->spread = 500 + rng_below(&g->rng, 1000);
	if (!in_slices)
		plan_slice(g, now_ms);
}

void
outbox_slice(struct gossip *g, uint64_t now_ms)
{
	struct targets t = {.n = 0};
	struct buf bytes;

	buf_init(&bytes, BEACON_LEN_MAX);
	add_others(g, &t);
	if (t.n && make_beacon(g, BEACON_ALIVE, &bytes))
		for (size_t i = 0; i < t.n; i++)
			queue_send(&g->queue, &t.list[i], bytes.data, bytes.len);
	buf_fini(&bytes);
	plan_slice(g, now_ms);
}

void
outbox_beacon_to(struct gossip *g, enum beacon_kind kind, const struct endpoint *to)
{
	struct buf bytes;

	buf_init(&bytes, BEACON_LEN_MAX);
	if (make_beacon(g, kind, &bytes))
		queue_send(&g->queue, to, bytes.data, bytes.len);
	buf_fini(&bytes);
}

void
parcel_send(struct parcel *p)
{
	struct buf b;

	if (!p->l.nbeacons)
		return;
	buf_init(&b, LETTER_LEN_MAX);
	p->l.kind = LETTER_CARRY;
	if ((p->bucket && !bucket_take(p->bucket, p->per_s, p->now_ms)) ||
	        letter_encode(&p->l, &b) < 0)
		buf_reset(&b);
	if (b.len && p->to)
		queue_send(&p->g->queue, p->to, b.data, b.len);
	else if (b.len)
		queue_multicast(&p->g->queue, p->g->segment.ipv4_alone, b.data, b.len);
	buf_fini(&b);
	p->l.nbeacons = 0;
	p->len = 0;
}

void
parcel_add(struct parcel *p, const uint8_t *bytes, size_t len)
{
	/* 3: msgpack's header before the bytes; 5: what stands before all */
	if (p->l.nbeacons == LETTER_BEACONS_MAX || (p->len && p->len + 3 + len + 5 > LETTER_FULL))
		parcel_send(p);
	p->l.beacons[p->l.nbeacons].bytes = bytes;
	p->l.beacons[p->l.nbeacons++].len = len;
	p->len += 3 + len;
}

void
outbox_introduce(struct gossip *g, struct entry *asker, bool is_new, uint64_t now_ms)
{
	size_t count = g->table.count, start = rng_below(&g->rng, (uint32_t)count), told = 0;
	struct parcel p = {.g = g, .to = &asker->m.from, .now_ms = now_ms};

	if (g->silent || !asker->m.from.len)
		return;
	if (!is_new) {
		p.bucket = &g->relay.news;
		p.per_s = RELAY_NEWS_PER_S;
	}
	if (asker->m.trust == TRUST_SPARE) {
		p.bucket = &g->stranger;
		p.per_s = STRANGER_PER_S;
	}
	/* Relays in the first round. */
	for (size_t i = 0; i < (is_new ? 2 : 1) * count && told < OUTBOX_RELAY_MAX; i++) {
		struct entry *e = g->table.list[(start + i) % count];
		bool relay = e->m.beacon.reach & REACH_RELAY;

		if (e == asker || !e->raw_len || e->m.state != MEMBER_UP || relay != (i < count) ||
		        endpoint_same(&e->m.from, &asker->m.from))
			continue;
		parcel_add(&p, e->raw, e->raw_len);
		told++;
	}
	parcel_send(&p);
}
