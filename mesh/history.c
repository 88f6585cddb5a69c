#include "mesh/history.h"

#include <stdlib.h>
#include <string.h>

/* One user's part. */
struct owner {
	uid_t uid;
	size_t cost;
};

struct entry {
	uid_t uid;
	uint64_t told_ms;
	uint32_t len;
	uint8_t bytes[];
};

struct history {
	struct entry *entries[HISTORY_MAX]; /* oldest first */
	struct owner owners[HISTORY_MAX];   /* no user without an entry */
	unsigned count, nowners;
	size_t cost;
};

/* With this least cost the sum of costs bounds their number, too. */
static size_t
cost_of(const struct entry *e)
{
	size_t least = HISTORY_BYTES_MAX / HISTORY_MAX;

	return e->len > least ? e->len : least;
}

struct history *
history_new(void)
{
	return calloc(1, sizeof(struct history));
}

void
history_free(struct history *h)
{
	if (h == NULL)
		return;
	for (unsigned i = 0; i < h->count; i++)
		free(h->entries[i]);
	free(h);
}

unsigned
history_count(const struct history *h)
{
	return h->count;
}

static struct owner *
find_owner(struct history *h, uid_t uid)
{
	for (unsigned i = 0; i < h->nowners; i++)
		if (h->owners[i].uid == uid)
			return &h->owners[i];
	return NULL;
}

static void
remove_entry(struct history *h, unsigned i)
{
	struct entry *e = h->entries[i];
	struct owner *o = find_owner(h, e->uid);

	o->cost -= cost_of(e);
	if (o->cost == 0)
		*o = h->owners[--h->nowners];
	h->cost -= cost_of(e);
	h->count--;
	memmove(&h->entries[i], &h->entries[i + 1], (h->count - i) * sizeof(struct entry *));
	free(e);
}

/* The oldest of the user who has the most. */
static void
make_room(struct history *h)
{
	const struct owner *most = &h->owners[0];
	unsigned at = 0;

	for (unsigned i = 1; i < h->nowners; i++)
		if (h->owners[i].cost > most->cost)
			most = &h->owners[i];
	while (h->entries[at]->uid != most->uid)
		at++;
	remove_entry(h, at);
}

static void
append(struct history *h, struct entry *e)
{
	struct owner *o;

	while (h->cost + cost_of(e) > HISTORY_BYTES_MAX)
		make_room(h);
	o = find_owner(h, e->uid);
	if (o == NULL) {
		o = &h->owners[h->nowners++];
		*o = (struct owner){.uid = e->uid};
	}
	o->cost += cost_of(e);
	h->cost += cost_of(e);
	h->entries[h->count++] = e;
}

void
history_add(struct history *h, uid_t uid, uint64_t told_ms, const struct account *a)
{
	struct entry *e;
	struct buf b;

	buf_init(&b, ACCOUNT_LEN_MAX);
	account_encode(a, &b);
	e = buf_err(&b) == 0 ? malloc(sizeof *e + b.len) : NULL;
	if (e != NULL) {
		e->uid = uid;
		e->told_ms = told_ms;
		e->len = (uint32_t)b.len;
		memcpy(e->bytes, b.data, b.len);
		append(h, e);
	}
	buf_fini(&b);
}

static bool
may_see(const struct entry *e, uid_t asker)
{
	return asker == 0 || e->uid == asker;
}

void
history_encode(const struct history *h, uid_t asker, struct buf *out)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < h->count; i++)
		n += may_see(h->entries[i], asker);
	pack_map(out, 1);
	pack_uint(out, 1);
	pack_array(out, n);
	for (unsigned i = 0; i < h->count; i++) {
		const struct entry *e = h->entries[i];

		if (!may_see(e, asker))
			continue;
		pack_map(out, 3);
		pack_kuint(out, 1, e->told_ms);
		pack_kuint(out, 2, e->uid);
		pack_kbytes(out, 3, e->bytes, e->len);
	}
}
