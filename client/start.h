/*
 * Starting icemeshd in the background, for `icemesh init` and `icemesh join` on a machine where none runs.
 *
 * The daemon gets a session of its own, standard input from /dev/null and standard error in STATE_DIR/icemeshd.log; it counts
 * as started when its ready line has come.
 */
#ifndef CLIENT_START_H
#define CLIENT_START_H

#include "client/ask.h"

#define START_WAIT_MS 10000
#define START_READY "icemeshd: ready"
#define START_WHY_SIZE 1024

/* Starts the daemon of this machine and connects to it. On error why receives a line: what is wrong and what to do.
 * IM_ERR_ABSENT (no icemeshd), IM_ERR_TIMEOUT, IM_ERR_CLOSED (it ended), IM_ERR_SYSTEM. */
int start_daemon(const struct config *c, struct ask *a, char why[START_WHY_SIZE]) IM_MUST;
/* The same for a given program, without the connection: for tests, too. */
int start_program(
        const char *program, const char *state_dir, int wait_ms, char why[START_WHY_SIZE]) IM_MUST;

#endif
