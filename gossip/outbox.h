/*
 * What goes out: this node's own beacons, to all or to one, and beacons of others passed on to
 * those whom multicast does not reach.
 *
 * By unicast a relay's beacon goes to the relays of other segments, and everybody's to neighbours
 * whom multicast does not reach: OUTBOX_TARGETS_MAX at a time, all of them once in an interval; so
 * even in a mesh without multicast a node sends and receives no more than PACE_RECEIVED_PER_S.
 * Seeds get it while they are not known to be there.  When a node is first heard by unicast, some
 * of the others are carried to it, relays first (the rest comes by digests, gossip/relay.h).
 */
#ifndef GOSSIP_OUTBOX_H
#define GOSSIP_OUTBOX_H

#include "gossip/state.h"

#define OUTBOX_TARGETS_MAX 64
#define OUTBOX_RELAY_MAX 64 /* beacons passed on to a newcomer */
/* Datagrams passed on to nodes without certificate, altogether: their source proves nothing. */
#define STRANGER_PER_S 64

/* One beacon to everybody: multicast and unicast targets, the answers owed included. */
void outbox_beacon(struct gossip *g, enum beacon_kind kind, uint64_t now_ms);
/* One beacon to one endpoint. */
void outbox_beacon_to(struct gossip *g, enum beacon_kind kind, const struct endpoint *to);
/* This node's beacon to the next unicast targets, when they are more than go at once. */
void outbox_slice(struct gossip *g, uint64_t now_ms);
/* The others' beacons for a node that asked by unicast from its own address: for a newcomer some of
 * all, else only those of relays. */
void outbox_introduce(struct gossip *g, struct entry *asker, bool is_new, uint64_t now_ms);

/* Beacons on their way to one place, as many in a carry as fit; begins zeroed but for these: */
struct parcel {
	struct gossip *g;
	const struct endpoint *to; /* NULL: multicast */
	struct bucket *bucket; /* a token for each carry, and what finds none is lost; or NULL */
	uint32_t per_s;        /* of the bucket */
	uint64_t now_ms;       /* for the bucket */
	struct letter l;       /* internal */
	size_t len;
};
/* The bytes must stay until parcel_send(). */
void parcel_add(struct parcel *p, const uint8_t *bytes, size_t len);
/* What is left in it. */
void parcel_send(struct parcel *p);
/* The same address and port. */
bool endpoint_same(const struct endpoint *a, const struct endpoint *b);

#endif
