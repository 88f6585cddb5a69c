#include "client/graph.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/mix.h"

/*
 * The file:
 *     header | heads of the chains | entries, each at a multiple of 8 bytes
 * Its parts follow from its size alone.  A link is an offset from the file's start in units of
 * 8 bytes, 0 the end of a chain.
 */
#define MAGIC 0x31687061726763ULL /* the layout's name, "cgraph1" */
#define HEADS_AT 64
#define BYTES_PER_HEAD 2048 /* of the file: few chains have more than one entry till it is full */
#define UNIT 8u
#define FILE_MAX ((uint64_t)UINT32_MAX * UNIT) /* what lies beyond stays unused */
#define CHAIN_MAX 1024                         /* steps: a damaged chain may be a circle */

struct header {
	_Atomic uint64_t magic;
	_Atomic uint64_t used; /* bytes of entries, with those of writers that died */
};

struct entry {
	_Atomic uint32_t next;
	_Atomic uint32_t hash; /* of the key; its upper half, the lower one chooses the chain */
	_Atomic uint32_t key_len, value_len;
	_Atomic uint64_t sum; /* over the value, seeded by the key's hash */
	uint8_t bytes[];      /* value, key, and up to 7 unused ones */
};

_Static_assert(sizeof(struct entry) == 24, "values are aligned");
_Static_assert(sizeof(struct header) <= HEADS_AT, "the header has room");

struct graph {
	uint8_t *base;
	size_t size; /* of the file */
	struct header *header;
	_Atomic uint32_t *heads;
	uint32_t mask;
	size_t start, room; /* of the entries, in bytes */
	uint64_t seed;
	bool worn; /* room that should have been fresh was not */
};

/* ---- check sums ---- */

static inline uint64_t
word_at(const uint8_t *p)
{
	uint64_t word;
	memcpy(&word, p, sizeof word);
	return word;
}

/* For accidents, not for enemies: all who write here are the same user. */
static uint64_t
sum_of(uint64_t seed, const void *bytes, size_t len)
{
	const uint8_t *p = bytes, *end = p + len;
	uint64_t a = seed, b = ~seed, c = seed + len, d = ~(seed + len), last = 0;

	for (; end - p >= 32; p += 32) {
		a = mix(a, word_at(p));
		b = mix(b, word_at(p + 8));
		c = mix(c, word_at(p + 16));
		d = mix(d, word_at(p + 24));
	}
	for (; end - p >= 8; p += 8) {
		uint64_t was = a;
		a = b;
		b = c;
		c = d;
		d = mix(was, word_at(p));
	}
	if (end > p)
		memcpy(&last, p, (size_t)(end - p));
	a = mix(mix(mix(mix(mix(a, last), b), c), d), len);
	return mix(a, a >> 29);
}

/* ---- the file ---- */

static void
lay_out(struct graph *g)
{
	uint64_t size = g->size < FILE_MAX ? g->size : FILE_MAX;
	uint32_t heads = GRAPH_FILE_MIN / BYTES_PER_HEAD;

	while (heads <= size / BYTES_PER_HEAD / 2)
		heads *= 2;
	g->header = (struct header *)g->base;
	g->heads = (_Atomic uint32_t *)(g->base + HEADS_AT);
	g->mask = heads - 1;
	g->start = HEADS_AT + (size_t)heads * sizeof *g->heads;
	g->room = (size_t)(size - g->start) / UNIT * UNIT;
}

/* A file that could shrink would take the wrapper's life by SIGBUS. */
static int
check_file(int fd, size_t *size)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;

	if (seals < 0 || (seals & (F_SEAL_SHRINK | F_SEAL_GROW)) != (F_SEAL_SHRINK | F_SEAL_GROW))
		return IM_ERR_FORMAT;
	if (fstat(fd, &st) != 0)
		return IM_ERR_SYSTEM;
	if (st.st_size < (off_t)GRAPH_FILE_MIN || (uint64_t)st.st_size > SIZE_MAX)
		return IM_ERR_FORMAT;
	*size = (size_t)st.st_size;
	return 0;
}

int
graph_open(struct graph **out, int fd)
{
	struct graph *g = NULL;
	uint64_t found = 0;
	size_t size;
	int r = check_file(fd, &size);

	if (r != 0)
		goto out;
	g = calloc(1, sizeof *g);
	if (g == NULL) {
		r = IM_ERR_MEMORY;
		goto out;
	}
	g->size = size;
	g->base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (g->base == MAP_FAILED) {
		g->base = NULL;
		r = IM_ERR_SYSTEM;
		goto out;
	}
	(void)madvise(g->base, size, MADV_DONTDUMP);
	lay_out(g);
	g->seed = sum_of(MAGIC, IM_VERSION, sizeof IM_VERSION);
	if (!atomic_compare_exchange_strong(&g->header->magic, &found, MAGIC) && found != MAGIC)
		r = IM_ERR_FORMAT;
	else
		*out = g;
out:
	if (fd >= 0)
		close(fd);
	if (r != 0)
		graph_free(g);
	return r;
}

void
graph_free(struct graph *g)
{
	if (g == NULL)
		return;
	if (g->base != NULL)
		munmap(g->base, g->size);
	free(g);
}

/* ---- finding ---- */

static inline uint32_t
get(const _Atomic uint32_t *field)
{
	return atomic_load_explicit(field, memory_order_relaxed);
}

