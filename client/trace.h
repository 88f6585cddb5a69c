/*
 * The trace of a build: one JSON line for each compile, appended by one write, so that lines of
 * parallel compiles do not mix. The fields are those of icemesh-cc(1); times are milliseconds.
 */
#ifndef CLIENT_TRACE_H
#define CLIENT_TRACE_H

#include "client/json.h"
#include "mesh/account.h"

/* Appends the members of a line to an open object; epoch_ms is the time of the compile's start since 1970. */
void trace_members(struct json *j, const struct account *a, uint64_t epoch_ms);
/* Appends the line to b. */
void trace_encode(struct buf *b, const struct account *a, uint64_t epoch_ms);
/* Appends the line to the file, whole. IM_ERR_SYSTEM with errno, IM_ERR_LIMIT; that is no reason to fail a build. */
int trace_write(const char *path, const struct account *a, uint64_t epoch_ms) IM_MUST;

#endif
