#include "gossip/waiting.h"

#include <string.h>

#define PENALTY_MS 250 /* after the first forged one, doubled with each further one */
#define PENALTY_DOUBLINGS 3

void
waiter_offer(struct waiter *w, const struct arrival *a, struct rng *r)
{
	if (w->n < UINT32_MAX)
		w->n++;
	if (w->len && w->failures && rng_below(r, w->n) != 0)
		return;
	w->from = *a->from;
	w->via_multicast = a->via_multicast;
	w->carried = a->carried;
	w->home = false;
	w->heard_ms = a->now_ms;
	w->len = (uint16_t)a->len;
	memcpy(w->raw, a->bytes, a->len);
}

bool
waiter_ready(const struct waiter *w, uint64_t now_ms)
{
	return w->len && now_ms >= w->not_before_ms;
}

struct arrival
waiter_arrival(const struct waiter *w)
{
	return (struct arrival){.bytes = w->raw,
	        .len = w->len,
	        .from = &w->from,
	        .via_multicast = w->via_multicast,
	        .now_ms = w->heard_ms,
	        .carried = w->carried};
}

void
waiter_done(struct waiter *w, bool forged, uint64_t now_ms)
{
	unsigned doublings = w->failures < PENALTY_DOUBLINGS ? w->failures : PENALTY_DOUBLINGS;

	w->len = 0;
	w->n = 0;
	if (!forged) {
		w->failures = 0;
		w->not_before_ms = 0;
		return;
	}
	w->failures += w->failures < UINT8_MAX;
	w->failed_ms = now_ms ? now_ms : 1;
	w->not_before_ms = now_ms + ((uint64_t)PENALTY_MS << doublings);
}

bool
waiter_doubts(const struct waiter *w, uint64_t now_ms)
{
	return w->failed_ms && now_ms - w->failed_ms < WAITING_DOUBT_MS;
}

struct waiter *
waiting_place(struct waiting *l, const struct endpoint *from)
{
	uint64_t halves[2] = {0};

	memcpy(halves, from->bytes, from->len <= sizeof(halves) ? from->len : 0);
	return &l->places[rng_mix(halves[0] ^ l->salt ^ rng_mix(halves[1] + l->salt)) %
	                  WAITING_PLACES];
}

void
waiting_offer(struct waiting *l, struct waiter *w, const struct arrival *a, struct rng *r)
{
	l->count += !w->len;
	waiter_offer(w, a, r);
}

struct waiter *
waiting_next(struct waiting *l, uint64_t now_ms)
{
	if (!l->count)
		return NULL;
	for (size_t i = 0; i < WAITING_PLACES; i++) {
		struct waiter *w = &l->places[(l->cursor + i) % WAITING_PLACES];

		if (!waiter_ready(w, now_ms))
			continue;
		l->cursor = (l->cursor + i + 1) % WAITING_PLACES;
		return w;
	}
	return NULL;
}

void
waiting_done(struct waiting *l, struct waiter *w, bool forged, uint64_t now_ms)
{
	l->count -= w->len > 0;
	waiter_done(w, forged, now_ms);
}
