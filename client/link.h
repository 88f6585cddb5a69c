/*
 * The wrapper's end of a sealed channel: frames out of and into a non-blocking socket, in bounded
 * buffers.
 *
 * Nothing here waits; the owner polls link_events() and calls link_flush() and link_fill().  What
 * the peer sends is hostile: a frame longer than CHANNEL_FRAME_MAX or one that does not open ends
 * the link.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/channel.h"

#define LINK_OUT_MAX (1024 * 1024) /* sealed bytes that wait to be sent */
#define LINK_OUT_FULL (256 * 1024) /* from here on link_room() says no */

struct link {
	int fd; /* owned; -1: closed */
	struct channel channel;
	struct buf out, in;
	size_t in_used; /* bytes at the start of `in` that belong to frames already taken */
	uint64_t bytes_out, bytes_in;
	int wakeup; /* bytes that the kernel waits for before it says that something is there */
	bool torn;  /* the other side is gone or broken */
};

/* Closed. */
void link_init(struct link *l);
/* Takes over a socket, made non-blocking, and the state of its channel. IM_ERR_SYSTEM: the socket
 * is closed. */
int link_open(struct link *l, int fd, const uint8_t state[CHANNEL_STATE_LEN]) IM_MUST;
/* Closes the socket if it is still ours, wipes the keys, frees; a closed link may be opened again.
 */
void link_close(struct link *l);
/* Queues one message. IM_ERR_LIMIT when LINK_OUT_MAX would be passed. */
int link_send(struct link *l, uint8_t type, const void *body, size_t len) IM_MUST;
/* True while another block may be queued. */
bool link_room(const struct link *l);
/* Sends what the socket takes. IM_ERR_CLOSED. */
int link_flush(struct link *l) IM_MUST;
/* How many of the bytes sent the other side's kernel has acknowledged (SIOCOUTQ, tcp(7)), 0 when that cannot be told; *ago_ms, which may be
 * NULL: how long ago one came last, 0 when that cannot be told. */
uint64_t link_taken(const struct link *l, uint32_t *ago_ms);
/* Reads what is there, once. IM_ERR_CLOSED at the end. */
int link_fill(struct link *l) IM_MUST;
/* The next whole message: *type, *body and *len (valid until the next call of a link function).
 * IM_ERR_ABSENT when none is complete, IM_ERR_LIMIT and IM_ERR_SIGNATURE for a broken frame. */
int link_next(struct link *l, uint8_t *type, const uint8_t **body, size_t *len) IM_MUST;
/* Events to poll for. */
short link_events(const struct link *l);
/* True when both directions stand between two frames, so that the channel can be handed on. */
bool link_idle(const struct link *l);

#endif
