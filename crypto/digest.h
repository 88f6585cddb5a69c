/*
 * Content digests: BLAKE2b-256 (RFC 7693), the names of blobs, toolchains and jobs.
 */
#ifndef CRYPTO_DIGEST_H
#define CRYPTO_DIGEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "crypto/err.h"

#define DIGEST_LEN 32
#define DIGEST_HEX_SIZE 65 /* with NUL */

struct digest {
	uint8_t bytes[DIGEST_LEN];
};

/* Incremental hashing of a stream; 384 bytes of state, aligned for libsodium. */
struct digest_stream {
	_Alignas(64) uint8_t state[384];
};

void digest_of(struct digest *out, const void *bytes, size_t len);
void digest_begin(struct digest_stream *s);
void digest_add(struct digest_stream *s, const void *bytes, size_t len);
void digest_end(struct digest_stream *s, struct digest *out);
/* Digest of what can be read from fd at offset 0 to its end, by pread; *size receives its length.
 * IM_ERR_SYSTEM. */
int digest_of_fd(struct digest *out, uint64_t *size, int fd) IM_MUST;
bool digest_equal(const struct digest *a, const struct digest *b);
/* 64 lower-case hexadecimal digits and NUL. */
void digest_hex(const struct digest *d, char out[DIGEST_HEX_SIZE]);
/* Exactly 64 lower-case hexadecimal digits. IM_ERR_FORMAT. */
int digest_from_hex(struct digest *out, const char *hex) IM_MUST;

#endif
