/*
 * How long compiles take here, and how long at peers, way included: both as parts of what was predicted (client/forecast.h), so that
 * different commands can be compared.  Kept for each toolchain in the graph.
 *
 * Peers that lose against this machine are of no use while a local slot is free.  What happens anyway is measured, nothing is tried
 * out: compiles go to peers first, and some stay here because all peers were busy.
 */
#ifndef CLIENT_HOME_H
#define CLIENT_HOME_H

#include <stdbool.h>
#include <stdint.h>
#include "client/graph.h"
#include "crypto/digest.h"

#define HOME_COUNT_MIN 3 /* measurements of a side before it counts */
#define HOME_WEIGHT 4    /* a new one counts one in so many, when there are as many */
#define HOME_TIMES 2     /* so many times faster this machine must be */
#define HOME_LEAST_MS 50 /* predictions below say too little */

#define HOME_TIMED \
	8 /* of the compiles that are done here, one in so many is timed once the time is known */
#define HOME_SENT 16 /* of those that peers would lose, one in so many goes there all the same */

enum home_place { HOME_HERE, HOME_THERE, HOME_PLACES };

struct home_times {
	uint32_t permille, count; /* of the predicted time; measurements, up to HOME_WEIGHT */
};

struct home {
	struct home_times at[HOME_PLACES];
};

/* Adds a measurement; true when that is worth keeping.  took_us 0, or a prediction below HOME_LEAST_MS: none. */
bool home_add(struct home_times *t, uint64_t took_us, uint32_t predicted_ms);
/* True when compiles are done clearly faster here. */
bool home_is_faster(const struct home *h);
/* True when this process's compile had better stay here while there is room. */
bool home_keeps(const struct home *h);

/* What is known for a toolchain; zeroed when nothing is.  g may be NULL, here and below. */
void home_find(struct home *h, const struct graph *g, const struct digest *toolchain);
/* True when it is of use to know how long this process's compile takes here. */
bool home_is_timed(const struct graph *g, const struct digest *toolchain, uint32_t predicted_ms);
/* A compile was done, in so much time. */
void home_took(struct graph *g, const struct digest *toolchain, enum home_place place,
        uint64_t took_us, uint32_t predicted_ms);

#endif
