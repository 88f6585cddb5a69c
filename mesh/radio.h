/*
 * The radio: UDP sockets for beacons, multicast on every fitting interface and unicast, IPv4 and IPv6.
 *
 * Unicast sockets are bound to the `listen` address; multicast ones to the group address itself, so that several daemons on one
 * machine can share a group.  Sending goes out of the unicast sockets: the source port is where answers are heard, and by which a
 * radio's own beacons are kept from it.
 * Interfaces are looked at again now and then; groups are joined anew for switches that forget, and when this machine moved.
 */
#ifndef MESH_RADIO_H
#define MESH_RADIO_H

#include "gossip/gossip.h"
#include "mesh/interface.h"
#include "mesh/node.h"

struct radio;
typedef void (*radio_heard)(
        void *arg, const uint8_t *bytes, size_t len, const struct endpoint *from, bool multicast);

/* Opens the sockets by n->config (listen, group, group6, interfaces). A group that cannot be used is a warning, no error.
 * *port: the UDP port, 0 for any; receives the one that is bound. why: 256 bytes. */
struct radio *radio_open(struct node *n, uint16_t *port, radio_heard heard, void *arg, char *why);
void radio_close(struct radio *r);
/* ipv4_alone: not by IPv6 too where an interface has both. */
void radio_multicast(struct radio *r, bool ipv4_alone, const void *bytes, size_t len);
void radio_unicast(struct radio *r, const struct endpoint *to, const void *bytes, size_t len);
/* Looks at the interfaces again; rejoin leaves and joins every group, as does an address that came or went. */
void radio_rescan(struct radio *r, bool rejoin);
/* What radio_rescan() found last. */
const struct interfaces *radio_interfaces(const struct radio *r);
unsigned radio_outlets(const struct radio *r); /* interfaces with multicast in use */

/* A listening TCP socket for `listen` ("[::]:9777"); falls back to IPv4 where IPv6 is off. Port 0 takes a free one; *port says which. */
int radio_listen(const char *listen_text, int *fd, uint16_t *port, char *why) IM_MUST;

#endif
