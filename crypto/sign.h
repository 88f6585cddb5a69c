/*
 * Detached signatures of toolchains, in minisign's format, so that plain `minisign -V` verifies
 * them too.
 *
 * The file has four lines: untrusted comment, base64("ED" | key id 8 | Ed25519 over BLAKE2b-512 of
 * the content), trusted comment, base64(Ed25519 over signature || trusted comment).  Our trusted
 * comment is
 *     icemesh toolchain <digest hex> <size> cert <base64url of the signer's certificate>
 * so the global signature alone vouches for digest and size before a single byte of content has
 * come in, and the signer's standing needs nothing but the mesh root.  The key id is the first 8
 * bytes of the node id. The untrusted comment has one right text for each key and any other is
 * refused: no byte of a signature may vary. Whether the signer has a role is for the caller to ask.
 */
#ifndef CRYPTO_SIGN_H
#define CRYPTO_SIGN_H

#include "crypto/cert.h"
#include "crypto/digest.h"

#define SIGN_TEXT_MAX 2048
#define PREHASH_LEN 64 /* BLAKE2b-512 of the content */

struct signature {
	struct digest digest; /* BLAKE2b-256 of the content: its name */
	uint64_t size;        /* of the content, bytes */
	struct cert signer;
	uint8_t sig[SIGNATURE_LEN];
};

/* Appends the signature file's text.  cert: the signer's encoded certificate. */
int sign_make(const struct key *k, const void *cert, size_t cert_len, const struct digest *d,
        uint64_t size, const uint8_t prehash[PREHASH_LEN], struct buf *out) IM_MUST;
/* Parses the text, checks the certificate against the root at `now` and the global signature.
 * IM_ERR_FORMAT, IM_ERR_UNKNOWN_KEY (certificate not of this root), IM_ERR_EXPIRED,
 * IM_ERR_SIGNATURE, IM_ERR_VERSION, IM_ERR_MEMORY. */
int sign_check(struct signature *out, const char *text, size_t len,
        const uint8_t root_pk[SIGN_PK_LEN], uint64_t now) IM_MUST;
/* After the content has come in: the content signature over its BLAKE2b-512. IM_ERR_SIGNATURE. */
int sign_check_content(const struct signature *s, const uint8_t prehash[PREHASH_LEN]) IM_MUST;
/* The public key file that `minisign -V -p` takes. */
void sign_public_key(const uint8_t sign_pk[SIGN_PK_LEN], struct buf *out);

/* BLAKE2b-512 of a stream. */
struct prehash_stream {
	_Alignas(64) uint8_t state[384];
};
void prehash_begin(struct prehash_stream *s);
void prehash_add(struct prehash_stream *s, const void *bytes, size_t len);
void prehash_end(struct prehash_stream *s, uint8_t out[PREHASH_LEN]);

#endif
