#include "tests/sim/sim.h"

#define BEACONS_MAX 400 /* in a second, at one node: joins and edges come on top of the 100 */
#define START_US (15 * (uint64_t)SECOND) /* all nodes start at once, and each says so */

void
check_host(struct sim *s, struct host *h)
{
	uint32_t runs = 0, let_in = 0, waits = 0;
	for (const struct served *v = h->served; v; v = v->next) {
		runs += v->stage == RUNS;
		let_in += v->stage != WAITS;
		waits += v->stage == WAITS;
		if (v->stage == GRANTED && s->now_us > v->since_us + LEASE_US + 2 * SECOND &&
		        h->paused_us + 2 * SECOND < s->now_us)
			sim_fail(s, "n%u: a lease outlives its deadline", h->index);
	}
	if (runs > h->slots)
		sim_fail(s, "n%u: %u jobs run in %u slots", h->index, runs, h->slots);
	if (let_in > h->slots + ADMIT_AHEAD)
		sim_fail(s, "n%u: %u jobs are let in, with %u slots", h->index, let_in, h->slots);
	if (waits > h->slots * ADMIT_QUEUE_PER_SLOT)
		sim_fail(s, "n%u: %u wait for %u slots", h->index, waits, h->slots);
	bool quiet = s->net.dup_permille == 0 && !s->o.forged && s->o.segments == 1;
	uint32_t most = BEACONS_MAX + (s->now_us < START_US ? 2 * s->nhosts : 0);
	if (quiet && h->window > most)
		sim_fail(s, "n%u: %u beacons in a second", h->index, h->window);
}

bool
check_converged(const struct sim *s)
{
	for (uint32_t i = 0; i < s->nhosts; i++)
		if (!s->hosts[i]->g || gossip_count_up(s->hosts[i]->g) != s->nhosts - 1)
			return false;
	return true;
}

static void
check_build(struct sim *s, struct build *b)
{
	struct lease_counts c;
	for (uint32_t i = 0; i < b->njobs && !b->gone; i++)
		if (b->jobs[i].ended != 1)
			sim_fail(s, "n%u: job %u ended %u times", b->host->index, i,
			        b->jobs[i].ended);
	leases_counts(b->leases, &c);
	if (c.wants || c.under_way || c.jobs || c.waiting)
		sim_fail(s, "n%u: %u wants, %u asks and %u jobs are left", b->host->index, c.wants,
		        c.under_way, c.jobs);
	for (unsigned i = 0; i < views_count(leases_views(b->leases)); i++) {
		const struct view *v = views_at(leases_views(b->leases), i);
		if (v->own || v->asking || v->queueing)
			sim_fail(s, "n%u: counts %u jobs at a peer, and there is none",
			        b->host->index, v->own + v->asking + v->queueing);
	}
	if (b->hedged > 2 + (b->njobs + b->retried) / 20)
		sim_fail(
		        s, "n%u: %u second copies of %u jobs", b->host->index, b->hedged, b->njobs);
}

void
check_end(struct sim *s)
{
	for (uint32_t i = 0; i < s->nbuilds; i++)
		check_build(s, s->builds[i]);
	for (uint32_t i = 0; i < s->nhosts; i++) {
		const struct host *h = s->hosts[i];
		struct admit_load l;
		admit_load(h->admit, &l);
		if (l.used || l.queued || h->served)
			sim_fail(s, "n%u: %u jobs and %u in the queue of nobody", h->index, l.used,
			        l.queued);
	}
}
