#include "tests/sim/sim.h"

#define REFRESH_MS 1000 /* as mesh/want.c */

static void settle(struct sim *s, struct build *b);
static void begin_jobs(struct sim *s, struct build *b);

/* Every peer that is known has the toolchain. */
static enum lease_fit
fit(void *arg, uint64_t want, const struct node_id *peer)
{
	(void)arg, (void)want, (void)peer;
	return LEASE_FIT_READY;
}

struct build *
build_new(struct sim *s, struct host *h, uint32_t njobs, uint32_t j)
{
	struct build *b = calloc(1, sizeof *b);
	s->builds = realloc(s->builds, (s->nbuilds + 1) * sizeof *s->builds);
	if (!b || !s->builds)
		abort();
	s->builds[s->nbuilds++] = b;
	h->build = b;
	b->host = h;
	b->njobs = njobs;
	b->j = j;
	b->local_slots = s->o.local_slots;
	b->jobs = calloc(njobs, sizeof *b->jobs);
	b->leases = leases_new(rng_next(&s->rng), &(struct lease_ops){fit, b});
	if (!b->jobs || !b->leases)
		abort();
	for (uint32_t i = 0; i < njobs; i++) {
		struct job *j1 = &b->jobs[i];
		j1->work_ms = sim_lognormal(&s->rng, 1000, 900, 100, 20000);
		if (s->o.noise < 1000)
			j1->predicted_ms =
			        (uint32_t)((uint64_t)j1->work_ms *
			                   sim_lognormal(&s->rng, 1000, s->o.noise, 300, 3000) /
			                   1000);
	}
	return b;
}

void
build_free(struct build *b)
{
	leases_free(b->leases);
	free(b->jobs);
	free(b);
}

/* ---- jobs ---- */

static struct job *
find_job(struct build *b, uint64_t want)
{
	uint32_t i = (uint32_t)want - 1;
	return i < b->njobs && b->jobs[i].want == want ? &b->jobs[i] : NULL;
}

static struct job *
find_copy(struct build *b, uint64_t ask, struct copy **copy)
{
	for (uint32_t i = 0; i < b->next; i++) {
		for (unsigned k = 0; b->jobs[i].state == JOB_REMOTE && k < 2; k++) {
			*copy = &b->jobs[i].copies[k];
			if ((*copy)->ask == ask)
				return &b->jobs[i];
		}
	}
	return NULL;
}

static void
job_over(struct sim *s, struct build *b, struct job *j)
{
	if (++j->ended > 1)
		sim_fail(s, "n%u: job %u ended twice", b->host->index, (unsigned)(j - b->jobs));
	j->state = JOB_DONE;
	b->active--;
	b->done++;
	if (b->done == b->njobs)
		b->end_us = s->now_us;
	begin_jobs(s, b);
}

static void
want(struct sim *s, struct build *b, struct job *j)
{
	struct lease_want w = {.group = 1, .predicted_ms = j->predicted_ms, .navoid = j->navoid};
	memcpy(w.avoid, j->avoid, sizeof w.avoid);
	j->want = w.id = (j->want >> 32 << 32) + ((uint64_t)1 << 32) + (uint64_t)(j - b->jobs) + 1;
	j->state = JOB_WANTED;
	j->waits = false;
	if (leases_want(b->leases, &w, now_ms(s)) < 0)
		sim_fail(s, "n%u: no room for a want", b->host->index);
}

static void
begin_jobs(struct sim *s, struct build *b)
{
	while (b->active < b->j && b->next < b->njobs) {
		b->active++;
		want(s, b, &b->jobs[b->next++]);
	}
}

static void
on_local_over(struct sim *s, struct event *e)
{
	struct build *b = s->hosts[e->host]->build;
	b->local_used--;
	b->local++;
	job_over(s, b, &b->jobs[e->a]);
	settle(s, b);
}

static void
run_local(struct sim *s, struct build *b, struct job *j)
{
	uint64_t us = (uint64_t)j->work_ms * MS * 1000 / b->host->speed;
	j->state = JOB_LOCAL;
	b->local_used++;
	event_add(s, us,
	        (struct event){.run = on_local_over,
	                .host = b->host->index,
	                .boot = b->host->boot,
	                .a = (uint64_t)(j - b->jobs)});
}

