/*
 * How much memory may still be used: of the machine, or of the tightest memory cgroup (version 1 or 2) around this process.
 *
 * What the page cache holds counts as free, since the kernel gives it up before anything else.  Where nothing can be learned, memory is
 * plenty: a machine that hides its figures still compiles.
 */
#ifndef CLIENT_MEMORY_H
#define CLIENT_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_SPARED_PERCENT 15 /* of the whole, kept from new jobs */

struct memory {
	uint64_t total, available; /* bytes; total 0: nothing is known */
};

/* Reads proc/meminfo, proc/self/cgroup and the limits that it leads to, all below root: "" for the machine's own. */
void memory_look(struct memory *m, const char *root);
/* Narrows *m to a limit of which so much is used, if less of that is left, in proportion. */
void memory_narrow(struct memory *m, uint64_t limit, uint64_t used);
/* True when no further job should start. */
bool memory_short(const struct memory *m);

#endif
