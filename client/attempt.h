/*
 * One try of a job at one peer: sends JOB, the blocks of the input as they appear, END; takes
 * RESULT and the outputs. The messages are those of mesh/wire.h; what the peer says is hostile.
 *
 *   NONE -> SENDING -> WAITING -> RECEIVING -> OVER
 *
 * Any state goes to OVER when the peer is lost, refuses or cheats.
 */
#ifndef CLIENT_ATTEMPT_H
#define CLIENT_ATTEMPT_H

#include "client/daemon.h"
#include "client/input.h"
#include "client/link.h"
#include "client/outputs.h"
#include "client/plan.h"

#define ATTEMPT_SKIP_MAX \
	(8ULL << 20) /* bytes of useless outputs that are read to save the channel */

enum attempt_state {
	ATTEMPT_NONE,
	ATTEMPT_SENDING,
	ATTEMPT_WAITING,
	ATTEMPT_RECEIVING,
	ATTEMPT_OVER
};

enum attempt_end {
	ATTEMPT_ACCEPTED,      /* exit 0, no messages, output checked: commit it */
	ATTEMPT_DIAGNOSTICS,   /* exit 0, but the compiler wrote something */
	ATTEMPT_COMPILE_ERROR, /* it failed or died */
	ATTEMPT_LOST,          /* peer gone, silent, or it sent what cannot be right */
	ATTEMPT_FAILED,        /* it could not run the job: timeout, memory, sandbox, disk */
	ATTEMPT_REFUSED,       /* it may not run this job, nor would another */
	ATTEMPT_NO_SPACE       /* the output could not be written here */
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
	const struct plan *plan;
	struct digest toolchain;
	enum plan_cpp cpp;
	bool job_sent;
	size_t blocks_sent;
	/* the answer */
	struct job_result result;
	bool skip;             /* outputs are read, not kept */
	uint32_t current;      /* index of the output that comes */
	uint64_t current_size; /* of it, so far */
	struct output output;
	uint64_t output_max; /* bytes */
	/* times */
	int64_t start_ms, moved_ms, sent_ms, heard_ms, result_ms;
	uint64_t moved_bytes;
	uint32_t queue_ms;
};

void attempt_init(struct attempt *a, const struct plan *plan, const struct digest *toolchain,
        uint64_t output_max);
/* Begins with the channel of a GRANT, whose descriptor it takes over. IM_ERR_SYSTEM. */
int attempt_start(
        struct attempt *a, const struct answer *grant, enum plan_cpp cpp, int64_t now) IM_MUST;
/* Sends what can be sent. */
void attempt_pump(struct attempt *a, const struct input *in, int64_t now);
/* Reads what is there. */
void attempt_receive(struct attempt *a, int64_t now);
/* Looks at the clock: silence, a peer that takes nothing, or job_ms in all end the attempt. */
void attempt_tick(struct attempt *a, int64_t now, int64_t job_ms);
/* Closes the channel and removes what is temporary; back to NONE. */
void attempt_close(struct attempt *a);
void attempt_fini(struct attempt *a);

#endif
