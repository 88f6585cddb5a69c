/*
 * A virtual network for many gossips in one process: segments with multicast inside and routes
 * between, networks without multicast, filters, partitions, loss; and a stand-in for signatures
 * (a keyed checksum; the linker prefers it to the real one for this test alone) so that hundreds
 * of nodes cost little.
 */
#ifndef TESTS_UNIT_NET_RIG_H
#define TESTS_UNIT_NET_RIG_H

#define FAKE_NODES 320
#include "fake_mesh.h"
#include "gossip/state.h"
#include "tests/unit/fake_sign.h"

struct net {
	struct fake_mesh *f;
	unsigned side[FAKE_NODES]; /* datagrams pass only between equal ones */
	bool filtered[256];        /* segments whose switch drops multicast */
	unsigned loss_percent;
	struct rng rng;
	unsigned sent[FAKE_NODES], got[FAKE_NODES]; /* datagrams */
	unsigned crossed;                           /* between segments */
	unsigned lost_addresses;                    /* sent to where nobody is */
};

static inline struct net *
net_new(void)
{
	struct net *n = calloc(1, sizeof(*n));

	assert_non_null(n);
	n->f = fake_mesh_new();
	n->rng.state = 42;
	return n;
}

static inline void
net_free(struct net *n)
{
	fake_mesh_free(n->f);
	free(n);
}

/* The place of a node: 10.SEGMENT.x.y, in a network of 16 bits. */
static inline void
net_place(struct net *n, struct fake_node *node, unsigned segment, unsigned host)
{
	struct beacon_addr a = {4, {10, (uint8_t)segment, (uint8_t)(host >> 8), (uint8_t)host}};
	struct subnet s = {a, 16};

	(void)n;
	node->segment = segment;
	memcpy(node->at.bytes, a.bytes, 4);
	gossip_set_addrs(node->g, &a, 1);
	gossip_set_subnets(node->g, &s, segment ? 1 : 0);
}

/* A started node; segment 0 is a network of many hosts without multicast. */
static inline struct fake_node *
net_node(struct net *n, unsigned segment)
{
	struct fake_node *node = fake_node(n->f, segment);

	net_place(n, node, segment, (unsigned)n->f->n);
	return node;
}

static inline bool
net_passes(struct net *n, size_t from, size_t to)
{
	return n->side[from] == n->side[to] && rng_below(&n->rng, 100) >= n->loss_percent;
}

static inline void
net_hand(struct net *n, size_t from, size_t to, const struct gossip_action *a)
{
	struct fake_node *node = &n->f->nodes[to];

	if (!net_passes(n, from, to))
		return;
	n->got[to]++;
	n->crossed += node->segment != n->f->nodes[from].segment;
	node->last_err = gossip_receive(node->g, a->bytes, a->len, &n->f->nodes[from].at,
	        a->type == GOSSIP_MULTICAST, n->f->now_ms);
}

static inline void
net_deliver(struct net *n, size_t from, const struct gossip_action *a)
{
	const struct fake_node *sender = &n->f->nodes[from];
	bool multicast = a->type == GOSSIP_MULTICAST, found = false;

	assert_true(a->len <= LETTER_LEN_MAX);
	if (multicast && !sender->segment)
		return;
	n->sent[from]++;
	for (size_t i = 0; i < n->f->n && !(multicast && n->filtered[sender->segment]); i++) {
		struct fake_node *to = &n->f->nodes[i];

		if (!to->g || i == from)
			continue;
		if (multicast ? to->segment != sender->segment
		              : memcmp(&to->at, &a->to, sizeof(a->to)) != 0)
			continue;
		found = true;
		net_hand(n, from, i, a);
	}
	n->lost_addresses += !multicast && !found;
}

static inline void
net_settle(struct net *n)
{
	struct gossip_action a;
	bool busy = true;

	while (busy) {
		busy = false;
		for (size_t i = 0; i < n->f->n; i++) {
			struct fake_node *node = &n->f->nodes[i];

			while (node->g && gossip_next(node->g, &a)) {
				busy = true;
				node->ups += a.type == GOSSIP_UP;
				node->downs += a.type == GOSSIP_DOWN;
				if (a.type == GOSSIP_MULTICAST || a.type == GOSSIP_UNICAST)
					net_deliver(n, i, &a);
			}
		}
	}
}

/* Lets ms pass. */
static inline void
net_run(struct net *n, uint64_t ms)
{
	struct fake_mesh *f = n->f;
	uint64_t end = f->now_ms + ms;

	for (;;) {
		uint64_t next = UINT64_MAX;

		net_settle(n);
		for (size_t i = 0; i < f->n; i++) {
			uint64_t d = f->nodes[i].g ? gossip_deadline(f->nodes[i].g) : UINT64_MAX;

			next = d < next ? d : next;
		}
		if (next > end)
			break;
		f->now_ms = next > f->now_ms ? next : f->now_ms;
		for (size_t i = 0; i < f->n; i++)
			if (f->nodes[i].g && gossip_deadline(f->nodes[i].g) <= f->now_ms)
				gossip_tick(f->nodes[i].g, f->now_ms);
	}
	f->now_ms = end;
}

static inline void
net_zero(struct net *n)
{
	memset(n->sent, 0, sizeof(n->sent));
	memset(n->got, 0, sizeof(n->got));
	n->crossed = 0;
	n->lost_addresses = 0;
}

/* The largest of a counter per node. */
static inline unsigned
net_most(const struct net *n, const unsigned *counter)
{
	unsigned most = 0;

	for (size_t i = 0; i < n->f->n; i++)
		most = counter[i] > most ? counter[i] : most;
	return most;
}

/* True when every running node takes every other one for up. */
static inline bool
net_all_see_all(const struct net *n)
{
	size_t running = 0;

	for (size_t i = 0; i < n->f->n; i++)
		running += n->f->nodes[i].g != NULL;
	for (size_t i = 0; i < n->f->n; i++)
		if (n->f->nodes[i].g && gossip_count_up(n->f->nodes[i].g) != running - 1)
			return false;
	return true;
}

/* Runs until it is so, at most max_ms; returns how long it took, UINT64_MAX when it was not. */
static inline uint64_t
net_until_all_see_all(struct net *n, uint64_t max_ms)
{
	uint64_t begin = n->f->now_ms;

	while (!net_all_see_all(n)) {
		if (n->f->now_ms - begin >= max_ms)
			return UINT64_MAX;
		net_run(n, 100);
	}
	return n->f->now_ms - begin;
}

#endif
