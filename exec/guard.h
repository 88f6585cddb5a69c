/*
 * The guard: notes every file name that a job's processes look for and do not find, by seccomp user notification.
 *
 * Below the compile's filter (exec/seccomp.h) lies one that stops the calls that look a name up (exec/names.h) until the sandbox's first
 * process has read the name, looked itself whether that exists in the view, and let the call go on.  It only reports: a job that lies
 * about its names harms nobody but its own client, and the listener is never in its hands.  Linux 5.9 or later; where it cannot be had,
 * or a name could not be read, the findings say so by an overflow record.
 *
 * What it costs, measured with names that are not there (Linux 6.18, two cores of a quiet virtual machine): 10 microseconds a call, 6 of
 * them in the guard itself.  gcc 12 makes 1400 such calls for a C file with a hundred headers and five -I.  Wall clock with to without it
 * in the same run in the real sandbox, before it was that cheap: C, 10 system headers, five -I: 1.12 to 1.19 at -O0 -g (180 ms), 1.01 to
 * 1.05 at -O2 -g; C, 400 headers: 1.08 to 1.14 at -O0 -g, 1.03 at -O2 -g; C++ with <regex>, <thread>, <iostream>: 1.07 to 1.10 at -O0,
 * lost in the noise at -O2.
 *
 * What it does not see: a folder that is there and is listed, and less is in it than on the client's disk.
 */
#ifndef EXEC_GUARD_H
#define EXEC_GUARD_H

#include "crypto/buf.h"
#include "exec/seccomp.h"

#define GUARD_NAMES_MAX 60000 /* different ones; more are an overflow */

struct guard;

/* In the process to be watched, which must not look up a name between this and its exec: puts the filter FILTER_GUARD on it and sends
 * the listener over the socket.  0, too, where the kernel cannot; the other end then gets nothing.  IM_ERR_SYSTEM: the filter is in
 * force and nobody will answer. */
int guard_offer(int socket, const struct filter *f) IM_MUST;
/* At the other end: the listener, or IM_ERR_ABSENT; does not block. */
int guard_take(int socket) IM_MUST;
/* Supervises with the listener's descriptor, which it takes over.  cwd: the working directory of all processes until one of them
 * changes it; afterwards, and for names relative to a descriptor, /proc must be there. NULL: no memory. */
struct guard *guard_new(int listener, const char *cwd);
/* Waits for the next call and answers it, and some more; until a signal comes or the last process under the filter is gone (not in all
 * kernels): then 0.  IM_ERR_SYSTEM: it is of no use any more. */
int guard_serve(struct guard *g) IM_MUST;
/* Appends each name once as a FINDING_MISS (exec/findings.h), absolute, without "." components, with ".." and a slash at the end as
 * they were; nothing below /proc, /dev, /sys and nothing of the loader's own.  And frees: with it goes the listener, and processes
 * that are left under the filter look names up in vain. */
void guard_end(struct guard *g, struct buf *findings);

#endif
