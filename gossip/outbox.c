#include "gossip/outbox.h"

#include <string.h>

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
wants_unicast(const struct entry *e)
{
	return e->m.unicast && e->m.state != MEMBER_GONE;
}

/* Those of one trust in turn, from the cursor on, until the number for one interval is full;
 * returns how far it came. */
static size_t
add_members(const struct gossip *g, struct targets *t, enum trust trust)
{
	size_t count = g->table.count, i;

	for (i = 0; i < count && t->n < OUTBOX_TARGETS_MAX; i++) {
		const struct entry *e = g->table.list[(g->target_cursor + i) % count];

		if (e->m.trust == trust && wants_unicast(e))
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

/* Seeds, members, and only then strangers, who can be many; then the answers owed. True when some
 * of these are left. */
static bool
collect_targets(struct gossip *g, struct targets *t)
{
	size_t passed;

	t->n = 0;
	for (size_t i = 0; i < g->nseeds; i++)
		add_target(t, &g->seeds[i]);
	passed = add_members(g, t, TRUST_MEMBER);
	(void)add_members(g, t, TRUST_SPARE);
	g->target_cursor = g->table.count ? (g->target_cursor + passed) % g->table.count : 0;
	return g->answer_ms && add_answers(g, t);
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
	return !beacon_encode(&b, c->key, c->cert, c->cert_len, out);
}

void
outbox_beacon(struct gossip *g, enum beacon_kind kind, uint64_t now_ms)
{
	struct targets t;
	struct buf bytes;
	bool more = false;

	buf_init(&bytes, BEACON_LEN_MAX);
	if (make_beacon(g, kind, &bytes)) {
		queue_send(&g->queue, NULL, bytes.data, bytes.len);
		more = collect_targets(g, &t);
		for (size_t i = 0; i < t.n; i++)
			queue_send(&g->queue, &t.list[i], bytes.data, bytes.len);
	}
	buf_fini(&bytes);
	g->sent_load = g->load;
	g->edge_due = false;
	g->answer_ms = more ? now_ms + PACE_MIN_MS : 0;
	g->last_ms = now_ms;
	g->spread = 500 + rng_below(&g->rng, 1000);
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

/* Passes e's last beacon on; to strangers only as the bucket allows. */
static void
relay(struct gossip *g, const struct entry *e, const struct entry *to, uint64_t now_ms)
{
	if (!e->raw_len || e->m.state != MEMBER_UP || !to->m.from.len)
		return;
	if (to->m.trust == TRUST_SPARE && !bucket_take(&g->stranger, STRANGER_PER_S, now_ms))
		return;
	queue_send(&g->queue, &to->m.from, e->raw, e->raw_len);
}

void
outbox_introduce(struct gossip *g, struct entry *newcomer, bool direct, uint64_t now_ms)
{
	size_t count = g->table.count, start = rng_below(&g->rng, (uint32_t)count);
	size_t told = 0, heard = 0;

	if (g->silent)
		return;
	for (size_t i = 0; i < count; i++) {
		struct entry *e = g->table.list[(start + i) % count];

		if (e == newcomer || e->m.state != MEMBER_UP ||
		        endpoint_same(&e->m.from, &newcomer->m.from))
			continue;
		if (direct && told < OUTBOX_RELAY_MAX) {
			relay(g, e, newcomer, now_ms);
			told++;
		}
		if (wants_unicast(e) && heard < OUTBOX_RELAY_MAX) {
			relay(g, newcomer, e, now_ms);
			heard++;
		}
	}
}
