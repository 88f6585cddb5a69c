/*
 * Holders: which peers have had which trees, as far as the wrappers of this user know, kept in the graph.
 *
 * A job names some of them, so that its peer can ask them for what it lacks (mesh/fetch.h) and this machine's line stays free.  Only
 * the first trees of a job count, which are its largest ones.  It is a hint: a peer that is gone, or has thrown everything away since,
 * costs the job's peer a question.  Each tree has its three newest holders; when it has three already, a further one takes the place of
 * the oldest only now and then, for the graph never shrinks.
 */
#ifndef CLIENT_HOLDERS_H
#define CLIENT_HOLDERS_H

#include "client/graph.h"
#include "exec/job.h"

#define HOLDERS_TREES 8 /* of a job, that are looked at */
#define HOLDERS_TURN 16 /* one newcomer in so many gets a place that is taken */

/* Nodes that have had these trees, those that had more of them first, without `but`; how many. g: may be NULL. */
uint32_t holders_find(const struct graph *g, const struct job *j, const struct node_id *but,
        struct node_id out[JOB_HOLDERS_MAX]);
/* The node has all of them now. chance: a random number. */
void holders_note(
        struct graph *g, const struct job *j, const struct node_id *node, uint64_t chance);

#endif
