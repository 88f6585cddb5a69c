/*
 * Peers: drives gossip over the real sockets of mesh/radio.h.
 *
 * The table is written to state_dir/peers now and then and at the end, so that a restart knows whom to ask.
 */
#ifndef MESH_PEERS_H
#define MESH_PEERS_H

#include "gossip/gossip.h"
#include "mesh/node.h"

#define PEERS_REJOIN_MS \
	90000 /* multicast groups are joined again this often, for switches that forget */

struct peers;

/* changed() is called when a peer came, went, or told a new load. */
struct peers *peers_open(struct node *n, uint16_t tcp_port,
        void (*changed)(struct node *n, const struct node_id *id), char *why);
void peers_close(struct peers *p); /* says goodbye and saves */
/* Says goodbye to everybody, before this node leaves its mesh. */
void peers_goodbye(struct peers *p);
/* After init, join or leave. */
void peers_mesh_changed(struct peers *p);
/* This node's certificate was renewed: beacons carry the new one. */
void peers_cert_changed(struct peers *p);
/* Slots in use changed. */
void peers_load_changed(struct peers *p);
void peers_seed(struct peers *p, const struct endpoint *e);
/* Adds the machine's own addresses as "a:port,b:port" to out; for tokens. */
void peers_own_hosts(struct peers *p, char *out, size_t size);

/* How many nodes of this node's own networks are heard by unicast only although they send by multicast; example: the name of one. */
unsigned peers_deaf(const struct peers *p, char *example, size_t size);
struct gossip *peers_gossip(const struct peers *p);
/* Live members with the platform of this node, for picking: fills at most max; returns how many.  When none is up, those that fell
 * silent a moment ago: if all are silent at once, it is rather this node that is too busy to hear them, and a lease tells. */
unsigned peers_live(struct peers *p, const struct member **out, unsigned max);
/* Beacons heard and sent per second x100, bytes per second, over the last seconds. */
void peers_rates(const struct peers *p, uint32_t *in_x100, uint32_t *out_x100, uint32_t *bytes);

#endif
