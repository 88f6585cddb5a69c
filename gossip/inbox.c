#include "gossip/inbox.h"

#include <string.h>
#include "gossip/outbox.h"
#include "gossip/relay.h"
#include "gossip/segment.h"

#define LOOK_MS (1000 / INBOX_FRESH_PER_S)
#define CHECK_MS 60000 /* one beacon of each member is checked in this time in any case */

/* Counts a refusal and hands its reason back. */
static int
refuse(struct gossip *g, uint64_t *counter, int err)
{
	g->counts.bad++;
	(*counter)++;
	return err;
}

/* What the certificate says, kept in the entry once it has been found good. */
struct standing {
	enum trust trust;
	struct digest digest;
	uint32_t roles;
	uint64_t not_after;
};

static int
check_cert(const struct gossip *g, const struct beacon *b, const struct entry *e,
        struct standing *s, uint64_t now_ms)
{
	uint64_t since = now_ms > g->config.wall_at_ms ? now_ms - g->config.wall_at_ms : 0;
	uint64_t now_s = g->config.wall_s + since / 1000;
	struct cert cert;
	int err;

	memset(s, 0, sizeof(*s));
	if (!b->cert)
		return 0;
	digest_of(&s->digest, b->cert, b->cert_len);
	s->trust = TRUST_MEMBER;
	if (e && e->m.trust == TRUST_MEMBER && now_s <= e->m.cert_not_after &&
	        !memcmp(e->m.cert_digest, s->digest.bytes, DIGEST_LEN)) {
		s->roles = e->m.roles;
		s->not_after = e->m.cert_not_after;
		return 0;
	}
	err = cert_check(&cert, b->cert, b->cert_len, g->config.root_pk, now_s);
	/* In a beacon of this mesh both mean a certificate that this mesh's root did not make. */
	if (err == IM_ERR_SIGNATURE || err == IM_ERR_OTHER_MESH)
		return IM_ERR_UNKNOWN_KEY;
	if (err)
		return err;
	if (node_id_cmp(&cert.node, &b->node))
		return IM_ERR_UNKNOWN_KEY;
	s->roles = cert.roles;
	s->not_after = cert.not_after;
	return 0;
}

static bool
same_address(const struct endpoint *a, const struct endpoint *b)
{
	return a->len == b->len && a->scope == b->scope && !memcmp(a->bytes, b->bytes, a->len);
}

/* Anybody could forge this; it saves datagrams, no more, and who hears nothing in the end asks. */
static void
note_ipv4(const struct arrival *a, struct entry *e)
{
	if (a->via_multicast && !a->carried && a->from->len == 4 && a->now_ms > e->ipv4_ms)
		e->ipv4_ms = a->now_ms;
}

/* By which way a beacon came: decides who is of this segment. */
static void
note_way(const struct arrival *a, struct entry *e)
{
	if (a->carried) {
		if (a->via_multicast)
			e->spread_ms = a->now_ms;
		return;
	}
	if (a->via_multicast) {
		note_ipv4(a, e);
		e->multicast_ms = a->now_ms;
		e->unicast_ms = 0;
		e->m.unicast = false;
	} else if (!e->unicast_ms) {
		e->unicast_ms = a->now_ms;
	}
}

/* The last accepted beacon once more, by another interface or a relay: no news, no offence. */
static bool
is_copy(const struct arrival *a, const struct beacon_front *f, struct entry *e)
{
	if (!e)
		return false;
	if (e->waiting.len == a->len && !memcmp(e->waiting.raw, a->bytes, a->len)) {
		e->waiting.home |= !a->carried && same_address(a->from, &e->m.from);
		note_ipv4(a, e);
		return true;
	}
	if (e->raw_len != a->len || f->seq != e->m.beacon.seq || memcmp(e->raw, a->bytes, a->len))
		return false;
	note_way(a, e);
	if (!a->carried && same_address(a->from, &e->m.from))
		e->address_ms = a->now_ms;
	return true;
}

