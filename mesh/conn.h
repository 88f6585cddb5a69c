/*
 * A connection between two nodes: non-blocking TCP, preamble, handshake, then messages in a sealed channel (mesh/wire.h).
 *
 * Callbacks may free the connection.  After an error `closed` is called once with the cause and a line that names it; the
 * owner then frees the connection.  An idle open channel can be taken out (conn_export) and continued elsewhere.
 */
#ifndef MESH_CONN_H
#define MESH_CONN_H

#include "crypto/channel.h"
#include "gossip/member.h"
#include "mesh/greet.h"
#include "mesh/loop.h"
#include "mesh/wire.h"

#define CONN_OUT_MAX (4u << 20) /* bytes waiting to be sent */
#define CONN_HANDSHAKE_MS 5000  /* from connect or accept to an open channel */

struct conn;

struct conn_ops {
	void (*ready)(void *arg, struct conn *c); /* channel open, peer known */
	void (*message)(void *arg, struct conn *c, uint8_t type, const uint8_t *body, size_t len);
	void (*drained)(
	        void *arg, struct conn *c); /* nothing waits to be sent any more; may be NULL */
	void (*closed)(void *arg, struct conn *c, int err, const char *why);
};

/* Starts to connect. NULL without memory, socket, or way to get there. */
struct conn *conn_connect(struct loop *l, const struct conn_identity *id, const struct endpoint *to,
        const struct conn_ops *ops, void *arg);
/* Takes over an accepted socket, also when it fails (then NULL). */
struct conn *conn_accept(struct loop *l, const struct conn_identity *id, int fd,
        const struct conn_ops *ops, void *arg);
/* Continues a channel that conn_export() gave out, to the member `node`. NULL without memory (fd is then closed). */
struct conn *conn_adopt(struct loop *l, int fd, const uint8_t state[CHANNEL_STATE_LEN],
        const struct node_id *node, const struct conn_ops *ops, void *arg);
void conn_free(struct conn *c);
/* Other callbacks from now on. */
void conn_hand(struct conn *c, const struct conn_ops *ops, void *arg);

/* Queues one message. IM_ERR_LIMIT when the peer does not take what waits. */
int conn_send(struct conn *c, uint8_t type, const void *body, size_t len) IM_MUST;
int conn_send_buf(struct conn *c, uint8_t type, const struct buf *body) IM_MUST;
size_t conn_waiting(const struct conn *c); /* bytes not sent yet */
/* Reading on or off (back-pressure).  Messages that have come in already are then handed over before it returns, or, from
 * inside a callback, after that one: the connection may be gone afterwards. */
void conn_read(struct conn *c, bool on);
/* Takes the channel out: the descriptor is the caller's, the connection is freed. IM_ERR_REFUSED when bytes wait in either direction. */
int conn_export(struct conn *c, uint8_t state[CHANNEL_STATE_LEN], int *fd) IM_MUST;

/* The peer's certificate, NULL for a spare or joiner. */
const struct cert *conn_cert(const struct conn *c);
bool conn_stranger(const struct conn *c); /* knows no mesh yet: no certificate was looked at */
const struct node_id *conn_node(
        const struct conn *c);                  /* zero without certificate on an accepted one */
const uint8_t *conn_hash(const struct conn *c); /* handshake hash */
/* "name (10.0.0.1:4711)" for log lines. */
const char *conn_name(const struct conn *c);
/* The socket's inode: tells whether a descriptor is this very socket. */
uint64_t conn_inode(int fd);

#endif
