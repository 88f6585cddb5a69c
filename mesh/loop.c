#include "mesh/loop.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <event2/event.h>

#define ACCEPT_REST_MS 500

struct loop {
	struct event_base *base;
};

struct watch {
	struct loop *loop;
	struct event *ev;
	int fd, events;
	void (*cb)(void *, int);
	void *arg;
	struct timer *rest; /* while it is left alone; NULL before the first time */
	int later;          /* events after that */
};

struct timer {
	struct event *ev;
	void (*cb)(void *);
	void *arg;
};

struct loop *
loop_new(void)
{
	struct loop *l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	struct event_config *c = event_config_new();
	if (c) {
		event_config_set_flag(c, EVENT_BASE_FLAG_PRECISE_TIMER);
		l->base = event_base_new_with_config(c);
		event_config_free(c);
	}
	if (!l->base) {
		free(l);
		return NULL;
	}
	return l;
}

void
loop_free(struct loop *l)
{
	if (!l)
		return;
	event_base_free(l->base);
	free(l);
}

int
loop_run(struct loop *l)
{
	return event_base_loop(l->base, EVLOOP_NO_EXIT_ON_EMPTY) < 0 ? IM_ERR_SYSTEM : 0;
}

void
loop_stop(struct loop *l)
{
	event_base_loopbreak(l->base);
}

uint64_t
loop_now_us(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

uint64_t
loop_now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void
on_watch(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	struct watch *w = arg;
	w->cb(w->arg, (what & EV_READ ? LOOP_READ : 0) | (what & EV_WRITE ? LOOP_WRITE : 0));
}

static int
watch_arm(struct watch *w, int events)
{
	short what = EV_PERSIST;
	if (events & LOOP_READ)
		what |= EV_READ;
	if (events & LOOP_WRITE)
		what |= EV_WRITE;
	event_del(w->ev);
	event_assign(w->ev, w->loop->base, w->fd, what, on_watch, w);
	w->events = events;
	return events ? event_add(w->ev, NULL) : 0;
}

struct watch *
watch_new(struct loop *l, int fd, int events, void (*cb)(void *, int), void *arg)
{
	struct watch *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct watch){.loop = l, .fd = fd, .cb = cb, .arg = arg};
	w->ev = event_new(l->base, fd, EV_PERSIST, on_watch, w);
	if (!w->ev || watch_arm(w, events) < 0) {
		watch_free(w);
		return NULL;
	}
	return w;
}

void
watch_set(struct watch *w, int events)
{
	if (events != w->events)
		watch_arm(w, events);
}

static void
on_rested(void *arg)
{
	struct watch *w = arg;
	watch_set(w, w->later);
}

void
watch_accept_failed(struct watch *w, int error)
{
	if (error != EMFILE && error != ENFILE && error != ENOBUFS && error != ENOMEM)
		return;
	if (!w->rest)
		w->rest = timer_new(w->loop, on_rested, w);
	if (!w->rest)
		return;
	w->later = w->events;
	watch_set(w, 0);
	timer_set(w->rest, ACCEPT_REST_MS);
}

void
watch_free(struct watch *w)
{
	if (!w)
		return;
	timer_free(w->rest);
	if (w->ev)
		event_free(w->ev);
	free(w);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	struct timer *t = arg;
	t->cb(t->arg);
}

struct timer *
timer_new(struct loop *l, void (*cb)(void *), void *arg)
{
	struct timer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->cb = cb;
	t->arg = arg;
	t->ev = event_new(l->base, -1, 0, on_timer, t);
	if (!t->ev) {
		free(t);
		return NULL;
	}
	return t;
}

void
timer_set(struct timer *t, uint64_t ms)
{
	struct timeval tv = {(time_t)(ms / 1000), (suseconds_t)(ms % 1000 * 1000)};
	event_add(t->ev, &tv);
}

void
timer_stop(struct timer *t)
{
	event_del(t->ev);
}

void
timer_free(struct timer *t)
{
	if (!t)
		return;
	event_free(t->ev);
	free(t);
}

static void
on_signal(evutil_socket_t signo, short what, void *arg)
{
	(void)what;
	struct watch *w = arg;
	w->cb(w->arg, (int)signo);
}

struct watch *
watch_signal(struct loop *l, int signo, void (*cb)(void *, int), void *arg)
{
	struct watch *w = calloc(1, sizeof *w);
	if (!w)
		return NULL;
	*w = (struct watch){.loop = l, .fd = signo, .cb = cb, .arg = arg};
	w->ev = evsignal_new(l->base, signo, on_signal, w);
	if (!w->ev || event_add(w->ev, NULL) < 0) {
		watch_free(w);
		return NULL;
	}
	return w;
}
