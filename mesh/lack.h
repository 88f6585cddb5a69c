/*
 * Lacks: toolchains that a peer said it has not, although its beacon or an upload says so.  Each holds until the peer's next
 * beacon, which knows better.
 */
#ifndef MESH_LACK_H
#define MESH_LACK_H

#include "gossip/member.h"

#define LACKS_MAX 64

/* All zero: none.  When it is full, the oldest is forgotten; then the peer says so once more. */
struct lacks {
	struct lack {
		struct node_id node;
		uint32_t tag;
		uint64_t heard_ms; /* its last beacon then */
	} list[LACKS_MAX];
	unsigned next;
};

/* tag: the toolchain's, as in a beacon. */
void lacks_note(struct lacks *all, const struct member *m, uint32_t tag);
bool lacks_has(const struct lacks *all, const struct member *m, uint32_t tag);

#endif
