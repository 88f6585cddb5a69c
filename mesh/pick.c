#include "mesh/pick.h"

/* Limits by which no sum of weights overflows: 2^8 * 2^32 * VIEWS_MAX candidates. */
#define FREE_MAX 255 /* free slots that count */
#define SPEED_MAX 64 /* speeds in sixteenths of an ordinary one */
#define SPEED_MIN 4
#define SPEED_ONE 16

/* The eighth power: in the simulator steep weights come nearest to always taking the fastest (the fifth gives 1.29 of the ideal
 * time where one build has 500 nodes of mixed speeds), and they do not herd as that does. */
static uint64_t
weight_speed(const struct candidate *c)
{
	uint64_t s = c->speed ? (uint64_t)c->speed * SPEED_ONE / 1000 : SPEED_ONE;
	s = s < SPEED_MIN ? SPEED_MIN : s > SPEED_MAX ? SPEED_MAX : s;
	s *= s;
	s *= s;
	return s * s >> 16;
}

static uint64_t
weight_free(const struct candidate *c)
{
	if (!c->ready || c->avoid || c->used >= c->slots)
		return 0;
	uint64_t f = c->slots - c->used;
	return (f < FREE_MAX ? f : FREE_MAX) * weight_speed(c);
}

static uint64_t
weight_ahead(const struct candidate *c)
{
	bool room = c->ready && !c->avoid && c->slots && c->used < (uint64_t)c->slots + PICK_AHEAD;
	return room ? weight_speed(c) : 0;
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
