/*
 * Running the real compiler here: in the place of the wrapper, or beside it when somebody wants to
 * know how it ended.  Either way it is born with the signals, descriptors and limits that the
 * wrapper was born with, under the name that the user called it by.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include <signal.h>
#include "crypto/err.h"

struct run {
	const char *path; /* the compiler's file */
	char *const *argv, *const *env;
	/* what the wrapper's caller does about ended children: run_begin() */
	struct sigaction children;
	/* done every step_ms (below 1000) while the compiler runs beside; must not block; may be NULL */
	void (*step)(void *arg);
	void *step_arg;
	unsigned step_ms;
};

/* First of all: one that was started to ignore SIGCHLD hears of no child's end, and where standard input, output or error is
 * closed, the next file that is opened takes its place.  The compiler that is started by way of this module gets back what was there. */
void run_begin(struct run *r);
/* Becomes the compiler; returns only on failure, with errno. */
int run_instead(const struct run *r) IM_MUST;
/* Starts the compiler, waits for its end, hands signals on to it; *status is waitpid's.  A wrapper that is killed takes it along.
 * IM_ERR_SYSTEM. */
int run_beside(const struct run *r, int *status) IM_MUST;
/* Ends this process by the signal, as if it had never been caught, without a core of its own; returns 128 + sig when that does not
 * work. */
int run_die(int sig);

#endif
