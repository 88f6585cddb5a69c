/*
 * What this node knows of one other node; the table of them is in gossip/table.h.
 */
#ifndef GOSSIP_MEMBER_H
#define GOSSIP_MEMBER_H

#include "gossip/beacon.h"

/* Where datagrams go to and come from; no struct sockaddr, so that gossip stays free of I/O. */
struct endpoint {
	uint8_t len; /* 4: IPv4, 16: IPv6, 0: none */
	uint8_t bytes[16];
	uint16_t port;  /* host order */
	uint32_t scope; /* interface index for link-local IPv6, else 0 */
};

enum trust { TRUST_SPARE = 0, TRUST_MEMBER = 1, TRUST_SELF = 2 };
enum member_state { MEMBER_UP = 0, MEMBER_SUSPECT = 1, MEMBER_GONE = 2 };

struct member {
	struct node_id node;
	enum trust trust;
	enum member_state state;
	struct beacon beacon;    /* the last one accepted; its cert pointer is NULL */
	struct endpoint from;    /* for datagrams; if relayed: its own address, its TCP port */
	struct endpoint tcp;     /* where to connect: the same with the beacon's TCP port */
	bool unicast;            /* heard by unicast last, not by multicast */
	uint64_t heard_ms;       /* monotonic, of the last beacon; 0: only remembered */
	uint32_t interval_ms;    /* mean time between its beacons */
	uint8_t cert_digest[32]; /* of the certificate checked last */
	uint32_t roles;          /* from the certificate; 0 for a spare */
	uint64_t cert_not_after;
};

#endif
