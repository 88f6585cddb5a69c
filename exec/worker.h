/*
 * The helper's loop: requests of the daemon in, jobs and unpackings under way, answers out.
 *
 * One poll() over the daemon's socket and one pidfd for each task; nothing in it blocks on a job, on an archive or on a daemon that does not read.
 * When the daemon's end closes every job is killed and the loop ends.
 */
#ifndef EXEC_WORKER_H
#define EXEC_WORKER_H

#include "exec/limits.h"
#include "exec/seccomp.h"

#define WORKER_TASKS_MAX 512

struct worker;

/* Everything is borrowed for the worker's life; guard may be NULL.  The working directory must be the store. NULL: no memory. */
struct worker *worker_new(int socket, const struct limits *limits, const struct filter *compile,
        const struct filter *unpack, const struct filter *guard);
/* Builds a sandbox once and sends PIPE_READY with level 3, or 0 and the reason. IM_ERR_CLOSED, IM_ERR_SYSTEM. */
int worker_probe(struct worker *w) IM_MUST;
/* Serves until the daemon's end closes (0) or a request cannot be understood (IM_ERR_FORMAT), or IM_ERR_SYSTEM; then nothing runs any more. */
int worker_serve(struct worker *w) IM_MUST;
void worker_free(struct worker *w);

#endif
