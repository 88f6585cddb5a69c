/*
 * Wants: gets slots at peers for this node's wrappers.  Drives mesh/lease.h, which decides, over connections to the peers.
 *
 * A want is one wrapper's wish for a slot.  A granted channel leaves the daemon, and may come back by want_return().
 */
#ifndef MESH_WANT_H
#define MESH_WANT_H

#include <sys/types.h>
#include "mesh/lease.h"
#include "mesh/node.h"

struct wants;
struct want;

struct want_spec {
	uid_t uid;
	uint64_t job;
	struct digest toolchain;
	uint32_t predicted_ms; /* on an ordinary machine; 0: not known */
	char peer[NAME_SIZE];  /* name or id (its beginning), empty: any */
	struct node_id avoid[LEASE_AVOID_MAX];
	unsigned navoid;
};

struct want_grant {
	uint64_t lease; /* for want_ended() */
	const struct node_id *node;
	const char *name;
	uint32_t lease_ms;
	int fd;               /* the callback's from now on */
	const uint8_t *state; /* CHANNEL_STATE_LEN bytes */
	bool second; /* for a second copy of a job that this want was granted a slot for and that has not ended */
};

/* How a want ends, or that it must wait. Either granted (not second) or local is called once, then the want is gone. */
struct want_ops {
	void (*granted)(void *arg, const struct want_grant *g);
	void (*busy)(
	        void *arg, bool cold); /* cold: no peer has the toolchain yet, it is on its way */
	void (*local)(void *arg, const char *reason, const char *text);
};

struct wants *wants_new(struct node *n); /* NULL without memory */
void wants_free(struct wants *ws);
/* May call back before it returns; then NULL comes back although nothing failed.  arg has to last until the want and all jobs
 * granted to it have ended. */
struct want *want_new(
        struct wants *ws, const struct want_spec *spec, const struct want_ops *ops, void *arg);
void want_cancel(struct want *w); /* NULL: nothing happens */
/* A granted job is over, however; tell it of each. */
void want_ended(struct wants *ws, uint64_t lease);
/* A channel comes back idle; fd is taken. */
void want_return(struct wants *ws, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN]);
/* A peer did what was asked of it (as leases_worked()), or it failed. */
void wants_worked(
        struct wants *ws, const struct node_id *id, uint32_t predicted_ms, uint32_t took_ms);
void wants_failed(struct wants *ws, const struct node_id *id);
/* True while the peer is left alone after a failure. */
bool wants_avoid(const struct wants *ws, const struct node_id *id);
/* What is known of a peer; NULL when nothing is. */
const struct view *wants_view(const struct wants *ws, const struct node_id *id);
/* News of a peer, or that it has a toolchain now. */
void wants_news(struct wants *ws, const struct node_id *id);
void wants_counts(const struct wants *ws, struct lease_counts *out);
/* Every channel and want ends (the mesh changed). */
void wants_reset(struct wants *ws);

#endif
