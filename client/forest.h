/*
 * The forest of a job: its input set as a few shared trees, named by digest, and the job's own tree
 * (exec/tree.h).
 *
 * Each header that the source includes directly brings its whole closure as one tree, which is the
 * same for every source that includes it in the same way, and so is known to a peer after the
 * first.  The source, a header with the source's own stem, files that only this job needs and bare
 * folders and links to folders stand in the job's own tree.  So do, once more and above the trees,
 * files whose identity matters: hard links, and equal contents, which a compiler must be able to
 * tell apart as it does here.
 */
#ifndef CLIENT_FOREST_H
#define CLIENT_FOREST_H

#include "client/grove.h"
#include "exec/tree.h"

#define FOREST_OWN_MAX (150 * 1024) /* bytes of the own tree's encoding, which is part of a job */

struct forest {
	struct digest trees[GROVE_TREES_MAX];
	uint32_t ntrees;
	struct tree own; /* freed by forest_fini() alone */
	void *memory;
};

/* graph: where the digests of trees made before are known, may be NULL.  Equal sets give equal
 * bytes.  in must outlive f. IM_ERR_LIMIT (own tree too large for a job), IM_ERR_FORMAT (a path
 * that no job may name, or below a file), IM_ERR_MEMORY. */
int forest_make(struct forest *f, const struct inputs *in, struct graph *graph) IM_MUST;
void forest_fini(struct forest *f);
/* Appends the bytes of a blob that the peer asks for: a tree's encoding, or a file of the set, read
 * now and checked against its digest.  IM_ERR_ABSENT (no part of this job), IM_ERR_DIGEST (the file
 * changed meanwhile), IM_ERR_SYSTEM, IM_ERR_LIMIT, IM_ERR_MEMORY. */
int forest_blob(const struct forest *f, const struct digest *d, struct buf *out) IM_MUST;

#endif
