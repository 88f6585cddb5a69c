#include "gossip/relay.h"

#include <string.h>
#include "gossip/outbox.h"
#include "gossip/segment.h"

#define ASK_AGAIN_MS 300 /* a letter may be lost, and the next digest is a second chance */
#define HEAL_TRIES 2

void
relay_start(struct gossip *g, uint64_t now_ms)
{
	static const char domain[] = "icemesh relay token 1";
	struct digest_stream s;
	struct digest d;
	struct relay *r = &g->relay;

	digest_begin(&s);
	digest_add(&s, domain, sizeof(domain));
	digest_add(&s, g->config.key->sign_sk, SIGN_SK_LEN);
	digest_add(&s, &g->config.boot, sizeof(g->config.boot));
	digest_end(&s, &d);
	memcpy(r->secret, d.bytes, sizeof(r->secret));
	bucket_init(&r->ask, RELAY_ASK_PER_S * RELAY_BURST_S, now_ms);
	bucket_init(&r->carry, RELAY_CARRY_PER_S * RELAY_BURST_S, now_ms);
	bucket_init(&r->news, RELAY_NEWS_PER_S * RELAY_BURST_S, now_ms);
}

/* A keyed hash of an address: only who receives there can know it. */
static void
token_for(const struct gossip *g, const struct endpoint *e, uint8_t out[LETTER_TOKEN_LEN])
{
	uint8_t bytes[DIGEST_LEN + 18] = {0};
	struct digest d;

	memcpy(bytes, g->relay.secret, DIGEST_LEN);
	memcpy(bytes + DIGEST_LEN, e->bytes, e->len);
	bytes[DIGEST_LEN + 16] = (uint8_t)(e->port >> 8);
	bytes[DIGEST_LEN + 17] = (uint8_t)e->port;
	digest_of(&d, bytes, sizeof(bytes));
	memcpy(out, d.bytes, LETTER_TOKEN_LEN);
}

static void
send_letter(struct gossip *g, const struct letter *l, const struct endpoint *to)
{
	struct buf b;

	buf_init(&b, LETTER_LEN_MAX);
	if (!letter_encode(l, &b))
		queue_send(&g->queue, to, b.data, b.len);
	buf_fini(&b);
}

static bool
is_held(const struct entry *e)
{
	return e->raw_len && e->m.heard_ms && e->m.state != MEMBER_GONE;
}

/* --- digests --- */

static void
add_news(struct letter *l, const struct node_id *id, uint64_t boot, uint64_t seq)
{
	l->news[l->nnews++] = (struct news){*id, boot, seq};
}

/* What this node holds, from the cursor on, itself first at the start of a round. */
static void
fill_digest(struct gossip *g, struct letter *l)
{
	struct relay *r = &g->relay;

	if (r->cursor >= g->table.count)
		r->cursor = 0;
	if (!r->cursor)
		add_news(l, &g->self, g->config.boot, g->seq);
	while (r->cursor < g->table.count && l->nnews < LETTER_NEWS_MAX) {
		const struct entry *e = g->table.list[r->cursor++];

		if (is_held(e))
			add_news(l, &e->m.node, e->m.beacon.boot, e->m.beacon.seq);
	}
}

/* Up to max relays (members only) of other segments from a random one on, but not the one at `not`. */
static size_t
some_far(struct gossip *g, const struct endpoint * not, const struct entry **out, size_t max)
{
	size_t count = g->table.count, n = 0, start = rng_below(&g->rng, (uint32_t)count);

	for (size_t i = 0; i < count && n < max; i++) {
		const struct entry *e = g->table.list[(start + i) % count];

		if (e->m.trust == TRUST_MEMBER && segment_is_far_relay(e) &&
		        !(not &&endpoint_same(not, &e->m.from)))
			out[n++] = e;
	}
	return n;
}

static void
send_digest(struct gossip *g)
{
	const struct entry *to[RELAY_FANOUT];
	struct letter l = {.kind = LETTER_DIGEST, .mesh = g->config.mesh, .from = g->self};
	size_t n = some_far(g, NULL, to, RELAY_FANOUT);

	if (!n)
		return;
	fill_digest(g, &l);
	for (size_t i = 0; i < n; i++) {
		token_for(g, &to[i]->m.from, l.token);
		send_letter(g, &l, &to[i]->m.from);
	}
}

/* Whom to ask again: those lost without a goodbye, who may be there again behind a link that was
 * down; and while no relay of another segment is known, whoever is known there. */
static bool
is_worth_a_word(const struct gossip *g, const struct entry *e)
{
	if (!e->m.from.len || e->m.trust != TRUST_MEMBER)
		return false;
	if (e->m.state == MEMBER_GONE)
		return e->m.beacon.kind != BEACON_BYE;
	return !g->segment.far && e->m.unicast;
}

