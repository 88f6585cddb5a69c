#include "mesh/pick.h"

/* Limits by which no sum of weights overflows: 2^24 * 2^30 * 512 candidates. */
#define FREE_MAX 4095 /* free slots that count */
#define SPEED_MAX 64  /* speeds in sixteenths of an ordinary one */
#define SPEED_MIN 4
#define SPEED_ONE 16

/* The fifth power: in simulations of mixed speeds steep weights come nearest to always taking the fastest, and do
 * not herd as that does. */
static uint64_t
weight_speed(const struct candidate *c)
{
	uint64_t s = c->speed ? (uint64_t)c->speed * SPEED_ONE / 1000 : SPEED_ONE;
	s = s < SPEED_MIN ? SPEED_MIN : s > SPEED_MAX ? SPEED_MAX : s;
	return s * s * s * s * s;
}

/* Free slots squared, so that an idle peer is asked well before one with a single place left. */
static uint64_t
weight_free(const struct candidate *c)
{
	if (!c->ready || c->avoid || c->used >= c->slots)
		return 0;
	uint64_t f = c->slots - c->used;
	if (f > FREE_MAX)
		f = FREE_MAX;
	return f * f * weight_speed(c);
}

static uint64_t
weight_ahead(const struct candidate *c)
{
	bool room = c->ready && !c->avoid && c->slots && c->used < (uint64_t)c->slots + PICK_AHEAD;
	return room ? weight_speed(c) : 0;
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
