/* packet_open() and every look-up on what it lets through. */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include "crypto/packet.h"

#define KEYS 4

static void
look(const struct item *map)
{
	const struct item *inner;
	const uint8_t *p;
	uint8_t fixed[4], sum = 0;
	char text[16];
	uint64_t v;
	uint32_t n, i;
	size_t len;
	bool flag;
	unsigned key;

	(void)!item_known(map, 0xf);
	for (key = 0; key < KEYS; key++) {
		(void)!item_uint(map, key, 1000, &v);
		(void)!item_fixed(map, key, fixed, sizeof fixed);
		(void)!item_text(map, key, text, sizeof text);
		(void)!item_bool(map, key, &flag);
		if (item_bytes(map, key, SIZE_MAX, &p, &len) == 0)
			while (len > 0)
				sum ^= p[--len];
		if (item_array(map, key, UINT32_MAX, &inner, &n) == 0)
			for (i = 0; i < n; i++)
				(void)!value_uint(item_at(inner, i), UINT64_MAX, &v);
		if (item_map(map, key, &inner) == 0)
			look(inner);
	}
	(void)*(volatile uint8_t *)&sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct packet *p;

	if (packet_open(&p, data, size) == 0) {
		look(packet_root(p));
		packet_free(p);
	}
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct buf b;
	size_t len;

	if (i > 0)
		return 0;
	buf_init(&b, FUZZ_SAMPLE_MAX);
	pack_map(&b, 4);
	pack_kuint(&b, 0, 70000);
	pack_ktext(&b, 1, "text");
	pack_uint(&b, 2);
	pack_array(&b, 2);
	pack_bytes(&b, "1234", 4);
	pack_bool(&b, true);
	pack_uint(&b, 3);
	pack_map(&b, 1);
	pack_kbytes(&b, 1, "1234", 4);
	len = b.len;
	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}
