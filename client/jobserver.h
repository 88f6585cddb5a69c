/*
 * GNU make's jobserver for what one local compile starts: its tokens are local slots.
 *
 * gcc's link-time optimisation runs as many compilers as it is told, or as the machine has cores, by a make of its own; with a jobserver
 * in MAKEFLAGS that make takes a token for each beyond the first.  We serve one, and put a token into it only with a free local slot in
 * our hands, so that all of them together are never more than the slots.  One unused token lies there for the taking, unless somebody waits for
 * its slot; when it is gone, the next ones follow.  Nothing here ever waits for a slot, so two builds cannot wait for each other.
 *
 * A jobserver that MAKEFLAGS named before is not bypassed: each of our tokens costs one of its own, given back in the end.
 */
#ifndef CLIENT_JOBSERVER_H
#define CLIENT_JOBSERVER_H

#include <stdbool.h>
#include <stddef.h>
#include "crypto/err.h"

#define JOBSERVER_STEP_MS 50 /* how often a step is due */

struct jobserver_token {
	int slot_fd;
	char outer; /* what was taken from the outer jobserver */
};

struct jobserver {
	const char *folder;             /* of the slots; NULL: the machine's */
	unsigned slots;                 /* local_slots */
	int read_fd, write_fd;          /* inherited over exec */
	int own_fd;                     /* reads from the same pipe, without blocking */
	int outer_read, outer_write;    /* of the jobserver before; -1: there is none */
	struct jobserver_token *tokens; /* room for `slots`; owned */
	unsigned given;                 /* in the pipe or taken from it */
	char *flags; /* the value of MAKEFLAGS that names this jobserver; owned */
};

/* True when MAKEFLAGS (NULL: unset) names a jobserver that can be reached. */
bool jobserver_named(const char *makeflags);
/* No token is there before the first step. IM_ERR_SYSTEM, IM_ERR_MEMORY, IM_ERR_LIMIT. */
int jobserver_open(
        struct jobserver *j, const char *folder, unsigned slots, const char *makeflags) IM_MUST;
/* Takes back what nobody used, and offers what may be used; never blocks. */
void jobserver_step(struct jobserver *j);
/* Once all who used it have ended: gives everything back. */
void jobserver_close(struct jobserver *j);

#endif
