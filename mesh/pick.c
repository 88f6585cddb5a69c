#include "mesh/pick.h"

#define FREE_MAX 65535 /* free slots that count, so that no sum of weights overflows */

/* What a candidate weighs: free slots squared, so that an idle peer is asked well before one with a single place left. */
static uint64_t
weight_free(const struct candidate *c)
{
	if (!c->ready || c->avoid || c->used >= c->slots)
		return 0;
	uint64_t f = c->slots - c->used;
	if (f > FREE_MAX)
		f = FREE_MAX;
	return f * f;
}

static uint64_t
weight_ahead(const struct candidate *c)
{
	return c->ready && !c->avoid && c->slots && c->used < (uint64_t)c->slots + PICK_AHEAD;
}

static uint64_t
weight_any(const struct candidate *c)
{
	return c->ready && !c->avoid && c->slots;
}

static int
draw(const struct candidate *c, unsigned n, uint64_t random,
        uint64_t (*weight)(const struct candidate *))
{
	uint64_t total = 0;
	for (unsigned i = 0; i < n; i++)
		total += weight(&c[i]);
	if (total == 0)
		return -1;
	uint64_t at = random % total;
	for (unsigned i = 0; i < n; i++) {
		uint64_t w = weight(&c[i]);
		if (at < w)
			return (int)i;
		at -= w;
	}
	return -1;
}

int
pick_peer(const struct candidate *c, unsigned n, uint64_t random)
{
	int i = draw(c, n, random, weight_free);
	return i >= 0 ? i : draw(c, n, random, weight_ahead);
}

int
pick_probe(const struct candidate *c, unsigned n, uint64_t random)
{
	return draw(c, n, random, weight_any);
}
