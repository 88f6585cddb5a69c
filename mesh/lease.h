/*
 * Leases: getting a slot at a peer for a wrapper, and the pool of open channels.
 *
 * A want is one wrapper's wish for a slot.  It is tried at the peer that pick.h draws; NACK brings fresh load and the next peer; when all are
 * full it waits, and goes on as soon as news says that a peer has room.  A granted channel leaves the daemon (lease.h forgets it) and
 * may come back by lease_return().  Channels are only ever reused for the user who held them, since that user's processes know
 * the keys.
 */
#ifndef MESH_LEASE_H
#define MESH_LEASE_H

#include <sys/types.h>
#include "mesh/node.h"

#define LEASE_WANTS_MAX 4096
#define LEASE_AVOID_MAX 8
#define LEASE_IDLE_MAX 256  /* channels kept open without a job */
#define LEASE_IDLE_MS 60000 /* how long */

struct leases;
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

/* How a want ends, or that it must wait; exactly one of granted and local is called, and then the want is gone. */
struct want_ops {
	void (*granted)(void *arg, const struct node_id *node, const char *name, uint32_t lease_ms,
	        int fd, const uint8_t state[CHANNEL_STATE_LEN]);
	void (*busy)(
	        void *arg, bool cold); /* cold: no peer has the toolchain yet, it is on its way */
	void (*local)(void *arg, const char *reason, const char *text);
};

struct leases *leases_new(struct node *n);
void leases_free(struct leases *l);
/* May call back before it returns; then NULL comes back although nothing failed. */
struct want *lease_want(
        struct leases *l, const struct want_spec *spec, const struct want_ops *ops, void *arg);
void lease_cancel(struct want *w);
/* A channel comes back idle; fd is taken. */
void lease_return(struct leases *l, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN]);
/* A granted job ended, however: the peer's view has one less. */
void lease_ended(struct leases *l, const struct node_id *node);
/* News about a peer or a toolchain: waiting wants are tried again. */
void leases_kick(struct leases *l);
/* Every idle channel and want ends (the mesh changed). */
void leases_reset(struct leases *l);

#endif
