/*
 * A writer of one JSON document (RFC 8259) into a buf; it puts the commas, the caller keeps keys and values in order.
 *
 * Safe for a terminal too: what text_clean() would replace goes out as \uXXXX, and bytes that are no UTF-8 as U+FFFD.
 * Nesting deeper than JSON_DEPTH_MAX is the caller's mistake (asserted).
 */
#ifndef CLIENT_JSON_H
#define CLIENT_JSON_H

#include <stdbool.h>
#include "crypto/buf.h"

#define JSON_DEPTH_MAX 16

struct json {
	struct buf *out;
	unsigned depth;
	bool filled[JSON_DEPTH_MAX]; /* something stands in the container at that depth */
	bool keyed;                  /* a key was written, its value follows */
};

/* Writes to out, which stays the caller's; errors stay in it. */
void json_init(struct json *j, struct buf *out);
void json_open_object(struct json *j);
void json_close_object(struct json *j);
void json_open_array(struct json *j);
void json_close_array(struct json *j);
/* Inside an object: the key of the value that comes next. */
void json_key(struct json *j, const char *key);
void json_text(struct json *j, const char *text);
void json_uint(struct json *j, uint64_t v);
/* v / scale with as many decimals as scale (1, 10, 100 or 1000) has zeros. */
void json_scaled(struct json *j, uint64_t v, unsigned scale);
void json_bool(struct json *j, bool v);
void json_null(struct json *j);
/* Key and value in one call. */
void json_ktext(struct json *j, const char *key, const char *text);
void json_kuint(struct json *j, const char *key, uint64_t v);
void json_kbool(struct json *j, const char *key, bool v);

#endif
