/*
 * A stand-in for signatures, a keyed checksum, so that hundreds of nodes cost little.  The linker prefers it to the real one for the
 * program that includes it alone (-Wl,--allow-multiple-definition).
 */
#ifndef TESTS_UNIT_FAKE_SIGN_H
#define TESTS_UNIT_FAKE_SIGN_H

#include <string.h>
#include "crypto/digest.h"
#include "crypto/err.h"
#include "crypto/key.h"

static inline void
fake_checksum(const uint8_t *pk, const void *bytes, size_t len, uint8_t *sig)
{
	struct digest_stream s;
	struct digest d;

	digest_begin(&s);
	digest_add(&s, pk, SIGN_PK_LEN);
	digest_add(&s, bytes, len);
	digest_end(&s, &d);
	memset(sig, 0, SIGNATURE_LEN);
	memcpy(sig, d.bytes, DIGEST_LEN);
}

void
key_sign(const struct key *k, const char *domain, const void *bytes, size_t len,
        uint8_t sig[SIGNATURE_LEN])
{
	(void)domain;
	fake_checksum(k->sign_pk, bytes, len, sig);
}

int
key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes, size_t len,
        const uint8_t sig[SIGNATURE_LEN])
{
	uint8_t want[SIGNATURE_LEN];

	(void)domain;
	fake_checksum(sign_pk, bytes, len, want);
	return memcmp(want, sig, SIGNATURE_LEN) ? IM_ERR_SIGNATURE : 0;
}

#endif