static uint64_t
value_sum(uint64_t hash, const void *value, size_t len)
{
	return sum_of(mix(hash, len), value, len);
}

/* The entry that a link leads to, when at least its fixed part lies among the entries. */
static struct entry *
entry_at(const struct graph *g, uint32_t link)
{
	uint64_t at = (uint64_t)link * UNIT;

	if (at < g->start || at > g->start + g->room - sizeof(struct entry))
		return NULL;
	return (struct entry *)(g->base + at);
}

/* Each field is read once: another process may be changing it. */
static const void *
value_in(const struct graph *g, const struct entry *e, const void *key, size_t key_len,
        uint64_t hash, size_t *len)
{
	size_t room = (size_t)(g->base + g->start + g->room - e->bytes);
	size_t value_len = get(&e->value_len);

	if (get(&e->key_len) != key_len || value_len > GRAPH_VALUE_MAX || value_len > room ||
	        key_len > room - value_len || memcmp(e->bytes + value_len, key, key_len) != 0)
		return NULL;
	if (atomic_load_explicit(&e->sum, memory_order_relaxed) !=
	        value_sum(hash, e->bytes, value_len))
		return NULL;
	*len = value_len;
	return e->bytes;
}

static const void *
find(const struct graph *g, const void *key, size_t key_len, uint64_t hash, size_t *len)
{
	uint32_t link = atomic_load_explicit(&g->heads[hash & g->mask], memory_order_acquire);

	for (unsigned step = 0; link != 0 && step < CHAIN_MAX; step++) {
		const struct entry *e = entry_at(g, link);

		if (e == NULL)
			return NULL;
		/* one that does not fit is damaged: behind it are older values only */
		if (get(&e->hash) == hash >> 32)
			return value_in(g, e, key, key_len, hash, len);
		link = get(&e->next);
	}
	return NULL;
}

const void *
graph_find(const struct graph *g, const void *key, size_t key_len, size_t *len)
{
	if (g == NULL || key_len > GRAPH_KEY_MAX)
		return NULL;
	return find(g, key, key_len, sum_of(g->seed, key, key_len), len);
}

/* ---- adding ---- */

/* Fresh room is zeros.  Where it is not, `used` was damaged, and an entry that somebody reads would
 * be written over. */
static bool
is_fresh(const uint8_t *p, size_t len)
{
	uint64_t all = 0;

	for (size_t i = 0; i < len; i += UNIT)
		all |= word_at(p + i);
	return all == 0;
}

static struct entry *
reserve(struct graph *g, size_t need)
{
	uint64_t used = atomic_load_explicit(&g->header->used, memory_order_relaxed);

	if (need > g->room || used > g->room - need)
		return NULL;
	used = atomic_fetch_add_explicit(&g->header->used, need, memory_order_relaxed);
	if (used > g->room - need)
		return NULL;
	if (used % UNIT != 0 || !is_fresh(g->base + g->start + used, need)) {
		g->worn = true;
		return NULL;
	}
	return (struct entry *)(g->base + g->start + used);
}

static void
publish(struct graph *g, struct entry *e, uint64_t hash)
{
	_Atomic uint32_t *head = &g->heads[hash & g->mask];
	uint32_t link = (uint32_t)((size_t)((uint8_t *)e - g->base) / UNIT), was = get(head);

	do
		atomic_store_explicit(&e->next, was, memory_order_relaxed);
	while (!atomic_compare_exchange_weak_explicit(
	        head, &was, link, memory_order_acq_rel, memory_order_acquire));
}

int
graph_add(struct graph *g, const void *key, size_t key_len, const void *value, size_t len)
{
	struct entry *e;
	const void *known;
	size_t known_len;
	uint64_t hash;

	if (g == NULL || key_len > GRAPH_KEY_MAX || len > GRAPH_VALUE_MAX)
		return IM_ERR_LIMIT;
	if (value == NULL)
		value = "";
	hash = sum_of(g->seed, key, key_len);
	known = find(g, key, key_len, hash, &known_len);
	if (known != NULL && known_len == len && memcmp(known, value, len) == 0)
		return 0;
	e = reserve(g, (sizeof *e + len + key_len + UNIT - 1) / UNIT * UNIT);
	if (e == NULL)
		return IM_ERR_LIMIT;
	atomic_store_explicit(&e->hash, (uint32_t)(hash >> 32), memory_order_relaxed);
	atomic_store_explicit(&e->key_len, (uint32_t)key_len, memory_order_relaxed);
	atomic_store_explicit(&e->value_len, (uint32_t)len, memory_order_relaxed);
	atomic_store_explicit(&e->sum, value_sum(hash, value, len), memory_order_relaxed);
	memcpy(e->bytes, value, len);
	memcpy(e->bytes + len, key, key_len);
	publish(g, e, hash);
	return 0;
}

unsigned
graph_filled(const struct graph *g)
{
	if (g == NULL)
		return 100;
	uint64_t used = atomic_load_explicit(&g->header->used, memory_order_relaxed);

	return used >= g->room ? 100 : (unsigned)(used * 100 / g->room);
}

bool
graph_full(const struct graph *g)
{
	if (g == NULL)
		return false;
	uint64_t used = atomic_load_explicit(&g->header->used, memory_order_relaxed);

	return g->worn || used % UNIT != 0 || used > g->room / 10 * 9;
}
