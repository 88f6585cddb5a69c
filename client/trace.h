/*
 * The trace of a build: one JSON line for each compile, appended by one write, so that lines of
 * parallel compiles do not mix. The fields are those of icemesh-cc(1); times are milliseconds.
 */
#ifndef CLIENT_TRACE_H
#define CLIENT_TRACE_H

#include "client/daemon.h"

struct trace_times {
	uint64_t plan, lease, send, queue, compile, receive, total;
};

struct trace {
	const char *file, *output; /* absolute or as written; empty when not known */
	enum verdict verdict;
	const char *reason, *text;  /* text: the cause in words, may be empty */
	const char *mode;           /* "preprocessed", or "" */
	const struct node_id *node; /* NULL: none */
	const char *peer;
	const struct digest *toolchain; /* NULL: none */
	uint64_t job;
	int exit;
	uint64_t bytes_out, bytes_in;
	struct trace_times ms;
	uint32_t retries;
};

/* Appends the line to b; epoch_ms is the time of the compile's start since 1970. */
void trace_encode(struct buf *b, const struct trace *t, uint64_t epoch_ms);
/* Appends the line to the file; a failure to write is no reason to fail a build. */
void trace_write(const char *path, const struct trace *t, uint64_t epoch_ms);

#endif
