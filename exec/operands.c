#include "exec/operands.h"

#include <string.h>

void
operands_init(struct operands *o, struct buf *list)
{
	memset(o, 0, sizeof *o);
	o->list = list;
	o->begin = list->len;
	o->err = buf_err(list);
}

/* FNV-1a */
static uint32_t
hash(enum include_kind kind, const char *name, size_t len)
{
	uint32_t h = 0x811c9dc5u ^ (uint32_t)kind;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 0x01000193u;
	return h ^ h >> 16;
}

/* The slot where the name is, or the free one where it belongs. */
static uint32_t *
slot(struct operands *o, enum include_kind kind, const char *name, size_t len)
{
	uint32_t i = hash(kind, name, len) % OPERANDS_SLOTS;

	for (; o->slots[i]; i = (i + 1) % OPERANDS_SLOTS) {
		const uint8_t *entry = o->list->data + o->begin + o->slots[i] - 1;
		if (entry[0] == kind && get_u16(entry + 1) == len &&
		        memcmp(entry + OPERAND_HEAD_LEN, name, len) == 0)
			break;
	}
	return &o->slots[i];
}

void
operands_add(struct operands *o, enum include_kind kind, const char *name, size_t len)
{
	struct buf *b = o->list;
	uint32_t *place;

	if (o->err || len == 0)
		return;
	place = slot(o, kind, name, len);
	if (*place)
		return;
	if (len > OPERAND_LEN_MAX || o->n == OPERANDS_MAX ||
	        OPERAND_HEAD_LEN + len > b->max - b->len ||
	        b->len - o->begin + OPERAND_HEAD_LEN + len > INCLUDES_LEN_MAX) {
		o->err = IM_ERR_LIMIT;
		return;
	}
	*place = (uint32_t)(b->len - o->begin) + 1;
	o->n++;
	buf_put_u8(b, (uint8_t)kind);
	buf_put_u16(b, (uint16_t)len);
	buf_put(b, name, len);
	o->err = buf_err(b);
}

enum operand
operands_literal(struct operands *o, const struct text *t, const char *p)
{
	enum include_kind kind = INCLUDE_QUOTE;
	const char *name = p + 1, *end = name;
	char close = '"';

	if (p == t->end || (*p != '"' && *p != '<'))
		return OPERAND_NONE;
	if (*p == '<')
		kind = INCLUDE_ANGLE, close = '>';
	while (end < t->end && *end != close && !text_newline(*end))
		if (++end - name > OPERAND_LEN_MAX)
			return OPERAND_ODD;
	/* gcc goes on with the tokens behind a < that is not closed, and macros may close it. */
	if (kind == INCLUDE_ANGLE && (end == t->end || *end != close))
		return OPERAND_NONE;
	operands_add(o, kind, name, (size_t)(end - name));
	/* For gcc the name ends here, for clang the quote is escaped. */
	return end > name && end[-1] == '\\' ? OPERAND_ODD : OPERAND_TAKEN;
}

int
operands_end(struct operands *o)
{
	if (o->err)
		o->list->len = o->begin;
	return o->err;
}

bool
operand_is_name(const char *p, const char *end)
{
	size_t len = (size_t)(end - p);

	if (len == 0 || len > OPERAND_LEN_MAX || (*p >= '0' && *p <= '9'))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)p[i] > 127)
			return false;
	return len < 5 || memcmp(p, "__", 2) != 0 || memcmp(end - 2, "__", 2) != 0;
}
