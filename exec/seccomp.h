/*
 * System call filters: the list of what a compile needs, the shorter one of unpacking a toolchain, and the one by which the guard
 * (exec/guard.h) hears of names.
 *
 * Built once by libseccomp at the helper's start and loaded as plain BPF by each job, since building takes longer than a job's
 * other preparations.  Anything not in the list gets EPERM (clone3: ENOSYS, so that the C library takes clone instead); calls of a
 * foreign architecture (i386, x32) kill the process.
 */
#ifndef EXEC_SECCOMP_H
#define EXEC_SECCOMP_H

#include <linux/filter.h>
#include "crypto/err.h"

enum filter_profile {
	FILTER_COMPILE,
	FILTER_UNPACK,
	FILTER_GUARD /* allows everything, after the listener's word for the calls of exec/names.h; goes below FILTER_COMPILE */
};

struct filter {
	struct sock_fprog program; /* owned */
};

/* Builds the filter. IM_ERR_UNSUPPORTED (no libseccomp support for this machine), IM_ERR_MEMORY, IM_ERR_SYSTEM. */
int filter_build(struct filter *f, enum filter_profile profile) IM_MUST;
void filter_fini(struct filter *f);
/* Puts it on the calling process and all that it will start; needs no_new_privs. IM_ERR_SYSTEM. */
int filter_load(const struct filter *f) IM_MUST;
/* The same for FILTER_GUARD: returns the listener, close-on-exec.  From then on a named call waits until somebody answers it.
 * IM_ERR_SYSTEM: the kernel cannot, or another filter here has a listener. */
int filter_listen(const struct filter *f) IM_MUST;

#endif
