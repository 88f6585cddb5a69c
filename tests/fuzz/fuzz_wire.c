/* The messages of mesh/wire.h; the first byte says which.  What a decoder takes means the same when it is said again. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include "tests/unit/wire_cases.h"

#define PAYLOAD WIRE_CASES
#define BLOCK (WIRE_CASES + 1)
#define KINDS (WIRE_CASES + 2)

/* Encodes what was decoded, decodes that, and encodes it again: the same bytes. */
static void
message(const struct wire_case *c, const uint8_t *data, size_t size)
{
	static struct wire_value got, again;
	struct buf one, two;

	memset(&got, 0, sizeof got);
	memset(&again, 0, sizeof again);
	if (c->decode(data, size, &got) < 0)
		return;
	buf_init(&one, 65536);
	buf_init(&two, 65536);
	c->encode(&one, &got);
	if (buf_err(&one) != 0 || c->decode(one.data, one.len, &again) != 0)
		abort();
	c->encode(&two, &again);
	if (one.len != two.len || memcmp(one.data, two.data, one.len) != 0)
		abort();
	buf_fini(&one);
	buf_fini(&two);
}

static void
block(const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(WIRE_BLOCK_MAX);
	size_t n;

	if (out == NULL)
		abort();
	if (wire_block_decode(data, size, out, &n) == 0 && n > WIRE_BLOCK_MAX)
		abort();
	free(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *cert;
	size_t kind, len;

	if (size == 0)
		return 0;
	kind = *data++ % KINDS;
	size--;
	if (kind == BLOCK)
		block(data, size);
	else if (kind < WIRE_CASES)
		message(&wire_cases[kind], data, size);
	else if (wire_payload_decode(data, size, &cert, &len) == 0 && len > 0 &&
	         (cert < data || cert + len > data + size))
		abort();
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static struct wire_value v;
	struct buf b;
	size_t len;

	if (i >= KINDS)
		return 0;
	wire_sample(&v);
	buf_init(&b, FUZZ_SAMPLE_MAX - 1);
	if (i == PAYLOAD)
		wire_payload_encode(&b, &v, 300);
	else if (i == BLOCK && wire_block_encode(&b, &v, 3000) != 0)
		abort();
	else if (i < WIRE_CASES)
		wire_cases[i].encode(&b, &v);
	out[0] = (uint8_t)i;
	len = b.len;
	memcpy(out + 1, b.data, len);
	buf_fini(&b);
	return 1 + len;
}
