/*
 * The compiler's own process between fork and exec: session, stdin and outputs, limits, filters, environment.
 *
 * It has the sandbox around it already (exec/init.h) and gives up what rights init still has.
 */
#ifndef EXEC_COMPILER_H
#define EXEC_COMPILER_H

#include "exec/spawn.h"

/* Where a job's processes look for programs when it does not say. */
#define COMPILER_PATH "/usr/local/bin:/usr/bin:/bin"

/* What the process says over `errors` when it could not do its part. */
struct compiler_error {
	char what[32];
	int error;
};

struct compiler_fds {
	const int *console; /* for stdout and stderr */
	int errors;         /* close-on-exec: its end without a word says that the compiler runs */
	int guard;          /* the socket for the listener (exec/guard.h); -1: no guard */
};

/* Becomes the compiler, or for a probe exits with 0. */
_Noreturn void compiler_become(const struct spawn *s, const struct compiler_fds *fds);

#endif
