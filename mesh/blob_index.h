/*
 * What the blob store (mesh/blobs.h) knows of each digest: sizes, who holds it, which trees link to it, and the order of use.
 *
 * Memory only; the files are the store's business.  Entries have numbers (mesh/digests.h); one that says nothing goes by itself.
 */
#ifndef MESH_BLOB_INDEX_H
#define MESH_BLOB_INDEX_H

#include <stdbool.h>
#include "mesh/digests.h"

/* Neighbours in the order of use; numbers, DIGESTS_NONE at the ends. */
struct use {
	uint32_t older, newer;
	uint64_t at; /* counts up; 0: not in the list */
};

/* A tree that is laid out. */
struct laid {
	uint32_t *links; /* numbers of the blobs that its files are links to */
	uint32_t nlinks;
	uint64_t bytes; /* beside the blobs */
	struct use use;
};

/* What is known of one digest. */
struct blob {
	uint64_t size;
	struct laid *tree; /* NULL: not laid out */
	struct use use;
	uint32_t held, links; /* links: trees that are laid out and link to it */
	uint32_t stamp;       /* the layout that linked to it last */
	bool stored, checked;
};

struct list {
	uint32_t oldest, newest;
};

struct blob_index {
	struct digests digests;
	struct blob *at; /* by number */
	uint32_t cap;
	struct list blob_uses, tree_uses;
	uint64_t clock, bytes; /* bytes: of disk */
	uint32_t nblobs, ntrees, nlinks;
};

void blob_index_init(struct blob_index *x, uint32_t max);
void blob_index_fini(struct blob_index *x);
/* The entry's number, that of a new one when there is none. DIGESTS_NONE: full, or no memory. */
uint32_t blob_index_entry(struct blob_index *x, const struct digest *d);
/* Forgets an entry that says nothing any more. */
void blob_index_tidy(struct blob_index *x, uint32_t i);
/* The blob came or went; was used. */
void blob_index_stored(struct blob_index *x, uint32_t i, uint64_t size, bool checked);
void blob_index_removed(struct blob_index *x, uint32_t i);
void blob_index_used(struct blob_index *x, uint32_t i);
/* The tree is laid out, and l the index's; its folder is gone; was used. */
void blob_index_laid(struct blob_index *x, uint32_t i, struct laid *l);
void blob_index_dropped(struct blob_index *x, uint32_t i);
void blob_index_tree_used(struct blob_index *x, uint32_t i);
/* The blob used longest ago that nothing holds or links to, from i on in the order of use (its blob_uses.oldest: all). DIGESTS_NONE. */
uint32_t blob_index_oldest(const struct blob_index *x, uint32_t i);
uint32_t blob_index_oldest_tree(const struct blob_index *x);

void laid_free(struct laid *l); /* NULL is allowed */

#endif
