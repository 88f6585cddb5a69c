/*
 * A set of digests that gives each a small number: an index that its owner uses for arrays of its own.
 *
 * Open addressing over a hash with a secret salt: digests come from peers, who would otherwise choose such as collide.  A number
 * holds until its digest is removed; then it is given to a later one.
 */
#ifndef MESH_DIGESTS_H
#define MESH_DIGESTS_H

#include <stdint.h>
#include "crypto/digest.h"

#define DIGESTS_NONE UINT32_MAX

struct digests {
	struct digest *keys;
	uint32_t *slots; /* number + 1, 0: empty */
	uint32_t nslots; /* a power of two */
	uint32_t n, top, cap, max;
	uint32_t unused; /* number + 1 of the first one given back, 0: none */
	uint64_t salt[4];
};

/* An empty set that will never hold more than max digests; allocates nothing. */
void digests_init(struct digests *s, uint32_t max);
void digests_fini(struct digests *s);
/* Its number, DIGESTS_NONE when it is not in the set. */
uint32_t digests_find(const struct digests *s, const struct digest *d);
/* Its number, a new one when it was not in the set (*fresh says so); DIGESTS_NONE: full, or no memory. */
uint32_t digests_add(struct digests *s, const struct digest *d, bool *fresh);
/* Takes out what has this number. */
void digests_remove(struct digests *s, uint32_t i);
/* The digest with this number, which must be given. */
const struct digest *digests_at(const struct digests *s, uint32_t i);

#endif
