/*
 * The view that a job has of the machine: one overlay with its own files on top, then the trees of its input set, then the toolchain,
 * and nothing of the host in it.
 *
 * Called in the first process of fresh user, mount, pid, ipc, uts and network namespaces, whose working directory is the store
 * (toolchains/<hex>, trees/<hex>, blobs/<2 hex>/<hex>).  All files stand at the client's own paths.  One tmpfs takes the job's own files
 * and whatever it writes, wherever that is; the layers below are never changed, so that jobs share them.  The mounts live in this
 * mount namespace alone: when its last process ends nothing is left.  A tree costs its layer of the mount, however many files it has.
 */
#ifndef EXEC_SANDBOX_H
#define EXEC_SANDBOX_H

#include "exec/job.h"
#include "exec/limits.h"

#define SANDBOX_WHY_SIZE 256

struct sandbox {
	const char *toolchain; /* folder's name below toolchains/; NULL: none, for probing */
	const struct job *job; /* NULL for probing */
	const struct limits *limits;
	const int *inputs; /* one descriptor for each streamed input, in order */
	unsigned ninputs;
	int root; /* the helper is root outside: RLIMIT_NPROC may not count */
};

/* Builds the view and makes it the root of the calling process.  *scratch is the folder in which the job's files stand by their
 * relative paths, also for collecting the outputs afterwards.  IM_ERR_SYSTEM (the kernel refuses: JOB_SANDBOX), IM_ERR_REFUSED (what
 * the job asks for cannot stand in a view: JOB_REFUSED); why (SANDBOX_WHY_SIZE) names the step. */
int sandbox_enter(const struct sandbox *s, int *scratch, char *why) IM_MUST;
/* Opens a new file without a name in the scratch, for the job's stdout or stderr. The descriptor or IM_ERR_SYSTEM. */
int sandbox_console(int scratch) IM_MUST;

#endif
