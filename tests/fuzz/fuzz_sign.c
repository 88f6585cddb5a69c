/* sign_check(): only the sample itself, byte for byte, may pass. */
#include "tests/fuzz/fuzz.h"

#include "crypto/sign.h"
#include "tests/fuzz/sample.h"

static void
sample_text(struct buf *text)
{
	struct digest d = {{1}};
	uint8_t prehash[PREHASH_LEN] = {2};
	struct key node;
	struct buf cert;

	sample_key(&node, 2);
	buf_init(&cert, CERT_LEN_MAX);
	sample_cert(&cert);
	if (sign_make(&node, cert.data, cert.len, &d, 1234, prehash, text) != 0)
		abort();
	buf_fini(&cert);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct signature s;
	struct key root;
	struct buf text;

	sample_key(&root, 1);
	if (sign_check(&s, (const char *)data, size, root.sign_pk, SAMPLE_NOW) != 0)
		return 0;
	buf_init(&text, SIGN_TEXT_MAX);
	sample_text(&text);
	if (text.len != size || memcmp(text.data, data, size) != 0)
		abort();
	buf_fini(&text);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	struct buf text;

	if (i > 0)
		return 0;
	buf_init(&text, SIGN_TEXT_MAX);
	sample_text(&text);
	return sample_give(&text, out);
}
