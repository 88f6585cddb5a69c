/*
 * A job: the description of one compile, and its result, as they travel between wrapper, daemon and helper.
 *
 * Encoded as packets.  job {1: version 1, 2: toolchain digest, 3: cwd, 4: argv (array of bytes), 5: environment (array of
 * "NAME=value"), 6: inputs, 7: output paths, 8: mode (0 source, 1 preprocessed), 9: nice hint}
 *   input {1: path, 2: mode bits (0644 or 0755), 3: digest, absent when the content is streamed with the job, 4: size}
 *   source mode has no inputs but 10: trees (their digests, concatenated), 11: own tree (encoded, exec/tree.h), and as a hint
 *   64: holders (ids of nodes that have had most of the trees, concatenated)
 * result {1: exit code, 2: signal, 3: enum job_end, 4: user us, 5: system us, 6: wall us, 7: outputs, 8: max RSS kB}
 *   output {1: size, 2: digest}; nil for a declared output that was not made.  outputs[0] is stdout, [1] stderr, then the declared ones;
 *   in source mode one more behind them: the findings (exec/findings.h)
 * Paths are the client's own: absolute, normalised (no "//", ".", ".." or trailing '/'), at most JOB_PATH_MAX bytes.
 */
#ifndef EXEC_JOB_H
#define EXEC_JOB_H

#include "crypto/buf.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "exec/tree.h"

#define JOB_PATH_MAX 4096
#define JOB_ARGS_MAX 4096
#define JOB_ENV_MAX 64
#define JOB_INPUTS_MAX 16384
#define JOB_OUTPUTS_MAX 32
#define JOB_TREES_MAX 24
#define JOB_HOLDERS_MAX 3
#define JOB_LEN_MAX (200 * 1024) /* one channel message */

enum job_mode { JOB_SOURCE = 0, JOB_PREPROCESSED = 1 };

struct job_input {
	const char *path;
	uint32_t mode;
	int streamed; /* content follows on the channel, digest and size are not known yet */
	struct digest digest;
	uint64_t size;
};

/* All pointers are owned by the decoder's allocation when it came from job_decode, by the caller otherwise. */
struct job {
	struct digest toolchain;
	const char *cwd;
	const char **argv;
	uint32_t argc; /* argv[argc] is NULL */
	const char **env;
	uint32_t nenv; /* env[nenv] is NULL */
	struct job_input *inputs;
	uint32_t ninputs;
	const char **outputs;
	uint32_t noutputs;
	enum job_mode mode;
	const struct digest *trees; /* source mode: shared parts, the first on top... */
	uint32_t ntrees;
	struct tree own;               /* ...and the part of this job alone, above them */
	const struct node_id *holders; /* whom the peer may ask for files; only a hint */
	uint32_t nholders;
	void *memory; /* what job_fini frees; NULL when nothing */
};

/* Appends the encoding. */
int job_encode(const struct job *j, struct buf *out) IM_MUST;
/* Decodes and checks every bound and path. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION, IM_ERR_MEMORY. */
int job_decode(struct job *j, const void *bytes, size_t len) IM_MUST;
void job_fini(struct job *j);
/* True for an absolute, normalised path of at most JOB_PATH_MAX bytes without control characters. */
int job_path_ok(const char *path);

enum job_end {
	JOB_EXITED = 0,  /* by itself: exit code or signal say how */
	JOB_TIMEOUT = 1, /* wall clock limit */
	JOB_MEMORY = 2,  /* killed for memory */
	JOB_OUTPUT = 3,  /* more output than allowed */
	JOB_KILLED = 4,  /* on request */
	JOB_SANDBOX = 5, /* the sandbox could not be built; nothing ran */
	JOB_REFUSED = 6  /* the argv or the inputs were refused; nothing ran */
};

#define JOB_RESULTS_MAX (3 + JOB_OUTPUTS_MAX)

struct job_output {
	int present;
	uint64_t size;
	struct digest digest;
};

struct job_result {
	int exit_code, signal;
	enum job_end end;
	uint64_t user_us, system_us, wall_us, max_rss_kb;
	struct job_output outputs[JOB_RESULTS_MAX];
	uint32_t noutputs; /* 2 + declared ones, + 1 in source mode */
};

int job_result_encode(const struct job_result *r, struct buf *out) IM_MUST;
int job_result_decode(struct job_result *r, const void *bytes, size_t len) IM_MUST;
/* A word for messages: "timeout", "memory", ... */
const char *job_end_name(enum job_end e);

#endif
