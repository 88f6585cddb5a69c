/*
 * The include graphs (client/graph.h) of this machine's users: for each uid a piece of memory that
 * the daemon holds, so that it stays warm from one compile to the next, and hands out by
 * descriptor.  The daemon never looks inside.
 */
#ifndef MESH_GRAPHS_H
#define MESH_GRAPHS_H

#include <sys/types.h>
#include "crypto/err.h"

#define GRAPHS_MAX 64              /* users; the one who asked longest ago goes */
#define GRAPHS_SIZE (256ULL << 20) /* bytes of one graph; only what is written takes memory */
#define GRAPHS_AGE_MS 2000         /* a younger one is not forgotten: who says so means an older */

struct graphs;

struct graphs *graphs_new(void);    /* NULL: no memory */
void graphs_free(struct graphs *g); /* NULL is allowed */
/* The user's graph, made when there is none; borrowed, until the next call. -1: none can be made.
 * Sealed against a change of its size. */
int graphs_fd(struct graphs *g, uid_t uid);
/* It is full or of no use: the next graphs_fd() makes a new one, unless it is that young that the
 * wrappers who all say so at once cannot mean it.  What wrappers have mapped stays theirs. */
void graphs_forget(struct graphs *g, uid_t uid);

#endif
