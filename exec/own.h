/*
 * A job's own tree in its scratch: written before the compile, and compared with what stands there afterwards.
 *
 * Files are copied from the store's blobs, which the daemon has checked.  Their modification time is the tree's or one long ago, so
 * that a file that was written to again shows it.  What the compile changed, made or removed, and the job did not declare, is a
 * finding (exec/findings.h), but for temporary files: what stands in /tmp itself, and all of /dev and /proc.
 */
#ifndef EXEC_OWN_H
#define EXEC_OWN_H

#include "exec/job.h"

#define OWN_BYTES_MAX (512u << 20) /* of all its files together */

/* The sum of its files' sizes. */
uint64_t own_bytes(const struct tree *own);
/* Writes it below the folder w, from "blobs/" in the working directory.  IM_ERR_REFUSED: something stands where an entry must;
 * IM_ERR_ABSENT: a blob is not here or is not as long as said; IM_ERR_SYSTEM.  *at is the index of the entry at fault. */
int own_write(const struct tree *own, int w, uint32_t *at) IM_MUST;
/* Compares and appends a record for everything else in w.  What is too much to be looked at makes an overflow record. */
void own_changes(const struct job *j, int w, struct buf *findings);

#endif
