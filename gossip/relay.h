/*
 * The relay: what passes between segments, and how two nodes find out what the other lacks.
 *
 * Relays (gossip/segment.h) send their own beacons straight to the relays of other segments
 * (gossip/outbox.h) and, RELAY_FANOUT at a time, digests of all they know; who lacks or has older
 * asks for those beacons and gets them in carries (gossip/letter.h).  A whole round of digests
 * takes one beacon interval.  What comes from afar is multicast in the segment: by the first relay
 * always, by the second when the first did not lately, by anybody when it is the first word of a
 * node.  Who comes, goes or moves is also passed on at once, to a few.
 * Nothing circles: a beacon is passed on only when it was new here, never one that was carried by
 * multicast.  Every kind of sending has a token bucket, so the first meeting of two large segments
 * takes a while instead of a storm.  A token proves who asks receives where it says; a digest is
 * heeded only from an address of the live node that it names.
 */
#ifndef GOSSIP_RELAY_H
#define GOSSIP_RELAY_H

#include "gossip/inbox.h"
#include "gossip/state.h"

#define RELAY_FANOUT 3
#define RELAY_ASK_PER_S 20    /* requests sent */
#define RELAY_CARRY_PER_S 100 /* carries sent on request */
#define RELAY_NEWS_PER_S 50   /* carries sent unasked */
#define RELAY_BURST_S 2       /* each bucket holds as much as it gets in this time */
#define RELAY_HEAL_MS 5000    /* between two tries to find lost nodes again */

void relay_start(struct gossip *g, uint64_t now_ms);
/* A letter. 0, IM_ERR_EXISTS (nothing in it that matters), or why it was refused. */
int relay_receive(struct gossip *g, const struct arrival *a) IM_MUST;
/* A beacon of e was accepted; news: its node came, went or moved. */
void relay_heard(struct gossip *g, const struct arrival *a, struct entry *e, bool news);
/* Asks a neighbour by unicast whose multicast has stopped; true when a beacon was sent. */
bool relay_probe(struct gossip *g, struct entry *e, uint64_t now_ms);
/* Before that time it would ask nothing. */
uint64_t relay_probe_ms(const struct entry *e);
/* Sends the digest that is due, and now and then a word to a lost node. */
void relay_tick(struct gossip *g, uint64_t now_ms);
uint64_t relay_deadline(const struct gossip *g);

#endif
