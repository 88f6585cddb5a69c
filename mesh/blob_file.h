/*
 * A blob that comes in: bytes in pieces, whose digest is checked before they count (mesh/blobs.h).
 *
 * A small one waits in memory and is written once, at its place; a large one goes to store_dir/tmp/ and is renamed.  One that is
 * dropped, or is not what it claims to be, leaves nothing.
 */
#ifndef MESH_BLOB_FILE_H
#define MESH_BLOB_FILE_H

#include "mesh/blobs.h"

#define BLOB_FILE_PREFIX "blob-" /* of names in tmp/ */

struct blob_file;

/* max: bytes at most, which count as in transit. NULL: no memory. */
struct blob_file *blob_file_new(struct blobs *b, uint64_t max);
/* IM_ERR_LIMIT, IM_ERR_MEMORY, IM_ERR_SYSTEM. */
int blob_file_add(struct blob_file *f, const void *bytes, size_t len) IM_MUST;
/* Checks the digest and keeps it, unless it is here already; frees f. IM_ERR_DIGEST, IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int blob_file_keep(struct blob_file *f, const struct digest *d) IM_MUST;
void blob_file_drop(struct blob_file *f); /* NULL is allowed */

#endif
