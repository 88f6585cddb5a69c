/*
 * Hedging: second copies of the jobs of mesh/lease.h that would end late.  Pure.
 *
 * A job is late when free peers would have a copy done clearly before it ends, or when it has run far beyond what was expected.  Only once no want is left,
 * one at a time, the latest first.
 */
#ifndef MESH_HEDGE_H
#define MESH_HEDGE_H

#include "mesh/lease_state.h"

/* How many copies there may be: a job that is granted earns LEASE_HEDGE_PERMILLE of one. */
void hedge_init(struct leases *l);
void hedge_earn(struct leases *l);
void hedge_spend(struct leases *l);
/* Asks for a slot for a second copy, if one is worth it. */
void hedge_try(struct leases *l);

#endif
