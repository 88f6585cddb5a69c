#include "tests/sim/sim.h"
#include "tests/unit/fake_sign.h"

/* ---- gossip ---- */

static void
make_key(struct key *k, uint32_t number)
{
	uint8_t seed[32] = {1};
	memcpy(seed + 1, &number, sizeof number);
	key_make(k, seed);
}

static void
make_cert(struct sim *s, struct host *h)
{
	struct cert c = {.roles = ROLE_WORKER,
	        .not_before = SIM_WALL - 100000,
	        .not_after = SIM_WALL + 100000000};
	struct buf b;
	buf_init(&b, CERT_LEN_MAX);
	mesh_id_of(&c.mesh, s->root.sign_pk);
	memcpy(c.sign_pk, h->key.sign_pk, SIGN_PK_LEN);
	memcpy(c.dh_pk, h->key.dh_pk, DH_LEN);
	snprintf(c.name, sizeof c.name, "n%u", h->index);
	snprintf(c.owner, sizeof c.owner, "owner");
	if (cert_issue(&c, &s->root, &b) < 0)
		abort();
	memcpy(h->cert, b.data, b.len);
	h->config.cert = h->cert;
	h->config.cert_len = b.len;
	buf_fini(&b);
}

static void
set_address(struct host *h)
{
	h->at = (struct endpoint){.len = 4, .port = 9777};
	const uint8_t at[4] = {
	        10, (uint8_t)h->segment, (uint8_t)(h->index >> 8), (uint8_t)h->index};
	memcpy(h->at.bytes, at, sizeof at);
}

struct host *
host_new(struct sim *s)
{
	struct host *h = calloc(1, sizeof *h);
	s->hosts = realloc(s->hosts, (s->nhosts + 1) * sizeof *s->hosts);
	if (!h || !s->hosts)
		abort();
	h->index = s->nhosts;
	s->hosts[s->nhosts++] = h;
	h->segment = rng_below(&s->rng, s->o.segments);
	h->slots = s->o.age_us ? s->o.slots : 1 + rng_below(&s->rng, 2 * s->o.slots - 1);
	h->speed = sim_lognormal(&s->rng, 1000, s->o.sigma, 400, 2500);
	set_address(h);
	make_key(&h->key, h->index + 1);
	node_id_of(&h->id, h->key.sign_pk);
	struct gossip_config *c = &h->config;
	c->key = &h->key;
	mesh_id_of(&c->mesh, s->root.sign_pk);
	memcpy(c->root_pk, s->root.sign_pk, SIGN_PK_LEN);
	make_cert(s, h);
	snprintf(c->name, sizeof c->name, "n%u", h->index);
	snprintf(c->platform, sizeof c->platform, "x86_64");
	snprintf(c->version, sizeof c->version, rng_below(&s->rng, 4) ? "0.1.0" : "0.2.7-next");
	c->tcp_port = 9777;
	c->sandbox = 2;
	c->speed = 100;
	return h;
}

static void spread(struct sim *s, struct host *h);

static void
on_gossip_tick(struct sim *s, struct event *e)
{
	struct host *h = s->hosts[e->host];
	if (e->at_us != h->tick_us)
		return; /* another one was set since */
	h->tick_us = 0;
	gossip_tick(h->g, now_ms(s));
	host_settle(s, h);
}

static void
arm_gossip(struct sim *s, struct host *h)
{
	uint64_t at = gossip_deadline(h->g), now = now_ms(s);
	uint64_t in = at > now ? (at - now) * MS : MS;
	if (h->tick_us > s->now_us && h->tick_us <= s->now_us + in)
		return;
	h->tick_us = s->now_us + in;
	event_add(s, in, (struct event){.run = on_gossip_tick, .host = h->index, .boot = h->boot});
}

/* The first few nodes of each segment are the seeds of all, as an administrator would have it. */
static void
add_seeds(struct sim *s, struct host *h)
{
	unsigned n = 0;
	for (uint32_t i = 0; i < s->nhosts && n < 4; i++) {
		if (i == h->index || s->o.segments == 1)
			continue;
		if (gossip_add_seed(h->g, &s->hosts[i]->at) == 0)
			n++;
	}
}

