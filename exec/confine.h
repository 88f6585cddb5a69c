/*
 * Giving up rights: descriptors, identity, capabilities, being debugged.
 *
 * The helper does it once at its start, every process of a job again for itself.  Nothing here can be undone by the process
 * that called it.
 */
#ifndef EXEC_CONFINE_H
#define EXEC_CONFINE_H

#include <stdint.h>
#include "crypto/err.h"

/* Closes every descriptor above stderr that is not in keep[n] (n <= 80). IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int confine_fds(const int *keep, unsigned n) IM_MUST;
/* No new privileges by exec, no core dumps, no ptrace by others of the same user. IM_ERR_SYSTEM. */
int confine_harmless(void) IM_MUST;
/* Empties every capability set, the bounding and ambient sets included, but for the capabilities whose bits are in `keep`. IM_ERR_SYSTEM. */
int confine_capabilities(uint32_t keep) IM_MUST;
/*
 * For a helper that is still the real root (a container without a user for icemesh): takes an id of no user and gives it the folder
 * dir_fd, which the helper writes to, and a way through the folder store_fd, unless all have one; afterwards RLIMIT_NPROC counts and an
 * escaped job owns nothing.  Does nothing for other users and for the root of a user namespace that maps no other id. IM_ERR_SYSTEM.
 */
int confine_identity(int store_fd, int dir_fd) IM_MUST;
/* In a fresh user namespace: maps one id in it to uid and gid outside. IM_ERR_SYSTEM. */
int confine_map_ids(unsigned uid, unsigned gid) IM_MUST;
/* Bounds the processes of this pid namespace (300, the kernel's least), for the kernel's own root, whom RLIMIT_NPROC does not count; with a proc of the
 * namespace mounted at `proc`.  Kernels before 6.14 cannot. IM_ERR_SYSTEM. */
int confine_processes(const char *proc) IM_MUST;
/* Dies with its parent; parent_fd hangs up when that is gone already. IM_ERR_CLOSED, IM_ERR_SYSTEM. */
int confine_to_parent(int parent_fd) IM_MUST;

#endif
