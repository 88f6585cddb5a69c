/*
 * -march=native and its like, resolved here: what a peer's compiler must be given, that it compiles for this machine's processor and
 * makes the same object whatever its own is.
 *
 * gcc (x86): its driver puts words for the processor at a place of cc1's command line that no word of ours reaches (debug information
 * lists them in order), by a spec named cc1_cpu.  The peer gets the command as it is, and a specs file that says these words in the place
 * of the spec: cc1's command line is the same.  clang (x86): the processor's name in the place of "native", and each of its features as
 * -Xclang -target-feature.
 *
 * Compilers are asked for all that, once for each compiler, processor and set of -m words, and the answer is tried out here: cc1's
 * command line, or the code of an empty function with its attributes, must not change a byte.  The graph keeps the answer.
 */
#ifndef CLIENT_NATIVE_H
#define CLIENT_NATIVE_H

#include "client/graph.h"
#include "crypto/buf.h"
#include "crypto/digest.h"
#include "exec/args.h"
#include "exec/command.h"

struct native_request {
	const struct args *args;
	const char *compiler; /* absolute */
	const struct digest *toolchain;
	struct graph *graph; /* may be NULL */
	char *const *environment;
	unsigned slots; /* as in client/search.h */
};

struct native {
	struct source_words words; /* for args_source(); last is the caller's */
	struct buf specs;          /* what SPECS_PATH must hold; empty: no such file */
	/* own */
	struct buf texts;
	const char **first;
};

/* Nothing when no word needs it.  IM_ERR_REFUSED: such a compile is exact only here (why, 256 bytes); IM_ERR_SYSTEM, IM_ERR_MEMORY. */
int native_find(struct native *n, const struct native_request *q, char *why) IM_MUST;
/* A zeroed one is allowed. */
void native_fini(struct native *n);
/* What `line`, the command line of cc1 as gcc -### shows it, has where `other`, the same with other specs, has `mark`: appended without
 * its quotes.  IM_ERR_FORMAT: they differ elsewhere, too, or there are characters that no specs file may have. */
int native_between(struct buf *out, const char *line, const char *other, const char *mark) IM_MUST;
/* Reads the command line of cc1 as clang -### shows it: appends -march=NAME, -mtune=NAME ("" for none), then the features, a NUL
 * behind each.  IM_ERR_FORMAT: not x86, or without these. */
int native_features(struct buf *out, const char *line) IM_MUST;

#endif
