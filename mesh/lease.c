#include "mesh/lease.h"

#include <stdlib.h>
#include "crypto/err.h"
#include "mesh/asks.h"
#include "mesh/choice.h"
#include "mesh/hedge.h"

#define RETRY_MS \
	100 /* a want that queues looks for a free slot elsewhere this long after a refusal */
#define LONGER_FIRST 4 /* a second of expected time is worth so many seconds of waiting */

static void
fill_free(struct leases *l)
{
	l->wants = l->free_wants = l->scan = NULL;
	l->asks = l->jobs = l->free_asks = NULL;
	for (unsigned i = LEASE_WANTS_MAX; i-- > 0;) {
		l->all_wants[i].next = l->free_wants;
		l->free_wants = &l->all_wants[i];
	}
	for (unsigned i = LEASE_ASKS_MAX; i-- > 0;) {
		l->all_asks[i].next = l->free_asks;
		l->free_asks = &l->all_asks[i];
	}
}

struct leases *
leases_new(uint64_t seed, const struct lease_ops *ops)
{
	struct leases *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	l->views = views_new();
	if (!l->views) {
		free(l);
		return NULL;
	}
	l->ops = *ops;
	l->rng.state = seed;
	hedge_init(l);
	fill_free(l);
	return l;
}

void
leases_free(struct leases *l)
{
	if (!l)
		return;
	views_free(l->views);
	free(l);
}

/* Something changed: every want is looked at again. */
static void
touch(struct leases *l, uint64_t now_ms)
{
	l->now_ms = now_ms > l->now_ms ? now_ms : l->now_ms;
	l->changed = true;
}

struct views *
leases_views(struct leases *l)
{
	return l->views;
}

/* ---- trying ---- */

static bool
is_full(const struct leases *l, uint64_t group)
{
	for (unsigned i = 0; i < l->nfull; i++)
		if (l->full[i] == group)
			return true;
	return false;
}

static void
set_full(struct leases *l, const struct wanted *w)
{
	if (w->spec.group && !w->spec.navoid && l->nfull < sizeof l->full / sizeof *l->full)
		l->full[l->nfull++] = w->spec.group;
}

static void
send_home(struct leases *l, struct wanted *w)
{
	ask_emit(l, &(struct lease_action){.type = LEASE_LOCAL, .want = w->spec.id});
	wanted_forget(l, w);
}

/* One that takes as long as others is worth a second draw. */
static unsigned
draws_for(const struct leases *l, const struct wanted *w)
{
	uint64_t more = l->mean_ms ? w->spec.predicted_ms / l->mean_ms : 0;
	return 1 + (unsigned)(more < PICK_DRAWS_MAX ? more : PICK_DRAWS_MAX);
}

/* Does what can be done for a want that no answer is awaited for. */
static void
try_want(struct leases *l, struct wanted *w)
{
	bool full = is_full(l, w->spec.group), later = w->queues && l->now_ms < w->retry_ms;
	bool queue = w->places < LEASE_PLACES && !later, only_queue = queue && w->queues;
	if ((full || later) && !queue)
		return;
	struct choice f;
	choice_gather(l, w, &f);
	if (w->asks == 0 && (f.able == 0 || (f.usable == 0 && w->spec.navoid))) {
		send_home(l, w);
		return;
	}
	int i = full || later || only_queue
	                ? -1
	                : pick_peer(l->candidates, f.count, draws_for(l, w), rng_next(&l->rng));
	if (i >= 0 && ask_send(l, w, NULL, l->of[i], false))
		return;
	if (i < 0 && !full && !later && !only_queue)
		set_full(l, w);
	i = queue ? choice_place(l, f.count) : -1;
	if (i < 0 || !ask_send(l, w, NULL, l->of[i], true))
		ask_tell_wait(l, w, f.ready == 0);
}

/* True when a want was looked at. */
static bool
try_next(struct leases *l)
{
	if (l->changed) {
		l->changed = false;
		l->nfull = 0;
		l->scan = l->wants;
	}
	while (l->scan && l->scan->unanswered)
		l->scan = l->scan->next;
	struct wanted *w = l->scan;
	if (!w)
		return false;
	l->scan = w->next;
	try_want(l, w);
	return true;
}
/* ---- events ---- */

void
leases_peer(struct leases *l, const struct node_id *id, const struct view_load *load,
        uint64_t at_ms, uint64_t now_ms)
{
	struct view *v = views_add(l->views, id);
	if (!v)
		return;
	if (!v->there)
		view_worked(v);
	view_news(v, load, at_ms);
	touch(l, now_ms);
}

