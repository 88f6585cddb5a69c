/*
 * The input of a job in preprocessed mode: runs the preprocessor, reads its output in blocks,
 * digests and compresses them, and keeps them until the job is over, so that a second try needs no
 * second preprocessing.
 *
 * The owner polls out_fd and err_fd and calls input_read(); the end of both and of the process is
 * the end of the input.  What is kept is bounded by INPUT_KEPT_MAX; its messages are read and
 * dropped, for only their presence matters.
 */
#ifndef CLIENT_INPUT_H
#define CLIENT_INPUT_H

#include <stdbool.h>
#include "client/child.h"
#include "client/datemacro.h"
#include "client/pragmas.h"
#include "crypto/buf.h"
#include "crypto/digest.h"
#include "mesh/wire.h"

#define INPUT_KEPT_MAX (256ULL << 20)
#define INPUT_RAW_MAX (2ULL << 30)

struct input_block {
	uint8_t *data; /* a DATA body: u32 length | LZ4 */
	size_t len;
};

enum input_state {
	INPUT_NONE, /* not started */
	INPUT_RUNNING,
	INPUT_READY,   /* ended well: exit 0, no message */
	INPUT_FAILED,  /* exit status or signal say that it failed */
	INPUT_TALKED,  /* exit 0, but it wrote messages */
	INPUT_DATED,   /* stopped: a macro that shows the clock was seen */
	INPUT_PRAGMA,  /* stopped: a pragma that the text no longer has */
	INPUT_TOO_BIG, /* stopped: over the limits */
	INPUT_BROKEN   /* stopped: a system call failed here */
};

struct input {
	enum input_state state;
	struct child child;
	int out_fd, err_fd; /* -1: at their end */
	bool unexpanded;
	bool talked;
	struct datemacro dates;
	struct pragmas pragmas;
	uint8_t *raw;
	size_t raw_len; /* the block being filled; WIRE_BLOCK_MAX bytes */
	struct buf packed;
	struct input_block *blocks;
	size_t nblocks, room;
	uint64_t kept, size;
	struct digest_stream stream;
	struct digest digest; /* of the whole text, once ready */
};

void input_init(struct input *in);
/* Starts the preprocessor; what an earlier run left is dropped.  unexpanded: it leaves macros
 * to the compiler; stop at __DATE__ and the like and at pragmas about macros. IM_ERR_SYSTEM, IM_ERR_MEMORY. */
int input_start(struct input *in, char *const *argv, char *const *env, bool unexpanded) IM_MUST;
/* The same with a file that is preprocessed text already. */
int input_start_file(struct input *in, const char *path) IM_MUST;
/* Reads what is there and notices the end. Call when a descriptor is readable or a child ended. */
void input_read(struct input *in);
/* Stops the preprocessor, keeps what was read so far. */
void input_stop(struct input *in);
void input_fini(struct input *in);

#endif
