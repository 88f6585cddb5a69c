#include "crypto/channel.h"

#include <sodium.h>
#include <string.h>

#define HALF_LEN (CHANNEL_STATE_LEN / 2)
#define LENGTH_LEN 4 /* of the frame's length */

typedef crypto_secretstream_xchacha20poly1305_state stream_state;

_Static_assert(sizeof(stream_state) <= sizeof((struct channel *)0)->send, "stream state fits");
_Static_assert(sizeof(stream_state) <= HALF_LEN, "stream state fits its exported form");
_Static_assert(_Alignof(stream_state) <= 16, "stream state is aligned");
_Static_assert(CHANNEL_HEADER_LEN == crypto_secretstream_xchacha20poly1305_HEADERBYTES,
        "header sizes agree");
_Static_assert(CHANNEL_OVERHEAD == crypto_secretstream_xchacha20poly1305_ABYTES, "overheads agree");
_Static_assert(crypto_secretstream_xchacha20poly1305_KEYBYTES == 32, "key sizes agree");

void
channel_start_send(struct channel *c, const uint8_t key[32], uint8_t header[CHANNEL_HEADER_LEN])
{
	crypto_secretstream_xchacha20poly1305_init_push((stream_state *)c->send, header, key);
}

int
channel_start_recv(
        struct channel *c, const uint8_t key[32], const uint8_t header[CHANNEL_HEADER_LEN])
{
	/* a wrong header shows only in the first frame */
	if (crypto_secretstream_xchacha20poly1305_init_pull((stream_state *)c->recv, header, key) !=
	        0)
		return IM_ERR_FORMAT;
	return 0;
}

int
channel_seal(struct channel *c, uint8_t type, const void *body, size_t len, struct buf *out)
{
	uint8_t *frame, *cipher, *plain;

	if (len >= CHANNEL_MESSAGE_MAX)
		return IM_ERR_LIMIT;
	frame = buf_room(out, LENGTH_LEN + 1 + len + CHANNEL_OVERHEAD);
	if (frame == NULL)
		return buf_err(out);
	/* sealed in place: the ciphertext of the message begins behind the frame's encrypted tag
	 * byte */
	cipher = frame + LENGTH_LEN;
	plain = cipher + 1;
	plain[0] = type;
	if (len > 0)
		memcpy(plain + 1, body, len);
	crypto_secretstream_xchacha20poly1305_push((stream_state *)c->send, cipher, NULL, plain,
	        1 + len, NULL, 0, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
	buf_put_u32(out, (uint32_t)(1 + len + CHANNEL_OVERHEAD));
	out->len += 1 + len + CHANNEL_OVERHEAD;
	return 0;
}

int
channel_open(struct channel *c, const uint8_t *cipher, size_t len, uint8_t *out, size_t *out_len)
{
	unsigned long long n;
	uint8_t tag;

	if (len < CHANNEL_OVERHEAD + 1)
		return IM_ERR_TRUNCATED;
	if (len > CHANNEL_FRAME_MAX)
		return IM_ERR_LIMIT;
	if (crypto_secretstream_xchacha20poly1305_pull(
	            (stream_state *)c->recv, out, &n, &tag, cipher, len, NULL, 0) != 0)
		return IM_ERR_SIGNATURE;
	if (tag != crypto_secretstream_xchacha20poly1305_TAG_MESSAGE)
		return IM_ERR_FORMAT;
	*out_len = (size_t)n;
	return 0;
}

void
channel_export(const struct channel *c, uint8_t out[CHANNEL_STATE_LEN])
{
	memset(out, 0, CHANNEL_STATE_LEN);
	memcpy(out, c->send, sizeof(stream_state));
	memcpy(out + HALF_LEN, c->recv, sizeof(stream_state));
}

void
channel_import(struct channel *c, const uint8_t in[CHANNEL_STATE_LEN])
{
	memcpy(c->send, in, sizeof(stream_state));
	memcpy(c->recv, in + HALF_LEN, sizeof(stream_state));
}

void
channel_wipe(struct channel *c)
{
	sodium_memzero(c, sizeof *c);
}
