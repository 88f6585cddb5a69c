/*
 * Where a compiler looks for headers: every folder that it would search for this command line.
 *
 * The folders of the command line (-I, -isystem, -iquote, -idirafter...) are read off it; the built-in ones, and those of the
 * environment, come from asking the compiler itself ("-E -v" on an empty input) with all options that could change them, once for each
 * such set of options, kept in the graph together with the compiler's identity.  Folders that do not exist are named too: they may
 * appear later.  The order does not matter, since an input set takes each name from every folder (client/inputs.h).
 */
#ifndef CLIENT_SEARCH_H
#define CLIENT_SEARCH_H

#include "client/graph.h"
#include "crypto/digest.h"
#include "exec/args.h"

struct search {
	/* as the compiler spells them, relative ones to the working directory; sorted, each once */
	const char **folders;
	unsigned nfolders;
	const char **
	        forced; /* operands of -include and -imacros, and files that the compiler looks for by itself */
	unsigned nforced;
	const char **macros; /* operands of -D, "NAME=value" or "NAME" */
	unsigned nmacros;
	int gcc_major; /* 0 when it is no gcc */
	void *memory;  /* what search_fini frees */
};

struct search_request {
	const struct args *args;
	const char *compiler;           /* absolute path */
	const struct digest *toolchain; /* identity of the compiler */
	struct graph *graph;            /* may be NULL */
	char *const *environment;
	unsigned slots; /* local slots, of which asking needs one; 0: none is needed */
};

/* When the compiler must be asked, blocks until there is a slot and then for at most QUESTION_TIME_MS (client/question.h).  On IM_ERR_REFUSED why (256 bytes) names
 * what cannot be decided (a header map, -I-, a framework folder...); "=dir" is the compiler's to
 * resolve.  IM_ERR_SYSTEM: the compiler could not be asked; IM_ERR_MEMORY; IM_ERR_LIMIT. */
int search_find(struct search *s, const struct search_request *q, char *why) IM_MUST;
void search_fini(struct search *s);

#endif
