#include "mesh/hedge.h"

#include "mesh/asks.h"

#define HEDGE_JOBS 4      /* the latest of the running jobs, which are looked at */
#define HEDGE_GAIN_MS 100 /* a copy has to be done earlier by this, and by a quarter of its time */
#define LATE_MS 500       /* a job is late this long after one and a half times the expected time */
#define UNKNOWN_LATE_MS 1000
#define COPY 1000 /* budgets are in permille of one */
#define BUDGET_FIRST (2 * COPY)
#define BUDGET_MAX (64 * COPY)

void
hedge_init(struct leases *l)
{
	l->budget = BUDGET_FIRST;
}

void
hedge_earn(struct leases *l)
{
	if (l->budget < BUDGET_MAX)
		l->budget += LEASE_HEDGE_PERMILLE;
}

void
hedge_spend(struct leases *l)
{
	l->budget -= l->budget < COPY ? l->budget : COPY;
}

/* How long a job still takes where it is. */
static uint64_t
remaining(const struct leases *l, const struct ask *job)
{
	uint64_t ran = l->now_ms - job->since_ms;
	if (!job->predicted_ms) {
		bool late = l->mean_ms && ran > 3 * l->mean_ms && ran > UNKNOWN_LATE_MS;
		return late ? ran : 0;
	}
	uint64_t takes = view_takes(job->view, job->predicted_ms);
	if (ran > takes + takes / 2 + LATE_MS)
		return ran; /* nobody knows: as long again */
	return takes > ran ? takes - ran : 0;
}

/* The free peers that would have a copy done clearly earlier. */
static unsigned
gather_faster(struct leases *l, const struct ask *job, uint64_t rest)
{
	unsigned n = 0;
	for (unsigned i = 0; i < views_count(l->views); i++) {
		struct view *v = views_at(l->views, i);
		uint64_t takes = job->predicted_ms ? view_takes(v, job->predicted_ms) : l->mean_ms;
		uint32_t used = view_used(v, l->now_ms);
		if (!v->there || v->silent || v == job->view || used >= v->slots ||
		        view_avoided(v, l->now_ms) || takes + takes / 4 + HEDGE_GAIN_MS >= rest)
			continue;
		if (l->ops.fit(l->ops.arg, job->want_id, &v->node) != LEASE_FIT_READY)
			continue;
		l->of[n] = v;
		l->candidates[n++] = (struct candidate){
		        .slots = v->slots, .used = used, .ready = true, .speed = v->speed};
	}
	return n;
}

/* The job that ends last but for those that end at `below` or later; NULL when there is none. */
static struct ask *
latest_job(const struct leases *l, uint64_t below, uint64_t *rest)
{
	struct ask *latest = NULL;
	*rest = 0;
	for (struct ask *j = l->jobs; j; j = j->next) {
		uint64_t r = j->copied ? 0 : remaining(l, j);
		if (r < below && r > *rest) {
			latest = j;
			*rest = r;
		}
	}
	return latest;
}

static bool
asks_for_copy(const struct leases *l)
{
	for (const struct ask *a = l->asks; a; a = a->next)
		if (a->copy_of)
			return true;
	return false;
}

void
hedge_try(struct leases *l)
{
	uint64_t rest = UINT64_MAX;
	if (l->counts.wants || l->budget < COPY || asks_for_copy(l))
		return;
	for (unsigned tries = 0; tries < HEDGE_JOBS; tries++) {
		struct ask *job = latest_job(l, rest, &rest);
		unsigned n = job ? gather_faster(l, job, rest) : 0;
		int i = n ? pick_peer(l->candidates, n, 1, rng_next(&l->rng)) : -1;
		if (!job || (i >= 0 && ask_send(l, NULL, job, l->of[i], false)))
			return;
	}
}
