/*
 * A growing list of strings that ends as one allocation: argv for exec, freed by a single
 * free().
 *
 * The strings added are only pointed to until strings_pack() copies them.  Errors stick, as in
 * crypto/buf.h.
 */
#ifndef EXEC_STRINGS_H
#define EXEC_STRINGS_H

#include <stdint.h>
#include "crypto/err.h"

struct strings {
	const char **at; /* owned array of pointers that are not owned */
	uint32_t n, cap, max;
	int err; /* 0, IM_ERR_LIMIT or IM_ERR_MEMORY */
};

/* An empty list that will never hold more than max strings; allocates nothing. */
void strings_init(struct strings *s, uint32_t max);
void strings_fini(struct strings *s);
/* Appends one string, which must live until strings_pack(). */
void strings_add(struct strings *s, const char *text);
/* Puts n strings in the place of the one at index i. */
void strings_splice(struct strings *s, uint32_t i, const char *const *texts, uint32_t n);
/* Copies all into one allocation for free(): the NULL-terminated array with the bytes behind it.
 * The sticky error. */
int strings_pack(const struct strings *s, char ***out) IM_MUST;

#endif
