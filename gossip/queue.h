/*
 * The actions that gossip wants carried out, first in, first out.
 *
 * Records lie one behind another in one growing buffer with a hard maximum; it is kept between
 * uses while it is small, so that ordinary traffic allocates nothing.  When it is full,
 * datagrams are dropped first: news of members keep a reserve of their own, for the owner would
 * never hear of them again.
 */
#ifndef GOSSIP_QUEUE_H
#define GOSSIP_QUEUE_H

#include "gossip/gossip.h"

#define QUEUE_DATAGRAM_BYTES (1024 * 1024)                   /* no datagram is added beyond this */
#define QUEUE_BYTES_MAX (QUEUE_DATAGRAM_BYTES + 1024 * 1024) /* and news */

struct queue {
	struct buf bytes;
	size_t at; /* start of the first record not taken */
};

void queue_init(struct queue *q);
void queue_fini(struct queue *q);
/* A datagram to one endpoint; dropped when the queue is full. */
void queue_send(struct queue *q, const struct endpoint *to, const void *bytes, size_t len);
/* The same to everybody, by IPv4 alone or by both families. */
void queue_multicast(struct queue *q, bool ipv4_alone, const void *bytes, size_t len);
/* News of a member. */
void queue_tell(struct queue *q, enum gossip_action_type type, const struct node_id *node);
/* Takes the oldest; false when there is none. */
bool queue_take(struct queue *q, struct gossip_action *a);

#endif
