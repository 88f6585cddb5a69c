/*
 * A bundle: all that source mode sends of one compile, made before a peer is asked: search path, input set, forest, the peer's command
 * line, its environment, the files that it will make.
 */
#ifndef CLIENT_BUNDLE_H
#define CLIENT_BUNDLE_H

#include "client/data.h"
#include "client/inputs.h"
#include "client/native.h"
#include "client/forest.h"
#include "client/results.h"
#include "client/probes.h"
#include "client/recall.h"
#include "client/search.h"
#include "client/terminal.h"

struct bundle_request {
	const struct args *args;
	const char *compiler; /* absolute */
	struct digest toolchain;
	struct graph *graph;   /* may be NULL */
	struct probes *probes; /* outlives the bundle and grows with what it learns */
	char *const *environment;
	unsigned slots; /* see client/search.h */
};

struct bundle {
	struct job job; /* all but the toolchain's name is borrowed from here */
	struct product products[JOB_OUTPUTS_MAX];
	bool translated; /* messages in another language than the peer's: exact only here */
	struct terminal terminal;
	/* own */
	struct graph *graph;
	struct probes *probes;
	const char **forced; /* owned array */
	struct search search;
	struct recall set; /* what the job says of its inputs */
	bool recalled; /* set comes from an earlier compile, and the two below are empty until somebody asks for more */
	struct inputs inputs;
	struct forest forest;
	struct tree own; /* the set's, and the markers */
	struct inputs_request request;
	char why[256];     /* of a search that was made after all; inputs keep it */
	struct digest key; /* the set's name in the graph */
	struct data data;
	struct native native;
	struct digest specs;            /* of native's, when it has some */
	char *folders[JOB_OUTPUTS_MAX]; /* owned: of the outputs, as spelled */
	unsigned nfolders;
	bool checked; /* set.findings is what a peer found, and good */
	char **argv;
	const char *env[JOB_ENV_MAX + 1];
	char epoch[40];
	const char *outputs[JOB_OUTPUTS_MAX];
	char *paths[JOB_OUTPUTS_MAX]; /* owned: the outputs' physical paths */
	char cwd[JOB_PATH_MAX + 1];
};

/* On error reason is a word of exec/reason.h with its detail, why (256 bytes) the cause in words.  IM_ERR_REFUSED: source mode
 * cannot do this compile exactly; another way may. */
int bundle_make(struct bundle *b, const struct bundle_request *q, char reason[REASON_SIZE],
        char *why) IM_MUST;
/* Frees; a zeroed bundle is allowed. */
void bundle_fini(struct bundle *b);
/* The bytes of what a peer asks for. IM_ERR_ABSENT, IM_ERR_DIGEST, IM_ERR_SYSTEM. */
int bundle_blob(struct bundle *b, const struct digest *d, struct buf *out) IM_MUST;
/* How many blobs the job names, at most: no peer may ask for more. */
uint32_t bundle_blobs(const struct bundle *b);
/* Checks a peer's findings, which have this digest, against this disk. When the result does not count, why (256 bytes) names the file: IM_ERR_REFUSED, or
 * IM_ERR_ABSENT when the probes have learned it and a new bundle will have it. */
int bundle_findings(struct bundle *b, const struct buf *findings, const struct digest *digest,
        char *why) IM_MUST;
/* The result whose findings were checked last has been accepted: the next compile of the same may recall the set. */
void bundle_keep(const struct bundle *b);

#endif
