/*
 * The pipe between icemeshd and its helper icemesh-exec: a SOCK_SEQPACKET pair, small fixed messages, passed descriptors.
 *
 * The helper is forked and executed before the daemon opens any socket; it has no network code.  Requests carry an id the daemon
 * chose; each request gets exactly one final answer, in any order.  Both ends trust each other no further than the fixed sizes.
 */
#ifndef EXEC_PIPE_H
#define EXEC_PIPE_H

#include "crypto/digest.h"
#include "exec/job.h"

#define PIPE_FDS_MAX 64
#define PIPE_TEXT_SIZE 256
#define PIPE_HELPER_FD 3 /* where the helper finds its end */

enum pipe_type {
	/* daemon to helper */
	PIPE_RUN =
	        1, /* fds: job (encoded, in a memfd), then one per streamed input (content at offset 0) */
	PIPE_KILL =
	        2, /* id of a RUN; answered by that run's DONE with JOB_KILLED (or its natural end) */
	PIPE_UNPACK = 3, /* fds: toolchain tarball, digest already checked; digest says its name */
	PIPE_DROP =
	        4, /* remove the unpacked toolchain `digest`; answered by UNPACKED, err 0: removed */
	/* helper to daemon */
	PIPE_READY = 16, /* once after start: level, text (why not higher) */
	PIPE_DONE =
	        17, /* fds: stdout, stderr, then each declared output that is present, in order, then a source job's findings */
	PIPE_UNPACKED =
	        18 /* err 0: store/toolchains/<hex> is complete; else text says which entry and why */
};

/* One message in either direction. */
struct pipe_msg {
	uint32_t type; /* enum pipe_type */
	int32_t err;
	uint64_t id;
	struct digest digest;
	uint32_t level; /* PIPE_READY: sandbox level 0 to 3 */
	char text[PIPE_TEXT_SIZE];
	struct job_result result; /* PIPE_DONE: sizes and end; its digests are left zero */
};

/* What the helper gets on its command line: icemesh-exec helper STORE_DIR NICE JOB_MEMORY JOB_TIME JOB_OUTPUT (bytes, seconds). */

/* Sends one message with nfds descriptors (they stay the caller's). IM_ERR_CLOSED, IM_ERR_SYSTEM (EAGAIN on a full pipe). */
int pipe_send(int fd, const struct pipe_msg *m, const int *fds, unsigned nfds) IM_MUST;
/* Receives one message; *nfds new descriptors (close-on-exec) now belong to the caller. IM_ERR_CLOSED at the end,
 * IM_ERR_SYSTEM (EAGAIN when nothing waits), IM_ERR_FORMAT. */
int pipe_recv(int fd, struct pipe_msg *m, int fds[PIPE_FDS_MAX], unsigned *nfds) IM_MUST;

#endif
