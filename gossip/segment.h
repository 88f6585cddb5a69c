/*
 * The segment: this node and those whom it hears by multicast.  Who of them speaks to other
 * segments, and whether multicast arrives at all.
 *
 * Relays are the SEGMENT_RELAYS members of the segment with the highest hash of (node id, epoch),
 * so that everybody finds the same ones without a word and the office moves on every ten minutes.
 * A node that hears nobody by multicast is its own segment and its own relay: a mesh without
 * multicast is the case where all are.  A beacon says whether its node is a relay.
 *
 * Beacons go by both families, until each of the segment says that it hears all others by IPv4: then that is enough, and half the
 * datagrams are spared.  A newcomer has not said it yet, so everything goes by both for a while; and so it does when a switch
 * forgets who is in the IPv4 group: who then hears his neighbours only because he asks them says HELLO by both families,
 * without that bit.
 */
#ifndef GOSSIP_SEGMENT_H
#define GOSSIP_SEGMENT_H

#include "gossip/state.h"

#define SEGMENT_RELAYS 2
#define SEGMENT_EPOCH_S 600
/* Beacons count unchecked for so long, or until their node would be gone. */
#define SEGMENT_TRUST_MS 60000
#define SEGMENT_IPV4_FIRST_MS 3000  /* before a node says that it hears all by IPv4, */
#define SEGMENT_IPV4_AGAIN_MS 60000 /* and after it had to take that back */

/* True when e, checked since_ms, has spoken by multicast since, though nobody has looked at the signature: that counts for a
 * while, until forged ones come. */
bool segment_hears(const struct entry *e, uint64_t since_ms, uint64_t now_ms);
/* True for a live node that is heard by multicast, itself, not through a relay. */
bool segment_has(const struct entry *e, uint64_t now_ms);
/* Finds this node's rank in its segment and the segment's size anew; O(members). */
void segment_update(struct gossip *g, uint64_t now_ms);
/* This node came to another network: nobody counts as heard by multicast any more. */
void segment_leave(struct gossip *g);
bool segment_is_relay(const struct gossip *g);
/* A live node of another segment that speaks for it. */
bool segment_is_far_relay(const struct entry *e);
/* True when the address lies in a network to which one of this node's interfaces is connected. */
bool segment_is_near(const struct gossip *g, const struct endpoint *e);
/* True for a node on one of this node's own networks that sends by multicast, yet has been heard
 * by unicast only for a few intervals. */
bool segment_is_deaf_to(const struct gossip *g, const struct entry *e, uint64_t now_ms);

#endif
