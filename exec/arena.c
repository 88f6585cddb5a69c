#include "exec/arena.h"

#include <string.h>

const char *
arena_text(struct arena *a, const uint8_t *bytes, size_t len)
{
	char *text = a->next;

	if (len >= a->left || (len > 0 && memchr(bytes, '\0', len) != NULL))
		return NULL;
	if (len > 0)
		memcpy(text, bytes, len);
	text[len] = '\0';
	a->next += len + 1;
	a->left -= len + 1;
	return text;
}
