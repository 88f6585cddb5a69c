/*
 * Datagrams as they come from the network: decoding, verification, and a whole gossip that
 * receives them.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "gossip/gossip.h"
#include "tests/fuzz/sample.h"

/* A gossip of a mesh whose id is in the datagram, so that it gets past that check. */
static void
receive(const uint8_t *data, size_t size, const struct beacon *b)
{
	static const uint8_t seed[32] = {1};
	struct endpoint from = {4, {127, 0, 0, 1}, 9777, 0};
	struct gossip_config c = {0};
	struct gossip_action a;
	struct gossip *g;
	struct key key;

	key_make(&key, seed);
	c.key = &key;
	c.mesh = b->mesh;
	c.seed = size;
	g = gossip_new(&c);
	if (!g)
		return;
	for (uint64_t now = 1; now < 4; now++) {
		(void)gossip_receive(g, data, size, &from, now == 2, now);
		gossip_tick(g, now);
		while (gossip_next(g, &a))
			;
	}
	gossip_free(g);
	key_wipe(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct beacon_front f;
	struct beacon b;
	bool front;

	if (crypto_start())
		abort();
	front = !beacon_peek(&f, data, size);
	if (beacon_decode(&b, data, size))
		return 0;
	if (front && (memcmp(&f.node, &b.node, sizeof(f.node)) || f.boot != b.boot ||
	                     f.seq != b.seq || f.cert_len != b.cert_len))
		abort();
	/* What decoding promises. */
	if (strlen(b.name) >= NAME_SIZE || b.load.ntags > BEACON_TAGS_MAX ||
	        b.naddrs > BEACON_ADDRS_MAX || b.cert_len > CERT_LEN_MAX || b.sandbox > 3)
		abort();
	(void)!beacon_verify(&b, data, size);
	receive(data, size, &b);
	return 0;
}

/* A member's beacon, then a spare's. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct beacon b = {0};
	struct buf cert, bytes;
	struct key root, node;

	if (i > 1)
		return 0;
	sample_key(&root, 1);
	sample_key(&node, 2);
	buf_init(&cert, CERT_LEN_MAX);
	buf_init(&bytes, BEACON_LEN_MAX);
	sample_cert(&cert);
	mesh_id_of(&b.mesh, root.sign_pk);
	node_id_of(&b.node, node.sign_pk);
	b.boot = 1800000000000;
	b.seq = 5;
	strcpy(b.name, "sample");
	strcpy(b.platform, "x86_64");
	b.port = 9777;
	b.load.slots = 8;
	b.load.ntags = 2;
	b.naddrs = 2;
	b.addrs[0].len = 4;
	b.addrs[1].len = 16;
	if (beacon_encode(&b, &node, i ? NULL : cert.data, i ? 0 : cert.len, &bytes))
		abort();
	buf_fini(&cert);
	return sample_give(&bytes, out);
}
