/*
 * Admission: which jobs of others get a slot of this node, and in what order.  Pure: no clock, no I/O.
 *
 * A reservation goes QUEUED -> GRANTED -> READY -> RUNNING and may end anywhere.  At most `slots` run.  Whoever asks while nobody waits
 * and a slot is free is granted at once; else it waits, when it said that it will.  For a client that is alone here, ADMIT_AHEAD more may
 * be granted to those that wait, so that its slot never waits for the network; where several share the slots, such a place would be the
 * next turn of somebody else.
 *
 * The queue is served by start-time fair queueing over clients (Goyal, Vin and Cheng, SIGCOMM 96), the cost of a job being its predicted
 * time: each client gets the same share of the slots' time, however many jobs it sends at once.  A client that used less than its share
 * lately comes first until it has caught up, up to ADMIT_CREDIT_MS for each slot: one with -j8 has mostly none waiting, and in plain turns
 * (deficit round robin) got 0.6 of its share beside one with -j64.  Within a client the oldest comes first.  A full queue makes room for a
 * client with few entries by turning away the newest of the client with the most.
 *
 * What is to be done comes out of admit_next() after each call that changes something.
 */
#ifndef MESH_ADMIT_H
#define MESH_ADMIT_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/key.h"

#define ADMIT_JOBS_MAX 512
#define ADMIT_AHEAD 1          /* granted beyond the slots */
#define ADMIT_QUEUE_PER_SLOT 4 /* reservations that wait, for each slot */
#define ADMIT_COST_MS 1000     /* of a job whose time nobody predicted */
#define ADMIT_COST_MAX_MS 60000
#define ADMIT_CREDIT_MS 2000 /* for each slot, of the time that a client left to others */

enum admit_answer { ADMIT_GRANTED, ADMIT_QUEUED, ADMIT_BUSY };
enum admit_action_type {
	ADMIT_GRANT, /* its turn has come */
	ADMIT_START, /* a slot is free for it */
	ADMIT_NACK   /* it is out of the queue, and forgotten */
};

struct admit_action {
	enum admit_action_type type;
	uint64_t id;
};

struct admit_load {
	uint32_t slots, used, queued; /* used: granted, ready and running */
};

struct admit;

struct admit *admit_new(void); /* NULL without memory; lends no slot yet */
void admit_free(struct admit *a);
/* How many slots are lent from now on; with 0 nobody is let in any more and nobody waits. What was granted before is kept. */
void admit_slots(struct admit *a, uint32_t slots);
/* A reservation with an id of the caller's, which is not in use. */
enum admit_answer admit_reserve(struct admit *a, uint64_t id, const struct node_id *client,
        uint32_t predicted_ms, bool wait);
/* How many wait before it, if it waits. */
uint32_t admit_before(const struct admit *a, uint64_t id);
/* All that the granted job needs is here. */
void admit_ready(struct admit *a, uint64_t id);
/* It is over, however; nothing happens when it is not known. */
void admit_end(struct admit *a, uint64_t id);
/* Takes the next thing to do; false when there is none. */
bool admit_next(struct admit *a, struct admit_action *out);
void admit_load(const struct admit *a, struct admit_load *out);
uint32_t admit_running(const struct admit *a);

#endif
