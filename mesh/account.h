/*
 * An account of one compile: what a wrapper tells the daemon of it (REPORT of mesh/control.h), what the daemon keeps (mesh/history.h), and
 * what a trace and `icemesh why` show.
 *
 * Names of files are the user's bytes, anything but NUL: whoever shows them cleans them.  A text that is not known is empty, and may be NULL
 * for account_encode().  Accounts of wrappers before these fields decode, too: then all but verdict, reason, node, outcome, retries and total
 * is empty.
 */
#ifndef MESH_ACCOUNT_H
#define MESH_ACCOUNT_H

#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "crypto/packet.h"
#include "exec/reason.h"
#include "mesh/control.h"

#define ACCOUNT_NAME_MAX 4096 /* bytes of a file's name; a longer one is left out */
#define ACCOUNT_MODE_SIZE 16  /* with NUL */
#define ACCOUNT_RETRIES_MAX 1000
#define ACCOUNT_LEN_MAX 12288 /* bytes of an encoded account */

enum verdict { VERDICT_REMOTE = 0, VERDICT_LOCAL = 1, VERDICT_FALLBACK = 2 };
enum outcome { OUTCOME_FINE = 0, OUTCOME_PEER_LOST = 1, OUTCOME_JOB_FAILED = 2 };

struct account_times {
	uint64_t plan, lease, send, queue, compile, receive, total; /* milliseconds */
};

struct account {
	enum verdict verdict;
	enum outcome outcome;           /* of one attempt, when it is not OUTCOME_FINE */
	const char *reason, *text;      /* text: the cause in words */
	const char *file, *output;      /* absolute, or as written */
	const char *mode;               /* "source" or "preprocessed" */
	const struct node_id *node;     /* NULL: none */
	const char *peer;               /* its name */
	const struct digest *toolchain; /* NULL: none */
	uint64_t job;                   /* 0: none */
	int exit;                       /* -1: not known yet */
	uint64_t bytes_out, bytes_in;
	struct account_times ms;
	uint32_t retries;
	bool hedged; /* a second copy ran beside the first; of one attempt: the other one goes on, which is no retry */
};

/* What a decoded account points into. */
struct account_room {
	char reason[REASON_SIZE], text[CONTROL_CAUSE_SIZE];
	char file[ACCOUNT_NAME_MAX + 1], output[ACCOUNT_NAME_MAX + 1];
	char mode[ACCOUNT_MODE_SIZE], peer[NAME_SIZE];
	struct node_id node;
	struct digest toolchain;
};

/* Appends the account as one packet of at most ACCOUNT_LEN_MAX bytes; what a decoder would refuse in reason, text and peer is replaced, and
 * what is too long is cut. Errors stay in the buffer. */
void account_encode(const struct account *a, struct buf *b);
/* Decodes into *a, whose texts (never NULL) lie in *room. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_ABSENT. */
int account_decode(struct account *a, struct account_room *room, const struct item *m) IM_MUST;

#endif
