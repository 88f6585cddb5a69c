#include "tests/sim/sim.h"

/*
 * The README's table.  Gossip does not run here: what a client hears of a peer's load is told to it every `age`, each peer at a time of its own, so
 * that news are up to that old and nothing comes between; with 500 nodes and 30 s between beacons that is worse than gossip ever is, and
 * quick.  The submitting nodes lend nothing and compile nothing themselves.
 */

#define SMALL 10     /* with so few nodes a run says little, */
#define SMALL_RUNS 5 /* so there are as many times more */

struct row {
	uint32_t nodes, clients, j;
};

static const struct row rows[] = {{10, 1, 64}, {10, 2, 32}, {10, 2, 60}, {10, 10, 6}, {10, 20, 4},
        {10, 20, 8}, {100, 1, 150}, {100, 10, 64}, {100, 10, 120}, {100, 20, 32}, {500, 1, 300},
        {500, 20, 150}};
static const uint32_t ages_ms[] = {200, 1000, 5000, 30000};

static void
tell(struct sim *s, const struct host *h)
{
	struct view_load l;
	host_load(h, &l);
	for (uint32_t i = 0; i < s->nbuilds; i++)
		build_news(s, s->builds[i], h, &l, now_ms(s));
}

static void
on_news(struct sim *s, struct event *e)
{
	tell(s, s->hosts[e->a]);
	event_add(s, s->o.age_us, (struct event){.run = on_news, .host = NOBODY, .a = e->a});
}

void
table_client(struct sim *s, uint32_t j)
{
	struct host *h = host_new(s);
	host_start(s, h);
	h->slots = 0;
	build_new(s, h, s->o.jobs, j);
}

void
table_run(struct sim *s)
{
	for (uint32_t i = 0; i < s->nhosts - s->nbuilds; i++) {
		tell(s, s->hosts[i]);
		event_add(s, rng_below(&s->rng, s->o.age_us),
		        (struct event){.run = on_news, .host = NOBODY, .a = i});
	}
	for (uint32_t i = 0; i < s->nbuilds; i++)
		build_begin(s, s->builds[i]);
	while (!s->failed && !sim_done(s))
		event_next(s, s->now_us + 3600 * (uint64_t)SECOND);
}

struct ratios {
	double last, mean; /* to the omniscient scheduler's */
};

struct sums {
	struct ratios icemesh, icecream;
	double messages;
};

static void
ratios_add(struct ratios *r, const struct times *t, const struct times *best)
{
	r->last += t->last_us / best->last_us;
	r->mean += t->mean_us / best->mean_us;
}

/* False when something that must hold did not. */
static bool
add_run(const struct row *row, uint32_t age_ms, uint64_t seed, struct sums *sum)
{
	struct options o = {.nodes = row->nodes,
	        .clients = row->clients,
	        .segments = 1,
	        .j = row->j,
	        .jobs = 12 * row->j,
	        .slots = 8,
	        .sigma = 350,
	        .noise = 200,
	        .age_us = age_ms * MS};
	struct sim *s = sim_new(seed, &o);
	for (uint32_t i = 0; i < o.clients; i++)
		table_client(s, o.j);
	table_run(s);
	struct times ours = {0}, best = compare_omniscient(s), icecream = compare_icecream(s);
	double jobs = 0;
	for (uint32_t i = 0; i < s->nbuilds; i++) {
		times_add(&ours, s->builds[i]->end_us - s->builds[i]->begin_us, s->nbuilds);
		jobs += s->builds[i]->njobs;
	}
	ratios_add(&sum->icemesh, &ours, &best);
	ratios_add(&sum->icecream, &icecream, &best);
	sum->messages += (double)s->net.messages / jobs;
	bool good = !s->failed;
	if (!good)
		printf("%s\n", s->why);
	sim_free(s);
	return good;
}

int
table_print(unsigned seeds)
{
	bool good = true;
	printf("| nodes | clients, -j each | news up to | makespan: icemesh | icecream's rule | "
	       "mean build: "
	       "icemesh | icecream's rule | messages a job |\n|---|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (size_t k = 0; k < sizeof ages_ms / sizeof *ages_ms; k++) {
			struct sums sum = {0};
			unsigned runs = rows[i].nodes <= SMALL ? SMALL_RUNS * seeds : seeds;
			for (unsigned seed = 1; seed <= runs; seed++)
				good = add_run(&rows[i], ages_ms[k], seed, &sum) && good;
			printf("| %u | %u, -j%u | %g s | %.2f | %.2f | %.2f | %.2f | %.1f |\n",
			        rows[i].nodes, rows[i].clients, rows[i].j, ages_ms[k] / 1000.0,
			        sum.icemesh.last / runs, sum.icecream.last / runs,
			        sum.icemesh.mean / runs, sum.icecream.mean / runs,
			        sum.messages / runs);
			fflush(stdout);
		}
	}
	return good ? 0 : 1;
}
