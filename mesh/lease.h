/*
 * Leases: which peer is asked for a slot, for which of this node's jobs, and when.  Pure: no clock, no chance but its seed, no I/O; the daemon
 * (mesh/want.h) and the simulator drive it.
 *
 * A want is one compile that has no slot yet.  It is asked for at the peer that mesh/pick.h draws; a refusal brings fresh load and the next
 * peer.  After LEASE_TRIES refusals, or when no peer seems to have room, it gets a place in the queues of two peers, and the first slot that
 * comes free wins (late binding, as in Sparrow, SOSP 13); the other place is given up.  Wants of one group are interchangeable: a slot goes to
 * the one that will take longest, unless another has waited for very long.  Once nothing waits, a job that would end late gets a second copy at a
 * free peer that will have it done clearly earlier (a hedge; Dean and Barroso, The Tail at Scale), LEASE_HEDGE_PERMILLE of all jobs at most.
 *
 * What is to be done comes out of leases_next() after each call that changes something.
 */
#ifndef MESH_LEASE_H
#define MESH_LEASE_H

#include "mesh/view.h"

#define LEASE_WANTS_MAX 4096
#define LEASE_ASKS_MAX 8192 /* asks under way and jobs at peers */
#define LEASE_AVOID_MAX 8
#define LEASE_TRIES 3           /* refusals in a row before a want queues */
#define LEASE_PLACES 2          /* queues it waits in */
#define LEASE_ANSWER_MS 3000    /* for an answer to RESERVE */
#define LEASE_QUIET_MS 10000    /* for a sign of life from a peer in whose queue a want waits */
#define LEASE_TICK_MS 250       /* between two looks while something is under way */
#define LEASE_HEDGE_PERMILLE 50 /* of all jobs get a second copy */

enum lease_fit {
	LEASE_FIT_NONE, /* that peer cannot run it */
	LEASE_FIT_COLD, /* it lacks the toolchain */
	LEASE_FIT_READY
};

struct lease_ops {
	enum lease_fit (*fit)(void *arg, uint64_t want, const struct node_id *peer);
	void *arg;
};

struct lease_want {
	uint64_t id;           /* of the owner's choice */
	uint64_t group;        /* interchangeable with the others of the same; 0: with none */
	uint32_t predicted_ms; /* on an ordinary machine; 0: not known */
	struct node_id avoid[LEASE_AVOID_MAX];
	unsigned navoid;
};

enum lease_answer {
	LEASE_GRANT,
	LEASE_BUSY,
	LEASE_QUEUED,
	LEASE_COLD,    /* it has not got the toolchain (yet) */
	LEASE_REFUSED, /* for another reason that will not pass soon */
	LEASE_LOST     /* no connection, or nonsense */
};

enum lease_action_type {
	LEASE_ASK, /* send RESERVE to `node`; with `wait` for a place in its queue. `want`: an example of what it is for */
	LEASE_DROP, /* `ask` is withdrawn: no answer to it is told any more */
	LEASE_GRANTED, /* `want` has the slot of `ask` and is a want no more; `ask` names its job from now on */
	LEASE_HEDGE, /* `ask` is a slot for a second copy of the job `job` of `want`'s */
	LEASE_WAIT,  /* `want` waits (told once); `cold`: until a peer has its toolchain */
	LEASE_LOCAL  /* no peer can do `want` now, and it is a want no more */
};

struct lease_action {
	enum lease_action_type type;
	uint64_t want, ask, job;
	struct node_id node;
	uint32_t predicted_ms; /* LEASE_ASK */
	bool wait, cold;
};

struct lease_counts {
	uint64_t asks, granted, refused, hedged;
	uint32_t wants, waiting, under_way,
	        jobs; /* now: wants; those that were told to wait; asks; jobs at peers */
};

struct leases;

struct leases *leases_new(uint64_t seed, const struct lease_ops *ops); /* NULL without memory */
void leases_free(struct leases *l);
/* What is known of the peers, for whoever shows it or has experience of his own with them. */
struct views *leases_views(struct leases *l);

/* News of a peer that could run jobs for this node at all: what it said at at_ms. */
void leases_peer(struct leases *l, const struct node_id *id, const struct view_load *load,
        uint64_t at_ms, uint64_t now_ms);
/* It is gone, or lends nothing any more: no new asks, and the places in its queue are given up; jobs go on. */
void leases_peer_gone(struct leases *l, const struct node_id *id, uint64_t now_ms);
/* fit() may say something else now. */
void leases_fit_changed(struct leases *l);
/* IM_ERR_LIMIT. */
int leases_want(struct leases *l, const struct lease_want *w, uint64_t now_ms) IM_MUST;
/* Nothing happens when there is no such want. */
void leases_cancel(struct leases *l, uint64_t want, uint64_t now_ms);
/* load NULL: none was told. An ask that was dropped or is not known is ignored. */
void leases_answer(struct leases *l, uint64_t ask, enum lease_answer answer,
        const struct view_load *load, uint32_t rtt_us, uint64_t now_ms);
/* The peer in whose queue the ask waits is alive. */
void leases_heard(struct leases *l, uint64_t ask, uint64_t now_ms);
/* A granted job is over, however. */
void leases_ended(struct leases *l, uint64_t job, uint64_t now_ms);
/* What came of a peer's jobs. took_ms: with the transfers, without waiting for a slot; 0 or predicted_ms 0: not known. */
void leases_worked(struct leases *l, const struct node_id *id, uint32_t predicted_ms,
        uint32_t took_ms, uint64_t now_ms);
void leases_failed(struct leases *l, const struct node_id *id, uint64_t now_ms);
/* Everything ends; wants and asks are forgotten without an action. */
void leases_reset(struct leases *l);

/* When leases_tick() wants to be called next; UINT64_MAX: not at all. */
uint64_t leases_deadline(const struct leases *l);
void leases_tick(struct leases *l, uint64_t now_ms);
/* Takes the next thing to do; false when there is none. */
bool leases_next(struct leases *l, struct lease_action *out);
void leases_counts(const struct leases *l, struct lease_counts *out);

#endif
