/* handshake_read() at each of its three places; the first byte says which. */
#include "tests/fuzz/fuzz.h"

#include "crypto/handshake.h"
#include "tests/fuzz/sample.h"

#define MESSAGES 3

static struct handshake *
side(bool initiator)
{
	uint8_t ephemeral[DH_LEN];
	struct handshake *h;
	struct key k;

	sample_key(&k, initiator ? 1 : 2);
	memset(ephemeral, initiator ? 3 : 4, sizeof ephemeral);
	h = handshake_new(initiator, k.dh_pk, k.dh_sk, "pro", 3, ephemeral);
	if (h == NULL)
		abort();
	return h;
}

/* Goes on until message n lies in wire; the side that has to read it. */
static struct handshake *
reader_of(unsigned n, struct buf *wire)
{
	struct handshake *h[2] = {side(true), side(false)};
	struct buf payload;
	unsigned at;

	buf_init(&payload, NOISE_MESSAGE_MAX);
	for (at = 0; at <= n; at++) {
		buf_reset(wire);
		if (handshake_write(h[at % 2], "payload", 7, wire) != 0)
			abort();
		if (at < n && handshake_read(h[1 - at % 2], wire->data, wire->len, &payload) != 0)
			abort();
	}
	buf_fini(&payload);
	handshake_free(h[n % 2]);
	return h[1 - n % 2];
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf wire, payload;
	struct handshake *h;
	unsigned n;
	bool same;

	if (size == 0)
		return 0;
	n = data[0] % MESSAGES;
	buf_init(&wire, NOISE_MESSAGE_MAX);
	buf_init(&payload, NOISE_MESSAGE_MAX);
	h = reader_of(n, &wire);
	same = wire.len == size - 1 && memcmp(wire.data, data + 1, wire.len) == 0;
	/* the first message has nothing to check yet; of the others only the right one may pass */
	if (handshake_read(h, data + 1, size - 1, &payload) == 0 && n > 0 && !same)
		abort();
	handshake_free(h);
	buf_fini(&payload);
	buf_fini(&wire);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct buf wire;

	if (i >= MESSAGES)
		return 0;
	buf_init(&wire, NOISE_MESSAGE_MAX);
	handshake_free(reader_of(i, &wire));
	out[0] = (uint8_t)i;
	return 1 + sample_give(&wire, out + 1);
}
