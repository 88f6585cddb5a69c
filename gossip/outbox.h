/*
 * What goes out: this node's own beacons, to all or to one, and beacons of others passed on to
 * those whom multicast does not reach.
 *
 * By unicast a beacon goes to every seed and to members that were not heard by multicast, at
 * most OUTBOX_TARGETS_MAX at a time in rotation.  Another node's beacon is passed on verbatim,
 * by unicast only, and only when it is first seen, so that nothing circles.
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
/* A node was first heard by unicast: its beacon for the others; when it spoke itself (not through
 * a relay), theirs for it. */
void outbox_introduce(struct gossip *g, struct entry *newcomer, bool direct, uint64_t now_ms);
/* The same address and port. */
bool endpoint_same(const struct endpoint *a, const struct endpoint *b);

#endif
