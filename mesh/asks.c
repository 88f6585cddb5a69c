#include "mesh/asks.h"

void
ask_emit(struct leases *l, const struct lease_action *a)
{
	if (l->last - l->first < ACTIONS_MAX)
		l->actions[l->last++ % ACTIONS_MAX] = *a;
}

void
ask_tell_wait(struct leases *l, struct wanted *w, bool cold)
{
	if (w->told)
		return;
	w->told = true;
	l->counts.waiting++;
	ask_emit(l, &(struct lease_action){.type = LEASE_WAIT, .want = w->spec.id, .cold = cold});
}

struct wanted *
wanted_find(struct leases *l, uint64_t id)
{
	struct wanted *w = l->wants;
	while (w && w->spec.id != id)
		w = w->next;
	return w;
}

void
wanted_forget(struct leases *l, struct wanted *w)
{
	struct wanted **p = &l->wants;
	while (*p != w)
		p = &(*p)->next;
	*p = w->next;
	if (l->scan == w)
		l->scan = w->next;
	l->counts.wants--;
	l->counts.waiting -= w->told;
	w->next = l->free_wants;
	l->free_wants = w;
}

struct ask *
ask_find(struct ask *list, uint64_t id)
{
	while (list && list->id != id)
		list = list->next;
	return list;
}

void
ask_unlink(struct ask **list, struct ask *a)
{
	while (*list != a)
		list = &(*list)->next;
	*list = a->next;
}

/* It is no ask any more; the caller frees it or makes a job of it. */
void
ask_end(struct leases *l, struct ask *a)
{
	ask_unlink(&l->asks, a);
	l->counts.under_way--;
	if (a->wait)
		a->view->queueing--;
	else
		a->view->asking--;
	if (!a->want)
		return;
	a->want->asks--;
	a->want->places -= a->wait;
	a->want->unanswered -= a->stage == ASKED;
	a->want = NULL;
}

void
ask_free(struct leases *l, struct ask *a)
{
	a->next = l->free_asks;
	l->free_asks = a;
}

void
ask_drop(struct leases *l, struct ask *a)
{
	ask_emit(
	        l, &(struct lease_action){.type = LEASE_DROP, .ask = a->id, .node = a->view->node});
	ask_end(l, a);
	ask_free(l, a);
}

void
asks_drop_of(struct leases *l, const struct wanted *w)
{
	struct ask *next;
	for (struct ask *a = l->asks; a; a = next) {
		next = a->next;
		if (a->want == w)
			ask_drop(l, a);
	}
}

/* Asks v; false when too many asks are under way. w NULL: for a copy of `copied`. */
bool
ask_send(struct leases *l, struct wanted *w, const struct ask *copied, struct view *v, bool wait)
{
	struct ask *a = l->free_asks;
	if (!a)
		return false;
	l->free_asks = a->next;
	*a = (struct ask){.next = l->asks,
	        .id = ++l->last_ask,
	        .wait = wait,
	        .view = v,
	        .want = w,
	        .copy_of = copied ? copied->id : 0,
	        .want_id = w ? w->spec.id : copied->want_id,
	        .predicted_ms = w ? w->spec.predicted_ms : copied->predicted_ms,
	        .since_ms = l->now_ms};
	l->asks = a;
	l->counts.asks++;
	l->counts.under_way++;
	if (wait)
		v->queueing++;
	else
		v->asking++;
	if (w) {
		w->asks++;
		w->unanswered++;
		w->places += wait;
	}
	ask_emit(l, &(struct lease_action){.type = LEASE_ASK,
	                    .want = a->want_id,
	                    .ask = a->id,
	                    .job = a->copy_of,
	                    .node = v->node,
	                    .predicted_ms = a->predicted_ms,
	                    .wait = wait});
	return true;
}

bool
wanted_avoids(const struct wanted *w, const struct node_id *id)
{
	for (unsigned i = 0; i < w->spec.navoid; i++)
		if (node_id_cmp(&w->spec.avoid[i], id) == 0)
			return true;
	return false;
}
