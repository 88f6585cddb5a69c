/*
 * Finds the pragmas that gcc -E -fdirectives-only carries out and then takes out of its output,
 * though what they do to later text is still to come: pop_macro (the macro would stay undefined)
 * and GCC poison (a use would be no error).
 *
 * Such a pragma leaves a line that ends in blanks, as do harmless ones (once, system_header), so
 * each file with such a line is looked at, once.  A file that cannot be read counts as a find.  A
 * mention in a comment counts too; neither makes a wrong object.  Works on a stream that is cut
 * anywhere.
 */
#ifndef CLIENT_PRAGMAS_H
#define CLIENT_PRAGMAS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PRAGMAS_FILES 4096 /* files remembered; a power of two */

struct pragmas {
	char line[PATH_MAX + 64];      /* head of the line that is being read */
	size_t len;                    /* what is in it */
	size_t blanks;                 /* blanks at its end so far, also beyond the head */
	char file[PATH_MAX];           /* whose text the stream is; empty: nobody's */
	uint64_t known[PRAGMAS_FILES]; /* hashes of names of files that are harmless */
	bool seen;
};

void pragmas_init(struct pragmas *p);
/* Looks at the next bytes; opens the files they name; returns p->seen. */
bool pragmas_scan(struct pragmas *p, const char *bytes, size_t len);

#endif
