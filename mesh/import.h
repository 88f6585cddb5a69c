/*
 * Importing: a tarball that a local user packed is copied into the store piece by piece, signed by this node, and kept.
 */
#ifndef MESH_IMPORT_H
#define MESH_IMPORT_H

#include <sys/types.h>
#include "mesh/node.h"

struct import;

/* done: err 0 and the digest and signature text, or the cause in why. */
typedef void (*import_done)(
        void *arg, int err, const struct digest *d, const char *sig, const char *why);
/* Takes fd, a regular file whose reads cannot block for long: in memory, or of this node's own user or root. NULL with why (256 bytes) on refusal; the fd is closed. */
struct import *import_begin(
        struct node *n, uid_t uid, int fd, import_done done, void *arg, char *why);
void import_cancel(struct import *i);

#endif
