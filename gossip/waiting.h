/*
 * Beacons that wait for their signatures to be checked.
 *
 * Checking one costs as much as refusing a hundred, and anybody can send forgeries: so only so many
 * are checked in a second, and what comes beyond waits.  A waiter keeps one beacon of those
 * that came for its place: the newest, or, once one was forged, a random one of them, so that a
 * forger cannot choose which is looked at; and after each forged one its place is looked at more
 * rarely.  A known member has a waiter of its own; newcomers share WAITING_PLACES by the address
 * from which they speak, and the places are served in turn, so that one address takes one share.
 */
#ifndef GOSSIP_WAITING_H
#define GOSSIP_WAITING_H

#include "gossip/member.h"
#include "gossip/rng.h"

#define WAITING_PLACES 128
#define WAITING_DOUBT_MS 60000 /* how long one forged beacon casts doubt on silence */

struct parcel;

struct arrival {
	const uint8_t *bytes;
	size_t len;
	const struct endpoint *from;
	bool via_multicast;
	uint64_t now_ms;
	bool carried;          /* in a letter of a relay, not by the node itself */
	struct parcel *spread; /* carried: what is to be multicast here goes in there; else NULL */
};

struct waiter {
	struct endpoint from;
	bool via_multicast, carried;
	bool home;              /* the kept one came from where its node is known to be, too */
	uint8_t failures;       /* forged ones in succession */
	uint16_t len;           /* 0: nothing waits */
	uint32_t n;             /* beacons since the last check */
	uint64_t heard_ms;      /* when the kept one came */
	uint64_t not_before_ms; /* no check before, after forged ones */
	uint64_t failed_ms;     /* of the last forged one; 0 never */
	uint8_t raw[BEACON_LEN_MAX];
};

struct waiting {
	struct waiter places[WAITING_PLACES];
	size_t count, cursor; /* places with a beacon; whose turn it is */
	uint64_t salt;
};

/* Keeps the beacon, or the one it has. a->len is at most BEACON_LEN_MAX. */
void waiter_offer(struct waiter *w, const struct arrival *a, struct rng *r);
/* True when something waits and may be looked at. */
bool waiter_ready(const struct waiter *w, uint64_t now_ms);
/* What waits, as it came; points into w. */
struct arrival waiter_arrival(const struct waiter *w);
/* It has been checked (or will not be): nothing waits. */
void waiter_done(struct waiter *w, bool forged, uint64_t now_ms);
/* True when forged beacons came lately, so that silence says nothing. */
bool waiter_doubts(const struct waiter *w, uint64_t now_ms);

/* The place of an address. */
struct waiter *waiting_place(struct waiting *l, const struct endpoint *from);
void waiting_offer(struct waiting *l, struct waiter *w, const struct arrival *a, struct rng *r);
/* The next place in turn that is ready; NULL when none is. Empty it with waiting_done. */
struct waiter *waiting_next(struct waiting *l, uint64_t now_ms);
void waiting_done(struct waiting *l, struct waiter *w, bool forged, uint64_t now_ms);

#endif
