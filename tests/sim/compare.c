#include "tests/sim/sim.h"

/*
 * Two other schedulers for the same builds on the same hosts.
 *
 * Omniscient: knows at once what is free, costs nothing, and gives the job that came first the fastest idle slot.
 * Icecream's rule, as its scheduler has it: a centre that knows how many jobs each host has, at once, and how fast hosts were on their last 200 jobs by the
 * bytes of their objects (each job moves that by a fifth at most; hosts with few jobs are taken for faster than they are, and unknown ones come first); a
 * job goes to the host with the best speed * (1 - jobs / (2 * slots)), and 1 + slots / 4 more than its slots are sent to each ahead.
 * Its questions and its results cost no time here, only the way of a job to its host does, which favours it.
 */

#define PLACES 64 /* of slots and jobs ahead, at most, of one host */
#define LAST_JOBS 200

struct farm_host {
	uint32_t slots, speed, jobs, running;
	uint64_t measured; /* bytes a second, as a mean; 0: none yet */
	uint32_t njobs;
	uint32_t ahead[PLACES]; /* jobs that came, by index, first come first */
	uint32_t nahead;
};

struct farm_job {
	uint32_t build, work_ms, host, bytes;
	uint64_t over_us;
};

struct farm_build {
	uint32_t next, active;
	uint64_t end_us;
};

struct farm {
	const struct sim *s;
	struct farm_host *hosts;
	uint32_t nhosts;
	struct farm_build *builds;
	struct farm_job *jobs; /* all that were begun, in that order */
	uint32_t njobs, waits; /* waits: the first without a host */
	uint32_t *heap, nheap; /* of running jobs, by the time at which they are over */
	uint64_t now_us, overhead_us;
	struct rng rng;
	int (*pick)(struct farm *f);
};

static bool
sooner(const struct farm *f, uint32_t a, uint32_t b)
{
	const struct farm_job *x = &f->jobs[a], *y = &f->jobs[b];
	return x->over_us != y->over_us ? x->over_us < y->over_us : a < b;
}

static void
heap_put(struct farm *f, uint32_t job)
{
	uint32_t i = f->nheap++;
	for (; i && sooner(f, job, f->heap[(i - 1) / 2]); i = (i - 1) / 2)
		f->heap[i] = f->heap[(i - 1) / 2];
	f->heap[i] = job;
}

static uint32_t
heap_take(struct farm *f)
{
	uint32_t first = f->heap[0], last = f->heap[--f->nheap], i = 0, k;
	for (; (k = 2 * i + 1) < f->nheap; i = k) {
		k += k + 1 < f->nheap && sooner(f, f->heap[k + 1], f->heap[k]);
		if (!sooner(f, f->heap[k], last))
			break;
		f->heap[i] = f->heap[k];
	}
	f->heap[i] = last;
	return first;
}

static int
pick_fastest(struct farm *f)
{
	int best = -1;
	for (uint32_t i = 0; i < f->nhosts; i++)
		if (f->hosts[i].jobs < f->hosts[i].slots &&
		        (best < 0 || f->hosts[i].speed > f->hosts[best].speed))
			best = (int)i;
	return best;
}

static int
pick_icecream(struct farm *f)
{
	int best = -1, unknown = -1;
	double most = -1;
	for (uint32_t i = 0; i < f->nhosts; i++) {
		const struct farm_host *h = &f->hosts[i];
		if (h->jobs >= h->slots + 1 + h->slots / 4)
			continue;
		if (h->measured == 0 && h->jobs < h->slots && unknown < 0)
			unknown = (int)i;
		double score = (double)h->measured * (1 - 0.5 * h->jobs / h->slots);
		if (h->njobs < 7)
			score *= 4.0 - 2.5 * h->njobs / 7;
		if (h->jobs >= h->slots)
			score /= 1000; /* ahead only when no slot is free anywhere */
		if (score > most) {
			most = score;
			best = (int)i;
		}
	}
	return unknown >= 0 ? unknown : best;
}

static void
run_job(struct farm *f, uint32_t job)
{
	struct farm_job *j = &f->jobs[job];
	struct farm_host *h = &f->hosts[j->host];
	h->running++;
	j->over_us = f->now_us + f->overhead_us + (uint64_t)j->work_ms * MS * 1000 / h->speed;
	heap_put(f, job);
}