static bool
is_replay(const struct entry *e, uint64_t boot, uint64_t seq)
{
	if (!e)
		return false;
	if (boot != e->m.beacon.boot)
		return boot < e->m.beacon.boot;
	return seq <= e->m.beacon.seq;
}

static bool
lists_address(const struct beacon *b, const struct endpoint *from)
{
	for (uint32_t i = 0; i < b->naddrs; i++)
		if (b->addrs[i].len == from->len &&
		        !memcmp(b->addrs[i].bytes, from->bytes, from->len))
			return true;
	return false;
}

/* How many leading bits two addresses share; 0 for different families. */
static unsigned
common_bits(const struct beacon_addr *a, const struct endpoint *from)
{
	unsigned n = 0;

	if (a->len != from->len)
		return 0;
	while (n < a->len * 8u && !((a->bytes[n / 8] ^ from->bytes[n / 8]) >> (7 - n % 8) & 1))
		n++;
	return n;
}

/* Where a node is to be found whose beacon came by unicast from an address that it does not call
 * its own: through a relay, so at the one of its own addresses that lies nearest to the relay. */
static void
relayed_endpoint(struct endpoint *out, const struct beacon *b, const struct endpoint *from)
{
	const struct beacon_addr *best = &b->addrs[0];

	for (uint32_t i = 1; i < b->naddrs; i++)
		if (common_bits(&b->addrs[i], from) > common_bits(best, from))
			best = &b->addrs[i];
	memset(out, 0, sizeof(*out));
	out->len = best->len;
	memcpy(out->bytes, best->bytes, best->len);
	out->port = b->port;
}

/* True when the node itself sent the datagram, as far as one can see. */
static bool
is_direct(const struct arrival *a, const struct beacon *b)
{
	return !a->carried && (a->via_multicast || !b->naddrs || lists_address(b, a->from));
}

/* Keeps the address at which a node was found while it still speaks from there: one with IPv4,
 * IPv6 and several interfaces would otherwise change its place with every beacon. */
static bool
keeps_address(const struct arrival *a, const struct beacon *b, const struct entry *e)
{
	/* what came since the last check was not looked at, and may have come from there */
	uint64_t until = e->waiting.n > 1 ? e->m.heard_ms : a->now_ms;
	uint64_t age = until > e->address_ms ? until - e->address_ms : 0;

	if (!e->m.from.len || !e->m.heard_ms || same_address(&e->m.from, a->from))
		return false;
	if (e->guessed && is_direct(a, b))
		return false;
	if (b->naddrs && e->m.from.len == a->from->len && !e->m.from.scope &&
	        !lists_address(b, &e->m.from))
		return false;
	return age < pace_suspect_ms(e->m.interval_ms);
}

/* True when the address changed. */
static bool
set_address(const struct arrival *a, const struct beacon *b, struct entry *e)
{
	struct endpoint from = *a->from, old = e->m.tcp;
	bool direct = is_direct(a, b);

	if (!same_address(&e->m.from, a->from))
		e->also = *a->from;
	if (!keeps_address(a, b, e)) {
		if (!direct)
			relayed_endpoint(&from, b, a->from);
		e->m.from = from;
		e->guessed = !direct;
		e->address_ms = a->now_ms;
	}
	e->m.tcp = e->m.from;
	e->m.tcp.port = b->port;
	return !endpoint_same(&old, &e->m.tcp);
}

/* The mean time between beacons as seen here, at least what the size of the mesh asks for,
 * and twice that on the long way through relays, where more is lost. */
static void
set_interval(const struct gossip *g, const struct arrival *a, struct entry *e)
{
	uint32_t usual = pace_interval_ms(g->table.live + 1) * (a->carried ? 2 : 1);
	uint32_t n = e->waiting.n ? e->waiting.n : 1; /* one of so many was checked */
	uint64_t gap = (a->now_ms - e->m.heard_ms) / n, mean;

	if (!e->m.heard_ms || e->m.state == MEMBER_GONE) {
		e->m.interval_ms = usual;
		return;
	}
	n = n < 8 ? n : 8;
	mean = ((uint64_t)e->m.interval_ms * (8 - n) +
	               (gap < PACE_MAX_MS ? gap : PACE_MAX_MS) * n) /
	       8;
	e->m.interval_ms = mean > usual ? (uint32_t)mean : usual;
}

