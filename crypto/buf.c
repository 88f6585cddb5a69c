#include "crypto/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_FIRST 64 /* bytes of the first allocation */

void
buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){.max = max};
}

void
buf_fini(struct buf *b)
{
	free(b->data);
	buf_init(b, b->max);
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->err = 0;
}

/* One byte more than cap is allocated, so that a closing NUL never needs room of its own. */
static int
grow(struct buf *b, size_t need)
{
	size_t cap = b->cap ? b->cap : BUF_FIRST;
	uint8_t *data;

	if (b->data != NULL && need <= b->cap)
		return 0;
	while (cap < need)
		cap = cap <= b->max / 2 ? cap * 2 : b->max;
	if (cap > b->max)
		cap = b->max;
	data = cap < SIZE_MAX ? realloc(b->data, cap + 1) : NULL;
	if (data == NULL)
		return b->err = IM_ERR_MEMORY;
	b->data = data;
	b->cap = cap;
	return 0;
}

uint8_t *
buf_room(struct buf *b, size_t len)
{
	if (b->err != 0)
		return NULL;
	if (len > b->max - b->len) {
		b->err = IM_ERR_LIMIT;
		return NULL;
	}
	if (grow(b, b->len + len) != 0)
		return NULL;
	return b->data + b->len;
}

void
buf_put(struct buf *b, const void *bytes, size_t len)
{
	uint8_t *room = buf_room(b, len);

	if (room == NULL || len == 0)
		return;
	memcpy(room, bytes, len);
	b->len += len;
}

void
buf_put_u8(struct buf *b, uint8_t v)
{
	buf_put(b, &v, 1);
}

void
buf_put_u16(struct buf *b, uint16_t v)
{
	uint8_t be[2] = {v >> 8, v & 0xff};

	buf_put(b, be, sizeof be);
}

void
buf_put_u32(struct buf *b, uint32_t v)
{
	uint8_t be[4] = {v >> 24, (v >> 16) & 0xff, (v >> 8) & 0xff, v & 0xff};

	buf_put(b, be, sizeof be);
}

void
buf_consume(struct buf *b, size_t len)
{
	assert(len <= b->len);
	if (len == 0)
		return;
	b->len -= len;
	memmove(b->data, b->data + len, b->len);
}

void
buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap, again;
	uint8_t *room;
	int len;

	va_start(ap, fmt);
	va_copy(again, ap);
	len = vsnprintf(NULL, 0, fmt, ap);
	assert(len >= 0);
	room = buf_room(b, (size_t)len);
	if (room != NULL) {
		vsnprintf((char *)room, (size_t)len + 1, fmt, again);
		b->len += (size_t)len;
	}
	va_end(again);
	va_end(ap);
}

const char *
buf_text(struct buf *b)
{
	if (b->err != 0 || grow(b, b->len) != 0)
		return NULL;
	b->data[b->len] = '\0';
	return (const char *)b->data;
}

int
buf_err(const struct buf *b)
{
	return b->err;
}

uint16_t
get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t
get_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}
