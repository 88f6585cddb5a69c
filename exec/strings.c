#include "exec/strings.h"

#include <stdlib.h>
#include <string.h>

void
strings_init(struct strings *s, uint32_t max)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
}

void
strings_fini(struct strings *s)
{
	free(s->at);
	strings_init(s, s->max);
}

/* Room for n more; nonzero when there is none. */
static int
strings_grow(struct strings *s, uint32_t n)
{
	uint32_t cap = s->cap ? s->cap : 64;
	const char **at;

	if (s->err)
		return s->err;
	if (n > s->max - s->n)
		return s->err = IM_ERR_LIMIT;
	if (s->n + n <= s->cap)
		return 0;
	while (cap < s->n + n)
		cap *= 2;
	at = realloc(s->at, cap * sizeof(*at));
	if (!at)
		return s->err = IM_ERR_MEMORY;
	s->at = at;
	s->cap = cap;
	return 0;
}

void
strings_add(struct strings *s, const char *text)
{
	if (!strings_grow(s, 1))
		s->at[s->n++] = text;
}

void
strings_splice(struct strings *s, uint32_t i, const char *const *texts, uint32_t n)
{
	if (i >= s->n || strings_grow(s, n))
		return;
	memmove(s->at + i + n, s->at + i + 1, (s->n - i - 1) * sizeof(*s->at));
	if (n)
		memcpy(s->at + i, texts, n * sizeof(*texts));
	s->n += n - 1;
}

int
strings_pack(const struct strings *s, char ***out)
{
	size_t size = (s->n + 1) * sizeof(char *);
	char **list;
	char *p;

	if (s->err)
		return s->err;
	for (uint32_t i = 0; i < s->n; i++)
		size += strlen(s->at[i]) + 1;
	list = malloc(size);
	if (!list)
		return IM_ERR_MEMORY;
	p = (char *)(list + s->n + 1);
	for (uint32_t i = 0; i < s->n; i++) {
		size_t len = strlen(s->at[i]) + 1;

		memcpy(p, s->at[i], len);
		list[i] = p;
		p += len;
	}
	list[s->n] = NULL;
	*out = list;
	return 0;
}
