/*
 * Lending: what this node answers to a FETCH of another member (mesh/fetch.h): BLOB, DATA*, END for each blob that it has.
 *
 * The digest is all the right that a member needs.  Only whole blobs within the limit are sent; what is not here is passed over in
 * silence.  It reads as fast as the connection takes it, and holds one file open.
 */
#ifndef MESH_LEND_H
#define MESH_LEND_H

#include "mesh/node.h"

#define LENDS_MAX 4                  /* at one time */
#define LEND_BYTES_MAX (64ULL << 20) /* of all blobs of one answer */

struct lend;

/* p: the body of the FETCH that came over c, which outlives it. NULL: it is malformed, or no memory. */
struct lend *lend_new(struct node *n, struct conn *c, const uint8_t *p, size_t len);
/* Puts more into the connection, until enough waits there: 1; 0: that was all but DONE. IM_ERR_*: nothing more can be said. */
int lend_pump(struct lend *l) IM_MUST;
void lend_free(struct lend *l); /* NULL is allowed */

#endif
