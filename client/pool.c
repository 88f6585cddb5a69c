#include "client/pool.h"

#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK_LEN (64u << 10)

struct pool_chunk {
	struct pool_chunk *before;
	size_t len; /* of bytes */
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

		munmap(p->last, sizeof(*p->last) + p->last->len);
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
		size_t size = sizeof(*c) + len > CHUNK_LEN ? sizeof(*c) + len : CHUNK_LEN;

		/* all of its pages at once: half of what as many faults cost */
		c = mmap(NULL, size, PROT_READ | PROT_WRITE,
		        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		if (c == MAP_FAILED)
			return NULL;
		c->before = p->last;
		c->len = size - sizeof(*c);
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
