#include "exec/findings.h"

#include <string.h>

#define OVERFLOW_LEN 2 /* letter and NUL */

/* No other record ends like this: every path but that of an overflow begins with a slash. */
static bool
ends_in_overflow(const struct buf *b)
{
	const uint8_t *end = b->data + b->len;

	if (b->len < OVERFLOW_LEN || end[-2] != FINDING_OVERFLOW || end[-1] != '\0')
		return false;
	return b->len == OVERFLOW_LEN || end[-3] == '\0';
}

static void
put_record(struct buf *b, enum finding what, const char *path, size_t len)
{
	uint8_t *room = buf_room(b, len + OVERFLOW_LEN);

	if (room == NULL)
		return;
	room[0] = (uint8_t)what;
	memcpy(room + 1, path, len);
	room[len + 1] = '\0';
	b->len += len + OVERFLOW_LEN;
}

void
findings_add(struct buf *b, enum finding what, const char *path)
{
	size_t len = what == FINDING_OVERFLOW ? 0 : strlen(path);
	size_t left = b->max - b->len;

	if (what != FINDING_OVERFLOW && len + 2 * OVERFLOW_LEN <= left)
		put_record(b, what, path, len);
	else if (!ends_in_overflow(b))
		put_record(b, FINDING_OVERFLOW, "", 0);
}

int
findings_next(const char *bytes, size_t len, size_t *at, enum finding *what, const char **path)
{
	const char *record, *text, *nul;

	if (*at == len)
		return 0;
	if (*at > len)
		return IM_ERR_FORMAT;
	record = bytes + *at;
	text = record + 1;
	nul = memchr(record, '\0', len - *at);
	if (nul == NULL || nul == record)
		return IM_ERR_FORMAT;
	if (*record == FINDING_OVERFLOW ? *text != '\0' : *text != '/')
		return IM_ERR_FORMAT;
	if (*record != FINDING_OVERFLOW && *record != FINDING_MISS && *record != FINDING_EXTRA)
		return IM_ERR_FORMAT;
	*at += (size_t)(nul + 1 - record);
	*what = (enum finding) * record;
	*path = text;
	return 1;
}
