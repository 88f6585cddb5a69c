#include "mesh/admit.h"

#include <stdlib.h>

#define LATELY 4 /* so many grants for each slot ago */

enum stage { FREE, QUEUED, GRANTED, READY, RUNNING, TURNED_AWAY };

struct entry {
	enum stage stage;
	uint64_t id, order; /* order: when it came into this stage */
	uint32_t client, cost;
};

/* One client of the round. */
struct line {
	struct node_id node;
	uint32_t entries, queued; /* of all stages; of those that wait */
	uint64_t paid;            /* virtual time, in ms, up to which it has had its share */
	uint64_t last;            /* of the grants, its own last one */
};

struct admit {
	struct entry entries[ADMIT_JOBS_MAX];
	struct line lines[ADMIT_JOBS_MAX + 1]; /* one for a client that has no entry yet */
	uint32_t slots,
	        kept; /* lent now; what those that were let in before none was lent may use */
	uint32_t nentries, nlines; /* those behind these are free */
	uint64_t order, grants;
	uint64_t now; /* virtual time: the latest beginning of a share that was given */
};

struct admit *
admit_new(void)
{
	return calloc(1, sizeof(struct admit));
}

void
admit_free(struct admit *a)
{
	free(a);
}

static uint32_t
count(const struct admit *a, enum stage from, enum stage to)
{
	uint32_t n = 0;
	for (unsigned i = 0; i < a->nentries; i++)
		n += a->entries[i].stage >= from && a->entries[i].stage <= to;
	return n;
}

uint32_t
admit_running(const struct admit *a)
{
	return count(a, RUNNING, RUNNING);
}

void
admit_load(const struct admit *a, struct admit_load *out)
{
	out->slots = a->slots;
	out->used = count(a, GRANTED, RUNNING);
	out->queued = count(a, QUEUED, QUEUED);
}

static struct entry *
find(struct admit *a, uint64_t id)
{
	for (unsigned i = 0; i < a->nentries; i++)
		if (a->entries[i].stage != FREE && a->entries[i].id == id)
			return &a->entries[i];
	return NULL;
}

/* It has something here, or had it until lately. */
static bool
is_active(const struct admit *a, const struct line *l)
{
	return l->entries || (l->last && a->grants - l->last < (uint64_t)a->slots * LATELY);
}

/* No other client is active. */
static bool
is_alone(const struct admit *a, const struct node_id *client)
{
	for (uint32_t i = 0; i < a->nlines; i++)
		if (is_active(a, &a->lines[i]) && node_id_cmp(&a->lines[i].node, client) != 0)
			return false;
	return true;
}

static void
set_stage(struct admit *a, struct entry *e, enum stage stage)
{
	struct line *l = &a->lines[e->client];
	l->queued -= e->stage == QUEUED;
	l->queued += stage == QUEUED;
	l->entries -= stage == FREE;
	e->stage = stage;
	e->order = ++a->order;
	while (a->nentries && a->entries[a->nentries - 1].stage == FREE)
		a->nentries--;
	while (a->nlines && !is_active(a, &a->lines[a->nlines - 1]))
		a->nlines--;
}

/* The place of a client among the lines, or a free one, or when all are active one without entries: there are more than entries. */
static uint32_t
line_of(struct admit *a, const struct node_id *client)
{
	uint32_t place = a->nlines;
	for (uint32_t i = 0; i < a->nlines; i++) {
		const struct line *l = &a->lines[i];
		if (node_id_cmp(&l->node, client) == 0)
			return i;
		if (!is_active(a, l) || (place > ADMIT_JOBS_MAX && !l->entries))
			place = i;
	}
	a->lines[place] = (struct line){.node = *client};
	return place;
}

static struct entry *
add(struct admit *a, uint64_t id, const struct node_id *client, uint32_t predicted_ms)
{
	struct entry *e = a->entries;
	while (e < a->entries + ADMIT_JOBS_MAX && e->stage != FREE)
		e++;
	if (e == a->entries + ADMIT_JOBS_MAX)
		return NULL;
	*e = (struct entry){.id = id, .client = line_of(a, client)};
	e->cost = predicted_ms ? predicted_ms : ADMIT_COST_MS;
	if (e->cost > ADMIT_COST_MAX_MS)
		e->cost = ADMIT_COST_MAX_MS;
	a->lines[e->client].entries++;
	if (a->nentries <= (uint32_t)(e - a->entries))
		a->nentries = (uint32_t)(e - a->entries) + 1;
	if (a->nlines <= e->client)
		a->nlines = e->client + 1;
	return e;
}

/* The first or, at the other end, the last that came into a stage; of one line or of all (-1). */
static struct entry *
outermost(struct admit *a, enum stage stage, int line, bool last)
{
	struct entry *found = NULL;
	for (unsigned i = 0; i < a->nentries; i++) {
		struct entry *e = &a->entries[i];
		if (e->stage != stage || (line >= 0 && e->client != (uint32_t)line))
			continue;
		if (!found || (e->order < found->order) != last)
			found = e;
	}
	return found;
}

