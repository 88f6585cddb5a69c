/* A mesh root, a node and its certificate, the same in every run, for the samples of the fuzz
 * targets. */
#ifndef TESTS_FUZZ_SAMPLE_H
#define TESTS_FUZZ_SAMPLE_H

#include <stdlib.h>
#include <string.h>
#include "crypto/cert.h"
#include "crypto/packet.h"

#define SAMPLE_NOW 1800000000u

static inline void
sample_key(struct key *k, int which)
{
	uint8_t seed[32];

	if (crypto_start() != 0)
		abort();
	memset(seed, which, sizeof seed);
	key_make(k, seed);
}

/* Root is key 1, the node key 2.  Packed here and not by cert_issue(), whose serial is random. */
static inline void
sample_cert(struct buf *out)
{
	struct key root, node;
	struct mesh_id mesh;
	uint8_t sig[SIGNATURE_LEN];
	struct buf b;

	sample_key(&root, 1);
	sample_key(&node, 2);
	mesh_id_of(&mesh, root.sign_pk);
	buf_init(&b, CERT_LEN_MAX);
	pack_map(&b, 10);
	pack_kuint(&b, 1, 1);
	pack_kbytes(&b, 2, mesh.bytes, MESH_ID_LEN);
	pack_kbytes(&b, 3, "serial #", 8);
	pack_kbytes(&b, 4, node.sign_pk, SIGN_PK_LEN);
	pack_kbytes(&b, 5, node.dh_pk, DH_LEN);
	pack_ktext(&b, 6, "sample");
	pack_ktext(&b, 7, "owner");
	pack_kuint(&b, 8, ROLES_ALL);
	pack_kuint(&b, 9, SAMPLE_NOW - 1);
	pack_kuint(&b, 10, SAMPLE_NOW + 1);
	key_sign(&root, "icemesh cert 1", b.data, b.len, sig);
	pack_map(out, 2);
	pack_kbytes(out, 1, b.data, b.len);
	pack_kbytes(out, 2, sig, sizeof sig);
	buf_fini(&b);
}

/* Copies a sample out and frees it. */
static inline size_t
sample_give(struct buf *b, uint8_t *out)
{
	size_t len = b->len;

	memcpy(out, b->data, len);
	buf_fini(b);
	return len;
}

#endif
