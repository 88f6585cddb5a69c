#include "client/printable.h"

#include <string.h>

struct range {
	uint32_t first, last;
};

/* Invisible, direction-changing, or for the terminal: they are replaced. */
static const struct range hidden[] = {
        {0x00, 0x1f},
        {0x7f, 0x9f},
        {0xad, 0xad},
        {0x61c, 0x61c},
        {0x115f, 0x1160},
        {0x180e, 0x180e},
        {0x200b, 0x200f},
        {0x2028, 0x202e},
        {0x2060, 0x206f},
        {0x3164, 0x3164},
        {0xd800, 0xdfff},
        {0xe000, 0xf8ff},
        {0xfe00, 0xfe0f},
        {0xfeff, 0xfeff},
        {0xffa0, 0xffa0},
        {0xfff0, 0xfffb},
        {0xfffe, 0xffff},
        {0xe0000, 0x10ffff},
};
/* Two columns each in terminals' fonts. */
static const struct range wide[] = {
        {0x1100, 0x115e},
        {0x2e80, 0x303e},
        {0x3041, 0xa4cf},
        {0xac00, 0xd7a3},
        {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},
        {0xff00, 0xff60},
        {0xffe0, 0xffe6},
        {0x1f300, 0x1faff},
        {0x20000, 0x3fffd},
};
/* None: they stand over the letter before. */
static const struct range combining[] = {
        {0x300, 0x36f},
        {0x1ab0, 0x1aff},
        {0x1dc0, 0x1dff},
        {0x20d0, 0x20ff},
        {0xfe20, 0xfe2f},
};
#define WITHIN(code, table) within(code, table, sizeof(table) / sizeof(table)[0])

static bool
within(uint32_t code, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (code >= r[i].first && code <= r[i].last)
			return true;
	return false;
}

size_t
utf8_next(const char *text, uint32_t *code)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000}; /* below: an overlong form */
	const uint8_t *p = (const uint8_t *)text;
	size_t len = p[0] < 0x80             ? 1
	             : (p[0] & 0xe0) == 0xc0 ? 2
	             : (p[0] & 0xf0) == 0xe0 ? 3
	             : (p[0] & 0xf8) == 0xf0 ? 4
	                                     : 0;
	uint32_t v;

	if (len == 0)
		return 0;
	v = len == 1 ? p[0] : p[0] & (0xffu >> (len + 1));
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80) /* the closing NUL too */
			return 0;
		v = v << 6 | (p[i] & 0x3f);
	}
	if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
		return 0;
	*code = v;
	return len;
}

bool
utf8_printable(uint32_t code)
{
	return !WITHIN(code, hidden);
}

/* One step through a text: bytes taken, columns it will take, and whether '?' stands for it. */
static size_t
step(const char *text, size_t *columns, bool *replaced)
{
	uint32_t code = 0;
	size_t len = utf8_next(text, &code);

	*replaced = len == 0 || !utf8_printable(code);
	*columns = *replaced ? 1 : WITHIN(code, wide) ? 2 : WITHIN(code, combining) ? 0 : 1;
	return len == 0 ? 1 : len;
}

size_t
text_width(const char *text)
{
	size_t width = 0, columns;
	bool replaced;

	while (*text != 0) {
		text += step(text, &columns, &replaced);
		width += columns;
	}
	return width;
}

void
text_clean(struct buf *out, const char *text, size_t columns)
{
	size_t len, need;
	bool replaced;

	for (; *text != 0; text += len) {
		len = step(text, &need, &replaced);
		if (need > columns)
			return;
		columns -= need;
		buf_put(out, replaced ? "?" : text, replaced ? 1 : len);
	}
}
