/*
 * The word that was meant: the nearest of a list by edit distance, for messages about mistyped commands.
 */
#ifndef CLIENT_SUGGEST_H
#define CLIENT_SUGGEST_H

#include <stddef.h>

/* The nearest of n names, or NULL when none is near (more than a third of its letters, or than 2, would change). */
const char *suggest(const char *word, const char *const *names, size_t n);

#endif
