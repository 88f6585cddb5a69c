/*
 * What the blob store (mesh/blobs.h) finds at a start: a list of its blobs, and what earlier runs left to be thrown away.
 *
 * Names and sizes only, so that a store of 100,000s of blobs does not hold the start up; trees go in a process of their own.
 */
#ifndef MESH_SWEEP_H
#define MESH_SWEEP_H

#include <stdint.h>
#include "crypto/digest.h"

/* Empties the folder of trees: they move to tmp/ under names that begin with "old-", and a process that nobody waits for removes all
 * that has such a name. IM_ERR_SYSTEM. */
int sweep_trees(int trees_fd, int tmp_fd) IM_MUST;
/* Removes the files whose names begin with prefix. IM_ERR_SYSTEM. */
int sweep_files(int dir_fd, const char *prefix) IM_MUST;
/* Calls found() for each blob in the folder of blobs, the one used longest ago first, at most max; removes those beyond.
 * IM_ERR_MEMORY, IM_ERR_SYSTEM. */
int sweep_list(int blobs_fd, uint32_t max,
        void (*found)(void *arg, const struct digest *d, uint64_t size), void *arg) IM_MUST;

#endif
