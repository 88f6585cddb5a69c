/*
 * Room: keeps the store within store_size by removing what was used longest ago: blobs and trees (mesh/blobs.h), which a client
 * brings again in no time, before toolchains.
 *
 * One that a job holds, that comes in, is being unpacked or is on its way to a peer stays; so the store may for a while be larger by
 * what is in use, and by the tree of the last one that came.  A compiler whose tarball went is packed again at its next use.
 */
#ifndef MESH_ROOM_H
#define MESH_ROOM_H

#include "crypto/digest.h"
#include "mesh/node.h"

/* Makes room for so many more bytes; never at the cost of `keep` (NULL: none). IM_ERR_LIMIT: there is not so much. */
int room_make(struct node *n, uint64_t bytes, const struct digest *keep) IM_MUST;

#endif
