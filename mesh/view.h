/*
 * Views: what this node believes of each peer as a place for its jobs.  Pure: times in monotonic ms come in.
 *
 * News are the peer's own words (a beacon, or the load in an answer to RESERVE); between them this node's own asks and jobs are counted on top.
 * What old news said of others' jobs counts for less and less, for the jobs end: an ask tells how it is, and costs one message.  How fast a peer
 * is, whether it fails and how far it is are this node's own experience, never what a peer says of itself.
 */
#ifndef MESH_VIEW_H
#define MESH_VIEW_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/key.h"

#define VIEWS_MAX 4096
#define VIEW_SLOTS_MAX 4096 /* more than these a peer's word does not count for */
#define VIEW_FRESH_MS 2000  /* so long news of others' jobs are taken as they are */
#define VIEW_STALE_MS 10000 /* from then on they say nothing */
#define VIEW_SPEED_MIN 20   /* permille */
#define VIEW_SPEED_MAX 8000
#define VIEW_AVOID_FIRST_MS 1000 /* after a failure; doubles with each */
#define VIEW_AVOID_MAX_MS 60000
#define VIEW_SHY_MS 50 /* after a refusal; doubles with each in a row, up to 64 times */

struct view_load {
	uint32_t slots, used, queued;
	bool silent; /* it has not been heard for some intervals */
};

struct view {
	struct node_id node;
	bool there; /* it lends slots, as far as gossip knows */
	bool silent;
	uint32_t slots, used,
	        queued; /* used: of everybody, in its last news, less what this node ended since */
	uint32_t own;   /* this node's jobs there, of those used */
	uint32_t asking, queueing; /* asks on their way to it; this node's places in its queue */
	uint64_t heard_ms;         /* when the news were heard */
	uint32_t rtt_us;           /* of the last RESERVE; 0: not known */
	uint32_t speed,
	        ntimed; /* permille of an ordinary machine's, by so many of its jobs' times; 0: not known */
	uint64_t timed_ms;           /* the last of them */
	uint32_t failures, refusals; /* in a row */
	uint64_t avoid_until_ms;     /* after failures */
	uint64_t shy_until_ms;       /* after refusals */
};

struct views;

struct views *views_new(void); /* NULL without memory */
void views_free(struct views *vs);
/* The view of a peer; NULL when there is none. */
struct view *views_find(struct views *vs, const struct node_id *id);
/* The same, or a new one, for which one that is not there any more makes room; NULL when all are. Views stay where they are. */
struct view *views_add(struct views *vs, const struct node_id *id);
unsigned views_count(const struct views *vs);
struct view *views_at(struct views *vs, unsigned i);

/* News that were heard at at_ms; older ones than known change nothing. */
void view_news(struct view *v, const struct view_load *load, uint64_t at_ms);
/* Slots that are taken, as far as can be told. */
uint32_t view_used(const struct view *v, uint64_t now_ms);
/* True while it is left alone: after failures or refusals, or, when it failed last, until the one ask that tries it is answered. */
bool view_avoided(const struct view *v, uint64_t now_ms);
void view_failed(struct view *v, uint64_t now_ms);
void view_worked(struct view *v);
void view_refused(struct view *v, uint64_t now_ms);
/* A job took so long there, of which predicted_ms was expected on an ordinary machine; neither is 0. */
void view_timed(struct view *v, uint32_t predicted_ms, uint32_t took_ms, uint64_t now_ms);
/* How long a job will take there. */
uint64_t view_takes(const struct view *v, uint32_t predicted_ms);

#endif
