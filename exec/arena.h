/*
 * The strings of one decoded message, in room that was allocated for all of them at once.
 *
 * In an encoding each string has at least one byte of header, which pays for its NUL here: strings that are each taken once need no
 * more room than the encoding is long.
 */
#ifndef EXEC_ARENA_H
#define EXEC_ARENA_H

#include <stddef.h>
#include <stdint.h>

struct arena {
	char *next; /* the caller's */
	size_t left;
};

/* A copy with a NUL behind it; NULL when there is a NUL inside or no room. */
const char *arena_text(struct arena *a, const uint8_t *bytes, size_t len);

#endif
