/*
 * The command lines that one compile becomes: the preprocessor's here, the compiler's there, and
 * the peer's check of the latter.
 *
 * Source mode: the words as given.  Preprocessed mode: the text stands on the peer under the
 * source's own path, so names in messages and debug information stay right; what only the
 * preprocessor or the linker wants is left out.
 */
#ifndef EXEC_COMMAND_H
#define EXEC_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include "crypto/err.h"
#include "exec/job.h"

struct args;

/* What the words of a source job have beside the given ones; each may be NULL. */
struct source_words {
	const char *const *first, *const *last; /* NULL-terminated */
	const char *march, *mtune;              /* for clang's -march=native, -mtune=native */
};

/* The local preprocessor's command line (argv[0] = compiler): -E, with -fdirectives-only when
 * directives_only and neither plain_cpp nor clang forbids it, output to stdout, dependency
 * options completed so that the .d file has the name and the target that the whole compile would
 * give it.  One allocation for free(), NULL-terminated.  IM_ERR_MEMORY; IM_ERR_UNSUPPORTED when
 * args_preprocessed() or source_only. */
int args_preprocess(
        const struct args *a, const char *compiler, bool directives_only, char ***out) IM_MUST;
/* The peer's command line for the preprocessed text, stored there under the source's own name:
 * without preprocessor and dependency options, with -fpreprocessed [-fdirectives-only] (gcc) or
 * -x cpp-output (clang), always with -o; argv[0] = argv0. directives_only as for
 * args_preprocess.  One allocation for free(), NULL-terminated. */
int args_remote(const struct args *a, const char *argv0, bool directives_only, char ***out) IM_MUST;
/* The peer's command line in source mode: argv0 (absolute), then the words as they are (response
 * files expanded) but for what `extra` (may be NULL) has in their place, before and behind them.  One
 * allocation for free(), NULL-terminated. IM_ERR_MEMORY,
 * IM_ERR_UNSUPPORTED when the verdict is local. */
int args_source(const struct args *a, const char *argv0, const struct source_words *extra,
        char ***out) IM_MUST;
/* What stands in the place of the word: itself, or one of w's. */
const char *source_word(const struct source_words *w, const char *word);
/* The peer's own check of a job that arrived and was decoded: 0, or IM_ERR_REFUSED with the
 * reason in why.  A preprocessed job's argv must be word for word what args_remote() makes; a
 * source job's must be one that args_analyse() lets travel, with an absolute argv[0].  A
 * preprocessed job's source must be among the inputs; every declared output must be one that the
 * command makes, the main one among them, every environment variable on the allow-list. */
int args_check(const struct job *job, char *why, size_t size) IM_MUST;
/* Writes name, resolved against cwd by words alone (no link is followed), without "//", "." and
 * "..". IM_ERR_LIMIT. */
int args_path(const char *cwd, const char *name, char out[JOB_PATH_MAX + 1]) IM_MUST;

#endif
