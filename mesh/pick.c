#include "mesh/pick.h"

#include "gossip/rng.h"

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
weight(const struct candidate *c)
{
	if (!c->ready || c->avoid || c->used >= c->slots)
		return 0;
	uint64_t f = c->slots - c->used;
	return (f < FREE_MAX ? f : FREE_MAX) * weight_speed(c);
}

static int
draw(const struct candidate *c, unsigned n, uint64_t total, uint64_t random)
{
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
pick_peer(const struct candidate *c, unsigned n, unsigned draws, uint64_t random)
{
	uint64_t total = 0;
	for (unsigned i = 0; i < n; i++)
		total += weight(&c[i]);
	if (total == 0)
		return -1;
	int best = draw(c, n, total, random);
	for (unsigned k = 1; k < draws && k < PICK_DRAWS_MAX; k++) {
		int i = draw(c, n, total, rng_mix(random + k));
		if (weight_speed(&c[i]) > weight_speed(&c[best]))
			best = i;
	}
	return best;
}
