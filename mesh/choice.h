/*
 * The choice of a peer for a want of mesh/lease.h: who could run it, and in whose queue it waits.  Pure.
 */
#ifndef MESH_CHOICE_H
#define MESH_CHOICE_H

#include "mesh/lease_state.h"

/* able: peers that could run it; usable: of these, not left alone; ready: with the toolchain; count: of l->candidates and l->of, which are
 * those that are not asked for it already. */
struct choice {
	unsigned count, able, usable, ready;
};

void choice_gather(struct leases *l, const struct wanted *w, struct choice *f);
/* The candidate with the shortest queue of some; -1 when none has a place. */
int choice_place(struct leases *l, unsigned count);

#endif
