/*
 * Fetching: a job's inputs that lack here are asked of a member that has them, in place of the client (mesh/wire.h).
 *
 * It saves the client's line when many peers need the same headers, and is a help only: whatever goes wrong, or takes long, ends the
 * fetch; each holder is asked once, and the client, who always can, for the rest.  One fetch is one connection.  What comes in is
 * checked like a client's (mesh/job_set.h); the holder is chosen among live members, whoever names it.
 */
#ifndef MESH_FETCH_H
#define MESH_FETCH_H

#include "mesh/node.h"

#define FETCH_BLOBS_MIN 32          /* the client sends so many, of together... */
#define FETCH_BYTES_MIN (64 * 1024) /* ...so many bytes, as soon as anybody else could */
#define FETCH_QUIET_MS 300          /* without progress, the connection's making included */
#define FETCH_MS 10000              /* for all of it */

struct fetch;

struct fetch_ops {
	/* The body of a BLOB, DATA or END; negative when the holder may not say that. */
	int (*take)(void *arg, uint8_t type, const uint8_t *p, size_t len);
	/* It is over, well or not; the owner frees it. */
	void (*ended)(void *arg);
};

/* One of these nodes (at most 32), a live member that may serve jobs and is not this node; NULL: none of them is. asked: a bit for each of
 * those that will not be chosen again. */
const struct member *fetch_choose(
        struct node *n, const struct node_id *ids, uint32_t nids, uint32_t *asked);
/* Connects, and asks for what the body of a NEED says. Calls back later only. NULL: no memory, or no way to get there. */
struct fetch *fetch_new(struct node *n, const struct member *holder, const struct buf *need,
        const struct fetch_ops *ops, void *arg);
void fetch_free(struct fetch *f); /* NULL is allowed */
/* The holder, for log lines. */
const char *fetch_name(const struct fetch *f);

#endif
