/*
 * Asking a program a question: run it with a few words, take what it prints on stdout.
 *
 * stdin and stderr are /dev/null, the working directory is /, messages are in the C locale; a program that does not answer in time is killed.
 */
#ifndef EXEC_QUERY_H
#define EXEC_QUERY_H

#include "crypto/buf.h"

#define QUERY_TIME_MS 10000
#define QUERY_WORDS_MAX 8

/* Runs words[0] with words (NULL-terminated, at most QUERY_WORDS_MAX) and appends its stdout to out, at most up to out's maximum.
 * without_libraries: leaves LD_LIBRARY_PATH out of its environment.  0 when it exited 0; IM_ERR_REFUSED for any other end, IM_ERR_TIMEOUT, IM_ERR_LIMIT,
 * IM_ERR_SYSTEM. */
int query_run(const char *const *words, int without_libraries, struct buf *out) IM_MUST;
/* Reads from the descriptor until its end and appends; until_ms: CLOCK_MONOTONIC.  IM_ERR_TIMEOUT, IM_ERR_LIMIT, IM_ERR_SYSTEM, IM_ERR_MEMORY. */
int query_drain(int fd, int64_t until_ms, struct buf *out) IM_MUST;

#endif
