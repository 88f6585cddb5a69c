/*
 * Picking: which peer to ask next.  Pure: candidates and a random number come in.
 *
 * Gossip only decides whom to ask; the peer's own admission decides (DESIGN section 6).  A peer is drawn with a probability that grows with its
 * free slots as this node believes them, its own jobs in flight counted, and steeply with its speed as this node has measured it: while slots
 * are free anywhere, a fast one is worth several slow ones.  When none has a free slot, one that takes a job ahead of its slots.
 */
#ifndef MESH_PICK_H
#define MESH_PICK_H

#include <stdbool.h>
#include <stdint.h>

struct candidate {
	uint32_t slots, used;
	bool ready;     /* the toolchain is there */
	bool avoid;     /* failed lately, or this job must not go there again */
	uint32_t speed; /* permille of an ordinary machine's, as measured here; 0: not known */
};

#define PICK_AHEAD 1 /* jobs a peer takes beyond its slots */

/* Index of the candidate to ask, or -1 when none has room. random: uniform 64 bits. */
int pick_peer(const struct candidate *c, unsigned n, uint64_t random);

#endif
