/*
 * A main program for the fuzz targets where libFuzzer is not at hand.
 *
 *   fuzz_NAME [-runs=N] [-seed=S] [FILE]...
 *
 * Feeds each FILE as it is, then N random mutations of the files and the built-in samples.  Prints
 * its seed; the same seed and files give the same run.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SAMPLES_MAX 64
#define EDITS_MAX 6 /* in one mutation */

struct sample {
	uint8_t *data;
	size_t len;
};

struct pool {
	struct sample samples[SAMPLES_MAX];
	unsigned n;
};

static void
pool_add(struct pool *p, const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len + 1);

	if (copy == NULL || p->n == SAMPLES_MAX) {
		free(copy);
		return;
	}
	memcpy(copy, data, len);
	p->samples[p->n++] = (struct sample){copy, len};
}

static int
pool_add_file(struct pool *p, const char *path)
{
	uint8_t bytes[FUZZ_SAMPLE_MAX];
	FILE *f = fopen(path, "rb");
	size_t len;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	len = fread(bytes, 1, sizeof bytes, f);
	fclose(f);
	pool_add(p, bytes, len);
	return 0;
}

/* splitmix64 */
static uint64_t
next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

/* One edit in place; the new length, never above FUZZ_SAMPLE_MAX. */
static size_t
edit(uint8_t *data, size_t len, uint64_t *rng)
{
	size_t at = len > 0 ? next_random(rng) % len : 0, n = 1 + next_random(rng) % 8;

	switch (next_random(rng) % 6) {
	case 0: /* cut off */
		return at;
	case 1: /* take out */
		n = n < len - at ? n : len - at;
		memmove(data + at, data + at + n, len - at - n);
		return len - n;
	case 2: /* put in */
		if (len + n > FUZZ_SAMPLE_MAX)
			return len;
		memmove(data + at + n, data + at, len - at);
		while (n-- > 0)
			data[at + n] = (uint8_t)next_random(rng), len++;
		return len;
	case 3: /* extreme values */
		if (len > 0)
			data[at] = (uint8_t[]){0, 1, 0x7f, 0x80, 0xdf, 0xff}[next_random(rng) % 6];
		return len;
	case 4:
		if (len > 0)
			data[at] = (uint8_t)next_random(rng);
		return len;
	default:
		if (len > 0)
			data[at] ^= (uint8_t)(1u << next_random(rng) % 8);
		return len;
	}
}

/* The decoder gets a heap copy of exactly the length, so that a sanitizer sees a read past the
 * end. */
static void
feed(const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);

	if (copy == NULL && len > 0)
		abort();
	if (len > 0)
		memcpy(copy, data, len);
	LLVMFuzzerTestOneInput(copy, len);
	free(copy);
}

static void
run(const struct pool *p, unsigned long runs, uint64_t seed)
{
	uint8_t data[FUZZ_SAMPLE_MAX];
	const struct sample *s;
	unsigned long i;
	uint64_t edits;
	size_t len;

	for (i = 0; i < p->n; i++)
		feed(p->samples[i].data, p->samples[i].len);
	for (i = 0; i < runs; i++) {
		s = &p->samples[next_random(&seed) % p->n];
		len = s->len;
		memcpy(data, s->data, len);
		for (edits = 1 + next_random(&seed) % EDITS_MAX; edits > 0; edits--)
			len = edit(data, len, &seed);
		feed(data, len);
	}
}

int
main(int argc, char **argv)
{
	struct pool pool = {.n = 0};
	uint8_t sample[FUZZ_SAMPLE_MAX];
	unsigned long runs = 0;
	uint64_t seed = (uint64_t)time(NULL);
	size_t len;
	unsigned n;
	int i;

	for (i = 1; i < argc; i++) {
		if (strncmp(argv[i], "-runs=", 6) == 0)
			runs = strtoul(argv[i] + 6, NULL, 10);
		else if (strncmp(argv[i], "-seed=", 6) == 0)
			seed = strtoull(argv[i] + 6, NULL, 10);
		else if (argv[i][0] == '-')
			return fprintf(stderr, "usage: %s [-runs=N] [-seed=S] [FILE]...\n",
			               argv[0]),
			       2;
		else if (pool_add_file(&pool, argv[i]) != 0)
			return 1;
	}
	for (n = 0; (len = fuzz_sample(n, sample)) > 0; n++)
		pool_add(&pool, sample, len);
	if (pool.n == 0)
		pool_add(&pool, sample, 0);
	printf("%s: seed %llu, %u samples, %lu runs\n", argv[0], (unsigned long long)seed, pool.n,
	        runs);
	fflush(stdout);
	run(&pool, runs, seed);
	for (n = 0; n < pool.n; n++)
		free(pool.samples[n].data);
	return 0;
}