/* Jobs that wait take local slots that are free; j: one that has to. */
static void
fill_local(struct sim *s, struct build *b)
{
	for (uint32_t i = 0; i < b->next && b->local_used < b->local_slots; i++) {
		struct job *j = &b->jobs[i];
		if (j->state != JOB_WANTED || !j->waits)
			continue;
		leases_cancel(b->leases, j->want, now_ms(s));
		run_local(s, b, j);
	}
}

/* ---- at peers ---- */

static void
tell(struct sim *s, struct build *b, uint32_t to, uint64_t to_boot, enum message_type type,
        uint64_t ask, const struct job *j)
{
	net_message(s, &(struct message){.type = type,
	                       .from = b->host->index,
	                       .to = to,
	                       .from_boot = b->host->boot,
	                       .to_boot = to_boot,
	                       .ask = ask,
	                       .work_ms = j ? j->work_ms : 0});
}

static uint32_t
host_of(const struct sim *s, const struct node_id *id)
{
	for (uint32_t i = 0; i < s->nhosts; i++)
		if (node_id_cmp(&s->hosts[i]->id, id) == 0)
			return i;
	return NOBODY;
}

static uint32_t
forget_ask(struct build *b, uint64_t ask, uint64_t *boot)
{
	for (unsigned i = 0; i < b->nunder_way; i++) {
		if (b->under_way[i].ask != ask)
			continue;
		uint32_t host = b->under_way[i].host;
		*boot = b->under_way[i].boot;
		b->under_way[i] = b->under_way[--b->nunder_way];
		return host;
	}
	return NOBODY;
}

static bool
is_under_way(const struct build *b, uint64_t ask)
{
	for (unsigned i = 0; i < b->nunder_way; i++)
		if (b->under_way[i].ask == ask)
			return true;
	return false;
}

static void
do_ask(struct sim *s, struct build *b, const struct lease_action *a)
{
	uint32_t to = host_of(s, &a->node);
	if (to == NOBODY || b->nunder_way == LEASE_ASKS_MAX) {
		sim_fail(s, "n%u: an ask for nobody", b->host->index);
		return;
	}
	b->asks++;
	b->under_way[b->nunder_way].ask = a->ask;
	b->under_way[b->nunder_way].boot = s->hosts[to]->boot;
	b->under_way[b->nunder_way++].host = to;
	net_message(s, &(struct message){.type = RESERVE,
	                       .from = b->host->index,
	                       .to = to,
	                       .from_boot = b->host->boot,
	                       .to_boot = s->hosts[to]->boot,
	                       .ask = a->ask,
	                       .predicted_ms = a->predicted_ms,
	                       .wait = a->wait});
}

static void
end_copy(struct sim *s, struct build *b, struct copy *c)
{
	leases_ended(b->leases, c->ask, now_ms(s));
	c->ask = 0;
}

/* The peer of a copy is lost: the other one goes on, or the job is wanted anew. */
static void
lose_copy(struct sim *s, struct build *b, struct job *j, struct copy *c)
{
	const struct node_id id = s->hosts[c->host]->id;
	end_copy(s, b, c);
	leases_failed(b->leases, &id, now_ms(s));
	if (j->copies[0].ask || j->copies[1].ask)
		return;
	b->retried++;
	if (j->navoid < LEASE_AVOID_MAX)
		j->avoid[j->navoid++] = id;
	if (++j->lost < 3)
		want(s, b, j);
	else
		run_local(s, b, j);
}

static void
on_look(struct sim *s, struct event *e)
{
	struct build *b = s->hosts[e->host]->build;
	struct copy *c;
	struct job *j = find_copy(b, e->a, &c);
	if (!j)
		return;
	if (s->now_us >= c->heard_us + LOST_US) {
		tell(s, b, c->host, 0, CLOSED, c->ask, NULL);
		lose_copy(s, b, j, c);
		settle(s, b);
	} else {
		event_add(s, SECOND,
		        (struct event){
		                .run = on_look, .host = e->host, .boot = e->boot, .a = e->a});
	}
}

