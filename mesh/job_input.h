/*
 * The streamed input of a served job: blocks become a file in memory whose digest is checked at the end.
 */
#ifndef MESH_JOB_INPUT_H
#define MESH_JOB_INPUT_H

#include "crypto/digest.h"

struct job_stream {
	int fd; /* memfd, -1 before begin */
	uint64_t size, max;
	struct digest_stream digest;
};

/* IM_ERR_SYSTEM. */
int job_stream_begin(struct job_stream *s, uint64_t max) IM_MUST;
/* One DATA body (mesh/wire.h). IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_TRUNCATED, IM_ERR_SYSTEM. */
int job_stream_block(struct job_stream *s, const uint8_t *body, size_t len) IM_MUST;
/* Checks what END says. IM_ERR_DIGEST. */
int job_stream_end(struct job_stream *s, const struct digest *d, uint64_t size) IM_MUST;

#endif