void
leases_peer_gone(struct leases *l, const struct node_id *id, uint64_t now_ms)
{
	struct view *v = views_find(l->views, id);
	struct ask *next;
	if (!v)
		return;
	v->there = false;
	for (struct ask *a = l->asks; a; a = next) {
		next = a->next;
		if (a->view == v)
			ask_drop(l, a);
	}
	touch(l, now_ms);
}

void
leases_fit_changed(struct leases *l)
{
	touch(l, 0);
}

/* The longer a job will take, the earlier it begins; and nobody waits for ever. */
static int64_t
rank(const struct lease_want *w, uint64_t now_ms)
{
	return (int64_t)w->predicted_ms * LONGER_FIRST - (int64_t)now_ms;
}

int
leases_want(struct leases *l, const struct lease_want *spec, uint64_t now_ms)
{
	struct wanted *w = l->free_wants, **at = &l->wants;
	if (!w)
		return IM_ERR_LIMIT;
	l->free_wants = w->next;
	*w = (struct wanted){.spec = *spec, .rank = rank(spec, now_ms)};
	while (*at && (*at)->rank >= w->rank)
		at = &(*at)->next;
	w->next = *at;
	*at = w;
	l->counts.wants++;
	touch(l, now_ms);
	return 0;
}

void
leases_cancel(struct leases *l, uint64_t want, uint64_t now_ms)
{
	struct wanted *w = wanted_find(l, want);
	if (!w)
		return;
	asks_drop_of(l, w);
	wanted_forget(l, w);
	touch(l, now_ms);
}

/* Who gets a slot that was asked for by a: the first of those that may use it. */
static struct wanted *
taker(struct leases *l, const struct ask *a)
{
	if (!a->want->spec.group)
		return a->want;
	for (struct wanted *w = l->wants; w; w = w->next)
		if (w == a->want ||
		        (w->spec.group == a->want->spec.group && !wanted_avoids(w, &a->view->node)))
			return w;
	return a->want;
}

/* The places of one that has a slot now go to the one that asked for it. */
static void
inherit(struct leases *l, const struct wanted *from, struct wanted *to)
{
	struct ask *next;
	for (struct ask *a = l->asks; a; a = next) {
		next = a->next;
		if (a->want != from)
			continue;
		if (wanted_avoids(to, &a->view->node) || (a->wait && to->places >= LEASE_PLACES)) {
			ask_drop(l, a);
			continue;
		}
		a->want = to;
		to->asks++;
		to->places += a->wait;
		to->unanswered += a->stage == ASKED;
	}
}

static void
to_job(struct leases *l, struct ask *a)
{
	a->stage = RUNNING;
	a->since_ms = l->now_ms;
	a->view->own++;
	a->view->refusals = 0;
	a->next = l->jobs;
	l->jobs = a;
	l->counts.jobs++;
}

static void
on_copy_granted(struct leases *l, struct ask *a)
{
	struct ask *job = ask_find(l->jobs, a->copy_of);
	if (!job || job->copied) {
		ask_drop(l, a);
		return;
	}
	ask_end(l, a);
	to_job(l, a);
	a->copied = job->copied = true;
	hedge_spend(l);
	l->counts.hedged++;
	ask_emit(l, &(struct lease_action){.type = LEASE_HEDGE,
	                    .want = job->want_id,
	                    .ask = a->id,
	                    .job = job->id,
	                    .node = a->view->node});
}

static void
on_granted(struct leases *l, struct ask *a)
{
	struct wanted *asker = a->want, *w = taker(l, a);
	ask_end(l, a);
	to_job(l, a);
	a->want_id = w->spec.id;
	a->predicted_ms = w->spec.predicted_ms;
	a->copied = w->spec.navoid > 0; /* it must not go everywhere */
	l->counts.granted++;
	hedge_earn(l);
	ask_emit(l, &(struct lease_action){.type = LEASE_GRANTED,
	                    .want = w->spec.id,
	                    .ask = a->id,
	                    .node = a->view->node});
	if (w == asker)
		asks_drop_of(l, w);
	else
		inherit(l, w, asker);
	wanted_forget(l, w);
}

static void
on_queued(struct leases *l, struct ask *a)
{
	if (!a->wait || a->stage == QUEUED)
		return;
	a->stage = QUEUED;
	a->want->unanswered--;
	ask_tell_wait(l, a->want, false);
}

