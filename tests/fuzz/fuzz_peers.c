/*
 * The saved member table: whatever lies on the disk, reading it stays within its limits, and
 * what was read can be saved again.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include "gossip/saved.h"
#include "tests/fuzz/sample.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[32] = {1};
	struct gossip_config c = {0};
	struct gossip_action a;
	struct gossip *g;
	struct buf out;
	struct key key;

	if (crypto_start())
		abort();
	key_make(&key, seed);
	c.key = &key;
	g = gossip_new(&c);
	if (!g)
		return 0;
	if (!gossip_load_saved(g, data, size, 1)) {
		gossip_tick(g, 2);
		while (gossip_next(g, &a))
			;
		buf_init(&out, GOSSIP_SAVE_MAX);
		gossip_save(g, &out);
		if (buf_err(&out) || gossip_load_saved(g, out.data, out.len, 3))
			abort();
		buf_fini(&out);
	}
	gossip_free(g);
	key_wipe(&key);
	return 0;
}

/* A table of three. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct saved list[3];
	struct buf bytes;

	if (i)
		return 0;
	memset(list, 0, sizeof(list));
	for (uint8_t k = 0; k < 3; k++) {
		list[k].node.bytes[0] = k;
		list[k].at.len = k ? 4 : 16;
		list[k].at.port = 9777;
		list[k].boot = 1800000000000 + k;
		list[k].seq = 100u * k;
		strcpy(list[k].name, "sample");
	}
	buf_init(&bytes, FUZZ_SAMPLE_MAX);
	saved_encode(list, 3, &bytes);
	return sample_give(&bytes, out);
}
