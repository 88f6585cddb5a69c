/*
 * Verifying a toolchain tarball against its signature and a mesh root: the signer's certificate, the signature over digest
 * and size, the tarball's BLAKE2b-256 and length, the signature over its content, in that order.
 */
#ifndef CLIENT_VERIFY_H
#define CLIENT_VERIFY_H

#include "crypto/sign.h"

#define VERIFY_WHY_SIZE 256

/* Reads the tarball at fd from offset 0 to its end; text[len] is the signature file.  now: seconds since 1970.  On error why
 * receives the cause and what to do. IM_ERR_FORMAT, IM_ERR_UNKNOWN_KEY, IM_ERR_EXPIRED, IM_ERR_SIGNATURE, IM_ERR_DIGEST,
 * IM_ERR_LIMIT, IM_ERR_SYSTEM. */
struct verify {
	const char *text;
	size_t len;
	const uint8_t *root_pk;
	const char *mesh; /* its name, for the messages */
	uint64_t now;
};
int verify_toolchain(
        int fd, const struct verify *v, struct signature *out, char why[VERIFY_WHY_SIZE]) IM_MUST;

#endif
