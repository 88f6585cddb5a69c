/*
 * Messages as msgpack maps with small unsigned keys; the only place that knows msgpack-c.
 *
 * Rule for evolution: keys 0 to 63 are mandatory knowledge (a decoder that meets one it does not
 * know refuses the message, IM_ERR_VERSION), keys from 64 on are optional (skipped).  packet_open()
 * walks the bytes without allocating before it lets msgpack-c unpack them, because msgpack-c
 * allocates what a header asks for.
 */
#ifndef CRYPTO_PACKET_H
#define CRYPTO_PACKET_H

#include <stdbool.h>
#include "crypto/buf.h"

/* --- writing: append to a buf; errors stay in the buf --- */
void pack_map(struct buf *b, uint32_t pairs); /* then `pairs` times a key and a value */
void pack_array(struct buf *b, uint32_t n);   /* then n values */
void pack_uint(struct buf *b, uint64_t v);    /* a bare value, also used for keys */
void pack_bytes(struct buf *b, const void *p, size_t len);
void pack_text(struct buf *b, const char *s); /* NUL-terminated */
void pack_bool(struct buf *b, bool v);
void pack_nil(struct buf *b);
/* key and value in one call */
void pack_kuint(struct buf *b, unsigned key, uint64_t v);
void pack_kbytes(struct buf *b, unsigned key, const void *p, size_t len);
void pack_ktext(struct buf *b, unsigned key, const char *s);

/* --- reading --- */
#define PACKET_DEPTH_MAX 6      /* nesting */
#define PACKET_ITEMS_MAX 262144 /* values in one message, counted before anything is allocated */
#define PACKET_PAIRS_MAX \
	256 /* keys in one map, since look-ups are linear; many things make an array */

struct packet; /* one decoded message; owns its memory, points into the caller's bytes */
struct item;   /* a value inside a packet; valid until packet_free() */

/* Decodes exactly one value that fills all len bytes.  The bytes must stay until packet_free().
 * IM_ERR_TRUNCATED, IM_ERR_FORMAT (trailing bytes, not msgpack, not a map at the top, a negative
 * number, float or extension), IM_ERR_LIMIT, IM_ERR_MEMORY. */
int packet_open(struct packet **out, const void *bytes, size_t len) IM_MUST;
void packet_free(struct packet *p); /* NULL is allowed */
const struct item *packet_root(const struct packet *p);

/* IM_ERR_VERSION when the map holds a key 0..63 whose bit in `known` is not set, or keys twice or
 * not unsigned. */
int item_known(const struct item *map, uint64_t known) IM_MUST;
/* The value under key; NULL when absent or nil. */
const struct item *item_get(const struct item *map, unsigned key);

/* Typed look-ups in a map: IM_ERR_ABSENT when the key is missing or nil, IM_ERR_FORMAT for another
 * type, IM_ERR_LIMIT above max.  Pointers go into the message's bytes. */
int item_uint(const struct item *map, unsigned key, uint64_t max, uint64_t *out) IM_MUST;
int item_bytes(
        const struct item *map, unsigned key, size_t max, const uint8_t **out, size_t *len) IM_MUST;
int item_fixed(const struct item *map, unsigned key, void *out,
        size_t len) IM_MUST; /* bytes of exactly len, copied */
/* Text as a NUL-terminated copy into a caller's array of `size`; refuses NUL bytes inside and, with
 * IM_ERR_FORMAT, control characters below 0x20 and 0x7f. */
int item_text(const struct item *map, unsigned key, char *out, size_t size) IM_MUST;
int item_bool(const struct item *map, unsigned key, bool *out) IM_MUST;
/* An array or a map under key, at most max elements. */
int item_array(const struct item *map, unsigned key, uint32_t max, const struct item **out,
        uint32_t *n) IM_MUST;
int item_map(const struct item *map, unsigned key, const struct item **out) IM_MUST;
/* Element i of an array (i < n), as a value. */
const struct item *item_at(const struct item *array, uint32_t i);
/* A value itself (not looked up in a map): for array elements. */
int value_uint(const struct item *v, uint64_t max, uint64_t *out) IM_MUST;
int value_bytes(const struct item *v, size_t max, const uint8_t **out,
        size_t *len) IM_MUST; /* bin or str */
bool value_is_map(const struct item *v);

#endif
