/* account_decode(): what it takes must encode to bytes that decode to the same, and fit. */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include "mesh/account.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct account_room room, room2;
	struct account a, again;
	struct packet *p, *p2;
	struct buf b;

	if (packet_open(&p, data, size) != 0)
		return 0;
	if (account_decode(&a, &room, packet_root(p)) == 0) {
		buf_init(&b, ACCOUNT_LEN_MAX);
		account_encode(&a, &b);
		if (buf_err(&b) != 0 || packet_open(&p2, b.data, b.len) != 0 ||
		        account_decode(&again, &room2, packet_root(p2)) != 0)
			abort();
		if (strcmp(a.file, again.file) != 0 || strcmp(a.reason, again.reason) != 0 ||
		        a.exit != again.exit || a.ms.total != again.ms.total)
			abort();
		packet_free(p2);
		buf_fini(&b);
	}
	packet_free(p);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static const struct node_id node = {{3}};
	static const struct digest toolchain = {{4}};
	struct account a = {.verdict = VERDICT_FALLBACK,
	        .reason = "peer-lost",
	        .text = "box: gone",
	        .file = "/src/a.c",
	        .output = "/src/a.o",
	        .mode = "source",
	        .node = &node,
	        .peer = "box",
	        .toolchain = &toolchain,
	        .job = 77,
	        .exit = i == 0 ? 1 : -1,
	        .ms = {.total = 9}};
	struct buf b;
	size_t len;

	if (i > 1)
		return 0;
	buf_init(&b, FUZZ_SAMPLE_MAX);
	account_encode(&a, &b);
	if (buf_err(&b) != 0)
		abort();
	len = b.len;
	memcpy(out, b.data, len);
	buf_fini(&b);
	return len;
}
