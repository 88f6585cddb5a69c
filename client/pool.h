/*
 * Memory of one job, taken in small pieces and freed all at once.
 */
#ifndef CLIENT_POOL_H
#define CLIENT_POOL_H

#include <stddef.h>

struct pool {
	struct pool_chunk *last; /* NULL: empty */
	size_t used;             /* bytes of the last chunk */
};

void pool_init(struct pool *p);
void pool_fini(struct pool *p);
/* len zeroed bytes, 8-byte aligned; NULL: no memory. */
void *pool_get(struct pool *p, size_t len);
/* A copy of len bytes with a NUL behind them. */
char *pool_text(struct pool *p, const char *text, size_t len);

#endif
