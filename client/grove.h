/*
 * The grove: which files of an input set travel together as shared trees, and which with the job.
 *
 * Pure.  The roots (the source, a header with the source's own stem, forced files) stay with the
 * job.  Each file that a root follows is a candidate: its whole closure becomes a tree when it
 * brings at least three files that no tree before it has, larger ones first; what is left stays
 * with the job.  A closure is the same in every job, so equal headers make equal trees.
 */
#ifndef CLIENT_GROVE_H
#define CLIENT_GROVE_H

#include "client/inputs.h"

#define GROVE_TREES_MAX 24

/* Of each file; bits. */
enum grove_mark {
	GROVE_ROOT = 1,
	GROVE_REACHED = 2,   /* from a root */
	GROVE_CANDIDATE = 4, /* a root follows it */
	GROVE_PART = 8,      /* a candidate reaches it */
	GROVE_TREE = 16,     /* some tree has it */
	GROVE_OWN = 32       /* too little for a tree */
};

struct grove {
	const struct inputs_file *files;
	uint32_t n;
	uint8_t *marks;                  /* enum grove_mark */
	uint32_t trees[GROVE_TREES_MAX]; /* the files whose closures they are */
	uint32_t ntrees;
	/* of the last walk: what it found, itself first; seen[i] == walk for these files */
	uint32_t *found, *seen;
	uint32_t nfound, walk;
	void *memory;
};

/* in must outlive g and hold a source. IM_ERR_MEMORY. */
int grove_make(struct grove *g, const struct inputs *in) IM_MUST;
void grove_fini(struct grove *g);
/* Collects everything that file i reaches. */
void grove_walk(struct grove *g, uint32_t i);

#endif