static void
look_around(struct gossip *g)
{
	size_t count = g->table.count, start = rng_below(&g->rng, (uint32_t)count);
	unsigned tried = 0;

	for (size_t i = 0; i < count && tried < HEAL_TRIES; i++) {
		const struct entry *e = g->table.list[(start + i) % count];

		if (!is_worth_a_word(g, e))
			continue;
		outbox_beacon_to(g, BEACON_HELLO, &e->m.from);
		tried++;
	}
}

void
relay_tick(struct gossip *g, uint64_t now_ms)
{
	struct relay *r = &g->relay;
	size_t windows = (g->table.live + LETTER_NEWS_MAX) / LETTER_NEWS_MAX;
	uint32_t interval = pace_interval_ms(g->table.live + 1);

	if (now_ms >= r->digest_ms) {
		if (segment_is_relay(g))
			send_digest(g);
		r->digest_ms = now_ms + interval / (windows ? windows : 1);
	}
	if (now_ms >= r->heal_ms) {
		if (segment_is_relay(g))
			look_around(g);
		r->heal_ms = now_ms + (g->segment.far ? RELAY_HEAL_MS : PACE_MIN_MS);
	}
}

uint64_t
relay_deadline(const struct gossip *g)
{
	const struct relay *r = &g->relay;

	return r->digest_ms < r->heal_ms ? r->digest_ms : r->heal_ms;
}

/* Whether a digest tells of something that is worth asking for. */
static bool
is_wanted(const struct gossip *g, const struct news *n, const struct entry *e, uint64_t now_ms)
{
	uint64_t silence, seq, patience;

	if (!e || !e->m.heard_ms)
		return true;
	if (now_ms - e->asked_ms < ASK_AGAIN_MS)
		return false;
	if (n->boot != e->m.beacon.boot)
		return n->boot > e->m.beacon.boot;
	seq = e->m.beacon.seq < UINT32_MAX ? e->m.beacon.seq : UINT32_MAX;
	if (n->seq <= seq || segment_has(e, now_ms))
		return false;
	if (e->m.state != MEMBER_UP)
		return true;
	/* Those who speak to this node themselves, and what the first relay will multicast, come
	 * without asking; and news that wait to be checked are here already. */
	silence = now_ms - (e->waiting.len ? e->waiting.heard_ms : e->m.heard_ms);
	patience = (uint64_t)e->m.interval_ms * 3 / 2;
	if (e->m.beacon.reach & REACH_RELAY)
		patience = (uint64_t)e->m.interval_ms * 2;
	else if (!g->segment.rank)
		patience = 0;
	return silence >= patience;
}

/* Only a node that is there, and only from an address of its own. */
static bool
is_from(const struct arrival *a, const struct entry *e)
{
	const struct beacon *b = &e->m.beacon;

	if (e->m.state == MEMBER_GONE || !e->m.heard_ms)
		return false;
	if (endpoint_same(a->from, &e->m.from))
		return true;
	for (uint32_t i = 0; i < b->naddrs; i++)
		if (b->addrs[i].len == a->from->len &&
		        !memcmp(b->addrs[i].bytes, a->from->bytes, a->from->len))
			return true;
	return false;
}

static int
take_digest(struct gossip *g, const struct arrival *a, const struct letter *l)
{
	struct letter ask = {.kind = LETTER_REQUEST, .mesh = l->mesh};
	const struct entry *from = table_find(&g->table, &l->from);

	if (!from || !is_from(a, from) || a->via_multicast || g->silent)
		return IM_ERR_EXISTS;
	memcpy(ask.token, l->token, LETTER_TOKEN_LEN);
	for (uint32_t i = 0; i < l->nnews; i++) {
		struct entry *e = table_find(&g->table, &l->news[i].node);

		if (node_id_cmp(&l->news[i].node, &g->self) &&
		        is_wanted(g, &l->news[i], e, a->now_ms))
			add_news(&ask, &l->news[i].node, 0, 0);
	}
	if (!ask.nnews || !bucket_take(&g->relay.ask, RELAY_ASK_PER_S, a->now_ms))
		return IM_ERR_EXISTS;
	for (uint32_t i = 0; i < ask.nnews; i++) {
		struct entry *e = table_find(&g->table, &ask.news[i].node);

		if (e)
			e->asked_ms = a->now_ms;
	}
	send_letter(g, &ask, a->from);
	return 0;
}

/* --- requests and carries --- */

