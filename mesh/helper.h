/*
 * The daemon's end of icemesh-exec: starts it before any socket is open, sends it work, hands its answers out.
 *
 * When the helper dies the daemon ends: whatever sandboxes existed are gone with it, and whoever supervises the daemon starts both again.
 */
#ifndef MESH_HELPER_H
#define MESH_HELPER_H

#include "exec/pipe.h"
#include "mesh/node.h"

struct helper;

/* Answers; fds are the callee's. */
typedef void (*helper_answer)(void *arg, const struct pipe_msg *m, int *fds, unsigned nfds);

/* Forks and executes the helper; no loop yet. why: 256 bytes. */
struct helper *helper_start(const struct config *c, char *why);
/* Waits (at most 10 s) for its READY, then attaches it to the loop; lost() is called when it dies. */
int helper_attach(
        struct helper *h, struct node *n, void (*lost)(void *arg), void *arg, char *why) IM_MUST;
void helper_stop(struct helper *h);
unsigned helper_level(const struct helper *h);         /* sandbox level, 0: none */
const char *helper_level_text(const struct helper *h); /* why not higher */

/* Sends a request; its one answer goes to cb. fds stay the caller's. Returns the id (never 0), or 0 when it cannot be sent. */
uint64_t helper_ask(struct helper *h, enum pipe_type type, const struct digest *d, const int *fds,
        unsigned nfds, helper_answer cb, void *arg);
/* No answer wanted any more for id (its fds are closed when it comes). */
void helper_forget(struct helper *h, uint64_t id);
void helper_kill(struct helper *h, uint64_t id);

#endif
