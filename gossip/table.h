/*
 * The table of members, by node id: a dense list of entries with an open hash beside it.
 *
 * At most GOSSIP_MEMBERS_MAX entries, of which at most TABLE_SPARES_MAX strangers without a
 * certificate, so that whoever makes keys by the thousand cannot push members out.  An entry
 * stays where it is in memory until it is removed.
 */
#ifndef GOSSIP_TABLE_H
#define GOSSIP_TABLE_H

#include "gossip/gossip.h"
#include "gossip/waiting.h"

#define TABLE_SPARES_MAX (GOSSIP_MEMBERS_MAX / 4)
#define TABLE_FORGET_MS (24 * 3600 * UINT64_C(1000)) /* a gone one is kept so long against replay */
#define TABLE_HASH_SIZE (2 * GOSSIP_MEMBERS_MAX)     /* a power of two */

struct entry {
	struct member m;
	size_t index;          /* in the list */
	uint64_t since_ms;     /* when it became gone, or was read from disk */
	uint64_t multicast_ms; /* last time it was heard by multicast; 0 never */
	uint64_t ipv4_ms; /* the same by IPv4, also when nobody has looked at the signature yet */
	uint64_t unicast_ms;        /* since when it has been heard by unicast only; 0 it is not */
	uint64_t spread_ms;         /* last time a relay of this segment multicast it; 0 never */
	uint64_t asked_ms;          /* last time it was asked for at a relay */
	uint64_t probe_ms;          /* last time it was asked because it had fallen silent */
	uint64_t address_ms;        /* last time a beacon came from m.from's address */
	uint64_t hello_ms;          /* remembered from disk: when to ask it next */
	uint32_t hellos;            /* how often it has been asked */
	bool guessed;               /* m.from is taken from its own list: it came through a relay */
	bool answer;                /* wants our beacon by unicast with the next answer */
	struct endpoint also;       /* another address from which it spoke; len 0: none */
	uint64_t checked_ms;        /* when a signature of its was checked last */
	struct waiter waiting;      /* news whose signature has not been checked */
	uint16_t cert_at, cert_len; /* its certificate in raw; 0 without */
	uint16_t raw_len;
	uint8_t raw[BEACON_LEN_MAX]; /* its last beacon, verbatim */
};

struct table {
	struct entry **list; /* owned, GOSSIP_MEMBERS_MAX places */
	/* For each in the list, beside it because an entry is large and all are looked through each
	 * second: no need to look at it before this time; MEMBER_GONE and TRUST_SPARE as bits. */
	uint64_t due_ms[GOSSIP_MEMBERS_MAX];
	uint8_t kind[GOSSIP_MEMBERS_MAX];
	size_t count, spares;           /* all, and those without certificate */
	size_t up, live;                /* MEMBER_UP; the same or suspect, having been heard */
	uint64_t salt;                  /* so that nobody can prepare node ids that collide */
	uint16_t hash[TABLE_HASH_SIZE]; /* index + 1; 0 is empty */
};

/* IM_ERR_MEMORY. */
int table_init(struct table *t, uint64_t salt) IM_MUST;
void table_fini(struct table *t);
struct entry *table_find(const struct table *t, const struct node_id *id);
/* Adds a node that is not there yet, as MEMBER_GONE and never heard. When there is no place, the
 * one that has been gone longest goes (for a stranger: another stranger). NULL without place or
 * memory. */
struct entry *table_add(struct table *t, const struct node_id *id, enum trust trust);
void table_remove(struct table *t, struct entry *e);
/* These keep the counts; a suspect counts as live only if heard_ms is set by then. */
void table_set_state(struct table *t, struct entry *e, enum member_state state);
void table_set_trust(struct table *t, struct entry *e, enum trust trust);

#endif
