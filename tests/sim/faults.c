#include "tests/sim/sim.h"

/* One fault begins, and ends by itself some time later unless everything heals before. */

static uint64_t
some_time(struct sim *s)
{
	return SECOND / 2 + (uint64_t)rng_below(&s->rng, 30000) * MS;
}

static struct host *
any_host(struct sim *s)
{
	return s->hosts[rng_below(&s->rng, s->nhosts)];
}

static void
on_restart(struct sim *s, struct event *e)
{
	struct host *h = s->hosts[e->a];
	if (!h->g)
		host_start(s, h);
}

static void
crash(struct sim *s)
{
	struct host *h = any_host(s);
	if (!h->g)
		return;
	host_crash(s, h);
	event_add(
	        s, some_time(s), (struct event){.run = on_restart, .host = NOBODY, .a = h->index});
}

static void
stop(struct sim *s)
{
	struct host *h = any_host(s);
	if (h->paused_us < s->now_us)
		h->paused_us = s->now_us + some_time(s);
}

static void
on_end_of_partition(struct sim *s, struct event *e)
{
	(void)e;
	for (uint32_t i = 0; i < s->nhosts; i++)
		s->hosts[i]->side = 0, s->hosts[i]->oneway = false;
}

static void
partition(struct sim *s)
{
	bool oneway = rng_below(&s->rng, 3) == 0, one = rng_below(&s->rng, 2);
	uint32_t alone = rng_below(&s->rng, s->nhosts);
	for (uint32_t i = 0; i < s->nhosts; i++) {
		struct host *h = s->hosts[i];
		h->side = one ? i == alone : rng_below(&s->rng, 2);
		h->oneway = oneway && h->side;
	}
	event_add(s, some_time(s), (struct event){.run = on_end_of_partition, .host = NOBODY});
}

static void
step_clock(struct sim *s)
{
	struct host *h = any_host(s);
	uint64_t wall = SIM_WALL + s->now_us / SECOND;
	if (h->g)
		gossip_set_wall(h->g, wall - 3600 + rng_below(&s->rng, 7200), now_ms(s));
}

/* Its jobs take fifty times as long from now on. */
static void
slow_down(struct sim *s)
{
	struct host *h = any_host(s);
	if (h->speed > 300 && !h->build)
		h->speed /= 50;
}

static void
on_forgery(struct sim *s, struct event *e)
{
	struct host *h = s->hosts[e->host];
	uint8_t bytes[LETTER_LEN_MAX];
	struct endpoint from = any_host(s)->at;
	if (s->healed || s->last_len == 0)
		return;
	memcpy(bytes, s->last_beacon, s->last_len);
	if (rng_below(&s->rng, 4)) /* else it is an old one, as it was */
		bytes[rng_below(&s->rng, (uint32_t)s->last_len)] ^=
		        (uint8_t)(1 + rng_below(&s->rng, 255));
	host_datagram(s, h, bytes, s->last_len, &from, rng_below(&s->rng, 2));
	event_add(s, 5 * MS, (struct event){.run = on_forgery, .host = e->host, .boot = e->boot});
}

static void
forge(struct sim *s)
{
	struct host *h = any_host(s);
	s->o.forged = true;
	if (h->g)
		event_add(
		        s, 0, (struct event){.run = on_forgery, .host = h->index, .boot = h->boot});
}

static void
lie(struct sim *s)
{
	any_host(s)->liar = true;
}

static void
on_fault(struct sim *s, struct event *e)
{
	static void (*const kinds[])(struct sim *) = {
	        crash, crash, stop, partition, step_clock, slow_down, forge, lie};
	(void)e;
	if (!s->healed)
		kinds[rng_below(&s->rng, sizeof kinds / sizeof *kinds)](s);
}

void
faults_begin(struct sim *s)
{
	for (uint32_t i = 0; i < s->o.faults; i++)
		event_add(s, (uint64_t)rng_below(&s->rng, (uint32_t)(s->o.fault_us / MS)) * MS,
		        (struct event){.run = on_fault, .host = NOBODY, .a = i});
}

/* Everything works again, except that some stay slow, some go on lying, and who is stopped wakes up in his own time. */
void
faults_heal(struct sim *s)
{
	s->healed = true;
	s->net.loss_permille = s->net.dup_permille = s->net.late_permille = 0;
	on_end_of_partition(s, NULL);
	for (uint32_t i = 0; i < s->nhosts; i++) {
		struct host *h = s->hosts[i];
		if (h->g)
			gossip_set_wall(h->g, SIM_WALL + s->now_us / SECOND, now_ms(s));
		else if (!s->o.age_us)
			host_start(s, h);
	}
}
