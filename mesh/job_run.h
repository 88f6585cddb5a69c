/*
 * A session's job while it runs: handed to the helper, its result sent to the peer as fast as the
 * connection takes it.  What comes before (JOB to the last END) is in job_take.c.
 */
#ifndef MESH_JOB_RUN_H
#define MESH_JOB_RUN_H

#include "mesh/session.h"

/* Puts more of the result into the connection while it takes it; DONE and idle after the last. */
void job_run_pump(struct session *s);

#endif
