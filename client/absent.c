#include "client/absent.h"

#include <stdlib.h>
#include <string.h>
#include "client/mix.h"

#define FIRST_NAMES 32 /* of the smallest table; each next one holds four times as many */
#define HASH_SEED 0x9e3779b97f4a7c15ULL

static size_t
level_names(unsigned level)
{
	return (size_t)FIRST_NAMES << 2 * level;
}

uint64_t
absent_hash(const char *name, size_t len)
{
	uint64_t h = mix(HASH_SEED, len), word;

	for (; len >= 8; name += 8, len -= 8) {
		memcpy(&word, name, 8);
		h = mix(h, word);
	}
	word = 0;
	memcpy(&word, name, len);
	h = mix(mix(h, word), HASH_SEED);
	return h ? h : 1;
}

void
absent_load(struct absent *a, const struct graph *g, char *key, size_t key_len)
{
	memset(a, 0, sizeof(*a));
	for (unsigned i = 0; i < ABSENT_LEVELS; i++) {
		const uint64_t *slots;
		size_t len, n;

		key[key_len - 1] = (char)i;
		slots = graph_find(g, key, key_len, &len);
		n = slots ? len / sizeof(*slots) : 0;
		/* One slot says that the level was emptied into the next one. */
		if (n < 2 || n * sizeof(*slots) != len || (n & (n - 1)) != 0)
			continue;
		a->level[i].slots = slots;
		a->level[i].mask = n - 1;
		a->used |= 1u << i;
	}
}

static bool
table_has(const uint64_t *slots, size_t mask, uint64_t hash)
{
	for (size_t i = hash & mask, n = 0; n <= mask && slots[i]; i = (i + 1) & mask, n++)
		if (slots[i] == hash)
			return true;
	return false;
}

bool
absent_has(const struct absent *a, uint64_t hash)
{
	for (unsigned left = a->used; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if (table_has(a->level[i].slots, a->level[i].mask, hash))
			return true;
	}
	return false;
}

static size_t
table_count(const uint64_t *slots, size_t mask)
{
	size_t n = 0;

	for (size_t i = 0; i <= mask; i++)
		n += slots[i] != 0;
	return n;
}

static void
table_put(uint64_t *slots, size_t mask, const uint64_t *hashes, size_t n)
{
	for (size_t k = 0; k < n; k++) {
		size_t i = hashes[k] & mask;

		if (!hashes[k])
			continue;
		while (slots[i] && slots[i] != hashes[k])
			i = (i + 1) & mask;
		slots[i] = hashes[k];
	}
}

/* The level whose table takes n names and all of the levels below and at it; ABSENT_LEVELS: none
 * does. *total: so many. */
static unsigned
level_for(const struct absent *a, size_t n, size_t *total)
{
	unsigned i;

	for (i = 0; i < ABSENT_LEVELS; i++) {
		if (a->level[i].slots)
			n += table_count(a->level[i].slots, a->level[i].mask);
		if (n <= level_names(i))
			break;
	}
	*total = n;
	return i;
}

int
absent_add(struct absent *a, struct graph *g, char *key, size_t key_len, const uint64_t *hashes,
        size_t n)
{
	static const uint64_t nothing[1];
	size_t total, size = 2;
	unsigned top = level_for(a, n, &total);
	uint64_t *slots;

	/* Full: begin anew with these. */
	if (top == ABSENT_LEVELS) {
		a->used = 0;
		memset(a->level, 0, sizeof(a->level));
		top = ABSENT_LEVELS - 1;
		total = n < level_names(top) ? n : level_names(top);
		n = total;
	}
	while (size < 2 * total)
		size *= 2;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return IM_ERR_MEMORY;
	table_put(slots, size - 1, hashes, n);
	for (unsigned i = 0; i <= top; i++)
		if (a->level[i].slots)
			table_put(slots, size - 1, a->level[i].slots, a->level[i].mask + 1);
	key[key_len - 1] = (char)top;
	if (graph_add(g, key, key_len, slots, size * sizeof(*slots)) == 0)
		for (unsigned i = 0; i < top; i++) {
			key[key_len - 1] = (char)i;
			if (a->level[i].slots &&
			        graph_add(g, key, key_len, nothing, sizeof(nothing)) != 0)
				break;
		}
	free(slots);
	return 0;
}
