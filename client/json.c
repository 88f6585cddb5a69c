#include "client/json.h"

#include <assert.h>
#include <inttypes.h>
#include "client/printable.h"

void
json_init(struct json *j, struct buf *out)
{
	*j = (struct json){.out = out};
}

/* What stands before a value or a key: a comma, unless it is the first one or follows its key. */
static void
separate(struct json *j)
{
	if (j->keyed)
		j->keyed = false;
	else if (j->filled[j->depth])
		buf_put(j->out, ",", 1);
	j->filled[j->depth] = true;
}

static void
open_container(struct json *j, const char *bracket)
{
	separate(j);
	buf_put(j->out, bracket, 1);
	assert(j->depth + 1 < JSON_DEPTH_MAX);
	j->filled[++j->depth] = false;
}

static void
close_container(struct json *j, const char *bracket)
{
	assert(j->depth > 0 && !j->keyed);
	j->depth--;
	buf_put(j->out, bracket, 1);
	if (j->depth == 0)
		buf_put(j->out, "\n", 1);
}

void
json_open_object(struct json *j)
{
	open_container(j, "{");
}

void
json_close_object(struct json *j)
{
	close_container(j, "}");
}

void
json_open_array(struct json *j)
{
	open_container(j, "[");
}

void
json_close_array(struct json *j)
{
	close_container(j, "]");
}

static void
put_escape(struct buf *out, uint32_t code)
{
	if (code > 0xffff) {
		buf_printf(out, "\\u%04" PRIx32, 0xd800 + ((code - 0x10000) >> 10));
		code = 0xdc00 + ((code - 0x10000) & 0x3ff);
	}
	buf_printf(out, "\\u%04" PRIx32, code);
}

static void
put_string(struct buf *out, const char *text)
{
	uint32_t code;
	size_t len;

	buf_put(out, "\"", 1);
	for (; *text != 0; text += len) {
		len = utf8_next(text, &code);
		if (len == 0) {
			buf_printf(out, "\\ufffd");
			len = 1;
		} else if (code == '"' || code == '\\') {
			buf_printf(out, "\\%c", (int)code);
		} else if (code == '\n') {
			buf_printf(out, "\\n");
		} else if (code == '\t') {
			buf_printf(out, "\\t");
		} else if (!utf8_printable(code)) {
			put_escape(out, code);
		} else {
			buf_put(out, text, len);
		}
	}
	buf_put(out, "\"", 1);
}

void
json_key(struct json *j, const char *key)
{
	assert(!j->keyed);
	separate(j);
	put_string(j->out, key);
	buf_put(j->out, ":", 1);
	j->keyed = true;
}

void
json_text(struct json *j, const char *text)
{
	separate(j);
	put_string(j->out, text);
}

void
json_uint(struct json *j, uint64_t v)
{
	separate(j);
	buf_printf(j->out, "%" PRIu64, v);
}

void
json_scaled(struct json *j, uint64_t v, unsigned scale)
{
	int digits = scale == 1 ? 0 : scale == 10 ? 1 : scale == 100 ? 2 : 3;

	assert(scale == 1 || scale == 10 || scale == 100 || scale == 1000);
	separate(j);
	buf_printf(j->out, "%" PRIu64, v / scale);
	if (digits > 0)
		buf_printf(j->out, ".%0*" PRIu64, digits, v % scale);
}

void
json_bool(struct json *j, bool v)
{
	separate(j);
	buf_printf(j->out, v ? "true" : "false");
}

void
json_null(struct json *j)
{
	separate(j);
	buf_printf(j->out, "null");
}

void
json_ktext(struct json *j, const char *key, const char *text)
{
	json_key(j, key);
	json_text(j, text);
}

void
json_kuint(struct json *j, const char *key, uint64_t v)
{
	json_key(j, key);
	json_uint(j, v);
}

void
json_kbool(struct json *j, const char *key, bool v)
{
	json_key(j, key);
	json_bool(j, v);
}
