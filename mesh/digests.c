#include "mesh/digests.h"

#include <stdlib.h>
#include <string.h>
#include "crypto/key.h"

#define FIRST_CAP 64

void
digests_init(struct digests *s, uint32_t max)
{
	memset(s, 0, sizeof *s);
	s->max = max;
	random_bytes(s->salt, sizeof s->salt);
}

void
digests_fini(struct digests *s)
{
	free(s->keys);
	free(s->slots);
	s->keys = NULL;
	s->slots = NULL;
	s->nslots = s->n = s->top = s->cap = s->unused = 0;
}

/* Where the search begins: every byte of the digest counts, and the salt is ours. */
static uint32_t
slot_of(const struct digests *s, const struct digest *d)
{
	uint64_t w[4];
	memcpy(w, d->bytes, sizeof w);
	uint64_t h = (w[0] + s->salt[0]) * ((w[1] + s->salt[1]) | 1) +
	             (w[2] + s->salt[2]) * ((w[3] + s->salt[3]) | 1);
	h ^= h >> 32;
	h *= s->salt[0] | 1;
	return (uint32_t)(h >> 32) & (s->nslots - 1);
}

/* The slot that holds d, or the empty one where it would stand. */
static uint32_t
find_slot(const struct digests *s, const struct digest *d)
{
	uint32_t at = slot_of(s, d);
	while (s->slots[at] && !digest_equal(&s->keys[s->slots[at] - 1], d))
		at = (at + 1) & (s->nslots - 1);
	return at;
}

uint32_t
digests_find(const struct digests *s, const struct digest *d)
{
	if (!s->n)
		return DIGESTS_NONE;
	return s->slots[find_slot(s, d)] - 1; /* an empty slot's 0 becomes DIGESTS_NONE */
}

/* Room for one more at load at most one half. False: full, or no memory. */
static bool
grow(struct digests *s)
{
	if (s->n == s->max)
		return false;
	if (s->unused || s->top < s->cap)
		return true;
	uint32_t cap = s->cap ? s->cap * 2 : FIRST_CAP;
	uint32_t *slots = calloc((size_t)cap * 2, sizeof *slots), *old = s->slots;
	struct digest *keys = slots ? realloc(s->keys, cap * sizeof *keys) : NULL;
	if (!keys) {
		free(slots);
		return false;
	}
	uint32_t nold = s->nslots;
	s->keys = keys;
	s->slots = slots;
	s->cap = cap;
	s->nslots = cap * 2;
	for (uint32_t i = 0; i < nold; i++)
		if (old[i])
			slots[find_slot(s, &keys[old[i] - 1])] = old[i];
	free(old);
	return true;
}

uint32_t
digests_add(struct digests *s, const struct digest *d, bool *fresh)
{
	uint32_t i = digests_find(s, d);
	*fresh = false;
	if (i != DIGESTS_NONE || !grow(s))
		return i;
	if (s->unused) {
		i = s->unused - 1;
		memcpy(&s->unused, s->keys[i].bytes, sizeof s->unused);
	} else {
		i = s->top++;
	}
	s->slots[find_slot(s, d)] = i + 1;
	s->keys[i] = *d;
	s->n++;
	*fresh = true;
	return i;
}

void
digests_remove(struct digests *s, uint32_t i)
{
	uint32_t mask = s->nslots - 1, hole = find_slot(s, &s->keys[i]);
	/* what stands behind the hole moves up, unless its search begins behind it */
	for (uint32_t at = (hole + 1) & mask; s->slots[at]; at = (at + 1) & mask) {
		uint32_t home = slot_of(s, &s->keys[s->slots[at] - 1]);
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		s->slots[hole] = s->slots[at];
		hole = at;
	}
	s->slots[hole] = 0;
	memcpy(s->keys[i].bytes, &s->unused, sizeof s->unused);
	s->unused = i + 1;
	s->n--;
}

const struct digest *
digests_at(const struct digests *s, uint32_t i)
{
	return &s->keys[i];
}
