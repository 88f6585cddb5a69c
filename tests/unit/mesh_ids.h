/* Nodes of made-up meshes for tests: a root, a key and a certificate, each from a number. */
#ifndef TESTS_MESH_IDS_H
#define TESTS_MESH_IDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/greet.h"

#define IDS_NOW 1800000000u

struct ids_node {
	struct key key;
	struct conn_identity id;
};

static inline uint64_t
ids_now(void)
{
	return IDS_NOW;
}

static inline uint64_t
ids_much_later(void)
{
	return IDS_NOW + 1000000;
}

static inline void
ids_key(struct key *k, unsigned number)
{
	uint8_t seed[32];

	if (crypto_start() != 0)
		abort();
	memset(seed, (int)number, sizeof seed);
	key_make(k, seed);
}

/* Gives the node a certificate by root `root` for key `key`, whatever its own is. */
static inline void
ids_certify(struct ids_node *n, unsigned root, unsigned key)
{
	struct cert c = {
	        .roles = ROLE_WORKER, .not_before = IDS_NOW - 10, .not_after = IDS_NOW + 10};
	struct key by, of;
	struct buf b;

	ids_key(&by, root);
	ids_key(&of, key);
	memcpy(c.sign_pk, of.sign_pk, sizeof c.sign_pk);
	memcpy(c.dh_pk, of.dh_pk, sizeof c.dh_pk);
	snprintf(c.name, sizeof c.name, "node%u", key);
	snprintf(c.owner, sizeof c.owner, "owner");
	buf_init(&b, CERT_LEN_MAX);
	if (cert_issue(&c, &by, &b) != 0)
		abort();
	memcpy(n->id.cert, b.data, b.len);
	n->id.cert_len = b.len;
	buf_fini(&b);
}

/* A node of the mesh of root `root`, without certificate. */
static inline void
ids_spare(struct ids_node *n, unsigned root, unsigned key)
{
	struct key by;

	memset(n, 0, sizeof *n);
	ids_key(&by, root);
	ids_key(&n->key, key);
	n->id.key = &n->key;
	n->id.wall_s = ids_now;
	memcpy(n->id.root_pk, by.sign_pk, sizeof n->id.root_pk);
	mesh_id_of(&n->id.mesh, by.sign_pk);
}

static inline void
ids_member(struct ids_node *n, unsigned root, unsigned key)
{
	ids_spare(n, root, key);
	ids_certify(n, root, key);
}

#endif
