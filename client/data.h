/*
 * Data files that options name (OPT_INPUT): profiles, lists of functions and files.
 *
 * Where a compiler makes the name itself it is made here in the same way: clang's default.profdata
 * in a folder, gcc's NAME.gcda, which in a folder of profiles stands under its whole path with '#'
 * for '/'.  Words only, no file is looked at.  Names too many do no harm; when one is missing, the
 * peer's compile says that it looked for it in vain, and its result does not count.
 */
#ifndef CLIENT_DATA_H
#define CLIENT_DATA_H

#include "exec/args.h"

#define DATA_MAX 256 /* names of one compile */

struct data {
	const char **names; /* as spelled, from the working directory; NULL when there are none */
	unsigned n;
	void *memory; /* what data_fini frees */
};

/* cwd: as the compiler spells it, without '/' at its end.  IM_ERR_LIMIT, IM_ERR_MEMORY. */
int data_find(struct data *d, const struct args *a, const char *cwd) IM_MUST;
void data_fini(struct data *d);

#endif
