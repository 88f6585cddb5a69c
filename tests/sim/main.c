#include "tests/sim/sim.h"

#include <stdarg.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAL_US (180 * (uint64_t)SECOND)   /* for all to see all again */
#define QUIET_US (30 * (uint64_t)SECOND)   /* for what is left over to be given up */
#define BUILD_US (3600 * (uint64_t)SECOND) /* for a build, whatever happened */
#define TWICE 32                           /* one in so many seeds is run twice */

void
sim_fail(struct sim *s, const char *fmt, ...)
{
	va_list ap;
	if (s->failed)
		return;
	s->failed = true;
	va_start(ap, fmt);
	vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
}

void
sim_trace(struct sim *s, uint64_t what, uint64_t a, uint64_t b)
{
	s->hash =
	        rng_mix(s->hash ^ rng_mix(s->now_us) ^ rng_mix(what + 1) ^ rng_mix(a * 3 + 2) ^ b);
}

/* The sum of twelve uniform numbers is normal enough; e^x by integers, for a run to be the same on every machine. */
uint32_t
sim_lognormal(struct rng *r, uint32_t median, uint32_t sigma, uint32_t least, uint32_t most)
{
	int64_t x = -6 * 65536;
	for (int i = 0; i < 12; i++)
		x += rng_below(r, 65536);
	x = x * sigma / 1000;
	bool below = x < 0;
	uint64_t y = (uint64_t)(below ? -x : x), e = 65536, term = 65536;
	for (uint64_t i = 1; i < 24; i++) {
		term = term * y / 65536 / i;
		e += term;
	}
	uint64_t v = below ? (uint64_t)median * 65536 / e : (uint64_t)median * e / 65536;
	return v < least ? least : v > most ? most : (uint32_t)v;
}

struct sim *
sim_new(uint64_t seed, const struct options *o)
{
	struct sim *s = calloc(1, sizeof *s);
	uint8_t root[32] = {9};
	if (!s)
		abort();
	s->seed = seed;
	s->rng.state = seed;
	s->o = *o;
	s->net = (struct net){
	        .latency_us = 100, .jitter_us = 100, .loss_permille = o->loss_permille};
	key_make(&s->root, root);
	for (uint32_t i = 0; i < o->nodes; i++)
		host_new(s);
	for (uint32_t i = 0; i < o->nodes; i++)
		host_start(s, s->hosts[i]);
	return s;
}

void
sim_free(struct sim *s)
{
	events_free(s);
	for (uint32_t i = 0; i < s->nbuilds; i++)
		build_free(s->builds[i]);
	for (uint32_t i = 0; i < s->nhosts; i++)
		host_free(s->hosts[i]);
	free(s->builds);
	free(s->hosts);
	free(s);
}

bool
sim_done(const struct sim *s)
{
	for (uint32_t i = 0; i < s->nbuilds; i++)
		if (!s->builds[i]->gone && s->builds[i]->done < s->builds[i]->njobs)
			return false;
	return true;
}

/* Runs until `done` holds, looked at ten times a second; false when it does not in time. */
static bool
run_until(struct sim *s, bool (*done)(const struct sim *s), uint64_t us)
{
	uint64_t end = s->now_us + us, look = s->now_us;
	while (!s->failed && !(done && done(s))) {
		if (s->now_us >= end)
			return !done;
		look = look + 100 * MS < end ? look + 100 * MS : end;
		while (!s->failed && event_next(s, look))
			;
	}
	return true;
}

static uint32_t
between(struct rng *r, uint32_t from, uint32_t to)
{
	return from + rng_below(r, to - from + 1);
}

/* Most seeds are small, some are not. */
static void
draw_options(uint64_t seed, struct options *o)
{
	struct rng r = {rng_mix(seed ^ 0x51a1)};
	uint32_t size = rng_below(&r, 500);
	*o = (struct options){.segments = 1, .j = 1, .sigma = 350};
	o->nodes = size == 0   ? between(&r, 200, 500)
	           : size < 10 ? between(&r, 40, 120)
	                       : between(&r, 2, 16);
	o->slots = between(&r, 1, 8);
	o->clients = o->nodes > 100 ? 1 : between(&r, 1, o->nodes < 20 ? o->nodes : 20);
	o->jobs = between(&r, 1, 120);
	o->j = between(&r, 1, 48);
	o->local_slots = between(&r, 0, 3);
	o->noise = rng_below(&r, 4) ? 200 : 1000;
	o->fault_us = o->nodes > 100 ? 0 : (uint64_t)between(&r, 5, 60) * SECOND;
	o->faults = o->fault_us ? between(&r, 0, 12) : 0;
	o->loss_permille = rng_below(&r, 2) ? rng_below(&r, 300) : 0;
	if (o->nodes > 4 && o->nodes <= 100 && rng_below(&r, 4) == 0)
		o->segments = between(&r, 2, 3);
}

static void
begin_builds(struct sim *s)
{
	for (uint32_t i = 0; i < s->o.clients; i++) {
		struct build *b = build_new(s, s->hosts[i], s->o.jobs, s->o.j);
		build_begin(s, b);
	}
}

static void
run_seed(struct sim *s)
{
	if (s->o.loss_permille) {
		s->net.dup_permille = rng_below(&s->rng, 200);
		s->net.late_permille = rng_below(&s->rng, 50);
	}
	run_until(s, NULL, (uint64_t)rng_below(&s->rng, 3000) * MS);
	begin_builds(s);
	if (s->o.fault_us)
		faults_begin(s);
	run_until(s, NULL, s->o.fault_us);
	faults_heal(s);
	if (!run_until(s, check_converged, HEAL_US))
		sim_fail(s, "the mesh does not come together again");
	if (!run_until(s, sim_done, BUILD_US))
		sim_fail(s, "the builds do not end");
	run_until(s, NULL, QUIET_US);
	if (!s->failed)
		check_end(s);
}

