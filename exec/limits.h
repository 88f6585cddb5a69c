/*
 * What one served job may use: memory, time, output, processes.
 *
 * Per process by rlimits (set in the compiler's own process just before exec), in total by the sandbox's tmpfs and the helper's clock.
 * RLIMIT_SIGPENDING stays as it was found.
 */
#ifndef EXEC_LIMITS_H
#define EXEC_LIMITS_H

#include <stdint.h>
#include "crypto/err.h"

#define LIMITS_PROCESSES 256       /* in one job; a compile needs about four */
#define LIMITS_FILES 1024          /* descriptors of one process */
#define LIMITS_CONSOLE (32u << 20) /* bytes of stdout, and of stderr */

struct limits {
	int nice;        /* -20 to 19 */
	uint64_t memory; /* bytes of address space of one process */
	uint64_t time_s; /* wall clock of the job */
	uint64_t
	        output; /* bytes of all declared outputs together; as much again for temporary files */
};

/* From the words NICE MEMORY TIME OUTPUT, decimal, no sign but before NICE. IM_ERR_FORMAT, IM_ERR_LIMIT. */
int limits_parse(struct limits *l, char *const words[4]) IM_MUST;
/* Niceness of the calling process, as far as it may be raised; never fails, since it protects nothing. */
void limits_nice(const struct limits *l);
/* Sets the calling process's rlimits. IM_ERR_SYSTEM. */
int limits_apply(const struct limits *l) IM_MUST;
/* The same for the process that unpacks a toolchain of at most `bytes`. IM_ERR_SYSTEM. */
int limits_unpack(uint64_t bytes) IM_MUST;

#endif
