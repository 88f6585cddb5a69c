/*
 * How blobs and trees (mesh/blobs.h) stand on disk: the name of a blob's file, and a tree written below a folder.
 *
 * Files are hard links to blobs, or copies: where the mode or the time is another than a blob file's, and where one content stands
 * twice, which must not look like one file.  Names are walked folder by folder and no link is followed, so that nothing in a tree
 * leads out of it; the tree was checked by tree_decode().
 */
#ifndef MESH_LAYOUT_H
#define MESH_LAYOUT_H

#include <stdbool.h>
#include "exec/tree.h"

#define LAYOUT_NAME_SIZE (3 + DIGEST_HEX_SIZE) /* "ab/<hex>" */
#define LAYOUT_DEPTH_MAX 128                   /* folders above a file */
#define LAYOUT_MTIME_S 1 /* of every blob file, so that views are the same on every peer */
#define LAYOUT_MODE 0644 /* of every blob file */

/* The name of a blob's file in the folder of blobs. */
void layout_name(const struct digest *d, char out[LAYOUT_NAME_SIZE]);
/* Bytes of disk that a file of this size takes. */
uint64_t layout_cost(uint64_t size);
/* Writes the tree below the empty folder into_fd, from the folder of blobs; copy[i]: entry i is a copy.  *bytes: disk that it takes
 * beside the blobs. IM_ERR_LIMIT (too deep), IM_ERR_ABSENT (a blob), IM_ERR_SYSTEM. */
int layout_write(
        int into_fd, int blobs_fd, const struct tree *t, const bool *copy, uint64_t *bytes) IM_MUST;

#endif
