#include "client/datemacro.h"

#include <string.h>

static const char *const names[] = {"__DATE__", "__TIME__", "__TIMESTAMP__"};

_Static_assert(sizeof "__TIMESTAMP__" - 1 == DATEMACRO_TAIL + 1,
        "the tail is the longest name less one byte");

void
datemacro_init(struct datemacro *d)
{
	memset(d, 0, sizeof *d);
}

static bool
mentions(const char *bytes, size_t len)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (memmem(bytes, len, names[i], strlen(names[i])) != NULL)
			return true;
	return false;
}

bool
datemacro_scan(struct datemacro *d, const char *bytes, size_t len)
{
	size_t head = len < DATEMACRO_TAIL ? len : DATEMACRO_TAIL;
	size_t keep;

	if (d->seen || len == 0)
		return d->seen;
	memcpy(d->tail + d->len, bytes, head);
	d->seen = mentions(d->tail, d->len + head) || mentions(bytes, len);
	if (len >= DATEMACRO_TAIL) {
		memcpy(d->tail, bytes + len - DATEMACRO_TAIL, DATEMACRO_TAIL);
		d->len = DATEMACRO_TAIL;
		return d->seen;
	}
	keep = d->len + head < DATEMACRO_TAIL ? d->len + head : DATEMACRO_TAIL;
	memmove(d->tail, d->tail + d->len + head - keep, keep);
	d->len = keep;
	return d->seen;
}
