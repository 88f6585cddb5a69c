/*
 * Feeds a decoder what a valid sample becomes when it is cut off at any length or one of its bits
 * is turned over.
 *
 * Each variant is a heap copy of exactly its length, so that the address sanitizer sees a read past
 * the end.
 */
#ifndef TESTS_UNIT_MANGLE_H
#define TESTS_UNIT_MANGLE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* True when the decoder takes the bytes for valid. */
typedef bool mangle_accepts(const uint8_t *bytes, size_t len, void *arg);

static inline bool
mangle_one(mangle_accepts *accepts, const uint8_t *sample, size_t len, size_t flip, void *arg)
{
	uint8_t *copy = malloc(len);
	bool taken;

	if (copy == NULL && len > 0)
		abort();
	if (len > 0)
		memcpy(copy, sample, len);
	if (flip < 8 * len)
		copy[flip / 8] ^= (uint8_t)(1u << flip % 8);
	taken = accepts(copy, len, arg);
	free(copy);
	return taken;
}

/* Accepted variants among all truncations. */
static inline unsigned
mangle_cut(mangle_accepts *accepts, const uint8_t *sample, size_t len, void *arg)
{
	unsigned taken = 0;
	size_t n;

	for (n = 0; n < len; n++)
		if (mangle_one(accepts, sample, n, SIZE_MAX, arg)) {
			fprintf(stderr, "accepted when cut to %zu of %zu bytes\n", n, len);
			taken++;
		}
	return taken;
}

/* Accepted variants among all single-bit changes of the first `limit` bytes. */
static inline unsigned
mangle_flip(mangle_accepts *accepts, const uint8_t *sample, size_t len, size_t limit, void *arg)
{
	unsigned taken = 0;
	size_t bit;

	for (bit = 0; bit < 8 * limit; bit++)
		if (mangle_one(accepts, sample, len, bit, arg)) {
			fprintf(stderr, "accepted with bit %zu of byte %zu turned over\n", bit % 8,
			        bit / 8);
			taken++;
		}
	return taken;
}

#endif
