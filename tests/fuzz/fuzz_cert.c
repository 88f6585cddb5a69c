/* cert_check(): the bytes as a certificate, and as the body of one that the root did sign. */
#include "tests/fuzz/fuzz.h"

#include "tests/fuzz/sample.h"

/* Behind a right signature the fields themselves are exposed. */
static void
check_signed(const struct key *root, const uint8_t *body, size_t size)
{
	uint8_t sig[SIGNATURE_LEN];
	struct cert c;
	struct buf b;

	buf_init(&b, CERT_LEN_MAX);
	key_sign(root, "icemesh cert 1", body, size, sig);
	pack_map(&b, 2);
	pack_kbytes(&b, 1, body, size);
	pack_kbytes(&b, 2, sig, sizeof sig);
	if (buf_err(&b) == 0 && cert_check(&c, b.data, b.len, root->sign_pk, SAMPLE_NOW) == 0 &&
	        (memchr(c.name, 0, NAME_SIZE) == NULL || memchr(c.owner, 0, NAME_SIZE) == NULL))
		abort();
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct key root;
	struct cert c;

	sample_key(&root, 1);
	(void)!cert_check(&c, data, size, root.sign_pk, SAMPLE_NOW);
	if (size <= CERT_LEN_MAX)
		check_signed(&root, data, size);
	return 0;
}

/* A certificate, then a body alone. */
size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	const uint8_t *body;
	struct packet *p;
	struct buf b;
	size_t len;

	if (i > 1)
		return 0;
	buf_init(&b, CERT_LEN_MAX);
	sample_cert(&b);
	if (i == 0)
		return sample_give(&b, out);
	if (packet_open(&p, b.data, b.len) != 0 ||
	        item_bytes(packet_root(p), 1, CERT_LEN_MAX, &body, &len) != 0)
		abort();
	memcpy(out, body, len);
	packet_free(p);
	buf_fini(&b);
	return len;
}