/* As many nodes as asked for, without faults when they are many. */
static void
set_size(struct options *o, uint32_t nodes)
{
	o->nodes = nodes;
	if (o->clients > nodes)
		o->clients = nodes;
	if (nodes > 100)
		o->faults = o->fault_us = 0;
}

/* One run of a seed, with so many nodes when that is not 0; its hash, or 0 when it failed. */
static uint64_t
run_once(uint64_t seed, uint32_t nodes, bool verbose)
{
	struct options o;
	draw_options(seed, &o);
	if (nodes)
		set_size(&o, nodes);
	struct sim *s = sim_new(seed, &o);
	run_seed(s);
	uint64_t hash = s->failed ? 0 : s->hash | 1;
	if (s->failed)
		printf("# seed %llu fails after %.3f s: %s\n", (unsigned long long)seed,
		        (double)s->now_us / 1e6, s->why);
	if (verbose) {
		printf("seed %llu: %u nodes in %u segments, %u clients of %u jobs with -j%u, %u "
		       "faults, loss %u permille\n",
		        (unsigned long long)seed, o.nodes, o.segments, o.clients, o.jobs, o.j,
		        o.faults, o.loss_permille);
		for (uint32_t i = 0; i < s->nbuilds; i++)
			printf("  n%u: %u jobs, %u at peers, %u here, %u lost and sent again, %u "
			       "second copies, %llu asks, %.1f s%s\n",
			        i, s->builds[i]->done, s->builds[i]->remote, s->builds[i]->local,
			        s->builds[i]->retried, s->builds[i]->hedged,
			        (unsigned long long)s->builds[i]->asks,
			        (double)(s->builds[i]->end_us - s->builds[i]->begin_us) / 1e6,
			        s->builds[i]->gone ? ", crashed" : "");
		printf("  %llu datagrams, %llu messages, %.1f s; trace %016llx\n",
		        (unsigned long long)s->net.sent, (unsigned long long)s->net.messages,
		        (double)s->now_us / 1e6, (unsigned long long)s->hash);
	}
	sim_free(s);
	return hash;
}

/* Takes *next until it is behind `to`; how many failed. *at: the one that runs. */
static unsigned
run_seeds(_Atomic uint64_t *next, uint64_t to, _Atomic uint64_t *at)
{
	unsigned failed = 0;
	uint64_t seed;
	while ((seed = (*next)++) <= to) {
		*at = seed;
		uint64_t hash = run_once(seed, 0, false);
		bool same = hash == 0 || seed % TWICE || run_once(seed, 0, false) == hash;
		if (!same)
			printf("# seed %llu does something else when it is run again\n",
			        (unsigned long long)seed);
		if (hash == 0 || !same) {
			printf("# to see it: sim --seed %llu\n", (unsigned long long)seed);
			failed++;
		}
		fflush(stdout);
	}
	return failed;
}

/* On all cores; TAP. */
static int
test_seeds(uint64_t from, uint64_t to)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	unsigned n = cores > 1 ? (unsigned)cores : 1, failed = 0;
	pid_t *pids = calloc(n, sizeof *pids);
	_Atomic uint64_t *at = mmap(NULL, (n + 1) * sizeof *at, PROT_READ | PROT_WRITE,
	        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (at == MAP_FAILED || !pids)
		return 1;
	at[n] = from;
	printf("1..1\n");
	fflush(stdout);
	for (unsigned i = 0; i < n; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			_exit(run_seeds(&at[n], to, &at[i]) ? 1 : 0);
	}
	for (unsigned i = 0; i < n; i++) {
		int status = 1;
		waitpid(pids[i], &status, 0);
		failed += status != 0;
		if (WIFSIGNALED(status))
			printf("# seed %llu dies of signal %d\n# to see it: sim --seed %llu\n",
			        (unsigned long long)at[i], WTERMSIG(status),
			        (unsigned long long)at[i]);
	}
	free(pids);
	printf("%s 1 - seeds %llu to %llu\n", failed ? "not ok" : "ok", (unsigned long long)from,
	        (unsigned long long)to);
	return failed ? 1 : 0;
}

int
main(int argc, char **argv)
{
	unsigned long long from, to;
	if (crypto_start() < 0)
		return 1;
	uint32_t nodes = 0;
	if (argc == 5 && strcmp(argv[3], "--nodes") == 0 && sscanf(argv[4], "%u", &nodes) == 1 &&
	        nodes >= 2 && nodes < GOSSIP_MEMBERS_MAX)
		argc = 3;
	if (argc == 3 && strcmp(argv[1], "--seed") == 0 && sscanf(argv[2], "%llu", &from) == 1)
		return run_once(from, nodes, true) ? 0 : 1;
	if (argc == 3 && strcmp(argv[1], "--seeds") == 0 &&
	        sscanf(argv[2], "%llu-%llu", &from, &to) == 2 && from <= to)
		return test_seeds(from, to);
	if (argc == 3 && strcmp(argv[1], "--table") == 0 && sscanf(argv[2], "%llu", &from) == 1)
		return table_print((unsigned)from);
	if (argc == 2 && strcmp(argv[1], "--shares") == 0)
		return shares_print();
	fprintf(stderr,
	        "usage: sim --seed N [--nodes N] | --seeds FROM-TO | --table RUNS | --shares\n");
	return 2;
}
