/*
 * Installing: a toolchain that a peer brings is checked while it comes in, kept as a tarball, then unpacked by the helper.
 *
 * Nothing of it counts before digest, size and both signatures have been checked; a transfer that ends early leaves nothing.
 */
#ifndef MESH_INSTALL_H
#define MESH_INSTALL_H

#include "crypto/sign.h"
#include "mesh/node.h"
#include "mesh/store.h"

struct install;

/* Checks the signature text against this mesh and that digest and size are those it vouches for.  why (256 bytes): the cause, for the
 * peer and the log.  *code receives the enum wire_error. NULL on refusal. */
struct install *install_new(struct node *n, const struct digest *d, uint64_t size, const char *sig,
        enum wire_error *code, char *why);
void install_free(struct install *i);
int install_add(
        struct install *i, const void *bytes, size_t len, enum wire_error *code, char *why) IM_MUST;
/* All is here: checks digest and content signature and keeps the tarball. */
int install_finish(struct install *i, enum wire_error *code, char *why) IM_MUST;

/* Lets the helper unpack a toolchain whose tarball is here (not while t->unpacking); done(arg, 0 or error, why) comes later,
 * or at once when it is unpacked already or cannot be: then NULL is returned. */
typedef void (*install_unpacked)(void *arg, int err, const char *why);
struct unpacking *install_unpack(
        struct node *n, const struct digest *d, install_unpacked done, void *arg);
/* Nobody waits for it any more; the unpacking itself goes on. */
void install_forget(struct unpacking *u);

#endif
