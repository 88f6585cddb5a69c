/*
 * Gossips in one process for the unit tests: keys and certificates from numbers, a network of
 * segments without loss, and virtual time.
 */
#ifndef TESTS_UNIT_FAKE_MESH_H
#define TESTS_UNIT_FAKE_MESH_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "gossip/gossip.h"

#ifndef FAKE_NODES
#define FAKE_NODES 256
#endif
#define FAKE_WALL 1800000000u
#define FAKE_PORT 9777

struct fake_node {
	struct gossip *g; /* NULL: off */
	struct gossip_config config;
	struct key key;
	uint8_t cert[CERT_LEN_MAX];
	struct endpoint at;
	unsigned segment; /* 0: no multicast */
	unsigned received, ups, downs, changes;
	unsigned by_ipv6; /* of `received`, by IPv6 multicast */
	const struct fake_node
	        *deaf; /* IPv4 multicast of this one does not reach it; itself: nobody's does */
	int last_err;
};

struct fake_mesh {
	struct key root;
	uint64_t now_ms;
	struct fake_node nodes[FAKE_NODES];
	size_t n;
	bool dual; /* multicast goes by IPv6 as well */
};

static inline void
fake_key(struct key *k, unsigned number)
{
	uint8_t seed[32] = {0};

	memcpy(seed, &number, sizeof(number));
	key_make(k, seed);
}

static inline size_t
fake_cert(
        const struct key *root, const struct key *k, uint8_t out[CERT_LEN_MAX], uint64_t not_after)
{
	struct cert c = {0};
	struct buf b;
	size_t len;

	buf_init(&b, CERT_LEN_MAX);
	mesh_id_of(&c.mesh, root->sign_pk);
	memcpy(c.sign_pk, k->sign_pk, SIGN_PK_LEN);
	memcpy(c.dh_pk, k->dh_pk, DH_LEN);
	strcpy(c.name, "node");
	strcpy(c.owner, "owner");
	c.roles = ROLE_WORKER;
	c.not_before = FAKE_WALL - 1000;
	c.not_after = not_after;
	assert_int_equal(cert_issue(&c, root, &b), 0);
	len = b.len;
	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}

static inline struct fake_mesh *
fake_mesh_new(void)
{
	struct fake_mesh *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(crypto_start(), 0);
	fake_key(&f->root, 1000000);
	f->now_ms = 5000;
	return f;
}

static inline void
fake_start(struct fake_mesh *f, struct fake_node *n, uint64_t boot)
{
	n->config.boot = boot;
	n->config.wall_s = FAKE_WALL + f->now_ms / 1000;
	n->config.wall_at_ms = f->now_ms;
	n->g = gossip_new(&n->config);
	assert_non_null(n->g);
}

/* A node that is not started yet; with a certificate unless spare. */
static inline struct fake_node *
fake_add(struct fake_mesh *f, unsigned segment, bool spare)
{
	struct fake_node *n = &f->nodes[f->n];
	unsigned number = (unsigned)f->n++;

	fake_key(&n->key, number + 1);
	n->segment = segment;
	n->at.len = 4;
	n->at.bytes[0] = 10;
	n->at.bytes[1] = (uint8_t)segment;
	n->at.bytes[3] = (uint8_t)(number + 1);
	n->at.port = FAKE_PORT;
	n->config.key = &n->key;
	mesh_id_of(&n->config.mesh, f->root.sign_pk);
	memcpy(n->config.root_pk, f->root.sign_pk, SIGN_PK_LEN);
	if (!spare) {
		n->config.cert_len = fake_cert(&f->root, &n->key, n->cert, FAKE_WALL + 100000000);
		n->config.cert = n->cert;
	}
	n->config.seed = number * 7919u + 1;
	snprintf(n->config.name, NAME_SIZE, "n%u", number);
	strcpy(n->config.platform, "x86_64");
	strcpy(n->config.version, "0.1.0");
	n->config.tcp_port = FAKE_PORT;
	n->config.sandbox = 2;
	n->config.speed = 100;
	return n;
}

/* A started node; it lists its own address. */
static inline struct fake_node *
fake_node(struct fake_mesh *f, unsigned segment)
{
	struct fake_node *n = fake_add(f, segment, false);
	struct beacon_addr a = {4, {0}};

	memcpy(a.bytes, n->at.bytes, 4);
	fake_start(f, n, 1);
	gossip_set_addrs(n->g, &a, 1);
	return n;
}

static inline void
fake_stop(struct fake_node *n)
{
	gossip_free(n->g);
	n->g = NULL;
}