static bool
same_load(const struct load *a, const struct load *b)
{
	return a->slots == b->slots && a->used == b->used && a->queued == b->queued &&
	       a->permille == b->permille && a->state == b->state && a->ntags == b->ntags &&
	       !memcmp(a->tags, b->tags, a->ntags * sizeof(a->tags[0]));
}

/* Answers once for all who ask meanwhile, as if the next beacon in turn came earlier: all answer
 * at a pace at which they would send anyway, so that a thousand newcomers at once cost no more
 * than one. */
static void
plan_answer(struct gossip *g, uint64_t now_ms)
{
	uint32_t interval = pace_interval_ms(g->table.live + 1);
	uint64_t at = now_ms + 1 + rng_below(&g->rng, interval);
	uint64_t rest = interval * 3 / 4 + rng_below(&g->rng, interval / 2);

	if (g->answer_ms || g->silent)
		return;
	if (g->last_ms && at < g->last_ms + rest)
		at = g->last_ms + rest;
	g->answer_ms = at;
}

static void
set_standing(struct gossip *g, struct entry *e, const struct standing *s)
{
	table_set_trust(&g->table, e, s->trust);
	memcpy(e->m.cert_digest, s->digest.bytes, DIGEST_LEN);
	e->m.roles = s->roles;
	e->m.cert_not_after = s->not_after;
}

static void
take_bye(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	bool was_known = e->m.state != MEMBER_GONE && e->m.heard_ms;

	table_set_state(&g->table, e, MEMBER_GONE);
	e->since_ms = now_ms;
	g->table.due_ms[e->index] = now_ms + TABLE_FORGET_MS;
	e->answer = false;
	if (was_known)
		queue_tell(&g->queue, GOSSIP_DOWN, &e->m.node);
}

/* An accepted beacon becomes what is known of its node. */
static void
store(struct gossip *g, const struct arrival *a, const struct beacon *b, struct entry *e)
{
	set_interval(g, a, e);
	e->m.beacon = *b;
	e->m.beacon.cert = NULL;
	e->m.beacon.cert_len = 0;
	memcpy(e->raw, a->bytes, a->len);
	e->raw_len = (uint16_t)a->len;
	e->cert_at = b->cert ? (uint16_t)(b->cert - a->bytes) : 0;
	e->cert_len = (uint16_t)b->cert_len;
	note_way(a, e);
	e->m.unicast = !e->multicast_ms ||
	               a->now_ms - e->multicast_ms >= pace_suspect_ms(e->m.interval_ms);
}

static void
take_alive(struct gossip *g, const struct arrival *a, const struct beacon *b, struct entry *e)
{
	bool was_gone = e->m.state == MEMBER_GONE || !e->m.heard_ms;
	bool restarted = !was_gone && e->m.beacon.boot != b->boot;
	bool first = !e->m.heard_ms || e->m.beacon.boot != b->boot || was_gone;
	bool moved,
	        changed = !same_load(&e->m.beacon.load, &b->load) || e->m.state == MEMBER_SUSPECT;

	if (restarted) {
		queue_tell(&g->queue, GOSSIP_DOWN, &e->m.node);
		e->address_ms = 0;
		e->m.heard_ms = 0;
	}
	moved = set_address(a, b, e);
	changed |= moved;
	store(g, a, b, e);
	e->m.heard_ms = a->now_ms ? a->now_ms : 1;
	table_set_state(&g->table, e, MEMBER_UP);
	g->table.due_ms[e->index] = 0;
	if (was_gone || restarted)
		queue_tell(&g->queue, GOSSIP_UP, &e->m.node);
	else if (changed)
		queue_tell(&g->queue, GOSSIP_CHANGED, &e->m.node);
	if (!a->carried && (first || b->kind == BEACON_HELLO)) {
		e->answer |= !a->via_multicast;
		plan_answer(g, a->now_ms);
	}
	if ((first || b->kind == BEACON_HELLO) && !a->via_multicast && is_direct(a, b))
		outbox_introduce(g, e, first, a->now_ms);
	if (first && a->via_multicast && !g->segment.others)
		segment_update(g, a->now_ms);
	relay_heard(g, a, e, first || (moved && !a->carried));
}

