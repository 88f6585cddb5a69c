/*
 * Joining a mesh: the joiner's side of enrolment, and waiting until the new member sees its peers.
 */
#ifndef MESH_JOIN_H
#define MESH_JOIN_H

#include "crypto/token.h"
#include "mesh/node.h"

struct join;

/* err 0: this node is a member (or, without token, a spare) and sees `peers` others; else the cause in why. */
typedef void (*join_done)(void *arg, int err, unsigned peers, const char *why);
/* token NULL: as a spare; then seeds must name a node of the mesh.  NULL with why (256 bytes) when it cannot even begin. */
struct join *join_begin(struct node *n, const struct token *t, const char *seeds, join_done done,
        void *arg, char *why);
/* Nobody waits any more; what was reached stays. */
void join_cancel(struct join *j);

#endif