static void
do_grant(struct sim *s, struct build *b, const struct lease_action *a)
{
	struct job *j = find_job(b, a->want);
	uint64_t boot;
	uint32_t host = forget_ask(b, a->ask, &boot);
	struct copy *c;
	if (!j || host == NOBODY ||
	        j->state != (a->type == LEASE_HEDGE ? JOB_REMOTE : JOB_WANTED)) {
		sim_fail(s, "n%u: a slot for want %llx, which is none", b->host->index,
		        (unsigned long long)a->want);
		return;
	}
	for (unsigned i = 0; i < j->navoid; i++)
		if (node_id_cmp(&j->avoid[i], &a->node) == 0)
			sim_fail(s, "n%u: a slot where the job was lost before", b->host->index);
	b->hedged += a->type == LEASE_HEDGE;
	j->state = JOB_REMOTE;
	c = j->copies[0].ask ? &j->copies[1] : &j->copies[0];
	if (c->ask)
		sim_fail(s, "n%u: a third copy of a job", b->host->index);
	*c = (struct copy){a->ask, host, s->now_us, s->now_us};
	tell(s, b, host, boot, JOB, a->ask, j);
	event_add(s, SECOND,
	        (struct event){.run = on_look,
	                .host = b->host->index,
	                .boot = b->host->boot,
	                .a = a->ask});
}

static void
act(struct sim *s, struct build *b, const struct lease_action *a)
{
	struct job *j = find_job(b, a->want);
	uint64_t boot;
	uint32_t host;
	switch (a->type) {
	case LEASE_ASK:
		do_ask(s, b, a);
		break;
	case LEASE_DROP:
		host = forget_ask(b, a->ask, &boot);
		if (host != NOBODY)
			tell(s, b, host, boot, CANCEL, a->ask, NULL);
		break;
	case LEASE_GRANTED:
	case LEASE_HEDGE:
		do_grant(s, b, a);
		break;
	case LEASE_WAIT:
		if (j)
			j->waits = true;
		break;
	case LEASE_LOCAL:
		if (!j || j->state != JOB_WANTED)
			sim_fail(s, "n%u: a want that is none is sent home", b->host->index);
		else if (b->local_slots)
			j->waits = true; /* for a slot here */
		else
			run_local(s, b, j);
	}
}

/* Beacons that repeat what is known are no news to gossip, but here they count as fresh. */
static void
refresh(struct sim *s, struct build *b)
{
	const struct member *m;
	if (!b->host->g || s->now_us < b->refresh_us)
		return;
	b->refresh_us = s->now_us + REFRESH_MS * MS;
	for (size_t i = 0; (m = gossip_member(b->host->g, i)); i++)
		if (m->state == MEMBER_UP || m->state == MEMBER_SUSPECT)
			leases_peer(b->leases, &m->node,
			        &(struct view_load){.slots = m->beacon.load.slots,
			                .used = m->beacon.load.used,
			                .queued = m->beacon.load.queued,
			                .silent = m->state == MEMBER_SUSPECT},
			        m->heard_ms, now_ms(s));
}

static void
on_tick(struct sim *s, struct event *e)
{
	struct build *b = s->hosts[e->host]->build;
	if (e->at_us != b->tick_us)
		return;
	b->tick_us = 0;
	refresh(s, b);
	leases_tick(b->leases, now_ms(s));
	settle(s, b);
}

static void
settle(struct sim *s, struct build *b)
{
	struct lease_action a;
	while (!s->failed && leases_next(b->leases, &a)) {
		sim_trace(s, (uint64_t)a.type, a.want, a.ask);
		act(s, b, &a);
		fill_local(s, b);
	}
	fill_local(s, b);
	uint64_t at = leases_deadline(b->leases), now = now_ms(s);
	if (at == UINT64_MAX)
		return;
	uint64_t in = at > now ? (at - now) * MS : MS;
	if (b->tick_us > s->now_us && b->tick_us <= s->now_us + in)
		return;
	b->tick_us = s->now_us + in;
	event_add(s, in,
	        (struct event){.run = on_tick, .host = b->host->index, .boot = b->host->boot});
}

