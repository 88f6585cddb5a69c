/*
 * One output of a remote compile, written as the compiler at home would have written it.
 *
 * The bytes are hostile: their size and digest must be the ones announced, an object must look like
 * one, and nothing stands under the output's own name before all that is checked.  They go into a
 * temporary file beside the output (or, where none can be made there, into memory), which then is
 * renamed, or copied into the file that stands there already:
 *
 *   compiler   existing output                          what the compiler does
 *   gcc -c     none, or one that is not empty           makes a new file, unlinks the old one
 *   gcc -c     empty, or a dangling link                writes into it
 *   gcc -S     any                                      writes into it
 *   clang      the main output: any                     renames a new file over it
 *   both       others, as .d files: any                 writes into most of them (so clang's behind links, which tell it, are not ours)
 */
#ifndef CLIENT_OUTPUTS_H
#define CLIENT_OUTPUTS_H

#include <stdbool.h>
#include "crypto/digest.h"
#include "exec/job.h"
#include "exec/options.h"

enum output_way { OUTPUT_RENAME, OUTPUT_WRITE, OUTPUT_NOT_OURS };

#define OUTPUT_TEMP_SIZE (JOB_PATH_MAX + 32)

/* The channel has already proved that the bytes are the peer's own; that they also are those it announced is found out for every small
 * output and for one in eight of the others, since hashing is a third of what a large object costs here. */
#define OUTPUT_HASHED (64 * 1024)
#define OUTPUT_SAMPLE 8

struct output {
	const char *path; /* the caller's */
	enum output_way way;
	bool object;                 /* must begin like an object file */
	char temp[OUTPUT_TEMP_SIZE]; /* empty: none on disk */
	int fd;                      /* -1: closed */
	uint64_t written;
	bool hashed;              /* its digest will be checked */
	struct job_output wanted; /* what the peer announced */
	struct digest_stream stream;
};

/* How this compiler would write the output; in_place: it writes into what is there.
 * OUTPUT_NOT_OURS for what is no regular file or may not be written: compile locally. */
enum output_way output_way(const char *path, enum option_compiler compiler, bool in_place);

/* True when path has, or leads to, a file that also stands under another name. */
bool output_linked(const char *path);
/* True when the output is a symbolic link to the source: the compiler has something to say about that. */
bool output_is_source(const char *path, const char *source);

/* Nothing open. */
void output_init(struct output *o, const char *path, enum output_way way, bool object);
/* Opens the temporary file for the announced output. IM_ERR_LIMIT (larger than max bytes),
 * IM_ERR_FORMAT (absent), IM_ERR_SYSTEM. */
int output_open(struct output *o, const struct job_output *wanted, uint64_t max) IM_MUST;
/* Adds bytes. IM_ERR_FORMAT (no object), IM_ERR_LIMIT (more than announced), IM_ERR_SYSTEM (disk
 * full). */
int output_put(struct output *o, const void *bytes, size_t len) IM_MUST;
bool output_full(const struct output *o);
/* Checks the digest. IM_ERR_DIGEST, IM_ERR_TRUNCATED. */
int output_check(struct output *o) IM_MUST;
/* Puts it under its name. IM_ERR_SYSTEM: the old output may be gone, but nothing partial is there.
 */
int output_commit(struct output *o) IM_MUST;
/* Removes what is temporary; allowed at any time, and after output_commit() without effect. */
void output_abort(struct output *o);

#endif
