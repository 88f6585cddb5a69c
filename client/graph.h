/*
 * The include graph: what the wrappers of one user know of their files, in memory shared by all of
 * them (mesh/graphs.h).
 *
 * A map from byte strings to byte strings that only grows: an entry is written, then published by
 * one atomic store, so that readers take no lock, and a writer that dies in the middle leaves
 * nothing but lost room.  Every entry carries a check sum over key and value; one that does not
 * fit, wherever it came from, is as good as absent.  Offsets are checked before they are followed.
 * The newest entry of a key counts; where links are damaged an older one may come back, so a value
 * must say itself what it holds for.  When it is full, additions fail and the daemon is asked for a
 * new one.  A file of zeros is an empty graph.  Versions of icemesh do not see each other's entries.
 */
#ifndef CLIENT_GRAPH_H
#define CLIENT_GRAPH_H

#include <stdbool.h>
#include <stddef.h>
#include "crypto/err.h"

#define GRAPH_KEY_MAX 8192
#define GRAPH_VALUE_MAX (2u << 20)
#define GRAPH_FILE_MIN (1u << 20) /* bytes */

struct graph;

/* Maps the file, whose descriptor it closes, also on error.  IM_ERR_FORMAT: no graph, one of another
 * layout, or a file that is not sealed against a change of its size; IM_ERR_SYSTEM; IM_ERR_MEMORY. */
int graph_open(struct graph **out, int fd) IM_MUST;
void graph_free(struct graph *g); /* NULL is allowed, here and below: a graph always empty */
/* The newest value under key, inside the shared memory (8-byte aligned) and valid until
 * graph_free(); NULL when absent. */
const void *graph_find(const struct graph *g, const void *key, size_t key_len, size_t *len);
/* Does nothing when this is the newest value already.  IM_ERR_LIMIT when there is no room, or when
 * key or value is longer than allowed. */
int graph_add(struct graph *g, const void *key, size_t key_len, const void *value, size_t len);
/* How much of its room is taken, in per cent; 100 for NULL. */
unsigned graph_filled(const struct graph *g);
/* True when it is nearly full, or damaged where additions would go: say so to the daemon. */
bool graph_full(const struct graph *g);

#endif
