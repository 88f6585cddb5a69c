/*
 * Uploads: this node brings a toolchain to peers that lack it, once to each, in the background, over a connection of its own.
 *
 * No job waits for a particular upload: it goes to peers that have the toolchain already, or waits while local slots work.
 */
#ifndef MESH_UPLOAD_H
#define MESH_UPLOAD_H

#include "crypto/digest.h"
#include "mesh/node.h"

#define UPLOADS_MAX 64
#define UPLOADS_AT_ONCE 8

struct uploads;

/* done() is called when a peer has a toolchain, or when bringing it failed. */
struct uploads *uploads_new(struct node *n, void (*done)(struct node *n, const struct node_id *id));
void uploads_free(struct uploads *u);
/* Begins unless it is under way, was done, or failed lately. */
void upload_begin(struct uploads *u, const struct member *m, const struct digest *d);
/* True when the peer got it from here. */
bool upload_done(const struct uploads *u, const struct node_id *id, const struct digest *d);
/* The peer says it has not got it (any more). */
void upload_forget(struct uploads *u, const struct node_id *id, const struct digest *d);
/* Something is under way or will be tried again for this toolchain. */
bool upload_pending(const struct uploads *u, const struct digest *d);

#endif
