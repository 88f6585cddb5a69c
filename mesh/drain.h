/*
 * Draining: other nodes' jobs here may finish while no new ones come; before the daemon ends, and before the node leaves its mesh.
 */
#ifndef MESH_DRAIN_H
#define MESH_DRAIN_H

#include <stdbool.h>
#include "mesh/node.h"

#define DRAIN_MS 30000 /* for them to finish */

struct drain;

/* done(arg) is called from drain_begin() or the loop, once nothing of others is here or DRAIN_MS are over; it may free the drain. NULL without memory. */
struct drain *drain_new(struct node *n, void (*done)(void *arg), void *arg);
/* The second call ends the waiting at once. */
void drain_begin(struct drain *d);
/* True when drain_begin() was called and done() was not. */
bool drain_waits(const struct drain *d);
/* Jobs are taken again, unless something else drains. */
void drain_free(struct drain *d);

#endif
