/*
 * Picking: which peer to ask next.  Pure: candidates and a random number come in.
 *
 * Gossip only decides whom to ask; the peer's own admission decides (DESIGN section 6).  A peer is drawn with a probability that grows with its
 * free slots as this node believes them, its own jobs in flight counted, and steeply with its speed as this node has measured it: while slots
 * are free anywhere, a fast one is worth several slow ones.  A long job gets the fastest of several draws: where it goes decides when the
 * build ends, while one rule for all would send everybody's jobs to the same peers.
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

#define PICK_DRAWS_MAX 9

/* Index of the candidate to ask, the fastest of so many draws (at least one), or -1 when none has a free slot. random: uniform 64 bits. */
int pick_peer(const struct candidate *c, unsigned n, unsigned draws, uint64_t random);

#endif
