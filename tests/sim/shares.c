#include "tests/sim/sim.h"

/*
 * Two clients, with -j64 and -j8, on equal nodes that they fill: what each has of the slots, compared with its fair share, which is half of
 * them, or what it can use if that is less.
 */

#define MANY 64
#define FEW 8
#define SLOTS 4
#define JOBS 600
#define LEAST 80 /* percent of the fair share */
#define MOST 120
#define SEEDS 3
#define BEGIN_US (3 * (uint64_t)SECOND) /* until all slots have been given away once */
#define SAMPLE_US (10 * MS)

static const uint32_t rows[] = {2, 4, 8, 15}; /* nodes */

static struct {
	uint64_t slots[2], samples;
} got;

/* Looks who runs, as long as both have jobs enough. */
static void
on_sample(struct sim *s, struct event *e)
{
	(void)e;
	for (uint32_t i = 0; s->now_us >= BEGIN_US && i < s->nhosts; i++)
		for (const struct served *v = s->hosts[i]->served; v; v = v->next)
			got.slots[v->client != s->builds[0]->host->index] += v->stage == RUNS;
	got.samples += s->now_us >= BEGIN_US;
	for (unsigned i = 0; i < 2; i++)
		if (s->builds[i]->next == s->builds[i]->njobs)
			return;
	event_add(s, SAMPLE_US, (struct event){.run = on_sample, .host = NOBODY});
}

static bool
add_run(uint32_t nodes, uint64_t seed)
{
	struct options o = {.nodes = nodes,
	        .segments = 1,
	        .jobs = JOBS,
	        .slots = SLOTS,
	        .noise = 200,
	        .age_us = SECOND};
	struct sim *s = sim_new(seed, &o);
	for (uint32_t i = 0; i < s->nhosts; i++) {
		s->hosts[i]->slots = SLOTS;
		s->hosts[i]->speed = 1000;
		admit_slots(s->hosts[i]->admit, SLOTS);
	}
	table_client(s, MANY);
	table_client(s, FEW);
	event_add(s, SAMPLE_US, (struct event){.run = on_sample, .host = NOBODY});
	table_run(s);
	bool good = !s->failed;
	if (!good)
		printf("# %s\n", s->why);
	sim_free(s);
	return good;
}

int
shares_print(void)
{
	const unsigned n = sizeof rows / sizeof *rows;
	unsigned failed = 0;
	printf("1..%u\n", n);
	for (unsigned i = 0; i < n; i++) {
		uint32_t all = rows[i] * SLOTS, few = FEW < all / 2 ? FEW : all / 2,
		         many = MANY < all - few ? MANY : all - few;
		bool good = true;
		memset(&got, 0, sizeof got);
		for (uint64_t seed = 1; seed <= SEEDS; seed++)
			good = add_run(rows[i], seed) && good;
		double a = (double)got.slots[0] / (double)got.samples,
		       b = (double)got.slots[1] / (double)got.samples;
		good = good && a * 100 >= many * LEAST && a * 100 <= many * MOST &&
		       b * 100 >= few * LEAST && b * 100 <= few * MOST;
		failed += !good;
		printf("%s %u - %u slots: -j%u has %.1f, %.2f of its share; -j%u has %.1f, %.2f "
		       "of its\n",
		        good ? "ok" : "not ok", i + 1, all, MANY, a, a / many, FEW, b, b / few);
	}
	return failed ? 1 : 0;
}
