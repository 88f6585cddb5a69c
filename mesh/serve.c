#include "mesh/serve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/owner.h"
#include "mesh/peers.h"
#include "mesh/session.h"
#include "mesh/store.h"
#include "mesh/wire.h"

struct serve {
	struct node *node;
	struct session *list, *gone;
	unsigned count;
	unsigned draining; /* by so many */
	bool paused, short_of_memory;
	uint32_t owner; /* state bits, while its owner wants it for himself */
	struct admit *admit;
	uint64_t last_ticket;
	struct timer *tick, *bury, *resume, *look;
};

static void
on_tick(void *arg)
{
	struct serve *s = arg;
	uint64_t now = loop_now_ms();
	struct session *next;
	for (struct session *i = s->list; i; i = next) {
		next = i->next;
		session_tick(i, now);
	}
	if (s->list)
		timer_set(s->tick, WIRE_PING_MS);
}

static void
on_bury(void *arg)
{
	struct serve *s = arg;
	while (s->gone) {
		struct session *dead = s->gone;
		s->gone = dead->next;
		session_free(dead);
	}
}

static void
on_resume(void *arg)
{
	serve_resume(arg);
}

/* True when that changes what is lent. */
static bool
look_at_owner(struct serve *s)
{
	struct owner_reading r;
	owner_read(&r, "", wall_seconds());
	uint32_t owner = owner_state(&r, s->node->config.lend);
	bool is_short = owner_short_of_memory(&r, s->short_of_memory);
	bool changed = owner != s->owner || is_short != s->short_of_memory;
	s->owner = owner;
	s->short_of_memory = is_short;
	return changed;
}

static void
on_look(void *arg)
{
	struct serve *s = arg;
	if (look_at_owner(s)) {
		log_info(&s->node->log, "%s",
		        s->owner || s->short_of_memory
		                ? "lends nothing just now: its owner needs it"
		                : "lends again");
		serve_changed(s);
	}
	timer_set(s->look, OWNER_LOOK_MS);
}

struct serve *
serve_new(struct node *n)
{
	struct serve *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->node = n;
	s->tick = timer_new(n->loop, on_tick, s);
	s->bury = timer_new(n->loop, on_bury, s);
	s->resume = timer_new(n->loop, on_resume, s);
	s->look = timer_new(n->loop, on_look, s);
	s->admit = admit_new();
	if (!s->tick || !s->bury || !s->resume || !s->look || !s->admit) {
		serve_free(s);
		return NULL;
	}
	look_at_owner(s);
	timer_set(s->look, OWNER_LOOK_MS);
	return s;
}

void
serve_free(struct serve *s)
{
	if (!s)
		return;
	serve_reset(s);
	on_bury(s);
	timer_free(s->tick);
	timer_free(s->bury);
	timer_free(s->resume);
	timer_free(s->look);
	admit_free(s->admit);
	free(s);
}

/* Whoever has no certificate must not take the members' places: of too many such, the oldest goes. */
static void
limit_unknown(struct serve *s)
{
	struct session *oldest = NULL;
	unsigned n = 0;
	for (struct session *i = s->list; i; i = i->next) {
		if (conn_cert(i->conn))
			continue;
		oldest = i;
		n++;
	}
	if (n >= SERVE_UNKNOWN_MAX)
		serve_gone(s, oldest);
}

void
serve_accept(struct serve *s, int fd)
{
	limit_unknown(s);
	if (s->count >= SERVE_CONNS_MAX || !identity_in_mesh(s->node->identity)) {
		close(fd);
		return;
	}
	struct session *session = session_new(s, fd);
	if (!session)
		return;
	if (!s->list)
		timer_set(s->tick, WIRE_PING_MS);
	session->next = s->list;
	s->list = session;
	s->count++;
}

struct node *
serve_node(struct serve *s)
{
	return s->node;
}

unsigned
serve_running(const struct serve *s)
{
	return admit_running(s->admit);
}

/* What this node takes at all: nothing while it lends nothing or cannot confine what it runs. */
static unsigned
lent_slots(const struct serve *s)
{
	const struct node *n = s->node;
	bool able = !s->draining && !s->paused && !s->owner && !s->short_of_memory &&
	            n->config.lend != LEND_NEVER &&
	            helper_level(n->helper) >= n->config.sandbox_min;
	return able ? n->config.slots : 0;
}

void
serve_wire_load(const struct serve *s, struct wire_load *l)
{
	struct admit_load now;
	admit_load(s->admit, &now);
	*l = (struct wire_load){.slots = lent_slots(s), .used = now.used, .queued = now.queued};
}

void
serve_load(const struct serve *s, struct load *out)
{
	struct wire_load l;
	serve_wire_load(s, &l);
	memset(out, 0, sizeof *out);
	out->slots = l.slots;
	out->used = l.used;
	out->queued = l.queued;
	out->state = (s->draining ? STATE_DRAINING : 0) | (s->paused ? STATE_PAUSED : 0) | s->owner;
	const struct toolchain *t;
	for (unsigned i = 0; (t = store_at(s->node->store, i)) && out->ntags < BEACON_TAGS_MAX; i++)
		if (t->unpacked)
			out->tags[out->ntags++] = get_u32(t->digest.bytes);
}

/* Bytes of results that wait in memory until this peer takes them. */
static uint64_t
results_for(const struct serve *s, const struct session *who)
{
	uint64_t bytes = 0;
	for (const struct session *i = s->list; i; i = i->next)
		if (i->state == SESSION_SENDING && i != who &&
		        node_id_cmp(conn_node(i->conn), conn_node(who->conn)) == 0)
			bytes += i->result_bytes;
	return bytes;
}