static int
accept(struct gossip *g, const struct arrival *a, const struct beacon *b, struct entry *e)
{
	struct standing s;
	int err = beacon_verify(b, a->bytes, a->len);

	if (err)
		return refuse(g, &g->counts.bad_signature, err);
	err = check_cert(g, b, e, &s, a->now_ms);
	if (err)
		return refuse(g, &g->counts.bad_cert, err);
	if (!e && b->kind == BEACON_BYE)
		return 0;
	if (!e)
		e = table_add(&g->table, &b->node, s.trust);
	if (!e)
		return refuse(g, &g->counts.full, IM_ERR_LIMIT);
	set_standing(g, e, &s);
	if (b->kind == BEACON_BYE) {
		store(g, a, b, e);
		take_bye(g, e, a->now_ms);
		relay_heard(g, a, e, true);
	} else {
		take_alive(g, a, b, e);
	}
	return 0;
}

/* Decodes and checks a whole beacon of this mesh, not our own. */
static int
check(struct gossip *g, const struct arrival *a)
{
	struct beacon b;
	struct entry *e;
	int err = beacon_decode(&b, a->bytes, a->len);

	if (err)
		return refuse(g, &g->counts.bad_format, err);
	e = table_find(&g->table, &b.node);
	if (is_replay(e, b.boot, b.seq)) /* others came while it waited */
		return IM_ERR_EXISTS;
	if (e)
		e->checked_ms = a->now_ms;
	return accept(g, a, &b, e);
}

static int
check_waiting(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	struct arrival a = waiter_arrival(&e->waiting);
	uint64_t address_ms = e->address_ms;
	int err;

	if (e->waiting.home)
		e->address_ms = a.now_ms;
	err = check(g, &a);
	if (err)
		e->address_ms = address_ms;
	/* the certificate comes behind a good signature */
	waiter_done(&e->waiting, err == IM_ERR_SIGNATURE || err == IM_ERR_FORMAT, now_ms);
	return err;
}

/* True for one more beacon of a member that is there, as it has spoken before: the same life, the
 * same certificate, an address of its unless a relay carries it. */
static bool
is_familiar(const struct beacon_front *f, const struct arrival *a, const struct entry *e)
{
	if (!e || !e->m.heard_ms || e->m.state == MEMBER_GONE || f->boot != e->m.beacon.boot)
		return false;
	if (f->cert_len != e->cert_len ||
	        (f->cert && memcmp(e->raw + e->cert_at, f->cert, f->cert_len)))
		return false;
	return a->carried || same_address(&e->m.from, a->from) || same_address(&e->also, a->from) ||
	       lists_address(&e->m.beacon, a->from);
}

/* In a mesh of one segment few are checked unless somebody asks; else as far as the budget goes, for only what has been checked is
 * passed on: all members in turn, and what is left for who comes. */
static bool
may_check_unasked(struct gossip *g, const struct entry *e, const struct arrival *a)
{
	if (a->via_multicast && !a->carried && !g->segment.far)
		return bucket_take(&g->unasked, INBOX_UNASKED_PER_S, a->now_ms);
	return a->now_ms - e->checked_ms >= g->table.live * UINT64_C(1000) / INBOX_LOOKED_PER_S ||
	       bucket_level(&g->known, INBOX_KNOWN_PER_S, a->now_ms) >= INBOX_KNOWN_BURST / 2;
}

/* For how long a beacon may stay unchecked; whoever has not said yet that it hears all by IPv4 may say so any moment. */
static uint64_t
check_ms(const struct entry *e)
{
	uint64_t soon = (uint64_t)e->m.interval_ms * 4;

	return e->m.beacon.reach & REACH_IPV4 || soon > CHECK_MS ? CHECK_MS : soon;
}