static void
on_refused(struct leases *l, struct ask *a, enum lease_answer answer, bool has_room)
{
	struct wanted *w = a->want;
	struct view *v = a->view;
	l->counts.refused++;
	if (answer == LEASE_COLD || (answer == LEASE_BUSY && (has_room || a->wait)))
		view_refused(v, l->now_ms); /* or it would be asked again and again */
	if (w) {
		w->tries++;
		w->queues = w->queues || w->tries >= LEASE_TRIES || a->wait;
		w->retry_ms = l->now_ms + (w->queues && w->tries > LEASE_TRIES ? RETRY_MS : 0);
	}
	bool waited = a->wait;
	ask_end(l, a);
	ask_free(l, a);
	if (answer == LEASE_REFUSED || answer == LEASE_LOST)
		view_failed(v, l->now_ms);
	if (w && waited && w->places == 0)
		ask_tell_wait(l, w, false);
}

void
leases_answer(struct leases *l, uint64_t id, enum lease_answer answer, const struct view_load *load,
        uint32_t rtt_us, uint64_t now_ms)
{
	struct ask *a = ask_find(l->asks, id);
	if (!a)
		return;
	touch(l, now_ms);
	struct view *v = a->view;
	if (load)
		view_news(v, load, l->now_ms);
	if (rtt_us)
		v->rtt_us = rtt_us;
	if (answer == LEASE_GRANT && a->copy_of)
		on_copy_granted(l, a);
	else if (answer == LEASE_GRANT)
		on_granted(l, a);
	else if (answer == LEASE_QUEUED)
		on_queued(l, a);
	else
		on_refused(l, a, answer, load && load->used < load->slots);
}

void
leases_heard(struct leases *l, uint64_t id, uint64_t now_ms)
{
	struct ask *a = ask_find(l->asks, id);
	if (a && a->stage == QUEUED)
		a->since_ms = now_ms;
}

void
leases_ended(struct leases *l, uint64_t id, uint64_t now_ms)
{
	struct ask *job = ask_find(l->jobs, id), *next;
	if (!job)
		return;
	ask_unlink(&l->jobs, job);
	job->view->own--;
	job->view->used -= job->view->used > 0;
	l->counts.jobs--;
	for (struct ask *a = l->asks; a; a = next) {
		next = a->next;
		if (a->copy_of == id)
			ask_drop(l, a);
	}
	ask_free(l, job);
	l->hedge = true;
	touch(l, now_ms);
}

void
leases_worked(struct leases *l, const struct node_id *id, uint32_t predicted_ms, uint32_t took_ms,
        uint64_t now_ms)
{
	struct view *v = views_find(l->views, id);
	if (!v)
		return;
	view_worked(v);
	if (predicted_ms && took_ms)
		view_timed(v, predicted_ms, took_ms, now_ms);
	if (took_ms)
		l->mean_ms = l->mean_ms ? (l->mean_ms * 15 + took_ms) / 16 : took_ms;
}

void
leases_failed(struct leases *l, const struct node_id *id, uint64_t now_ms)
{
	struct view *v = views_add(l->views, id);
	if (v)
		view_failed(v, now_ms);
}

void
leases_reset(struct leases *l)
{
	for (unsigned i = 0; i < views_count(l->views); i++) {
		struct view *v = views_at(l->views, i);
		v->own = v->asking = v->queueing = 0;
		v->there = false;
	}
	fill_free(l);
	l->counts = (struct lease_counts){0};
	l->first = l->last = 0;
}

uint64_t
leases_deadline(const struct leases *l)
{
	return l->wants || l->asks || l->jobs ? l->tick_ms + LEASE_TICK_MS : UINT64_MAX;
}

void
leases_tick(struct leases *l, uint64_t now_ms)
{
	struct ask *next;
	touch(l, now_ms);
	l->tick_ms = l->now_ms;
	l->hedge = true;
	for (struct ask *a = l->asks; a; a = next) {
		next = a->next;
		uint64_t limit = a->stage == ASKED ? LEASE_ANSWER_MS : LEASE_QUIET_MS;
		if (l->now_ms < a->since_ms + limit)
			continue;
		view_failed(a->view, l->now_ms);
		ask_drop(l, a);
	}
}

bool
leases_next(struct leases *l, struct lease_action *out)
{
	while (l->first == l->last && try_next(l))
		;
	if (l->first == l->last && l->hedge) {
		l->hedge = false;
		hedge_try(l);
	}
	if (l->first == l->last)
		return false;
	*out = l->actions[l->first++ % ACTIONS_MAX];
	return true;
}

void
leases_counts(const struct leases *l, struct lease_counts *out)
{
	*out = l->counts;
}
