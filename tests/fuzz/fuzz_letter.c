/*
 * What relays send one another: decoding, encoding again, and a gossip that receives it.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "gossip/gossip.h"
#include "tests/fuzz/sample.h"

static void
receive(const uint8_t *data, size_t size, const struct letter *l)
{
	static const uint8_t seed[32] = {1};
	struct endpoint from = {4, {127, 0, 0, 1}, 9777, 0};
	struct gossip_config c = {0};
	struct gossip_action a;
	struct gossip *g;
	struct key key;

	key_make(&key, seed);
	c.key = &key;
	c.mesh = l->mesh;
	g = gossip_new(&c);
	if (!g)
		return;
	for (uint64_t now = 1; now < 4; now++) {
		(void)!gossip_receive(g, data, size, &from, now == 2, now);
		gossip_tick(g, now);
		while (gossip_next(g, &a))
			if (a.len > LETTER_LEN_MAX)
				abort();
	}
	gossip_free(g);
	key_wipe(&key);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct letter l, again;
	struct buf b;

	if (crypto_start())
		abort();
	(void)letter_is(data, size);
	if (letter_decode(&l, data, size))
		return 0;
	if (l.nnews > LETTER_NEWS_MAX || l.nbeacons > LETTER_BEACONS_MAX)
		abort();
	buf_init(&b, LETTER_LEN_MAX);
	if (!letter_encode(&l, &b) &&
	        (letter_decode(&again, b.data, b.len) || again.nnews != l.nnews ||
	                again.nbeacons != l.nbeacons))
		abort();
	buf_fini(&b);
	receive(data, size, &l);
	return 0;
}

/* A digest, a request, a carry. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const uint8_t beacon[100] = {0x83, 1};
	struct letter l = {.kind = (enum letter_kind)(i + 1), .nnews = 3};
	struct buf bytes;

	if (i > 2)
		return 0;
	for (l.nbeacons = 0; l.nbeacons < 3; l.nbeacons++) {
		l.beacons[l.nbeacons].bytes = beacon;
		l.beacons[l.nbeacons].len = sizeof(beacon);
	}
	buf_init(&bytes, LETTER_LEN_MAX);
	if (letter_encode(&l, &bytes))
		abort();
	return sample_give(&bytes, out);
}
