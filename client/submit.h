/*
 * Submitting one compile to the mesh: its input set (source mode) or the preprocessor here, a channel from the daemon, attempts at
 * peers, and when to give up.
 *
 *   ASKING    WANT was sent
 *   QUEUED    the daemon said BUSY: a local slot will do, too
 *   RUNNING   a peer has the job
 *   over      DONE, LOCAL (compile here, `reason` says why) or KILLED
 *
 * While a peer has the job the daemon may offer a second slot: then a second copy runs beside the first.  The first result that is accepted
 * counts, and the other copy's channel is closed at once, which ends it at its peer; a copy that is lost or fails leaves the other to go on,
 * and that is no retry.  What would send the compile home does so whichever copy says it.
 *
 * In preprocessed mode the preprocessor runs beside all of them.  One poll() loop, no threads; every wait has a
 * deadline.  Signals that end the wrapper are taken as events, so that nothing temporary stays.
 */
#ifndef CLIENT_SUBMIT_H
#define CLIENT_SUBMIT_H

#include "client/attempt.h"
#include "client/daemon.h"
#include "client/input.h"
#include "client/plan.h"
#include "client/signals.h"

#define SUBMIT_TRIES 3         /* peers that may be lost before the compile is local */
#define SUBMIT_FAILURES 2      /* peers that could not run it */
#define SUBMIT_COPIES 2        /* of one job at a time */
#define SUBMIT_ASK_MS 20000    /* for the daemon's first answer to WANT */
#define SUBMIT_QUEUE_MS 600000 /* for a GRANT after BUSY; only with remote = only does it last */

enum submit_state {
	SUBMIT_ASKING,
	SUBMIT_QUEUED,
	SUBMIT_RUNNING,
	SUBMIT_DONE,
	SUBMIT_LOCAL,
	SUBMIT_KILLED
};

struct submit {
	/* set by the caller */
	struct daemon *daemon;
	const struct plan *plan; /* preprocessed mode, or */
	struct bundle *bundle;   /* source mode; the other is NULL */
	struct digest toolchain;
	char *const *env; /* for the preprocessor */
	const char *peer; /* the only one that may do it; NULL or empty: any */
	bool remote_only;
	uint32_t predicted_ms;   /* how long the compile will take; 0: nothing is known */
	uint64_t output_max;     /* bytes */
	int64_t job_ms;          /* longest time at one peer */
	const char *slot_folder; /* client/local.h */
	unsigned slots;
	int slot_fd; /* held for the preprocessor, -1: none; after LOCAL the one to compile under,
	                or -1 */
	/* what came of it */
	enum submit_state state;
	bool attempted; /* a peer had the job */
	int exit_code;  /* of the compile, when DONE */
	bool learned;   /* LOCAL, but a new bundle will do better */
	char reason[REASON_SIZE], text[WIRE_TEXT_SIZE + NAME_SIZE + 4];
	int signal; /* when killed */
	uint32_t retries;
	bool hedged; /* a second copy was begun */
	uint64_t bytes_out, bytes_in;
	uint64_t compile_us; /* the compiler's own time at the peer, when DONE */
	struct account_times ms;
	struct attempt *attempt; /* the one that won, or else was the last to end */
	/* own */
	struct input input;
	struct attempt attempts[SUBMIT_COPIES];
	unsigned nattempts; /* initialised */
	enum plan_cpp cpp;
	struct want want;
	uint32_t lost, failed;
	int64_t start_ms, ask_ms, busy_ms;
	bool cold; /* the BUSY was for a toolchain that is on its way */
	struct signals signals;
};

/* Runs to one of the last three states; what was sent and received is counted then. Does not report the final outcome to the daemon. */
void submit_run(struct submit *s);
/* Frees; the result fields stay. */
void submit_fini(struct submit *s);

#endif
