/*
 * Starting a job: its namespaces, the small init that watches over it, and the compiler itself.
 *
 * helper -> clone -> init (process 1 of the namespaces: builds the sandbox, reaps, collects the outputs) -> fork -> compiler.
 * Killing init kills everything in the job; init dies with the helper.  init's report waits on a socket when it has ended.
 */
#ifndef EXEC_SPAWN_H
#define EXEC_SPAWN_H

#include <sys/types.h>
#include "exec/sandbox.h"
#include "exec/seccomp.h"

struct spawn {
	struct sandbox view; /* view.job NULL: a probe, everything but exec is done */
	const struct filter *filter;
	const struct filter *guard; /* for source jobs; NULL: this machine has none */
	const char *library_path;   /* LD_LIBRARY_PATH for the compiler, or NULL */
};

/* A job under way.  pidfd becomes readable when everything of it has ended. */
struct running {
	pid_t pid;
	int pidfd, report; /* owned */
};

/* What init says at the end. */
struct spawn_report {
	struct job_result result;    /* sizes of what is present; digests zero */
	char text[SANDBOX_WHY_SIZE]; /* why, when the end is not JOB_EXITED */
};

#define SPAWN_FDS_MAX JOB_RESULTS_MAX

/* Starts the job; does not block.  The caller keeps all that s points to and its descriptors, but needs them no longer. IM_ERR_SYSTEM. */
int spawn_start(const struct spawn *s, struct running *out) IM_MUST;
/* Kills the whole job. */
void spawn_kill(const struct running *r);
/* After pidfd has become readable: reaps init, takes its report and the descriptors of stdout, stderr and each present output (a source
 * job's findings behind them; now the caller's), closes r's descriptors.  Without a report (init was killed) the result says JOB_KILLED with the usage that is known,
 * and there are no descriptors. */
void spawn_finish(
        struct running *r, struct spawn_report *report, int fds[SPAWN_FDS_MAX], unsigned *nfds);

#endif
