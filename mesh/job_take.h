/*
 * A session's job while it comes in: checked when JOB is here, then its input, streamed or by digest (mesh/job_set.h), up to the moment
 * when it can run.  What follows is in job_run.c.
 */
#ifndef MESH_JOB_TAKE_H
#define MESH_JOB_TAKE_H

#include "mesh/session.h"

/* JOB, BLOB, DATA or END. */
void job_take(struct session *s, uint8_t type, const uint8_t *p, size_t len);
/* Lays out the next tree of the session (arg); the job is ready after the last. */
void job_take_lay_out(void *arg);

#endif