static int
take_request(struct gossip *g, const struct arrival *a, const struct letter *l)
{
	struct parcel p = {.g = g,
	        .to = a->from,
	        .bucket = &g->relay.carry,
	        .per_s = RELAY_CARRY_PER_S,
	        .now_ms = a->now_ms};
	uint8_t token[LETTER_TOKEN_LEN];

	token_for(g, a->from, token);
	if (memcmp(token, l->token, sizeof(token)) || g->silent)
		return IM_ERR_EXISTS;
	for (uint32_t i = 0; i < l->nnews; i++) {
		const struct entry *e = table_find(&g->table, &l->news[i].node);

		if (e && is_held(e))
			parcel_add(&p, e->raw, e->raw_len);
		else if (!node_id_cmp(&l->news[i].node, &g->self) &&
		         bucket_take(&g->relay.carry, RELAY_CARRY_PER_S, a->now_ms))
			outbox_beacon_to(g, BEACON_ALIVE, a->from);
	}
	parcel_send(&p);
	return 0;
}

static int
take_carry(struct gossip *g, const struct arrival *a, const struct letter *l)
{
	struct parcel spread = {.g = g};
	int err = 0;

	for (uint32_t i = 0; i < l->nbeacons; i++) {
		struct arrival one = *a;
		int e;

		one.bytes = l->beacons[i].bytes;
		one.len = l->beacons[i].len;
		one.carried = true;
		one.spread = &spread;
		e = inbox_receive(g, &one);
		err = e && e != IM_ERR_EXISTS ? e : err;
	}
	parcel_send(&spread);
	return err;
}

int
relay_receive(struct gossip *g, const struct arrival *a)
{
	struct letter l;
	int err = letter_decode(&l, a->bytes, a->len);

	if (!err && l.kind == LETTER_CARRY)
		return take_carry(g, a, &l);
	g->counts.received++;
	g->counts.bytes_in += a->len;
	if (err) {
		g->counts.bad++;
		g->counts.bad_format++;
		return err;
	}
	if (memcmp(l.mesh.bytes, g->config.mesh.bytes, MESH_ID_LEN)) {
		g->counts.bad++;
		g->counts.other_mesh++;
		return IM_ERR_OTHER_MESH;
	}
	return l.kind == LETTER_DIGEST ? take_digest(g, a, &l) : take_request(g, a, &l);
}

/* --- passing on --- */

/* Whether it falls to this node to multicast what came from afar: the first relay at once, the
 * second when the first has not, anybody when both have not. */
static bool
must_spread(const struct gossip *g, const struct entry *e, bool news, uint64_t now_ms)
{
	size_t turn = g->segment.rank < SEGMENT_RELAYS ? g->segment.rank : SEGMENT_RELAYS;

	if (!g->segment.others)
		return false;
	return news || now_ms - e->spread_ms >= turn * e->m.interval_ms * 3 / 2;
}

static void
spread(struct gossip *g, const struct arrival *a)
{
	struct parcel p = {.g = g};

	if (a->spread) {
		parcel_add(a->spread, a->bytes, a->len);
		return;
	}
	parcel_add(&p, a->bytes, a->len);
	parcel_send(&p);
}

void
relay_heard(struct gossip *g, const struct arrival *a, struct entry *e, bool news)
{
	const struct entry *to[OUTBOX_RELAY_MAX];
	size_t n;

	if (g->silent || (a->via_multicast && a->carried))
		return;
	if (!a->via_multicast && must_spread(g, e, news, a->now_ms)) {
		e->spread_ms = a->now_ms;
		spread(g, a);
	}
	if (!news || (a->via_multicast && !segment_is_relay(g)))
		return;
	n = some_far(g, a->from, to, a->via_multicast ? OUTBOX_RELAY_MAX : RELAY_FANOUT);
	for (size_t i = 0; i < n; i++) {
		struct parcel p = {.g = g,
		        .to = &to[i]->m.from,
		        .bucket = &g->relay.news,
		        .per_s = RELAY_NEWS_PER_S,
		        .now_ms = a->now_ms};

		if (to[i] == e)
			continue;
		parcel_add(&p, a->bytes, a->len);
		parcel_send(&p);
	}
}

uint64_t
relay_probe_ms(const struct entry *e)
{
	uint64_t silent = e->m.heard_ms + 2 * (uint64_t)e->m.interval_ms;
	uint64_t again = e->probe_ms + pace_suspect_ms(e->m.interval_ms);

	return !e->probe_ms || again < silent ? silent : again;
}

bool
relay_probe(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	bool near;

	if (g->silent || e->guessed || !e->m.from.len || e->m.state == MEMBER_GONE ||
	        now_ms < relay_probe_ms(e))
		return false;
	near = segment_is_near(g, &e->m.from);
	if (e->m.state == MEMBER_SUSPECT ? !e->multicast_ms && !near : !e->m.unicast || !near)
		return false;
	outbox_beacon_to(g, BEACON_HELLO, &e->m.from);
	e->probe_ms = now_ms;
	return true;
}