/* Why this reservation cannot even wait; 0 when it can. */
static int
obstacle(struct serve *s, const struct session *who, const struct digest *toolchain)
{
	if (helper_level(s->node->helper) < s->node->config.sandbox_min)
		return NACK_SANDBOX;
	if (lent_slots(s) == 0)
		return NACK_POLICY;
	struct toolchain *t = store_find(s->node->store, toolchain);
	if (!t || (!t->unpacked && (!t->tarball || t->failed)))
		return serve_installing(s, toolchain, NULL) ? NACK_INSTALLING : NACK_TOOLCHAIN;
	if (!t->unpacked) {
		if (!t->unpacking)
			install_unpack(s->node, toolchain, NULL, NULL);
		return NACK_INSTALLING;
	}
	/* it fetches what it ordered before it orders more */
	return results_for(s, who) > s->node->config.job_output ? NACK_BUSY : 0;
}

enum admit_answer
serve_reserve(struct serve *s, struct session *who, const struct wire_reserve *r, enum nack *nack)
{
	int why = obstacle(s, who, &r->toolchain);
	*nack = why ? (enum nack)why : NACK_BUSY;
	if (why)
		return ADMIT_BUSY;
	admit_slots(s->admit, lent_slots(s));
	who->ticket = ++s->last_ticket;
	enum admit_answer a = admit_reserve(
	        s->admit, who->ticket, conn_node(who->conn), r->predicted_ms, r->wait);
	if (a == ADMIT_BUSY)
		who->ticket = 0;
	return a;
}

void
serve_release(struct serve *s, struct session *who)
{
	if (who->ticket)
		admit_end(s->admit, who->ticket);
	who->ticket = 0;
}

uint32_t
serve_before(const struct serve *s, const struct session *who)
{
	return admit_before(s->admit, who->ticket);
}

bool
serve_installing(const struct serve *s, const struct digest *d, const struct session *but)
{
	for (const struct session *i = s->list; i; i = i->next)
		if (i != but && i->state == SESSION_INSTALLING && digest_equal(&i->toolchain, d))
			return true;
	return false;
}

unsigned
serve_lending(const struct serve *s)
{
	unsigned n = 0;
	for (const struct session *i = s->list; i; i = i->next)
		n += i->state == SESSION_LENDING;
	return n;
}

bool
serve_holds(const struct serve *s, const struct digest *d)
{
	for (const struct session *i = s->list; i; i = i->next)
		if ((session_active(i) || i->state == SESSION_INSTALLING) &&
		        digest_equal(&i->toolchain, d))
			return true;
	return false;
}

static void
start(struct serve *s, struct session *who)
{
	if (session_start(who) == 0)
		return;
	log_warn(&s->node->log, "a job cannot be started: the helper does not take it");
	serve_gone(s, who);
}

/* Lets in, starts and turns away as mesh/admit.h says. */
static void
act(struct serve *s)
{
	struct admit_action a;
	admit_slots(s->admit, lent_slots(s));
	while (admit_next(s->admit, &a)) {
		struct session *who = s->list;
		while (who && who->ticket != a.id)
			who = who->next;
		if (!who)
			admit_end(s->admit, a.id);
		else if (a.type == ADMIT_START)
			start(s, who);
		else if (a.type == ADMIT_GRANT)
			session_granted(who);
		else
			session_turned_away(who);
	}
}

void
serve_ready(struct serve *s, struct session *who)
{
	who->state = SESSION_WAITING;
	who->deadline_ms = 0;
	who->ready_ms = loop_now_ms();
	admit_ready(s->admit, who->ticket);
	serve_changed(s);
}

void
serve_changed(struct serve *s)
{
	act(s);
	if (s->node->peers)
		peers_load_changed(s->node->peers);
}

void
serve_toolchains_changed(struct serve *s)
{
	serve_changed(s);
}

void
serve_gone(struct serve *s, struct session *who)
{
	for (struct session **i = &s->list; *i; i = &(*i)->next) {
		if (*i != who)
			continue;
		*i = who->next;
		s->count--;
		session_end(who);
		who->next = s->gone;
		s->gone = who;
		timer_set(s->bury, 0);
		serve_changed(s);
		return;
	}
}

const char *
serve_held(const struct serve *s)
{
	if (s->owner & STATE_OWNER_BUSY)
		return "its owner is at work, so it lends nothing (lend = idle)";
	if (s->owner)
		return "it runs on its battery, so it lends nothing";
	return s->short_of_memory ? "memory is short, so it takes no new jobs" : NULL;
}

void
serve_pause(struct serve *s, uint32_t seconds)
{
	s->paused = true;
	if (seconds)
		timer_set(s->resume, (uint64_t)seconds * 1000);
	else
		timer_stop(s->resume);
	serve_changed(s);
}

void
serve_resume(struct serve *s)
{
	s->paused = false;
	timer_stop(s->resume);
	serve_changed(s);
}

bool
serve_busy(const struct serve *s)
{
	for (const struct session *i = s->list; i; i = i->next)
		if (session_active(i) || i->state == SESSION_SENDING || i->state == SESSION_LENDING)
			return true;
	return false;
}

void
serve_drain(struct serve *s, bool on)
{
	s->draining += on ? 1u : -1u;
	serve_changed(s);
}

void
serve_reset(struct serve *s)
{
	while (s->list)
		serve_gone(s, s->list);
}
