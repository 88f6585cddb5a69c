/*
 * The daemon's parts, and how they find each other: one struct that icemeshd.c fills in, in the order of its fields.
 */
#ifndef MESH_NODE_H
#define MESH_NODE_H

#include "mesh/config.h"
#include "mesh/conn.h"
#include "mesh/log.h"
#include "mesh/loop.h"

#define NODE_REASONS_MAX 64
#define NODE_SERVED_MAX 64

/* What `icemesh status` counts; see mesh/control.h. */
struct tally {
	char name[96];
	uint64_t count;
};

struct counters {
	uint64_t remote, local, fallback, retried, hedged, failed;
	struct tally reasons[NODE_REASONS_MAX];
	unsigned nreasons;
	uint64_t served, refused, killed;
	uint64_t fetched, lent; /* bytes of inputs from, and to, other members */
	struct tally by_peer[NODE_SERVED_MAX];
	unsigned nby_peer;
};

struct node {
	struct config config;
	struct log log;
	struct loop *loop;
	char platform[PLATFORM_SIZE];
	uint64_t boot;
	struct identity *identity; /* mesh/identity.h */
	struct store *store;
	struct blobs *blobs;
	struct helper *helper;
	struct peers *peers;
	struct serve *serve;
	struct uploads *uploads;
	struct wants *wants;
	struct graphs *graphs;
	struct clients *clients;
	struct renewal *renewal;
	struct counters counters;
};

/* Adds one to the count of `name` in a tally list of at most max entries (the last one takes what does not fit). */
void tally_add(struct tally *list, unsigned *n, unsigned max, const char *name);
/* Seconds since 1970. */
uint64_t wall_seconds(void);
uint64_t wall_milliseconds(void);

#endif