void
host_start(struct sim *s, struct host *h)
{
	struct beacon_addr a = {4, {0}};
	struct subnet net = {.bits = 16};
	memcpy(a.bytes, h->at.bytes, 4);
	net.addr = a;
	h->config.boot = ++h->boot;
	h->config.seed = rng_next(&s->rng);
	h->config.wall_s = SIM_WALL + s->now_us / SECOND;
	h->config.wall_at_ms = now_ms(s);
	h->admit = admit_new();
	h->up = true;
	h->tick_us = h->paused_us = 0;
	if (s->o.age_us)
		return; /* the table is without gossip */
	h->g = gossip_new(&h->config);
	if (!h->g || !h->admit)
		abort();
	gossip_set_addrs(h->g, &a, 1);
	gossip_set_subnets(h->g, &net, 1);
	add_seeds(s, h);
	host_settle(s, h);
}

static void
forget_served(struct host *h)
{
	while (h->served) {
		struct served *v = h->served;
		h->served = v->next;
		free(v);
	}
}

void
host_crash(struct sim *s, struct host *h)
{
	for (struct served *v = h->served; v; v = v->next)
		net_message(s, &(struct message){.type = CLOSED,
		                       .from = h->index,
		                       .to = v->client,
		                       .to_boot = v->client_boot,
		                       .ask = v->ask,
		                       .to_client = true});
	forget_served(h);
	h->up = false;
	gossip_free(h->g);
	h->g = NULL;
	admit_free(h->admit);
	h->admit = NULL;
	if (h->build)
		build_crash(s, h->build);
}

void
host_free(struct host *h)
{
	forget_served(h);
	gossip_free(h->g);
	admit_free(h->admit);
	free(h);
}

void
host_datagram(struct sim *s, struct host *h, const void *bytes, size_t len,
        const struct endpoint *from, bool multicast)
{
	if (s->now_us >= h->window_us + SECOND) {
		h->window_us = s->now_us;
		h->window = 0;
	}
	h->window++;
	if (gossip_receive(h->g, bytes, len, from, multicast, now_ms(s)) == 0)
		spread(s, h);
}

static void
tell_build(struct sim *s, struct host *h, const struct gossip_action *a)
{
	const struct member *m = h->build ? gossip_find(h->g, &a->node) : NULL;
	if (!m)
		return;
	if (m->state != MEMBER_UP && m->state != MEMBER_SUSPECT) {
		build_peer_gone(s, h->build, &a->node);
		return;
	}
	const struct load *l = &m->beacon.load;
	uint32_t peer;
	if (sscanf(m->beacon.name, "n%u", &peer) != 1 || peer >= s->nhosts)
		return;
	build_news(s, h->build, s->hosts[peer],
	        &(struct view_load){.slots = l->slots,
	                .used = l->used,
	                .queued = l->queued,
	                .silent = m->state == MEMBER_SUSPECT},
	        m->heard_ms);
}

void
host_load(const struct host *h, struct view_load *out)
{
	struct admit_load l;
	admit_load(h->admit, &l);
	*out = (struct view_load){
	        .slots = h->slots, .used = h->liar ? 0 : l.used, .queued = h->liar ? 0 : l.queued};
}

/* ---- serving ---- */

static struct served *
find(struct host *h, uint32_t client, uint64_t client_boot, uint64_t ask)
{
	struct served *v = h->served;
	while (v && (v->client != client || v->client_boot != client_boot || v->ask != ask))
		v = v->next;
	return v;
}

static struct served *
find_ticket(struct host *h, uint64_t ticket)
{
	struct served *v = h->served;
	while (v && v->ticket != ticket)
		v = v->next;
	return v;
}

static void
answer(struct sim *s, struct host *h, const struct served *v, enum message_type type)
{
	struct message m = {.type = type,
	        .from = h->index,
	        .to = v->client,
	        .from_boot = h->boot,
	        .to_boot = v->client_boot,
	        .ask = v->ask,
	        .to_client = true};
	host_load(h, &m.load);
	net_message(s, &m);
}

static void
end(struct host *h, struct served *v)
{
	struct served **p = &h->served;
	while (*p != v)
		p = &(*p)->next;
	*p = v->next;
	admit_end(h->admit, v->ticket);
	free(v);
}

static void
on_run_over(struct sim *s, struct event *e)
{
	struct host *h = s->hosts[e->host];
	struct served *v = find_ticket(h, e->a);
	if (!v)
		return;
	answer(s, h, v, RESULT);
	end(h, v);
	host_settle(s, h);
}

