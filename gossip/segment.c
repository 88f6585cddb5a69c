#include "gossip/segment.h"

#include <string.h>

bool
segment_hears(const struct entry *e, uint64_t since_ms, uint64_t now_ms)
{
	const struct waiter *w = &e->waiting;
	uint64_t gone_ms = pace_gone_ms(e->m.interval_ms);

	return w->len && w->via_multicast && !w->carried && !waiter_doubts(w, now_ms) &&
	       now_ms - w->heard_ms < pace_suspect_ms(e->m.interval_ms) &&
	       now_ms - since_ms < (gone_ms > SEGMENT_TRUST_MS ? gone_ms : SEGMENT_TRUST_MS);
}

bool
segment_has(const struct entry *e, uint64_t now_ms)
{
	if (e->m.state == MEMBER_GONE || !e->m.heard_ms || !e->multicast_ms)
		return false;
	return now_ms - e->multicast_ms < pace_suspect_ms(e->m.interval_ms) ||
	       segment_hears(e, e->multicast_ms, now_ms);
}

static uint64_t
weight(const struct node_id *id, uint64_t epoch)
{
	uint64_t halves[2];

	memcpy(halves, id->bytes, sizeof(halves));
	return rng_mix(halves[0] ^ rng_mix(halves[1] ^ rng_mix(epoch)));
}

/* True unless e has been heard by IPv6 alone for some intervals. */
static bool
comes_by_ipv4(const struct entry *e)
{
	const struct waiter *w = &e->waiting;
	uint64_t heard = w->len && w->via_multicast && !w->carried ? w->heard_ms : 0;

	heard = heard > e->multicast_ms ? heard : e->multicast_ms;
	return heard < e->ipv4_ms + pace_suspect_ms(e->m.interval_ms);
}

/* Whoever does not hear all by IPv4 any more says so at once, and by both families; that all do must have been so for a while. */
static void
judge_ipv4(struct gossip *g, struct segment *s, size_t by_ipv4, uint64_t now_ms)
{
	bool all = s->others && by_ipv4 == s->others && !s->deaf;

	if (!all && g->segment.ipv4) {
		g->hello_due = true;
		g->ipv4_ms = now_ms + SEGMENT_IPV4_AGAIN_MS;
	} else if (!all && g->ipv4_ms < now_ms + SEGMENT_IPV4_FIRST_MS) {
		g->ipv4_ms = now_ms + SEGMENT_IPV4_FIRST_MS;
	}
	s->ipv4 = all && now_ms >= g->ipv4_ms;
	s->ipv4_alone = s->ipv4 && s->ipv4_alone;
}

void
segment_update(struct gossip *g, uint64_t now_ms)
{
	uint64_t since = now_ms > g->config.wall_at_ms ? now_ms - g->config.wall_at_ms : 0;
	uint64_t epoch = (g->config.wall_s + since / 1000) / SEGMENT_EPOCH_S;
	uint64_t own = weight(&g->self, epoch);
	struct segment s = {.ipv4_alone = true};
	size_t by_ipv4 = 0;

	for (size_t i = 0; i < g->table.count; i++) {
		const struct entry *e = g->table.list[i];

		if (segment_is_deaf_to(g, e, now_ms))
			s.deaf++;
		s.far += segment_is_far_relay(e);
		s.spread += segment_is_far_relay(e) && e->spread_ms &&
		            now_ms - e->spread_ms < pace_suspect_ms(e->m.interval_ms);
		if (!segment_has(e, now_ms))
			continue;
		s.others++;
		by_ipv4 += comes_by_ipv4(e);
		s.ipv4_alone &= (e->m.beacon.reach & REACH_IPV4) != 0;
		/* Strangers do not speak for members; between equals the hash decides. */
		if ((e->m.trust == TRUST_MEMBER) != (g->config.cert != NULL))
			s.rank += e->m.trust == TRUST_MEMBER;
		else
			s.rank += weight(&e->m.node, epoch) > own;
	}
	judge_ipv4(g, &s, by_ipv4, now_ms);
	g->segment = s;
}

void
segment_leave(struct gossip *g)
{
	for (size_t i = 0; i < g->table.count; i++) {
		struct entry *e = g->table.list[i];

		e->multicast_ms = e->ipv4_ms = e->unicast_ms = e->spread_ms = 0;
		e->m.unicast = e->m.heard_ms != 0;
	}
	memset(&g->segment, 0, sizeof(g->segment));
}

bool
segment_is_relay(const struct gossip *g)
{
	return g->segment.rank < SEGMENT_RELAYS;
}

bool
segment_is_far_relay(const struct entry *e)
{
	return e->m.unicast && e->m.state != MEMBER_GONE && e->m.heard_ms && e->m.from.len &&
	       (e->m.beacon.reach & REACH_RELAY || !(e->m.beacon.reach & REACH_KNOWN));
}

bool
segment_is_near(const struct gossip *g, const struct endpoint *e)
{
	if (e->scope) /* link-local */
		return g->multicast;
	for (uint32_t i = 0; i < g->nsubnets; i++) {
		const struct subnet *s = &g->subnets[i];
		unsigned whole = s->bits / 8, rest = s->bits % 8;

		if (s->addr.len != e->len || s->bits > e->len * 8u)
			continue;
		if (memcmp(s->addr.bytes, e->bytes, whole))
			continue;
		if (!rest || !((s->addr.bytes[whole] ^ e->bytes[whole]) >> (8 - rest)))
			return true;
	}
	return false;
}

bool
segment_is_deaf_to(const struct gossip *g, const struct entry *e, uint64_t now_ms)
{
	return g->multicast && e->m.unicast && e->m.state == MEMBER_UP && !e->guessed &&
	       e->m.beacon.reach & REACH_MULTICAST && e->unicast_ms &&
	       now_ms - e->unicast_ms >= pace_suspect_ms(e->m.interval_ms) &&
	       segment_is_near(g, &e->m.from);
}
