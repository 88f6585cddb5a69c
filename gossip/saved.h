/*
 * The member table as it lies on disk: who was there, where, and how far its beacons had
 * counted.
 *
 * A packet {1: version 1, 2: array of {1: node id, 2: address (4 or 16 bytes), 3: port, 4:
 * name, 5: boot id, 6: sequence, 64: interface of a link-local address, 65: 1 when it is gone and
 * kept against replay only}}.  It is read as hostile bytes: at most GOSSIP_SAVE_MAX of them and
 * GOSSIP_MEMBERS_MAX entries.
 */
#ifndef GOSSIP_SAVED_H
#define GOSSIP_SAVED_H

#include "gossip/gossip.h"

struct saved {
	struct node_id node;
	struct endpoint at;
	char name[NAME_SIZE];
	uint64_t boot, seq;
	bool gone;
};

/* Appends the table of n entries; what cannot be saved is left to buf_err(out). */
void saved_encode(const struct saved *list, size_t n, struct buf *out);
/* *list receives an array of *n entries that the caller frees. IM_ERR_FORMAT, IM_ERR_LIMIT,
 * IM_ERR_VERSION, IM_ERR_MEMORY. */
int saved_decode(struct saved **list, size_t *n, const void *bytes, size_t len) IM_MUST;

#endif
