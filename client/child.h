/*
 * Starts a program in a process group of its own, with pipes or files for its descriptors, an empty
 * signal mask and default signal actions, so that it can be killed with everything that it started.
 * Never waits.
 */
#ifndef CLIENT_CHILD_H
#define CLIENT_CHILD_H

#include <stdbool.h>
#include <sys/types.h>
#include "crypto/err.h"

#define CHILD_FDS 4

struct child {
	pid_t pid;  /* 0: none runs */
	int status; /* of waitpid, once it ended */
};

/* What the child has as descriptors 0 to 3: one of ours, or -1: descriptors 0 to 2 stay as they
 * are, 3 as it was inherited. */
struct child_fds {
	int fd[CHILD_FDS];
};

/* IM_ERR_SYSTEM. */
int child_start(
        struct child *c, char *const *argv, char *const *env, const struct child_fds *fds) IM_MUST;
/* Collects the child if it has ended; true when none runs any more. */
bool child_ended(struct child *c);
/* Kills the whole process group and collects the child. */
void child_kill(struct child *c);

#endif
