#include "client/input.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPE_BYTES (256 * 1024) /* fewer switches between the preprocessor and us */
#define PACKED_MAX (WIRE_BLOCK_MAX + WIRE_BLOCK_MAX / 16)
#define READS_MAX 16 /* in one go, so that the socket gets its turn */

void
input_init(struct input *in)
{
	memset(in, 0, sizeof *in);
	in->out_fd = in->err_fd = -1;
	buf_init(&in->packed, PACKED_MAX);
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
drop_blocks(struct input *in)
{
	for (size_t i = 0; i < in->nblocks; i++)
		free(in->blocks[i].data);
	in->nblocks = 0;
	in->kept = in->size = 0;
	in->raw_len = 0;
}

void
input_stop(struct input *in)
{
	child_kill(&in->child);
	close_fd(&in->out_fd);
	close_fd(&in->err_fd);
}

void
input_fini(struct input *in)
{
	input_stop(in);
	drop_blocks(in);
	free(in->blocks);
	free(in->raw);
	buf_fini(&in->packed);
	input_init(in);
}

/* Everything as before the first byte. */
static int
begin(struct input *in)
{
	input_stop(in);
	drop_blocks(in);
	if (in->raw == NULL && (in->raw = malloc(WIRE_BLOCK_MAX)) == NULL)
		return IM_ERR_MEMORY;
	in->talked = in->unexpanded = false;
	in->child.status = 0;
	datemacro_init(&in->dates);
	pragmas_init(&in->pragmas);
	digest_begin(&in->stream);
	return 0;
}

int
input_start(struct input *in, char *const *argv, char *const *env, bool unexpanded)
{
	int out[2] = {-1, -1}, err[2] = {-1, -1}, r = begin(in);

	if (r != 0)
		return r;
	r = IM_ERR_SYSTEM;
	if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
		goto out;
	fcntl(out[0], F_SETPIPE_SZ, PIPE_BYTES);
	if (fcntl(out[0], F_SETFL, O_NONBLOCK) != 0 || fcntl(err[0], F_SETFL, O_NONBLOCK) != 0)
		goto out;
	r = child_start(&in->child, argv, env, &(struct child_fds){{-1, out[1], err[1], -1}});
	if (r != 0)
		goto out;
	in->out_fd = out[0];
	in->err_fd = err[0];
	out[0] = err[0] = -1;
	in->state = INPUT_RUNNING;
	in->unexpanded = unexpanded;
out:
	for (int i = 0; i < 2; i++) {
		close_fd(&out[i]);
		close_fd(&err[i]);
	}
	return r;
}

int
input_start_file(struct input *in, const char *path)
{
	int r = begin(in);

	if (r != 0)
		return r;
	in->out_fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (in->out_fd < 0)
		return IM_ERR_SYSTEM;
	in->state = INPUT_RUNNING;
	return 0;
}

static void
stop_as(struct input *in, enum input_state state)
{
	input_stop(in);
	in->state = state;
}

static int
keep_block(struct input *in)
{
	struct input_block *grown;
	uint8_t *copy;

	if (in->nblocks == in->room) {
		grown = realloc(in->blocks, (in->room + 32) * sizeof *grown);
		if (grown == NULL)
			return IM_ERR_MEMORY;
		in->blocks = grown;
		in->room += 32;
	}
	copy = malloc(in->packed.len);
	if (copy == NULL)
		return IM_ERR_MEMORY;
	memcpy(copy, in->packed.data, in->packed.len);
	in->blocks[in->nblocks++] = (struct input_block){copy, in->packed.len};
	in->kept += in->packed.len;
	return 0;
}

/* The block is full, or the text ends: digest, look, compress, keep. */
static void
finish_block(struct input *in)
{
	if (in->raw_len == 0)
		return;
	in->size += in->raw_len;
	if (in->unexpanded && datemacro_scan(&in->dates, (const char *)in->raw, in->raw_len)) {
		stop_as(in, INPUT_DATED);
		return;
	}
	if (in->unexpanded && pragmas_scan(&in->pragmas, (const char *)in->raw, in->raw_len)) {
		stop_as(in, INPUT_PRAGMA);
		return;
	}
	digest_add(&in->stream, in->raw, in->raw_len);
	buf_reset(&in->packed);
	if (wire_block_encode(&in->packed, in->raw, in->raw_len) != 0 || keep_block(in) != 0) {
		stop_as(in, INPUT_BROKEN);
		return;
	}
	in->raw_len = 0;
	if (in->kept > INPUT_KEPT_MAX || in->size > INPUT_RAW_MAX)
		stop_as(in, INPUT_TOO_BIG);
}

/* Reads once; false when nothing waits or the end is there. */
static bool
read_text(struct input *in)
{
	ssize_t n = read(in->out_fd, in->raw + in->raw_len, WIRE_BLOCK_MAX - in->raw_len);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		close_fd(&in->out_fd);
		return false;
	}
	in->raw_len += (size_t)n;
	if (in->raw_len == WIRE_BLOCK_MAX)
		finish_block(in);
	return in->state == INPUT_RUNNING;
}

static bool
read_messages(struct input *in)
{
	char dropped[4096];
	ssize_t n = read(in->err_fd, dropped, sizeof dropped);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		close_fd(&in->err_fd);
		return false;
	}
	in->talked = true;
	return true;
}

static void
finish(struct input *in)
{
	if (!WIFEXITED(in->child.status) || WEXITSTATUS(in->child.status) != 0) {
		in->state = INPUT_FAILED;
		return;
	}
	finish_block(in);
	if (in->state != INPUT_RUNNING)
		return;
	digest_end(&in->stream, &in->digest);
	in->state = in->talked ? INPUT_TALKED : INPUT_READY;
}

void
input_read(struct input *in)
{
	if (in->state != INPUT_RUNNING)
		return;
	for (int i = 0; i < READS_MAX && in->out_fd >= 0; i++)
		if (!read_text(in))
			break;
	for (int i = 0; i < READS_MAX && in->err_fd >= 0; i++)
		if (!read_messages(in))
			break;
	if (in->state == INPUT_RUNNING && in->out_fd < 0 && in->err_fd < 0 &&
	        child_ended(&in->child))
		finish(in);
}