static void
place_jobs(struct farm *f)
{
	int i;
	while (f->waits < f->njobs && (i = f->pick(f)) >= 0) {
		struct farm_host *h = &f->hosts[i];
		uint32_t job = f->waits++;
		f->jobs[job].host = (uint32_t)i;
		h->jobs++;
		if (h->running < h->slots)
			run_job(f, job);
		else
			h->ahead[h->nahead++] = job;
	}
}

static void
begin_jobs(struct farm *f, uint32_t build)
{
	const struct build *b = f->s->builds[build];
	struct farm_build *x = &f->builds[build];
	for (; x->active < b->j && x->next < b->njobs; x->active++, x->next++) {
		uint32_t work = b->jobs[x->next].work_ms;
		f->jobs[f->njobs++] = (struct farm_job){.build = build,
		        .work_ms = work,
		        .bytes = (uint32_t)((uint64_t)work *
		                            sim_lognormal(&f->rng, 1000, 500, 200, 5000) / 1000)};
	}
}

static void
measure(struct farm_host *h, const struct farm_job *j)
{
	uint64_t v = (uint64_t)j->bytes * h->speed; /* bytes by the time it took */
	v = j->work_ms ? v / j->work_ms : v;
	if (h->njobs < LAST_JOBS)
		h->njobs++;
	if (h->measured && v > h->measured * 6 / 5)
		v = h->measured * 6 / 5;
	if (h->measured && v < h->measured * 4 / 5)
		v = h->measured * 4 / 5;
	h->measured = (h->measured * (h->njobs - 1) + v) / h->njobs;
}

static void
job_over(struct farm *f, uint32_t job)
{
	struct farm_job *j = &f->jobs[job];
	struct farm_host *h = &f->hosts[j->host];
	f->now_us = j->over_us;
	h->running--;
	h->jobs--;
	measure(h, j);
	if (h->nahead) {
		uint32_t next = h->ahead[0];
		memmove(h->ahead, h->ahead + 1, --h->nahead * sizeof *h->ahead);
		run_job(f, next);
	}
	f->builds[j->build].active--;
	f->builds[j->build].end_us = f->now_us;
	begin_jobs(f, j->build);
}

static struct times
run_farm(const struct sim *s, int (*pick)(struct farm *f), uint64_t overhead_us)
{
	struct farm f = {.s = s, .pick = pick, .overhead_us = overhead_us, .rng = {s->seed}};
	struct times t = {0};
	uint64_t jobs = 0;
	for (uint32_t i = 0; i < s->nbuilds; i++)
		jobs += s->builds[i]->njobs;
	f.hosts = calloc(s->nhosts, sizeof *f.hosts);
	f.builds = calloc(s->nbuilds, sizeof *f.builds);
	f.jobs = calloc(jobs, sizeof *f.jobs);
	f.heap = calloc(jobs, sizeof *f.heap);
	if (!f.hosts || !f.builds || !f.jobs || !f.heap)
		abort();
	for (uint32_t i = 0; i < s->nhosts; i++)
		if (s->hosts[i]->slots)
			f.hosts[f.nhosts++] = (struct farm_host){
			        .slots = s->hosts[i]->slots, .speed = s->hosts[i]->speed};
	/* the builds begin together, and their jobs come in turn */
	for (uint32_t i = 0; i < s->nbuilds; i++)
		begin_jobs(&f, i);
	place_jobs(&f);
	while (f.nheap) {
		job_over(&f, heap_take(&f));
		place_jobs(&f);
	}
	for (uint32_t i = 0; i < s->nbuilds; i++)
		times_add(&t, f.builds[i].end_us, s->nbuilds);
	free(f.hosts);
	free(f.builds);
	free(f.jobs);
	free(f.heap);
	return t;
}

void
times_add(struct times *t, uint64_t build_us, uint32_t nbuilds)
{
	t->mean_us += (double)build_us / nbuilds;
	t->last_us = (double)build_us > t->last_us ? (double)build_us : t->last_us;
}

struct times
compare_omniscient(const struct sim *s)
{
	return run_farm(s, pick_fastest, 0);
}

struct times
compare_icecream(const struct sim *s)
{
	return run_farm(s, pick_icecream, TRANSFER_US);
}
