/*
 * Finds __DATE__, __TIME__ and __TIMESTAMP__ in preprocessed text whose macros are not expanded
 * yet: a peer would expand them by its own clock.  Works on a stream that is cut anywhere.  A
 * mention in a comment or a text counts too; that costs one further run of the preprocessor, never
 * a wrong object.
 */
#ifndef CLIENT_DATEMACRO_H
#define CLIENT_DATEMACRO_H

#include <stdbool.h>
#include <stddef.h>

#define DATEMACRO_TAIL 12 /* the longest name less one byte */

struct datemacro {
	char tail[2 * DATEMACRO_TAIL]; /* the last bytes so far, and room for the first ones that
	                                  follow */
	size_t len;
	bool seen;
};

void datemacro_init(struct datemacro *d);
/* Looks at the next bytes; returns d->seen. */
bool datemacro_scan(struct datemacro *d, const char *bytes, size_t len);

#endif