/* While few come every beacon is checked at once; then only those that cannot wait, and one of each member now and then. */
static int
take_familiar(
        struct gossip *g, const struct beacon_front *f, const struct arrival *a, struct entry *e)
{
	uint32_t level = bucket_level(&g->known, INBOX_KNOWN_PER_S, a->now_ms);

	/* by which ways it speaks is not to be lost */
	if (e->waiting.via_multicast != a->via_multicast && !e->waiting.carried && !a->carried)
		inbox_look(g, e, a->now_ms);
	waiter_offer(&e->waiting, a, &g->rng);
	note_ipv4(a, e);
	if (!level || !waiter_ready(&e->waiting, a->now_ms))
		return 0;
	if (f->kind == BEACON_ALIVE && a->now_ms - e->checked_ms < check_ms(e) &&
	        !may_check_unasked(g, e, a))
		return 0;
	(void)bucket_take(&g->known, INBOX_KNOWN_PER_S, a->now_ms);
	return check_waiting(g, e, a->now_ms);
}

/* At once while nobody waits and the budget lasts, else in turn with the other addresses. */
static int
take_newcomer(struct gossip *g, const struct arrival *a)
{
	struct waiter *w = waiting_place(&g->waiting, a->from);
	int err;

	if (!g->waiting.count && a->now_ms >= w->not_before_ms &&
	        bucket_take(&g->fresh, INBOX_FRESH_PER_S, a->now_ms)) {
		err = check(g, a);
		waiter_done(w, err && err != IM_ERR_EXISTS, a->now_ms);
		return err;
	}
	waiting_offer(&g->waiting, w, a, &g->rng);
	return 0;
}

int
inbox_receive(struct gossip *g, const struct arrival *a)
{
	struct beacon_front f;
	struct entry *e;
	int err = beacon_peek(&f, a->bytes, a->len);

	g->now_ms = a->now_ms;
	g->counts.received++;
	g->counts.bytes_in += a->len;
	if (err)
		return refuse(g, &g->counts.bad_format, err);
	if (memcmp(f.mesh.bytes, g->config.mesh.bytes, MESH_ID_LEN))
		return refuse(g, &g->counts.other_mesh, IM_ERR_OTHER_MESH);
	if (!node_id_cmp(&f.node, &g->self)) {
		g->counts.received--;
		g->counts.bytes_in -= a->len;
		return IM_ERR_EXISTS;
	}
	e = table_find(&g->table, &f.node);
	if (is_copy(a, &f, e))
		return IM_ERR_EXISTS;
	if (is_replay(e, f.boot, f.seq) && a->carried)
		return IM_ERR_EXISTS; /* several relays carry, and not all as fresh */
	if (is_replay(e, f.boot, f.seq))
		return refuse(g, &g->counts.replayed, IM_ERR_REPLAY);
	return is_familiar(&f, a, e) ? take_familiar(g, &f, a, e) : take_newcomer(g, a);
}

void
inbox_look(struct gossip *g, struct entry *e, uint64_t now_ms)
{
	if (waiter_ready(&e->waiting, now_ms) && bucket_take(&g->known, INBOX_KNOWN_PER_S, now_ms))
		(void)!check_waiting(g, e, now_ms);
}

void
inbox_tick(struct gossip *g, uint64_t now_ms)
{
	struct waiter *w;

	while ((w = waiting_next(&g->waiting, now_ms)) &&
	        bucket_take(&g->fresh, INBOX_FRESH_PER_S, now_ms)) {
		struct arrival a = waiter_arrival(w);
		int err = check(g, &a);

		waiting_done(&g->waiting, w, err && err != IM_ERR_EXISTS, now_ms);
	}
	g->waiting_ms = now_ms + LOOK_MS;
}

uint64_t
inbox_deadline(const struct gossip *g)
{
	return g->waiting.count ? g->waiting_ms : UINT64_MAX;
}
