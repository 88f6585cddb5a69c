/*
 * Unpacking a toolchain without stopping the helper: a forked child with a filter of its own writes to a temporary folder, which
 * takes its final name only when everything in it is right and on the disk.
 *
 * All names are relative to the folder "toolchains" in the working directory.
 */
#ifndef EXEC_UNPACK_H
#define EXEC_UNPACK_H

#include "crypto/digest.h"
#include "exec/seccomp.h"
#include "exec/spawn.h"

/* What the child says at its end. */
struct unpack_report {
	int err;
	char text[256];
};

/* Starts to unpack the archive behind fd, which must have this digest.  running.report carries the outcome. IM_ERR_SYSTEM. */
int unpack_start(int fd, const struct digest *digest, const struct filter *filter,
        struct running *out) IM_MUST;
/* Starts to remove the unpacked toolchain. IM_ERR_SYSTEM. */
int unpack_drop(
        const struct digest *digest, const struct filter *filter, struct running *out) IM_MUST;
/* After pidfd has become readable. */
void unpack_finish(struct running *r, struct unpack_report *report);
/* Removes what killed children left; before any is started. */
void unpack_sweep(void);

#endif
