#include "mesh/drain.h"

#include <stdlib.h>
#include "mesh/loop.h"
#include "mesh/serve.h"

#define LOOK_MS 100 /* between two looks whether they have finished */

struct drain {
	struct node *node;
	struct timer *timer;
	void (*done)(void *arg);
	void *arg;
	bool drains, waits;
	uint64_t until_ms;
};

static void
end(struct drain *d)
{
	d->waits = false;
	timer_stop(d->timer);
	d->done(d->arg);
}

static void
on_look(void *arg)
{
	struct drain *d = arg;
	if (!serve_busy(d->node->serve) || loop_now_ms() >= d->until_ms)
		end(d);
	else
		timer_set(d->timer, LOOK_MS);
}

struct drain *
drain_new(struct node *n, void (*done)(void *arg), void *arg)
{
	struct drain *d = calloc(1, sizeof *d);
	if (!d)
		return NULL;
	*d = (struct drain){.node = n, .done = done, .arg = arg};
	d->timer = timer_new(n->loop, on_look, d);
	if (d->timer)
		return d;
	free(d);
	return NULL;
}

void
drain_begin(struct drain *d)
{
	if (!d->drains)
		serve_drain(d->node->serve, true);
	d->drains = true;
	if (d->waits || !serve_busy(d->node->serve)) {
		end(d);
		return;
	}
	d->waits = true;
	d->until_ms = loop_now_ms() + DRAIN_MS;
	timer_set(d->timer, LOOK_MS);
}

bool
drain_waits(const struct drain *d)
{
	return d->waits;
}

void
drain_free(struct drain *d)
{
	if (!d)
		return;
	if (d->drains && d->node->serve)
		serve_drain(d->node->serve, false);
	timer_free(d->timer);
	free(d);
}
