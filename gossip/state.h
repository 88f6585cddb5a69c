/*
 * What one gossip knows, for the files that make it up: gossip.c (life, timers), inbox.c (what
 * comes in), outbox.c (what goes out). Nobody else includes this.
 */
#ifndef GOSSIP_STATE_H
#define GOSSIP_STATE_H

#include "gossip/gossip.h"
#include "gossip/pace.h"
#include "gossip/queue.h"
#include "gossip/rng.h"
#include "gossip/table.h"
#include "gossip/waiting.h"

/* What this node is in its segment; gossip/segment.h. */
struct segment {
	size_t rank, others; /* rank from 0; others heard by multicast */
	size_t far, spread;  /* relays of other segments; of these, multicast here lately */
	size_t deaf;         /* neighbours whose multicast does not arrive */
	bool ipv4;           /* all arrive by IPv4 multicast, */
	bool ipv4_alone;     /* and say the same: it is enough to send by that */
};

struct relay {
	uint8_t secret[DIGEST_LEN];  /* makes tokens */
	size_t cursor;               /* where the next digest begins */
	uint64_t digest_ms, heal_ms; /* when they are due */
	struct bucket ask, carry, news;
};

struct gossip {
	struct gossip_config config; /* cert points to the array below, or is NULL */
	uint8_t cert[CERT_LEN_MAX];
	struct node_id self;
	struct table table;
	struct queue queue;
	struct waiting waiting; /* newcomers to be checked */
	struct bucket known, unasked,
	        fresh; /* checks of signatures: members', in all and unasked for; newcomers' */
	uint64_t waiting_ms; /* when to look at the newcomers that wait */
	uint64_t now_ms;     /* the latest time heard of */
	struct rng rng;
	struct gossip_counts counts;
	struct load load, sent_load; /* now, and as the others know it */
	struct beacon_addr addrs[BEACON_ADDRS_MAX];
	uint32_t naddrs;
	struct endpoint seeds[GOSSIP_SEEDS_MAX];
	size_t nseeds, target_cursor; /* cursor: whose turn it is when there are many */
	uint64_t seq;
	bool hello_due, silent; /* HELLO with the next tick; nothing more after BYE */
	bool edge_due;          /* news for which the bucket had no token */
	uint64_t edge_ms;       /* how far beacons have used up the time for those out of turn */
	struct bucket stranger; /* datagrams relayed to strangers */
	uint64_t last_ms;       /* of the last beacon to everybody; 0 none */
	uint64_t answer_ms;     /* when to answer newcomers; 0 not at all */
	uint64_t sweep_ms;      /* when to look for the silent next */
	uint64_t slice_ms;      /* the next unicast targets' turn; 0: all had theirs */
	struct segment segment;
	uint64_t ipv4_ms; /* from then on segment.ipv4 may be set again */
	struct relay relay;
	struct subnet subnets[GOSSIP_SUBNETS_MAX];
	uint32_t nsubnets;
	bool multicast;  /* this node sends by it */
	uint32_t spread; /* next beacon, in thousandths of the interval */
};

#endif
