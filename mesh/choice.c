#include "mesh/choice.h"

#include "mesh/admit.h"
#include "mesh/asks.h"

#define PLACES_SAMPLED 4 /* queues of which the shortest is taken */
#define SLOW_TIMES \
	8 /* a peer so many times slower than the fastest is left alone, but for a trial now and then */
#define TRIAL_MS 30000

static bool
asks_there(const struct leases *l, const struct wanted *w, const struct view *v)
{
	for (const struct ask *a = w->asks ? l->asks : NULL; a; a = a->next)
		if (a->want == w && a->view == v)
			return true;
	return false;
}

static void
add_candidate(struct leases *l, struct choice *f, struct view *v, enum lease_fit fit, bool asked)
{
	bool avoid = view_avoided(v, l->now_ms);
	f->able++;
	f->usable += !avoid;
	f->ready += fit == LEASE_FIT_READY;
	if (asked)
		return;
	l->of[f->count] = v;
	l->candidates[f->count++] = (struct candidate){.slots = v->slots,
	        .used = view_used(v, l->now_ms),
	        .ready = fit == LEASE_FIT_READY,
	        .avoid = avoid,
	        .speed = v->speed};
}

/* Peers that are silent are asked when no other is there; those that are too slow now and then, to see whether they still are. */
static void
leave_alone(struct leases *l, const struct choice *f)
{
	uint32_t fastest = 0;
	bool any_heard = false;
	for (unsigned i = 0; i < f->count; i++) {
		const struct candidate *c = &l->candidates[i];
		if (!c->ready || c->avoid)
			continue;
		uint32_t speed = c->speed ? c->speed : 1000;
		fastest = speed > fastest ? speed : fastest;
		any_heard = any_heard || !l->of[i]->silent;
	}
	for (unsigned i = 0; i < f->count; i++) {
		struct candidate *c = &l->candidates[i];
		const struct view *v = l->of[i];
		bool slow = c->speed && c->speed < fastest / SLOW_TIMES &&
		            (l->now_ms < v->timed_ms + TRIAL_MS ||
		                    v->own + v->asking + v->queueing > 0);
		if (slow || (v->silent && any_heard))
			c->avoid = true;
	}
}

void
choice_gather(struct leases *l, const struct wanted *w, struct choice *f)
{
	*f = (struct choice){0};
	unsigned n = views_count(l->views);
	for (unsigned i = 0; i < n; i++) {
		struct view *v = views_at(l->views, i);
		if (!v->there || (w->spec.navoid && wanted_avoids(w, &v->node)))
			continue;
		enum lease_fit fit = l->ops.fit(l->ops.arg, w->spec.id, &v->node);
		if (fit != LEASE_FIT_NONE)
			add_candidate(l, f, v, fit, asks_there(l, w, v));
	}
	leave_alone(l, f);
}

/* How long, in some unit, one would wait in its queue. Clients are served in turn there, so one's own places count most. */
static uint64_t
queue_time(const struct view *v, const struct candidate *c)
{
	uint64_t own = v->queueing, all = v->queued > own ? v->queued : own;
	return (c->used + all + 3 * own + 1) * 1000000 /
	       ((uint64_t)c->slots * (c->speed ? c->speed : 1000));
}

/* A full queue, too, makes room for whoever has few of its places. */
static bool
has_place(const struct leases *l, unsigned i)
{
	const struct candidate *c = &l->candidates[i];
	uint64_t places = (uint64_t)c->slots * ADMIT_QUEUE_PER_SLOT, own = l->of[i]->queueing,
	         all = l->of[i]->queued > own ? l->of[i]->queued : own;
	return c->ready && !c->avoid && (all < places || 2 * own + 1 < all);
}

/* The shortest of some queues; -1 when no peer has a place. */
int
choice_place(struct leases *l, unsigned count)
{
	unsigned n = 0;
	int best = -1;
	for (unsigned i = 0; i < count; i++)
		n += has_place(l, i);
	for (unsigned k = 0; n && k < PLACES_SAMPLED; k++) {
		unsigned at = rng_below(&l->rng, n), i = 0;
		while (!has_place(l, i) || at-- > 0)
			i++;
		if (best < 0 || queue_time(l->of[i], &l->candidates[i]) <
		                        queue_time(l->of[best], &l->candidates[best]))
			best = (int)i;
	}
	return best;
}
