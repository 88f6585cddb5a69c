/*
 * The sealed channel after the handshake: one XChaCha20-Poly1305 secretstream (libsodium) in each
 * direction.
 *
 * Bytes on the wire: first each side's 24-byte stream header, then frames
 *     u32 length of the ciphertext (big-endian) | ciphertext = message + 17 bytes
 * A message is 1 type byte and its body.  Between two frames a channel can be exported, so that
 * another process can go on with it (the daemon hands it to the wrapper and takes it back).
 */
#ifndef CRYPTO_CHANNEL_H
#define CRYPTO_CHANNEL_H

#include "crypto/buf.h"

#define CHANNEL_HEADER_LEN 24
#define CHANNEL_OVERHEAD 17
#define CHANNEL_MESSAGE_MAX (256 * 1024) /* plain bytes in one frame, type byte included */
#define CHANNEL_FRAME_MAX (CHANNEL_MESSAGE_MAX + CHANNEL_OVERHEAD)
#define CHANNEL_STATE_LEN 112 /* exported form */

struct channel {
	_Alignas(16) uint8_t send[64], recv[64]; /* secretstream states */
};

/* Starts the sending half and writes its header; the receiving half needs the peer's header. */
void channel_start_send(
        struct channel *c, const uint8_t key[32], uint8_t header[CHANNEL_HEADER_LEN]);
int channel_start_recv(
        struct channel *c, const uint8_t key[32], const uint8_t header[CHANNEL_HEADER_LEN]) IM_MUST;
/* Appends one whole frame (length and ciphertext) to out: type, then len bytes of body.
 * IM_ERR_LIMIT. */
int channel_seal(
        struct channel *c, uint8_t type, const void *body, size_t len, struct buf *out) IM_MUST;
/* Opens one frame's ciphertext (without its length) into out (capacity at least len -
 * CHANNEL_OVERHEAD bytes).  *out_len receives the plain length, type byte first.  out may be
 * cipher + 1, which opens it in place: a secretstream's text stands one byte behind its encrypted
 * tag, and ChaCha20 may write where it reads.  IM_ERR_TRUNCATED, IM_ERR_LIMIT, IM_ERR_SIGNATURE,
 * IM_ERR_FORMAT (a secretstream tag that we never send). */
int channel_open(struct channel *c, const uint8_t *cipher, size_t len, uint8_t *out,
        size_t *out_len) IM_MUST;
/* Both halves as bytes, and back. The bytes are secret. */
void channel_export(const struct channel *c, uint8_t out[CHANNEL_STATE_LEN]);
void channel_import(struct channel *c, const uint8_t in[CHANNEL_STATE_LEN]);
void channel_wipe(struct channel *c);

#endif
