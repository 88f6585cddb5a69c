/*
 * What leases are made of; for the files of mesh/lease.h alone.
 *
 * Wants and asks lie in fixed pools and are linked in lists; nothing is allocated after leases_new().
 */
#ifndef MESH_LEASE_STATE_H
#define MESH_LEASE_STATE_H

#include "gossip/rng.h"
#include "mesh/lease.h"
#include "mesh/pick.h"

#define ACTIONS_MAX 32768 /* a power of two, and more than all wants and asks can cause at once */

enum stage { ASKED, QUEUED, RUNNING };

struct wanted {
	struct wanted *next; /* in the order in which they get slots; or of the free ones */
	struct lease_want spec;
	int64_t rank;
	unsigned tries, places,
	        asks; /* refusals in a row; queues it waits in; both kinds of asks */
	uint32_t unanswered;
	bool queues; /* it was refused often enough */
	bool told;   /* that it waits */
	uint64_t retry_ms;
};

/* Once granted, a job. */
struct ask {
	struct ask *next;
	uint64_t id;
	enum stage stage;
	bool wait;
	bool copied; /* a job that had, or is, a second copy, or must have none */
	struct view *view;
	struct wanted *want; /* NULL: a copy's, or a job */
	uint64_t copy_of;    /* the job; 0: none */
	uint64_t want_id;
	uint32_t predicted_ms;
	uint64_t since_ms; /* asked, heard of, granted */
};

struct leases {
	struct lease_ops ops;
	struct rng rng;
	uint64_t now_ms, tick_ms, last_ask, mean_ms; /* mean_ms: of jobs' times, 0 not known */
	struct views *views;
	struct wanted *wants, *free_wants, *scan; /* scan: the next to be looked at */
	struct ask *asks, *jobs, *free_asks;
	bool changed, hedge;
	uint64_t full[8]; /* groups for which no peer has room, in this round */
	unsigned nfull;
	uint32_t budget; /* of second copies, in permille */
	struct lease_counts counts;
	uint32_t first, last; /* of the actions */
	struct lease_action actions[ACTIONS_MAX];
	struct candidate candidates[VIEWS_MAX];
	struct view *of[VIEWS_MAX];
	struct wanted all_wants[LEASE_WANTS_MAX];
	struct ask all_asks[LEASE_ASKS_MAX];
};

#endif
