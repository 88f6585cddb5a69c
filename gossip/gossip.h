/*
 * Gossip: membership, load and failure hints as a pure state machine; no I/O, no clock, no
 * logging.
 *
 * The owner feeds datagrams and time and carries out the actions that gossip_next() hands
 * out.  Times are monotonic milliseconds unless a name says seconds.  The interval between a
 * node's beacons grows with the mesh: T = clamp(N / 100 per second, 1 s, 120 s), each one
 * randomised by U(0.5, 1.5) (RFC 3550 section 6.2 keeps shared bandwidth bounded the same
 * way).  A member is suspect after 3.5 of its intervals without a beacon and gone after 10
 * (with lower bounds of 4 s and 10 s).
 */
#ifndef GOSSIP_GOSSIP_H
#define GOSSIP_GOSSIP_H

#include "gossip/letter.h"
#include "gossip/member.h"

#define GOSSIP_MEMBERS_MAX 4096
#define GOSSIP_SEEDS_MAX 64
#define GOSSIP_SAVE_MAX (4 * 1024 * 1024)

#define GOSSIP_SUBNETS_MAX 32

struct gossip;

/* A network to which an interface of this node is connected: its address there and how many of the
 * leading bits name the network. */
struct subnet {
	struct beacon_addr addr;
	uint8_t bits;
};

struct gossip_config {
	const struct key *key; /* must outlive the gossip */
	struct mesh_id mesh;
	uint8_t root_pk[SIGN_PK_LEN];
	const uint8_t *cert;
	size_t cert_len;     /* copied; NULL: this node is a spare */
	uint64_t boot, seed; /* boot id; seed of the random numbers */
	char name[NAME_SIZE], platform[PLATFORM_SIZE], version[24];
	uint16_t tcp_port;
	uint32_t sandbox, speed;
	uint64_t wall_s;     /* seconds since 1970 at wall_at_ms */
	uint64_t wall_at_ms; /* a monotonic time */
};

enum gossip_action_type {
	GOSSIP_MULTICAST,
	GOSSIP_UNICAST,
	GOSSIP_UP,
	GOSSIP_DOWN,
	GOSSIP_CHANGED
};

struct gossip_action {
	enum gossip_action_type type;
	bool ipv4_alone; /* GOSSIP_MULTICAST: all hear it by IPv4, so IPv6 is spared where both would do */
	struct endpoint to; /* GOSSIP_UNICAST */
	/* GOSSIP_UP; _DOWN: bye or silence, also before the _UP of a restarted node; _CHANGED: load,
	 * address, suspicion */
	struct node_id node;
	uint8_t bytes[LETTER_LEN_MAX]; /* _MULTICAST, _UNICAST */
	size_t len;
};

struct gossip_counts {
	uint64_t received, sent, bytes_in, bytes_out;
	uint64_t bad; /* all refused datagrams, of which: */
	uint64_t bad_format, bad_signature, other_mesh, replayed, bad_cert, full;
};

struct gossip *gossip_new(const struct gossip_config *c); /* NULL without memory */
void gossip_free(struct gossip *g);
/* A new certificate or mesh (after join or leave): members of another mesh are forgotten. */
int gossip_set_mesh(struct gossip *g, const struct gossip_config *c) IM_MUST;
/* The wall clock, by which certificates begin and end; to be told again and again, since it may be
 * set while we run. Nothing else depends on it. */
void gossip_set_wall(struct gossip *g, uint64_t wall_s, uint64_t now_ms);
/* This node's own addresses.  When one is gone, this node has moved: the next tick tells all. */
void gossip_set_addrs(struct gossip *g, const struct beacon_addr *addrs, uint32_t n);
/* The networks that this node's interfaces with multicast are connected to; n 0: it does not send by
 * multicast. */
void gossip_set_subnets(struct gossip *g, const struct subnet *subnets, uint32_t n);
/* Live nodes on this node's own networks that send by multicast, but from which none has arrived
 * for some intervals; they are reached by unicast.  *example, unless NULL, receives one. */
size_t gossip_count_deaf(const struct gossip *g, uint64_t now_ms, const struct member **example);
/* An address to which beacons also go by unicast although nobody was heard there (configuration,
 * token, disk). */
int gossip_add_seed(struct gossip *g, const struct endpoint *e) IM_MUST;

/* A datagram from `from`; via_multicast says by which socket it came.  0 when it was accepted or
 * waits for its signature to be checked, or the reason why it (or one that waited) was refused (IM_ERR_FORMAT, IM_ERR_SIGNATURE, IM_ERR_OTHER_MESH, IM_ERR_REPLAY,
 * IM_ERR_UNKNOWN_KEY, IM_ERR_EXPIRED, IM_ERR_LIMIT); a refused one changes only counters. Our own
 * beacons and further copies of a node's last one (other interfaces, relays) are IM_ERR_EXISTS
 * and not counted as bad. */
int gossip_receive(struct gossip *g, const void *bytes, size_t len, const struct endpoint *from,
        bool via_multicast, uint64_t now_ms);
/* This node's load changed: sends at once when it becomes idle or busy (at
 * most 4 a second, 8 in a burst, fewer from 25 nodes on), else with the next beacon. */
void gossip_load(struct gossip *g, const struct load *l, uint64_t now_ms);
/* Time has passed: queues what is due. */
void gossip_tick(struct gossip *g, uint64_t now_ms);
/* Says goodbye (queues BYE beacons). */
void gossip_bye(struct gossip *g, uint64_t now_ms);
/* When gossip_tick() wants to be called next; call it in time, for a tick that comes over 2 s
 * late is taken as a pause of this node and the others' silence during it is excused. */
uint64_t gossip_deadline(const struct gossip *g);
/* Takes the next action; false when there is none. */
bool gossip_next(struct gossip *g, struct gossip_action *a);

/* Members in no particular order; i from 0 until NULL. Gone ones are listed too until they are
 * forgotten (24 h, kept against replay). Looking at a member has its newest beacon's signature
 * checked when that was put off, as the budget allows (gossip/inbox.h); that may queue actions. */
const struct member *gossip_member(struct gossip *g, size_t i);
const struct member *gossip_find(struct gossip *g, const struct node_id *id);
size_t gossip_count_up(const struct gossip *g);
void gossip_counts(const struct gossip *g, struct gossip_counts *out);

/* The table for the disk, and back: those gone are only kept against replay; other remembered
 * members are asked by unicast, and are MEMBER_SUSPECT until heard or, after ten tries (about five minutes), MEMBER_GONE; 24 h later
 * they are forgotten. At most TABLE_SPARES_MAX are taken back. */
void gossip_save(const struct gossip *g, struct buf *out);
int gossip_load_saved(struct gossip *g, const void *bytes, size_t len, uint64_t now_ms) IM_MUST;

#endif
