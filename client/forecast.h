/*
 * How long a compile will take, by how long it took before: kept for each command in the graph, told to the daemon with WANT.
 *
 * The mean of the first times at peers, later one that follows slowly, of whatever speed they were: the daemon, who knows which peer took how
 * long, learns their speeds from it.  A time near what is known is no news and costs no room in the graph.
 */
#ifndef CLIENT_FORECAST_H
#define CLIENT_FORECAST_H

#include <stdbool.h>
#include <stdint.h>
#include "client/graph.h"
#include "crypto/digest.h"
#include "exec/job.h"

#define FORECAST_WEIGHT 4 /* a new time counts one in so many, when there are as many */
#define FORECAST_NEAR 4   /* within one in so many of the mean a time is near */

struct forecast {
	uint32_t mean_us,
	        count; /* count: times in it, up to FORECAST_WEIGHT; 0: nothing is known */
};

/* Adds a time (0 and what is over an hour: none) to what is known; true when that is worth keeping. */
bool forecast_add(struct forecast *f, uint64_t compile_us);
/* In milliseconds, at least 1; 0 when nothing is known. */
uint32_t forecast_ms(const struct forecast *f);

/* The name of a command: where it runs, its outputs, its words (up to NULL; job->argv does not count). */
void forecast_name(struct digest *name, const struct job *job, char *const *argv);
/* What is known of the command; zeroed when nothing is.  g may be NULL. */
void forecast_find(struct forecast *f, const struct graph *g, const struct digest *name);
/* Keeps it; when it cannot be kept, nothing is lost. */
void forecast_keep(const struct forecast *f, struct graph *g, const struct digest *name);

#endif
