/*
 * What the trip to a peer costs beside the compile, measured for each command and kept in the graph.
 *
 * A compile that takes less time than all else that its trip needs (the question, the job, its turn in a sandbox, the result) is better
 * done here while a local slot is free.  Only trips that nothing else made long are measured: inputs that the peer had already, no waiting,
 * no second try; and only what was measured before is believed, so that a compile's first trips always take place.
 */
#ifndef CLIENT_TRIP_H
#define CLIENT_TRIP_H

#include <stdbool.h>
#include <stdint.h>
#include "client/graph.h"
#include "crypto/digest.h"

#define TRIP_COUNT_MIN 2       /* measurements before one counts */
#define TRIP_TIMES 2           /* so many times the compile's own time is too long */
#define TRIP_TINY_US 1000000u  /* what takes longer is no tiny compile, however long the way */
#define TRIP_MOST_US 60000000u /* a longer trip is no measurement */

struct trip {
	uint32_t compile_us; /* at the peer, the longest seen */
	uint32_t around_us;  /* all the rest as this client saw it, the shortest seen */
	uint32_t count;      /* measurements, up to TRIP_COUNT_MIN */
};

/* Adds a measurement to what is known; true when that is worth keeping. */
bool trip_add(struct trip *t, uint32_t compile_us, uint32_t around_us);
/* True when the trip costs more than it saves. */
bool trip_wasted(const struct trip *t);

/* What is known of the command with this name (client/recall.h); zeroed when nothing is.  g may be NULL. */
void trip_find(struct trip *t, const struct graph *g, const struct digest *key);
/* Keeps it; when it cannot be kept, nothing is lost. */
void trip_keep(const struct trip *t, struct graph *g, const struct digest *key);

#endif
