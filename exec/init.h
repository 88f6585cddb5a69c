/*
 * Process 1 of a job: builds the sandbox around itself, runs the compiler, ends what it left running, collects the outputs.
 *
 * It never executes anything itself; what it opens was written by the job and is treated as hostile.
 */
#ifndef EXEC_INIT_H
#define EXEC_INIT_H

#include <sys/resource.h>
#include "exec/spawn.h"

/* Runs in the fresh namespaces, sends one struct spawn_report with descriptors over `report`, and exits.  uid and gid are the
 * helper's, outside. */
_Noreturn void init_run(const struct spawn *s, int report, unsigned uid, unsigned gid);
/* Puts times and memory into the result. */
void init_usage(struct job_result *result, const struct rusage *u);

#endif