static inline void
fake_mesh_free(struct fake_mesh *f)
{
	for (size_t i = 0; i < f->n; i++)
		fake_stop(&f->nodes[i]);
	free(f);
}

static inline void
fake_hear(struct fake_mesh *f, struct fake_node *to, const struct endpoint *from,
        const struct gossip_action *a)
{
	bool multicast = a->type == GOSSIP_MULTICAST;

	to->received++;
	to->by_ipv6 += multicast && from->len == 16;
	to->last_err = gossip_receive(to->g, a->bytes, a->len, from, multicast, f->now_ms);
}

/* Where its IPv6 multicast comes from. */
static inline struct endpoint
fake_ipv6(const struct fake_node *n)
{
	struct endpoint e = {.len = 16, .bytes = {0xfe, 0x80}, .port = n->at.port, .scope = 2};

	memcpy(e.bytes + 12, n->at.bytes, 4);
	return e;
}

static inline void
fake_deliver(struct fake_mesh *f, struct fake_node *from, const struct gossip_action *a)
{
	const struct endpoint ipv6 = fake_ipv6(from);

	for (size_t i = 0; i < f->n; i++) {
		struct fake_node *to = &f->nodes[i];
		bool multicast = a->type == GOSSIP_MULTICAST;

		if (!to->g || to == from)
			continue;
		if (multicast ? !from->segment || to->segment != from->segment
		              : memcmp(&to->at, &a->to, sizeof(a->to)) != 0)
			continue;
		if (!multicast || (to->deaf != to && to->deaf != from))
			fake_hear(f, to, &from->at, a);
		if (multicast && f->dual && !a->ipv4_alone)
			fake_hear(f, to, &ipv6, a);
	}
}

/* Carries out what all nodes want, until none wants more. */
static inline void
fake_settle(struct fake_mesh *f)
{
	struct gossip_action a;
	bool busy = true;

	while (busy) {
		busy = false;
		for (size_t i = 0; i < f->n; i++) {
			struct fake_node *n = &f->nodes[i];

			while (n->g && gossip_next(n->g, &a)) {
				busy = true;
				n->ups += a.type == GOSSIP_UP;
				n->downs += a.type == GOSSIP_DOWN;
				n->changes += a.type == GOSSIP_CHANGED;
				if (a.type == GOSSIP_MULTICAST || a.type == GOSSIP_UNICAST)
					fake_deliver(f, n, &a);
			}
		}
	}
}

/* Lets ms pass, ticking every node when it asked for it. */
static inline void
fake_run(struct fake_mesh *f, uint64_t ms)
{
	uint64_t end = f->now_ms + ms;

	for (;;) {
		uint64_t next = UINT64_MAX;

		fake_settle(f);
		for (size_t i = 0; i < f->n; i++) {
			uint64_t d = f->nodes[i].g ? gossip_deadline(f->nodes[i].g) : UINT64_MAX;

			next = d < next ? d : next;
		}
		if (next > end)
			break;
		if (next > f->now_ms)
			f->now_ms = next;
		for (size_t i = 0; i < f->n; i++)
			if (f->nodes[i].g && gossip_deadline(f->nodes[i].g) <= f->now_ms)
				gossip_tick(f->nodes[i].g, f->now_ms);
	}
	f->now_ms = end;
}

/* What a knows of b; NULL when nothing. */
static inline const struct member *
fake_view(const struct fake_node *a, const struct fake_node *b)
{
	struct node_id id;

	node_id_of(&id, b->key.sign_pk);
	return gossip_find(a->g, &id);
}

/* The state of b in a's eyes, -1 when it does not know it. */
static inline int
fake_state(const struct fake_node *a, const struct fake_node *b)
{
	const struct member *m = fake_view(a, b);

	return m ? (int)m->state : -1;
}

/* A beacon as n would sign it, of any content. */
static inline size_t
fake_beacon(const struct fake_node *n, uint64_t boot, uint64_t seq, uint8_t out[BEACON_LEN_MAX])
{
	struct beacon b = {0};
	struct buf buf;
	size_t len;

	buf_init(&buf, BEACON_LEN_MAX);
	b.mesh = n->config.mesh;
	node_id_of(&b.node, n->key.sign_pk);
	b.boot = boot;
	b.seq = seq;
	strcpy(b.name, "forged");
	b.port = FAKE_PORT;
	assert_int_equal(beacon_encode(&b, &n->key, n->config.cert, n->config.cert_len, &buf), 0);
	len = buf.len;
	memcpy(out, buf.data, len);
	buf_fini(&buf);
	return len;
}

#endif
