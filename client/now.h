/*
 * The monotonic clock in milliseconds, for the files that wait; everything else takes the time as
 * an argument.
 */
#ifndef CLIENT_NOW_H
#define CLIENT_NOW_H

#include <stdint.h>
#include <time.h>

static inline int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

#endif