static uint32_t
longest_line(const struct admit *a)
{
	uint32_t best = 0;
	for (uint32_t i = 1; i < a->nlines; i++)
		if (a->lines[i].entries && a->lines[i].queued > a->lines[best].queued)
			best = i;
	return best;
}

/* True when one more may wait, after somebody with more was turned away for it if need be. */
static bool
queue_has_room(struct admit *a, const struct node_id *client)
{
	uint32_t most = longest_line(a), mine = line_of(a, client);
	if (count(a, QUEUED, QUEUED) < a->slots * ADMIT_QUEUE_PER_SLOT)
		return true;
	if (a->lines[mine].queued + 1 >= a->lines[most].queued)
		return false;
	set_stage(a, outermost(a, QUEUED, (int)most, true), TURNED_AWAY);
	return true;
}

/* A place ahead is taken from others' next jobs, so there is none where several share the slots. */
static bool
may_grant(const struct admit *a, const struct node_id *client, bool ahead)
{
	uint32_t used = count(a, GRANTED, RUNNING);
	return used < a->slots ||
	       (ahead && a->slots && used < a->slots + ADMIT_AHEAD && is_alone(a, client));
}

/* When the next share of a client begins: what it did not use lately is not lost. */
static uint64_t
begins(const struct admit *a, const struct line *l)
{
	uint64_t credit = (uint64_t)a->slots * ADMIT_CREDIT_MS,
	         least = a->now > credit ? a->now - credit : 0;
	return l->paid > least ? l->paid : least;
}

static void
grant(struct admit *a, struct entry *e)
{
	struct line *l = &a->lines[e->client];
	uint64_t begin = begins(a, l);
	a->now = begin > a->now ? begin : a->now;
	l->paid = begin + e->cost;
	l->last = ++a->grants;
	set_stage(a, e, GRANTED);
}

enum admit_answer
admit_reserve(struct admit *a, uint64_t id, const struct node_id *client, uint32_t predicted_ms,
        bool wait)
{
	bool now = may_grant(a, client, wait) && count(a, QUEUED, QUEUED) == 0;
	struct entry *e;
	if (!now && (!wait || a->slots == 0 || !queue_has_room(a, client)))
		return ADMIT_BUSY;
	e = add(a, id, client, predicted_ms);
	if (!e)
		return ADMIT_BUSY;
	if (now)
		grant(a, e);
	else
		set_stage(a, e, QUEUED);
	return now ? ADMIT_GRANTED : ADMIT_QUEUED;
}

uint32_t
admit_before(const struct admit *a, uint64_t id)
{
	const struct entry *me = find((struct admit *)a, id);
	uint32_t n = 0;
	for (unsigned i = 0; me && i < a->nentries; i++)
		n += a->entries[i].stage == QUEUED && a->entries[i].order < me->order;
	return n;
}

void
admit_slots(struct admit *a, uint32_t slots)
{
	a->slots = slots;
	if (slots)
		a->kept = slots;
	for (unsigned i = 0; slots == 0 && i < a->nentries; i++)
		if (a->entries[i].stage == QUEUED)
			set_stage(a, &a->entries[i], TURNED_AWAY);
}

void
admit_ready(struct admit *a, uint64_t id)
{
	struct entry *e = find(a, id);
	if (e && e->stage == GRANTED)
		set_stage(a, e, READY);
}

void
admit_end(struct admit *a, uint64_t id)
{
	struct entry *e = find(a, id);
	if (e)
		set_stage(a, e, FREE);
}

/* The oldest of the client whose share begins first; NULL when nobody waits. */
static struct entry *
next_in_turn(struct admit *a)
{
	struct entry *first = NULL;
	for (uint32_t i = 0; i < a->nlines; i++) {
		struct entry *e = a->lines[i].queued ? outermost(a, QUEUED, (int)i, false) : NULL;
		if (!e)
			continue;
		uint64_t at = begins(a, &a->lines[i]),
		         best = first ? begins(a, &a->lines[first->client]) : 0;
		if (!first || at < best || (at == best && e->order < first->order))
			first = e;
	}
	return first;
}

bool
admit_next(struct admit *a, struct admit_action *out)
{
	struct entry *e = outermost(a, TURNED_AWAY, -1, false);
	if (e) {
		*out = (struct admit_action){ADMIT_NACK, e->id};
		set_stage(a, e, FREE);
		return true;
	}
	/* what was granted is not taken back when nothing is lent any more */
	e = admit_running(a) < a->kept ? outermost(a, READY, -1, false) : NULL;
	if (e) {
		*out = (struct admit_action){ADMIT_START, e->id};
		set_stage(a, e, RUNNING);
		return true;
	}
	e = next_in_turn(a);
	if (!e || !may_grant(a, &a->lines[e->client].node, true))
		return false;
	*out = (struct admit_action){ADMIT_GRANT, e->id};
	grant(a, e);
	return true;
}
