/*
 * Recall: what an earlier compile of the same command made of its input set, as long as nothing that it was made from has changed.
 *
 * A build made anew, or a source that is compiled again, has the input sets that it had before.  The graph keeps, under all that an
 * input set depends on besides the disk, the job's trees and the disk's answers (client/answers.h); when they still hold, the set
 * needs not be found again.  Kept only once a result that a peer made from the set was accepted, and while the graph has plenty of
 * room; when it has not, it is time for a new one.
 */
#ifndef CLIENT_RECALL_H
#define CLIENT_RECALL_H

#include "client/forest.h"
#include "client/inputs.h"

#define RECALL_GRAPH_PERCENT 50 /* of the graph: files' own facts need room, too */

struct recall {
	struct digest trees[GROVE_TREES_MAX];
	uint32_t ntrees;
	struct tree own; /* of the forest, without the markers of outputs */
	struct digest
	        findings; /* what the peer noted beside the outputs, found good by this client */
	uint32_t nfiles;  /* of the set */
	uint32_t flags;   /* enum include_flag of all of them */
};

/* The name of a set: of the request and of the outputs' physical paths. IM_ERR_MEMORY. */
int recall_key(struct digest *key, const struct inputs_request *q, const char *const *outputs,
        uint32_t n) IM_MUST;
/* IM_ERR_ABSENT: nothing is known, or it holds no longer.  recall_fini() is due after 0. */
int recall_find(struct recall *r, const struct graph *g, const struct digest *key) IM_MUST;
void recall_fini(struct recall *r);
/* Keeps it, with the answers of the set that it was made from; when it cannot be kept, nothing is lost. */
void recall_keep(const struct recall *r, struct graph *g, const struct digest *key,
        const struct inputs *in, const char *const *outputs, uint32_t n);

#endif
