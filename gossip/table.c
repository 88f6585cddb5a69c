#include "gossip/table.h"

#include <stdlib.h>
#include <string.h>
#include "gossip/rng.h"

#define MASK (TABLE_HASH_SIZE - 1)

int
table_init(struct table *t, uint64_t salt)
{
	memset(t, 0, sizeof(*t));
	t->salt = salt;
	t->list = calloc(GOSSIP_MEMBERS_MAX, sizeof(*t->list));
	return t->list ? 0 : IM_ERR_MEMORY;
}

void
table_fini(struct table *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->list[i]);
	free(t->list);
	memset(t, 0, sizeof(*t));
}

static size_t
home_of(const struct table *t, const struct node_id *id)
{
	uint64_t halves[2];

	memcpy(halves, id->bytes, sizeof(halves));
	return (size_t)(rng_mix(halves[0] ^ t->salt ^ rng_mix(halves[1] + t->salt)) & MASK);
}

/* The place of a node in the hash, or the free place where it would go; half of all places are
 * always free. */
static size_t
place_of(const struct table *t, const struct node_id *id)
{
	size_t at = home_of(t, id);

	while (t->hash[at] && node_id_cmp(&t->list[t->hash[at] - 1]->m.node, id))
		at = (at + 1) & MASK;
	return at;
}

struct entry *
table_find(const struct table *t, const struct node_id *id)
{
	uint16_t at = t->hash[place_of(t, id)];

	return at ? t->list[at - 1] : NULL;
}

static bool
is_live(const struct entry *e)
{
	return e->m.state == MEMBER_UP || (e->m.state == MEMBER_SUSPECT && e->m.heard_ms);
}

#define KIND_GONE 1
#define KIND_SPARE 2

static void
note_kind(struct table *t, const struct entry *e)
{
	t->kind[e->index] = (uint8_t)((e->m.state == MEMBER_GONE ? KIND_GONE : 0) |
	                              (e->m.trust == TRUST_SPARE ? KIND_SPARE : 0));
}

/* The one gone longest, only among strangers when asked so: the time to forget it is the first. */
static struct entry *
oldest_gone(const struct table *t, bool strangers)
{
	uint8_t want = strangers ? KIND_GONE | KIND_SPARE : KIND_GONE;
	size_t best = t->count;

	for (size_t i = 0; i < t->count; i++)
		if ((t->kind[i] & want) == want &&
		        (best == t->count || t->due_ms[i] < t->due_ms[best]))
			best = i;
	return best < t->count ? t->list[best] : NULL;
}

static bool
make_room(struct table *t, enum trust trust)
{
	bool spares_full = trust == TRUST_SPARE && t->spares >= TABLE_SPARES_MAX;
	struct entry *old;

	if (t->count < GOSSIP_MEMBERS_MAX && !spares_full)
		return true;
	old = oldest_gone(t, trust == TRUST_SPARE);
	if (old)
		table_remove(t, old);
	return old != NULL;
}

struct entry *
table_add(struct table *t, const struct node_id *id, enum trust trust)
{
	struct entry *e;

	if (!make_room(t, trust))
		return NULL;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	e->m.node = *id;
	e->m.trust = trust;
	e->m.state = MEMBER_GONE;
	e->index = t->count;
	t->due_ms[e->index] = 0;
	note_kind(t, e);
	t->list[t->count++] = e;
	t->hash[place_of(t, id)] = (uint16_t)t->count;
	t->spares += trust == TRUST_SPARE;
	return e;
}

/* Empties a place and moves up those behind it that would not be found any more. */
static void
free_place(struct table *t, size_t hole)
{
	for (size_t at = (hole + 1) & MASK; t->hash[at]; at = (at + 1) & MASK) {
		size_t home = home_of(t, &t->list[t->hash[at] - 1]->m.node);

		if (((at - home) & MASK) >= ((at - hole) & MASK)) {
			t->hash[hole] = t->hash[at];
			hole = at;
		}
	}
	t->hash[hole] = 0;
}

void
table_remove(struct table *t, struct entry *e)
{
	struct entry *last = t->list[t->count - 1];

	table_set_state(t, e, MEMBER_GONE);
	t->spares -= e->m.trust == TRUST_SPARE;
	free_place(t, place_of(t, &e->m.node));
	if (last != e) {
		size_t at = place_of(t, &last->m.node);

		t->list[e->index] = last;
		last->index = e->index;
		t->due_ms[last->index] = t->due_ms[t->count - 1];
		note_kind(t, last);
		t->hash[at] = (uint16_t)(last->index + 1);
	}
	t->list[--t->count] = NULL;
	free(e);
}

void
table_set_state(struct table *t, struct entry *e, enum member_state state)
{
	bool was_live = is_live(e);

	t->up -= e->m.state == MEMBER_UP;
	e->m.state = state;
	t->up += state == MEMBER_UP;
	note_kind(t, e);
	if (was_live)
		t->live--;
	if (is_live(e))
		t->live++;
}

void
table_set_trust(struct table *t, struct entry *e, enum trust trust)
{
	t->spares -= e->m.trust == TRUST_SPARE;
	e->m.trust = trust;
	t->spares += trust == TRUST_SPARE;
	note_kind(t, e);
}
