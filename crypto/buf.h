/*
 * A byte buffer with a hard maximum that is set at creation.
 *
 * Appends that would pass the maximum, or for which memory lacks, change nothing but set `err`; it
 * stays set, so an encoder appends without looking and asks buf_err() once at its end.  Not for
 * secrets unless wiped by the owner.
 */
#ifndef CRYPTO_BUF_H
#define CRYPTO_BUF_H

#include <stddef.h>
#include <stdint.h>
#include "crypto/err.h"

struct buf {
	uint8_t *data; /* owned; NULL while empty */
	size_t len, cap, max;
	int err; /* 0, IM_ERR_LIMIT or IM_ERR_MEMORY */
};

/* An empty buffer that will never hold more than max bytes; allocates nothing. */
void buf_init(struct buf *b, size_t max);
/* Frees the bytes; the buffer is empty and usable again with the same maximum. */
void buf_fini(struct buf *b);
/* Empties without freeing, and clears err. */
void buf_reset(struct buf *b);
/* Appends len bytes. */
void buf_put(struct buf *b, const void *bytes, size_t len);
/* Appends big-endian integers. */
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u16(struct buf *b, uint16_t v);
void buf_put_u32(struct buf *b, uint32_t v);
/* Room for len more bytes at the end, not yet counted in b->len; NULL when there is none (err is
 * set). */
uint8_t *buf_room(struct buf *b, size_t len);
/* Removes the first len bytes (len <= b->len). */
void buf_consume(struct buf *b, size_t len);
/* printf into the buffer, without the closing NUL. */
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The buffer's bytes with a NUL behind them that is not counted; NULL on error. */
const char *buf_text(struct buf *b);
/* The sticky error, 0 if none. */
int buf_err(const struct buf *b);

/* Big-endian readers of exactly 2 and 4 bytes. */
uint16_t get_u16(const uint8_t *p);
uint32_t get_u32(const uint8_t *p);

#endif
