#include "crypto/digest.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <unistd.h>

#define READ_BLOCK 65536 /* bytes for each pread */

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct digest_stream), "hash state fits");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct digest_stream),
        "hash state is aligned");

void
digest_of(struct digest *out, const void *bytes, size_t len)
{
	crypto_generichash(out->bytes, DIGEST_LEN, bytes, len, NULL, 0);
}

void
digest_begin(struct digest_stream *s)
{
	crypto_generichash_init((crypto_generichash_state *)s->state, NULL, 0, DIGEST_LEN);
}

void
digest_add(struct digest_stream *s, const void *bytes, size_t len)
{
	crypto_generichash_update((crypto_generichash_state *)s->state, bytes, len);
}

void
digest_end(struct digest_stream *s, struct digest *out)
{
	crypto_generichash_final((crypto_generichash_state *)s->state, out->bytes, DIGEST_LEN);
}

int
digest_of_fd(struct digest *out, uint64_t *size, int fd)
{
	struct digest_stream s;
	uint8_t block[READ_BLOCK];
	uint64_t at = 0;
	ssize_t n;

	digest_begin(&s);
	for (;;) {
		n = pread(fd, block, sizeof block, (off_t)at);
		if (n == 0)
			break;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return IM_ERR_SYSTEM;
		digest_add(&s, block, (size_t)n);
		at += (uint64_t)n;
	}
	digest_end(&s, out);
	*size = at;
	return 0;
}

bool
digest_equal(const struct digest *a, const struct digest *b)
{
	return sodium_memcmp(a->bytes, b->bytes, DIGEST_LEN) == 0;
}

void
digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE])
{
	sodium_bin2hex(out, DIGEST_HEX_SIZE, d->bytes, DIGEST_LEN);
}

int
digest_from_hex(struct digest *out, const char *hex)
{
	/* libsodium takes upper case too; one name for one blob is safer */
	if (strnlen(hex, DIGEST_HEX_SIZE) != 2 * DIGEST_LEN ||
	        strspn(hex, "0123456789abcdef") != 2 * DIGEST_LEN)
		return IM_ERR_FORMAT;
	sodium_hex2bin(out->bytes, DIGEST_LEN, hex, 2 * DIGEST_LEN, NULL, NULL, NULL);
	return 0;
}
