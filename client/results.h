/*
 * Everything that a peer sends back for one job: what it printed, the files it made, its findings (exec/findings.h).
 *
 * All of it is hostile: sizes are checked against the limits before anything is kept, bytes against the digests that the peer
 * announced (large files: one in eight, client/outputs.h), and nothing stands under a name of the user's before all of that.
 */
#ifndef CLIENT_RESULTS_H
#define CLIENT_RESULTS_H

#include "client/outputs.h"
#include "crypto/buf.h"
#include "exec/findings.h"

#define RESULTS_CONSOLE_MAX \
	(8u << 20) /* bytes of stdout, and of stderr, that are shown; a peer allows as many */
#define RESULTS_SKIP_MAX \
	(8ULL << 20) /* bytes of useless outputs that are read to save the channel */

/* A file that a compile may write. */
struct product {
	const char *path; /* as the compiler here would open it */
	enum output_way way;
	bool object;   /* must begin like an object file */
	bool required; /* a compile that succeeds makes it */
	bool linked; /* way is OUTPUT_WRITE, and what stands there has another name too: a compile that fails leaves it cut off there */
	bool stood; /* a file stood there before: the job was told so by a marker (RESULTS_MARKER) in its place */
};

/* What stands in a job's view for an output that exists here already, so that a compile that fails removes it, or leaves it, as it
 * would here. */
#define RESULTS_MARKER "icemesh: an output stood here before the compile\n"

struct results {
	const struct product *products; /* borrowed */
	uint32_t nproducts;
	bool source;  /* findings come behind the products */
	uint64_t max; /* bytes of all products together */
	struct job_result said;
	struct buf console[2], findings;
	struct output *outputs; /* owned, one a product */
	bool skip;              /* read, not kept */
	uint32_t current;       /* index of the output that comes */
	uint64_t current_size;  /* of it, so far */
};

/* IM_ERR_MEMORY. */
int results_init(struct results *r, const struct product *products, uint32_t n, bool source,
        uint64_t max) IM_MUST;
void results_fini(struct results *r);
/* Back to the beginning, nothing temporary left. */
void results_abort(struct results *r);

/* A RESULT body. IM_ERR_FORMAT (not this job's), IM_ERR_LIMIT (announces too much). Nothing is opened yet. */
int results_said(struct results *r, const void *body, size_t len) IM_MUST;
/* Opens what is wanted of it; skip: everything that follows is read and thrown away. IM_ERR_LIMIT, IM_ERR_FORMAT (a required
 * output is absent), IM_ERR_SYSTEM (disk). */
int results_open(struct results *r, bool skip) IM_MUST;
/* Raw bytes, in order. IM_ERR_LIMIT, IM_ERR_FORMAT (no object file), IM_ERR_SYSTEM (disk full). */
int results_put(struct results *r, const void *bytes, size_t len) IM_MUST;
/* True when everything announced has come. */
bool results_full(const struct results *r);
/* Checks every digest. IM_ERR_DIGEST. */
int results_check(struct results *r) IM_MUST;
/* Puts the files under their names, and removes those that the compile removed. IM_ERR_SYSTEM. */
int results_commit(struct results *r) IM_MUST;
/* True when what was printed can be shown: its stream is open, somebody reads it, and it is no device with a mind of its own.  Otherwise
 * the compiler itself must try. */
bool results_heard(const struct results *r);
/* True when the compile failed and what it left in a file of two names is not known. */
bool results_damaged(const struct results *r);
/* Prints stdout and stderr as the compiler would have. */
void results_print(const struct results *r);

#endif
