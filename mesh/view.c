#include "mesh/view.h"

#include <stdlib.h>
#include <string.h>
#include "gossip/rng.h"

#define HASH_SIZE (2 * VIEWS_MAX) /* a power of two */
#define SPEED_WEIGHT 8            /* a new time counts one in so many, when there are as many */
#define ORDINARY 1000

struct views {
	struct view list[VIEWS_MAX];
	unsigned count;
	uint16_t hash[HASH_SIZE]; /* index + 1 */
};

struct views *
views_new(void)
{
	return calloc(1, sizeof(struct views));
}

void
views_free(struct views *vs)
{
	free(vs);
}

static uint32_t
place(const struct node_id *id)
{
	uint64_t key;
	memcpy(&key, id->bytes, sizeof key);
	return (uint32_t)rng_mix(key) & (HASH_SIZE - 1);
}

/* Where the id is in the hash, or where it would go. */
static uint32_t
slot_of(const struct views *vs, const struct node_id *id)
{
	uint32_t h = place(id);
	while (vs->hash[h] && node_id_cmp(&vs->list[vs->hash[h] - 1].node, id) != 0)
		h = (h + 1) & (HASH_SIZE - 1);
	return h;
}

struct view *
views_find(struct views *vs, const struct node_id *id)
{
	uint16_t i = vs->hash[slot_of(vs, id)];
	return i ? &vs->list[i - 1] : NULL;
}

static void
rehash(struct views *vs)
{
	memset(vs->hash, 0, sizeof vs->hash);
	for (unsigned i = 0; i < vs->count; i++)
		vs->hash[slot_of(vs, &vs->list[i].node)] = (uint16_t)(i + 1);
}

/* The one that was heard longest ago of those that are gone and have nothing of ours. */
static struct view *
forgettable(struct views *vs)
{
	struct view *oldest = NULL;
	for (unsigned i = 0; i < vs->count; i++) {
		struct view *v = &vs->list[i];
		if (v->there || v->own || v->asking || v->queueing)
			continue;
		if (!oldest || v->heard_ms < oldest->heard_ms)
			oldest = v;
	}
	return oldest;
}

struct view *
views_add(struct views *vs, const struct node_id *id)
{
	struct view *v = views_find(vs, id);
	if (v)
		return v;
	bool reused = vs->count == VIEWS_MAX;
	v = reused ? forgettable(vs) : &vs->list[vs->count++];
	if (!v)
		return NULL;
	*v = (struct view){.node = *id};
	if (reused)
		rehash(vs);
	else
		vs->hash[slot_of(vs, id)] = (uint16_t)(v - vs->list + 1);
	return v;
}

unsigned
views_count(const struct views *vs)
{
	return vs->count;
}

struct view *
views_at(struct views *vs, unsigned i)
{
	return &vs->list[i];
}

void
view_news(struct view *v, const struct view_load *load, uint64_t at_ms)
{
	v->silent = load->silent;
	v->there = load->slots > 0;
	v->slots = load->slots < VIEW_SLOTS_MAX ? load->slots : VIEW_SLOTS_MAX;
	if (at_ms < v->heard_ms)
		return;
	v->used = load->used > v->own ? load->used : v->own;
	v->queued = load->queued;
	v->heard_ms = at_ms;
}

uint32_t
view_used(const struct view *v, uint64_t now_ms)
{
	uint64_t others = v->used > v->own ? v->used - v->own : 0;
	uint64_t age = now_ms > v->heard_ms ? now_ms - v->heard_ms : 0;
	if (age >= VIEW_STALE_MS)
		others = 0;
	else if (age > VIEW_FRESH_MS)
		others = others * (VIEW_STALE_MS - age) / (VIEW_STALE_MS - VIEW_FRESH_MS);
	return (uint32_t)others + v->own + v->asking;
}

bool
view_avoided(const struct view *v, uint64_t now_ms)
{
	return now_ms < v->avoid_until_ms || now_ms < v->shy_until_ms ||
	       (v->failures && v->own + v->asking + v->queueing > 0);
}

void
view_failed(struct view *v, uint64_t now_ms)
{
	if (now_ms < v->avoid_until_ms)
		return; /* many jobs lost with one peer are one failure */
	uint64_t pause = (uint64_t)VIEW_AVOID_FIRST_MS << (v->failures < 6 ? v->failures : 6);
	v->failures++;
	v->avoid_until_ms = now_ms + (pause < VIEW_AVOID_MAX_MS ? pause : VIEW_AVOID_MAX_MS);
}

void
view_worked(struct view *v)
{
	v->failures = 0;
	v->avoid_until_ms = 0;
}

void
view_refused(struct view *v, uint64_t now_ms)
{
	v->shy_until_ms = now_ms + ((uint64_t)VIEW_SHY_MS << (v->refusals < 6 ? v->refusals : 6));
	v->refusals++;
}

void
view_timed(struct view *v, uint32_t predicted_ms, uint32_t took_ms, uint64_t now_ms)
{
	uint64_t speed = (uint64_t)predicted_ms * ORDINARY / took_ms;
	speed = speed > VIEW_SPEED_MAX   ? VIEW_SPEED_MAX
	        : speed < VIEW_SPEED_MIN ? VIEW_SPEED_MIN
	                                 : speed;
	/* as if there had been one ordinary time before all */
	uint64_t was = v->speed ? v->speed : ORDINARY;
	if (v->ntimed < SPEED_WEIGHT - 1)
		v->ntimed++;
	v->speed = (uint32_t)((was * v->ntimed + speed) / (v->ntimed + 1));
	v->timed_ms = now_ms;
}

uint64_t
view_takes(const struct view *v, uint32_t predicted_ms)
{
	return (uint64_t)predicted_ms * ORDINARY / (v->speed ? v->speed : ORDINARY);
}
