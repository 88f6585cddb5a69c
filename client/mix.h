/*
 * One step of a 64-bit hash: for tables and for accidents, not against enemies.
 *
 * One to one in h for a given word, and in word for a given h: damage to one word always shows.
 */
#ifndef CLIENT_MIX_H
#define CLIENT_MIX_H

#include <stdint.h>

static inline uint64_t
mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9fb21c651e98df25ULL;
	return h ^ h >> 32;
}

#endif
