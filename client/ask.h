/*
 * Asking the daemon: connects to the first control socket that answers, sends one command, waits for its answer with a
 * deadline.
 *
 * A body that comes as a memfd is read into memory of our own, since the other side could change or shrink what we map while
 * we decode it; its size is checked first (CONTROL_BODY_MAX).
 */
#ifndef CLIENT_ASK_H
#define CLIENT_ASK_H

#include "crypto/buf.h"
#include "crypto/packet.h"
#include "mesh/config.h"
#include "mesh/control.h"

#define ASK_MS 10000         /* for what the daemon answers at once */
#define ASK_SLOW_MS 90000    /* for what talks to other nodes: join, leave */
#define ASK_IMPORT_MS 300000 /* for hashing and storing a toolchain */
#define ASK_ERROR_SIZE 512

struct reply {
	uint8_t type;          /* CONTROL_OK, CONTROL_TOOLCHAIN */
	struct packet *packet; /* the body, or the memfd's content when there is one */
	struct buf bytes;      /* what packet points into */
};

struct ask {
	int fd;
	char where[2 * CONFIG_VALUE_SIZE +
	           8]; /* the socket that answered, or all that were tried */
	char error
	        [ASK_ERROR_SIZE]; /* the daemon's text after IM_ERR_REFUSED, cleaned for a terminal */
};

/* Connects. IM_ERR_ABSENT: nothing listens; IM_ERR_SYSTEM with errno: there is one, but not for us. */
int ask_open(struct ask *a, const struct config *c) IM_MUST;
/* Takes over a connected socket: for tests. */
void ask_use(struct ask *a, int fd);
void ask_close(struct ask *a);
/* Sends type with body (NULL: an empty map) and pass_fd (-1: none), and waits at most timeout_ms for OK or TOOLCHAIN.  On success the
 * caller owes reply_fini(). IM_ERR_REFUSED (a->error says why), IM_ERR_TIMEOUT, IM_ERR_CLOSED, IM_ERR_FORMAT, IM_ERR_LIMIT,
 * IM_ERR_SYSTEM. */
struct ask_command {
	uint8_t type;
	const struct buf *body;
	int pass_fd;
	int timeout_ms;
};
int ask_daemon(struct ask *a, const struct ask_command *q, struct reply *out) IM_MUST;
void reply_fini(struct reply *r);

#endif
