#include "tests/sim/sim.h"

static bool
earlier(const struct event *a, const struct event *b)
{
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->seq < b->seq;
}

static void
put(struct events *q, struct event *e)
{
	if (q->n == q->room) {
		q->room = q->room ? 2 * q->room : 1024;
		q->heap = realloc(q->heap, q->room * sizeof *q->heap);
		if (!q->heap)
			abort();
	}
	size_t i = q->n++;
	for (; i && earlier(e, q->heap[(i - 1) / 2]); i = (i - 1) / 2)
		q->heap[i] = q->heap[(i - 1) / 2];
	q->heap[i] = e;
}

static struct event *
take(struct events *q)
{
	struct event *first = q->heap[0], *e = q->heap[--q->n];
	size_t i = 0, k;
	for (; (k = 2 * i + 1) < q->n; i = k) {
		k += k + 1 < q->n && earlier(q->heap[k + 1], q->heap[k]);
		if (!earlier(q->heap[k], e))
			break;
		q->heap[i] = q->heap[k];
	}
	q->heap[i] = e;
	return first;
}

void
event_add(struct sim *s, uint64_t in_us, struct event e)
{
	struct event *copy = malloc(sizeof *copy);
	if (!copy)
		abort();
	*copy = e;
	copy->at_us = s->now_us + in_us;
	copy->seq = ++s->events.seq;
	put(&s->events, copy);
}

bool
event_next(struct sim *s, uint64_t end_us)
{
	struct events *q = &s->events;
	if (q->n == 0 || q->heap[0]->at_us > end_us) {
		s->now_us = end_us;
		return false;
	}
	struct event *e = take(q);
	s->now_us = e->at_us;
	struct host *h = e->host == NOBODY ? NULL : s->hosts[e->host];
	if (h && h->paused_us > s->now_us) {
		e->at_us = h->paused_us;
		e->seq = ++q->seq;
		put(q, e);
		return true;
	}
	if (!h || !e->boot || (h->up && e->boot == h->boot)) {
		sim_trace(s, e->host, e->a, e->b);
		e->run(s, e);
	}
	free(e->p);
	free(e);
	return true;
}

void
events_free(struct sim *s)
{
	for (size_t i = 0; i < s->events.n; i++) {
		free(s->events.heap[i]->p);
		free(s->events.heap[i]);
	}
	free(s->events.heap);
}
