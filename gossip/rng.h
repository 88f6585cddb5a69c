/*
 * A small pseudo-random generator (splitmix64), so that a run of gossip is a function of its seed.
 * For timers and spreading only, never for secrets.
 */
#ifndef GOSSIP_RNG_H
#define GOSSIP_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state; /* any value is a good seed */
};

/* 64 random bits. */
uint64_t rng_next(struct rng *r);
/* A number in [0, n), for n below 2^32; 0 when n is 0. */
uint32_t rng_below(struct rng *r, uint32_t n);
/* splitmix64's mixing step alone: spreads keys over hash tables. */
uint64_t rng_mix(uint64_t v);

#endif
