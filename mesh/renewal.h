/*
 * Renewal: a member's certificate gets a new lifetime from the node that holds the root key, once half of the old one is over, so that
 * a mesh goes on by itself as long as its members meet that node now and then.
 */
#ifndef MESH_RENEWAL_H
#define MESH_RENEWAL_H

#include "mesh/node.h"

#define RENEWAL_LOOK_MS (10 * 60 * 1000) /* between two looks */

struct renewal;

/* Looks soon after the start, then every RENEWAL_LOOK_MS. NULL without memory. */
struct renewal *renewal_new(struct node *n);
void renewal_free(struct renewal *r);
/* Looks now. */
void renewal_look(struct renewal *r);

#endif
