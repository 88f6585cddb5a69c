/*
 * The blob store: bytes named by their digest, and trees (exec/tree.h) laid out from them, for the jobs that this node serves.
 *
 *   store_dir/blobs/<2 hex>/<hex>    content, checked when it came in and again at its first use after a start
 *   store_dir/trees/<hex>/           a tree laid out (mesh/layout.h); while it is being written <hex>.tmp
 *   store_dir/tmp/                   in transit, and what is being thrown away
 *
 * Nothing is written through: what a crash of the machine damages is found at its first use.  Trees are laid out anew after each
 * start, from checked blobs.  When room is needed what was used longest ago goes first, a tree before the blobs that it links to,
 * never what a job holds.
 */
#ifndef MESH_BLOBS_H
#define MESH_BLOBS_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/digest.h"
#include "exec/tree.h"

struct blobs;

#define BLOBS_MAX 2000000
#define BLOBS_TREES_MAX 16384
#define BLOBS_LINKS_MAX (8u << 20)      /* files in all trees that are laid out, together */
#define BLOBS_TREE_BYTES (512ULL << 20) /* of all files of one tree */

/* Makes the three folders below store_dir, which exists. IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int blobs_folders(const char *store_dir) IM_MUST;
/* Opens store_dir (made before) and lists what is there.  why: 256 bytes. NULL on error. */
struct blobs *blobs_open(const char *store_dir, char *why);
void blobs_free(struct blobs *b); /* NULL is allowed */

/* True when it is here, and checked: a blob that turns out altered is removed and counts as absent. *size (NULL: not wanted) receives
 * its size. Counts as a use, also in blobs_laid_out() and below. */
bool blobs_has(struct blobs *b, const struct digest *d, uint64_t *size);
/* Appends its bytes. IM_ERR_ABSENT, IM_ERR_LIMIT (more than max), IM_ERR_SYSTEM. */
int blobs_read(struct blobs *b, const struct digest *d, size_t max, struct buf *out) IM_MUST;
/* Opens it for reading. IM_ERR_ABSENT, IM_ERR_SYSTEM. */
int blobs_open_file(struct blobs *b, const struct digest *d, int *fd) IM_MUST;

/* For mesh/blob_file.c: the folders of blobs and of what is in transit. */
int blobs_folder(const struct blobs *b);
int blobs_tmp(const struct blobs *b);
/* Its file stands in the folder of blobs, checked. IM_ERR_LIMIT. */
int blobs_adopt(struct blobs *b, const struct digest *d, uint64_t size) IM_MUST;
/* So many more, or fewer, bytes are in transit. */
void blobs_expect(struct blobs *b, int64_t bytes);
/* Bytes that the files in transit may still come to. */
uint64_t blobs_transit(const struct blobs *b);

/* The decoded tree of that blob; valid until the next call. IM_ERR_ABSENT, IM_ERR_FORMAT, ... */
int blobs_tree(struct blobs *b, const struct digest *d, const struct tree **out) IM_MUST;
/* True when store_dir/trees/<hex> is complete. */
bool blobs_laid_out(struct blobs *b, const struct digest *tree);
/* Disk that laying it out takes at most, beside its blobs. As blobs_tree(), and IM_ERR_LIMIT: a tree of too many bytes. */
int blobs_tree_cost(struct blobs *b, const struct digest *tree, uint64_t *bytes) IM_MUST;
/* Lays the tree out when it is not yet.  Every file must be here, in the size that the tree says. IM_ERR_ABSENT, IM_ERR_FORMAT,
 * IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int blobs_lay_out(struct blobs *b, const struct digest *tree) IM_MUST;

/* Keeps what has this name, blob and tree laid out, from being removed until released as often; it may come later.  A tree that is not laid out yet
 * does not hold its files: whoever wants to lay it out does. IM_ERR_MEMORY, IM_ERR_LIMIT. */
int blobs_hold(struct blobs *b, const struct digest *d) IM_MUST;
void blobs_release(struct blobs *b, const struct digest *d);

/* Bytes on disk (a blob counts once, however many trees link to it) and numbers. */
void blobs_usage(const struct blobs *b, uint64_t *bytes, unsigned *nblobs, unsigned *ntrees);
/* Removes least recently used ones until at least `bytes` bytes came free. IM_ERR_LIMIT when everything left is held. */
int blobs_shrink(struct blobs *b, uint64_t bytes) IM_MUST;

#endif