/* ---- news ---- */

static void
on_answer(struct sim *s, struct build *b, const struct message *m)
{
	bool grant = m->type == GRANT;
	uint64_t boot;
	if (m->type == NACK)
		(void)forget_ask(b, m->ask, &boot);
	leases_answer(b->leases, m->ask,
	        grant              ? LEASE_GRANT
	        : m->type == QUEUE ? LEASE_QUEUED
	                           : LEASE_BUSY,
	        &m->load, 2 * s->net.latency_us, now_ms(s));
}

static void
on_result(struct sim *s, struct build *b, const struct message *m)
{
	struct copy *c;
	struct job *j = find_copy(b, m->ask, &c);
	if (!j)
		return;
	const struct host *h = s->hosts[c->host];
	uint64_t took = (uint64_t)j->work_ms * 1000 / h->speed + 2 * TRANSFER_US / MS;
	end_copy(s, b, c);
	leases_worked(b->leases, &h->id, j->predicted_ms, (uint32_t)took, now_ms(s));
	for (unsigned i = 0; i < 2; i++) {
		if (!j->copies[i].ask)
			continue;
		tell(s, b, j->copies[i].host, 0, CLOSED, j->copies[i].ask, NULL);
		end_copy(s, b, &j->copies[i]);
	}
	b->remote++;
	job_over(s, b, j);
}

void
build_message(struct sim *s, struct build *b, const struct message *m)
{
	struct copy *c;
	struct job *j;
	uint64_t boot;
	if (!find_copy(b, m->ask, &c) && !is_under_way(b, m->ask)) {
		if (m->type != CLOSED && m->type != NACK && m->type != RESULT)
			tell(s, b, m->from, m->from_boot, CLOSED, m->ask, NULL);
		return; /* that connection was closed */
	}
	switch (m->type) {
	case GRANT:
	case QUEUE:
	case NACK:
		on_answer(s, b, m);
		break;
	case PING:
		leases_heard(b->leases, m->ask, now_ms(s));
		if ((j = find_copy(b, m->ask, &c)))
			c->heard_us = s->now_us;
		break;
	case RESULT:
		on_result(s, b, m);
		break;
	default:
		if ((j = find_copy(b, m->ask, &c)))
			lose_copy(s, b, j, c);
		else if (forget_ask(b, m->ask, &boot) != NOBODY)
			leases_answer(b->leases, m->ask, LEASE_LOST, NULL, 0, now_ms(s));
	}
	settle(s, b);
}

void
build_news(struct sim *s, struct build *b, const struct host *peer, const struct view_load *l,
        uint64_t at_ms)
{
	leases_peer(b->leases, &peer->id, l, at_ms, now_ms(s));
	settle(s, b);
}

void
build_peer_gone(struct sim *s, struct build *b, const struct node_id *id)
{
	leases_peer_gone(b->leases, id, now_ms(s));
	settle(s, b);
}

void
build_begin(struct sim *s, struct build *b)
{
	b->begin_us = s->now_us;
	refresh(s, b);
	begin_jobs(s, b);
	settle(s, b);
}

/* What its peers have of it they give up when they cannot tell it; what was not done is never asked for again. */
void
build_crash(struct sim *s, struct build *b)
{
	for (unsigned i = 0; i < b->nunder_way; i++)
		tell(s, b, b->under_way[i].host, b->under_way[i].boot, CLOSED, b->under_way[i].ask,
		        NULL);
	b->nunder_way = 0;
	for (uint32_t i = 0; i < b->next; i++) {
		for (unsigned k = 0; k < 2; k++) {
			struct copy *c = &b->jobs[i].copies[k];
			if (c->ask)
				tell(s, b, c->host, 0, CLOSED, c->ask, NULL);
			c->ask = 0;
		}
		b->jobs[i].state = JOB_DONE;
	}
	leases_reset(b->leases);
	b->gone = true;
	b->next = b->njobs;
	b->active = 0;
	b->end_us = s->now_us;
}
