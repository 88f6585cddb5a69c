#include "client/pool.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_LEN (64u << 10)

struct pool_chunk {
	struct pool_chunk *before;
	size_t len;
	_Alignas(8) unsigned char bytes[];
};

void
pool_init(struct pool *p)
{
	memset(p, 0, sizeof(*p));
}

void
pool_fini(struct pool *p)
{
	while (p->last) {
		struct pool_chunk *before = p->last->before;

		free(p->last);
		p->last = before;
	}
	pool_init(p);
}

void *
pool_get(struct pool *p, size_t len)
{
	struct pool_chunk *c = p->last;
	void *at;

	if (len > SIZE_MAX / 2)
		return NULL;
	len = (len + 7) & ~(size_t)7;
	if (!c || len > c->len - p->used) {
		size_t room = len > CHUNK_LEN ? len : CHUNK_LEN;

		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->before = p->last;
		c->len = room;
		p->last = c;
		p->used = 0;
	}
	at = c->bytes + p->used;
	p->used += len;
	return at;
}

char *
pool_text(struct pool *p, const char *text, size_t len)
{
	char *at = pool_get(p, len + 1);

	if (at)
		memcpy(at, text, len);
	return at;
}