/* Says PING to a client, and looks whether the client still is there and has brought its job. */
static void
on_ping(struct sim *s, struct event *e)
{
	struct host *h = s->hosts[e->host];
	struct served *v = find_ticket(h, e->a);
	if (!v)
		return;
	if (net_reaches(s, h->index, v->client) && net_reaches(s, v->client, h->index))
		v->heard_us = s->now_us;
	bool late = v->stage == GRANTED && s->now_us > v->since_us + LEASE_US;
	if (late || s->now_us > v->heard_us + DEAD_CLIENT_US) {
		answer(s, h, v, CLOSED);
		end(h, v);
		host_settle(s, h);
		return;
	}
	answer(s, h, v, PING);
	event_add(s, PING_US,
	        (struct event){.run = on_ping, .host = h->index, .boot = h->boot, .a = v->ticket});
}

static void
on_reserve(struct sim *s, struct host *h, const struct message *m)
{
	struct served *v = calloc(1, sizeof *v);
	if (!v)
		abort();
	*v = (struct served){.next = h->served,
	        .ticket = ++h->ticket,
	        .ask = m->ask,
	        .client = m->from,
	        .client_boot = m->from_boot,
	        .heard_us = s->now_us,
	        .since_us = s->now_us};
	h->served = v;
	admit_slots(h->admit, h->slots);
	enum admit_answer a = admit_reserve(
	        h->admit, v->ticket, &s->hosts[m->from]->id, m->predicted_ms, m->wait);
	v->stage = a == ADMIT_GRANTED ? GRANTED : WAITS;
	answer(s, h, v, a == ADMIT_GRANTED ? GRANT : a == ADMIT_QUEUED ? QUEUE : NACK);
	if (a == ADMIT_BUSY) {
		end(h, v);
		return;
	}
	event_add(s, PING_US,
	        (struct event){.run = on_ping, .host = h->index, .boot = h->boot, .a = v->ticket});
}

static void
serve(struct sim *s, struct host *h, const struct message *m)
{
	struct served *v = find(h, m->from, m->from_boot, m->ask);
	if (m->type == RESERVE && !v)
		on_reserve(s, h, m);
	else if (v && m->type == JOB && v->stage == GRANTED) {
		v->stage = READY;
		v->work_ms = m->work_ms;
		admit_ready(h->admit, v->ticket);
	} else if (v && (m->type == CANCEL || m->type == CLOSED)) {
		end(h, v);
	}
}

void
host_message(struct sim *s, struct host *h, const struct message *m)
{
	if (m->to_client) {
		if (h->build && !h->build->gone)
			build_message(s, h->build, m);
		return;
	}
	serve(s, h, m);
	host_settle(s, h);
}

static void
act(struct sim *s, struct host *h)
{
	struct admit_action a;
	while (admit_next(h->admit, &a)) {
		struct served *v = find_ticket(h, a.id);
		if (!v) {
			sim_fail(s, "n%u: admission speaks of ticket %llu, which has ended",
			        h->index, (unsigned long long)a.id);
			return;
		}
		v->since_us = s->now_us;
		if (a.type == ADMIT_START) {
			v->stage = RUNS;
			uint64_t us = (uint64_t)v->work_ms * MS * 1000 / h->speed;
			event_add(s, us,
			        (struct event){.run = on_run_over,
			                .host = h->index,
			                .boot = h->boot,
			                .a = v->ticket});
		} else if (a.type == ADMIT_GRANT) {
			v->stage = GRANTED;
			answer(s, h, v, GRANT);
		} else {
			answer(s, h, v, NACK);
			end(h, v);
		}
	}
}

/* Carries out what gossip wants. */
static void
spread(struct sim *s, struct host *h)
{
	struct gossip_action a;
	while (gossip_next(h->g, &a)) {
		if (a.type == GOSSIP_MULTICAST || a.type == GOSSIP_UNICAST)
			net_datagram(s, h, &a);
		else
			tell_build(s, h, &a);
	}
	arm_gossip(s, h);
}

void
host_settle(struct sim *s, struct host *h)
{
	struct view_load l;
	act(s, h);
	check_host(s, h);
	if (!h->g)
		return;
	host_load(h, &l);
	gossip_load(h->g,
	        &(struct load){
	                .slots = h->liar ? 1000 : l.slots, .used = l.used, .queued = l.queued},
	        now_ms(s));
	spread(s, h);
}
