/*
 * What a command line itself says about headers: folders to search, headers that it forces in,
 * macros; and the words with which the compiler is to be asked for the rest (client/builtin.h).
 *
 * Looks at no file, but whether clang is given a header map in a folder's place.
 */
#ifndef CLIENT_HEADERS_H
#define CLIENT_HEADERS_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "exec/args.h"
#include "exec/strings.h"

#define HEADERS_TEXT_MAX (4u << 20) /* bytes of all folders, or forced headers, or macros */
#define HEADERS_WHY_SIZE 256

struct headers {
	/* texts with a NUL behind each; a folder may stand there twice */
	struct buf folders, forced, macros;
	struct strings asked; /* a whole command line; points into the arguments */
	bool relative;        /* the answer may depend on the working directory */
};

void headers_init(struct headers *h);
void headers_fini(struct headers *h);
/* Reads the words.  a and compiler must outlive h.  IM_ERR_REFUSED: something cannot be decided,
 * why (HEADERS_WHY_SIZE) says what; IM_ERR_MEMORY; IM_ERR_LIMIT. */
int headers_read(struct headers *h, const struct args *a, const char *compiler, char *why) IM_MUST;

#endif
