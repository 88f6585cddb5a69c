/*
 * Names known not to stand in a folder, kept in the graph (client/graph.h) under the folder's
 * state.
 *
 * Only the names' 64-bit hashes are kept, in a few tables of growing size: new names go to the
 * smallest, and when that is full it is merged into the next, so that what is written for each
 * name stays small however many jobs add one.  The key must change whenever a name may have
 * appeared in the folder.  Two wrappers that add at the same time lose one's names, which are
 * probed again.
 */
#ifndef CLIENT_ABSENT_H
#define CLIENT_ABSENT_H

#include <stdbool.h>
#include <stdint.h>
#include "client/graph.h"

#define ABSENT_LEVELS 5 /* up to 8192 names */

struct absent {
	struct {
		const uint64_t *slots; /* in the graph; NULL: nothing of this level */
		size_t mask;
	} level[ABSENT_LEVELS];
	unsigned used; /* levels with anything in them: a bit each */
};

/* The hash of a name; never 0. */
uint64_t absent_hash(const char *name, size_t len);
/* Takes what the graph knows under the key, whose last byte is overwritten (the level). */
void absent_load(struct absent *a, const struct graph *g, char *key, size_t key_len);
bool absent_has(const struct absent *a, uint64_t hash);
/* Adds n hashes to what was loaded; a graph without room is no error. IM_ERR_MEMORY. */
int absent_add(struct absent *a, struct graph *g, char *key, size_t key_len, const uint64_t *hashes,
        size_t n) IM_MUST;

#endif
