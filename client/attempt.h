/*
 * One try of a job at one peer: sends JOB and its input, takes RESULT and the outputs. The messages are those of mesh/wire.h; what the
 * peer says is hostile.
 *
 *   NONE -> SENDING -> WAITING -> RECEIVING -> OVER
 *
 * In preprocessed mode the input is a stream of blocks as they appear; in source mode the peer asks for what it lacks (NEED), which
 * leads from WAITING to SENDING and back.
 *
 * Any state goes to OVER when the peer is lost, refuses or cheats.
 */
#ifndef CLIENT_ATTEMPT_H
#define CLIENT_ATTEMPT_H

#include "client/bundle.h"
#include "client/daemon.h"
#include "client/input.h"
#include "client/link.h"
#include "client/plan.h"
#include "client/results.h"

enum attempt_state {
	ATTEMPT_NONE,
	ATTEMPT_SENDING,
	ATTEMPT_WAITING,
	ATTEMPT_RECEIVING,
	ATTEMPT_OVER
};

enum attempt_end {
	ATTEMPT_ACCEPTED, /* everything checked: commit it (in preprocessed mode: exit 0, no messages) */
	ATTEMPT_DIAGNOSTICS,   /* its messages are exact only here */
	ATTEMPT_COMPILE_ERROR, /* it failed or died, in a way that is exact only here */
	ATTEMPT_LACKED,        /* the peer did not have all that the compile looked for */
	ATTEMPT_LEARNED,       /* the same, and a new bundle will have it */
	ATTEMPT_CHANGED,       /* an input changed while it was being sent */
	ATTEMPT_LOST,          /* peer gone, silent, or it sent what cannot be right */
	ATTEMPT_FAILED,        /* it could not run the job: timeout, memory, sandbox, disk */
	ATTEMPT_REFUSED,       /* it may not run this job, nor would another */
	ATTEMPT_TOO_LARGE,     /* the job does not fit into one message to any peer */
	ATTEMPT_NO_SPACE       /* this machine lacks the memory or disk for it */
};

struct attempt {
	enum attempt_state state;
	enum attempt_end end;      /* when over */
	char text[WIRE_TEXT_SIZE]; /* when over: the cause in words */
	struct link link;
	bool idle; /* over, and the channel may be used again */
	struct node_id node;
	char peer[NAME_SIZE];
	/* the job */
	const struct plan *plan; /* preprocessed mode */
	struct bundle *bundle;   /* source mode; else NULL */
	struct digest toolchain;
	enum plan_cpp cpp;
	bool job_sent;
	size_t blocks_sent;
	struct digest *need; /* owned: what the peer asked for last */
	uint32_t nneed, need_at;
	uint32_t blobs_sent; /* to this peer */
	struct buf blob;     /* need[need_at], while it is being sent */
	size_t blob_at;
	bool blob_open;
	/* the answer */
	struct product product; /* preprocessed mode's only one */
	struct results results;
	/* times */
	int64_t start_ms, moved_ms, sent_ms, heard_ms, result_ms;
	uint64_t moved_bytes, taken_bytes; /* given to the kernel; of those, taken by the peer's */
	uint32_t queue_ms;
};

/* One of plan and bundle is NULL; output_max: bytes of all outputs. IM_ERR_MEMORY. */
int attempt_init(struct attempt *a, const struct plan *plan, struct bundle *bundle,
        const struct digest *toolchain, uint64_t output_max) IM_MUST;
/* Begins with the channel of a GRANT, whose descriptor it takes over. IM_ERR_SYSTEM. */
int attempt_start(
        struct attempt *a, const struct answer *grant, enum plan_cpp cpp, int64_t now) IM_MUST;
/* Sends what can be sent, a good piece at a time. */
void attempt_pump(struct attempt *a, const struct input *in, int64_t now);
/* What to poll the link for; POLLOUT alone calls for attempt_pump() and nothing else. */
short attempt_events(const struct attempt *a, const struct input *in);
/* Reads what is there. */
void attempt_receive(struct attempt *a, int64_t now);
/* When attempt_tick() has something to say unless news come before; while it is neither over nor unused. */
int64_t attempt_deadline(const struct attempt *a, int64_t job_ms);
/* Looks at the clock: silence, a peer that takes nothing, or job_ms in all end the attempt.  On a slow line any byte is a sign of life, be
 * it no whole message yet. */
void attempt_tick(struct attempt *a, int64_t now, int64_t job_ms);
/* Closes the channel and removes what is temporary; back to NONE. */
void attempt_close(struct attempt *a);
void attempt_fini(struct attempt *a);

#endif
