/*
 * A local link that runs several compilers or threads at one time, kept within the local slots: by a jobserver for gcc, which is then run
 * beside the wrapper, by an option more for clang, whose linker keeps the slots that were free when it began.
 */
#ifndef CLIENT_PARALLEL_H
#define CLIENT_PARALLEL_H

#include "client/jobserver.h"
#include "client/run.h"
#include "exec/options.h"

struct parallel_request {
	const char *folder; /* of the slots; NULL: the machine's */
	unsigned slots;     /* local_slots, one of which the caller holds */
	int argc;           /* run->argv with response files read */
	char *const *argv;
	enum option_compiler compiler;
};

struct parallel {
	struct jobserver jobserver;
	bool serves;     /* run->step is set: run it beside */
	char **argv;     /* owned, or NULL */
	char option[64]; /* one of its words */
};

/* Changes *run, and MAKEFLAGS, as far as the command needs it.  What fails leaves all as it was: the link then runs as it would have. */
void parallel_begin(struct parallel *p, struct run *run, const struct parallel_request *q);
/* After run_beside(): gives back every slot that was taken for it and every token. A zeroed one is allowed. */
void parallel_end(struct parallel *p);

#endif
