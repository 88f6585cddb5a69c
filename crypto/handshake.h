/*
 * Noise_XX_25519_ChaChaPoly_SHA256 (Noise protocol framework, revision 34), bytes in, bytes out.
 *
 *   -> e
 *   <- e, ee, s, es
 *   -> s, se
 *
 * Payloads carry certificates (mesh/wire.h); after the third message both sides hold two keys for
 * crypto/channel.h. An all-zero DH result is refused.  Checked against the published vectors
 * (tests/unit/test_handshake.c).
 */
#ifndef CRYPTO_HANDSHAKE_H
#define CRYPTO_HANDSHAKE_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/key.h"

#define NOISE_MESSAGE_MAX 4096 /* we never need more, although Noise allows 65535 */
#define NOISE_HASH_LEN 32

struct handshake; /* opaque; wiped when freed */

/* dh_pk/dh_sk: this side's static key.  ephemeral_sk: NULL for a random one (tests pass one).  NULL
 * without memory. */
struct handshake *handshake_new(bool initiator, const uint8_t dh_pk[DH_LEN],
        const uint8_t dh_sk[DH_LEN], const void *prologue, size_t prologue_len,
        const uint8_t *ephemeral_sk);
void handshake_free(struct handshake *h);
/* True when it is this side's turn to write. */
bool handshake_writes(const struct handshake *h);
/* Appends the next message to out. IM_ERR_LIMIT, IM_ERR_REFUSED (not this side's turn, or the
 * peer's key leads to an all-zero DH result; then the handshake is dead). */
int handshake_write(struct handshake *h, const void *payload, size_t len, struct buf *out) IM_MUST;
/* Takes one whole message; appends its payload to `payload`. IM_ERR_TRUNCATED, IM_ERR_SIGNATURE (a
 * MAC fails: other keys, other prologue, altered bytes), IM_ERR_REFUSED (not the peer's turn,
 * all-zero DH result), IM_ERR_LIMIT. After an error the handshake is dead. */
int handshake_read(struct handshake *h, const void *bytes, size_t len, struct buf *payload) IM_MUST;
bool handshake_done(const struct handshake *h);
/* The other side's static key: known to the initiator after message 2, to the responder after
 * message 3; else NULL. */
const uint8_t *handshake_peer(const struct handshake *h);
/* The handshake hash (channel binding); meaningful once done. */
const uint8_t *handshake_hash(const struct handshake *h);
/* Split(): keys for sending and receiving as seen from this side; only once done. */
void handshake_split(struct handshake *h, uint8_t send[32], uint8_t recv[32]);

#endif
