/*
 * The wrapper's side of the control protocol (mesh/control.h): questions about one compile, and the
 * daemon's answers.
 *
 * The socket is non-blocking and the daemon is never waited for without a deadline: without its
 * help a compile is local, no more.  Of REPORTs, those with an outcome other than OUTCOME_FINE tell
 * of one attempt at a peer, and exactly one with OUTCOME_FINE ends each compile.
 */
#ifndef CLIENT_DAEMON_H
#define CLIENT_DAEMON_H

#include "crypto/buf.h"
#include "crypto/cert.h"
#include "crypto/channel.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "exec/reason.h"
#include "mesh/account.h"
#include "mesh/config.h"
#include "mesh/control.h"

#define DAEMON_TEXT_SIZE 256
#define DAEMON_AVOID_MAX 8

struct daemon {
	int fd;          /* -1: not connected */
	struct buf body; /* the last answer's bytes */
};

/* One answer; which fields count depends on the type. */
struct answer {
	enum control_type type; /* CONTROL_TOOLCHAIN, PACK, LOCAL, GRANT, BUSY, ERROR */
	struct digest toolchain;
	const uint8_t *witness;
	size_t witness_len; /* into the daemon's buffer, until the next answer */
	char reason[REASON_SIZE], text[DAEMON_TEXT_SIZE];
	uint8_t channel[CHANNEL_STATE_LEN]; /* secret */
	struct node_id node;
	char peer[NAME_SIZE];
	bool hedge; /* GRANT: unasked for, for a second copy of what another peer is running */
	bool cold;  /* BUSY: the toolchain is only on its way to the peers */
	int fd; /* GRANT: the channel's socket, TOOLCHAIN: the include graph; now the caller's. -1: none */
};

struct want {
	struct digest toolchain;
	uint64_t job;
	const char *peer; /* NULL or empty: any */
	struct node_id avoid[DAEMON_AVOID_MAX];
	uint32_t navoid;
	uint32_t predicted_ms; /* of the compile, at ordinary speed; 0: nothing is known */
};

/* Not connected yet; fd is a connected socket or -1. */
void daemon_init(struct daemon *d, int fd);
/* Connects to the first control socket of the configuration that answers. IM_ERR_ABSENT. */
int daemon_open(struct daemon *d, const struct config *c) IM_MUST;
/* Closes, which withdraws everything that is open. */
void daemon_fini(struct daemon *d);

int daemon_compiler(struct daemon *d, const char *path) IM_MUST;
int daemon_packing(struct daemon *d, const char *path) IM_MUST;
/* A packed toolchain; fd stays the caller's. */
int daemon_import(struct daemon *d, const char *path, const struct buf *witness, bool replace,
        int fd) IM_MUST;
int daemon_want(struct daemon *d, const struct want *w) IM_MUST;
/* The channel back; fd stays the caller's to close. */
int daemon_return(struct daemon *d, const uint8_t state[CHANNEL_STATE_LEN],
        const struct node_id *node, int fd) IM_MUST;
/* The include graph is full or of no use; failures do not matter. */
void daemon_graph(struct daemon *d);
/* What came of a compile or an attempt; failures do not matter. */
void daemon_report(struct daemon *d, const struct account *a);

/* The answer that waits. IM_ERR_ABSENT when none does, IM_ERR_CLOSED, IM_ERR_FORMAT or another
 * error of the decoder. */
int daemon_answer(struct daemon *d, struct answer *a) IM_MUST;

#endif
