#include "client/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/key.h"

#define COPY_BLOCK (128 * 1024)
#define MAGIC_LEN 4
#define TEMP_TRIES 16

enum output_way
output_way(const char *path, enum option_compiler compiler, bool in_place)
{
	struct stat st, link;

	if (lstat(path, &link) != 0)
		return errno == ENOENT ? OUTPUT_RENAME : OUTPUT_NOT_OURS;
	if (stat(path, &st) != 0)
		return errno == ENOENT && compiler == FOR_GCC ? OUTPUT_WRITE : OUTPUT_NOT_OURS;
	if (!S_ISREG(st.st_mode) || access(path, W_OK) != 0)
		return OUTPUT_NOT_OURS;
	if (compiler == FOR_CLANG && in_place && (S_ISLNK(link.st_mode) || st.st_nlink > 1))
		return OUTPUT_NOT_OURS;
	if (compiler == FOR_CLANG)
		return in_place ? OUTPUT_WRITE : OUTPUT_RENAME;
	return in_place || st.st_size == 0 ? OUTPUT_WRITE : OUTPUT_RENAME;
}

bool
output_linked(const char *path)
{
	struct stat st;

	return lstat(path, &st) == 0 && (S_ISLNK(st.st_mode) || st.st_nlink > 1);
}

bool
output_is_source(const char *path, const char *source)
{
	struct stat link, output, input;

	return lstat(path, &link) == 0 && S_ISLNK(link.st_mode) && stat(path, &output) == 0 &&
	       stat(source, &input) == 0 && output.st_dev == input.st_dev &&
	       output.st_ino == input.st_ino;
}

void
output_init(struct output *o, const char *path, enum output_way way, bool object)
{
	memset(o, 0, sizeof *o);
	o->path = path;
	o->way = way;
	o->object = object;
	o->fd = -1;
}

/* A file of our own beside the output: FOLDER/.icemesh-PID-N. */
static int
open_temp(struct output *o)
{
	const char *slash = strrchr(o->path, '/');
	int folder = slash != NULL ? (int)(slash - o->path) + 1 : 0, fd = -1, n;

	for (int i = 0; i < TEMP_TRIES && fd < 0; i++) {
		n = snprintf(o->temp, sizeof o->temp, "%.*s.icemesh-%ld-%d", folder, o->path,
		        (long)getpid(), i);
		if (n < 0 || (size_t)n >= sizeof o->temp)
			break;
		fd = open(o->temp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		o->temp[0] = 0;
	return fd;
}

int
output_open(struct output *o, const struct job_output *wanted, uint64_t max)
{
	uint8_t chance;

	if (!wanted->present)
		return IM_ERR_FORMAT;
	if (wanted->size > max)
		return IM_ERR_LIMIT;
	output_abort(o);
	o->written = 0;
	o->wanted = *wanted;
	if (o->way == OUTPUT_RENAME)
		o->fd = open_temp(o);
	if (o->fd < 0)
		o->fd = memfd_create("icemesh output", MFD_CLOEXEC);
	if (o->fd < 0)
		return IM_ERR_SYSTEM;
	random_bytes(&chance, sizeof chance);
	o->hashed = wanted->size <= OUTPUT_HASHED || chance % OUTPUT_SAMPLE == 0;
	if (o->hashed)
		digest_begin(&o->stream);
	return 0;
}

/* ELF, or LLVM bitcode (clang -flto) as it is or in its wrapper. */
static bool
is_object(const uint8_t *p, size_t len)
{
	static const uint8_t magics[][MAGIC_LEN] = {
	        {0x7f, 'E', 'L', 'F'}, {'B', 'C', 0xc0, 0xde}, {0xde, 0xc0, 0x17, 0x0b}};

	for (size_t i = 0; len >= MAGIC_LEN && i < sizeof magics / sizeof magics[0]; i++)
		if (memcmp(p, magics[i], MAGIC_LEN) == 0)
			return true;
	return false;
}

static int
write_all(int fd, const uint8_t *p, size_t len)
{
	ssize_t n;

	while (len > 0) {
		n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return IM_ERR_SYSTEM;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
output_put(struct output *o, const void *bytes, size_t len)
{
	if (o->fd < 0 || len > o->wanted.size - o->written)
		return IM_ERR_LIMIT;
	if (len > 0 && o->written == 0 && o->object && !is_object(bytes, len))
		return IM_ERR_FORMAT;
	if (write_all(o->fd, bytes, len) != 0)
		return IM_ERR_SYSTEM;
	if (o->hashed)
		digest_add(&o->stream, bytes, len);
	o->written += len;
	return 0;
}

bool
output_full(const struct output *o)
{
	return o->written == o->wanted.size;
}

int
output_check(struct output *o)
{
	struct digest got;

	if (o->fd < 0 || !output_full(o))
		return IM_ERR_TRUNCATED;
	if (o->object && o->written == 0)
		return IM_ERR_FORMAT;
	if (!o->hashed)
		return 0;
	digest_end(&o->stream, &got);
	return digest_equal(&got, &o->wanted.digest) ? 0 : IM_ERR_DIGEST;
}

/* Copies the checked bytes into the file at the output's own name; on failure the compiler would
 * unlink it, so do we. */
static int
write_through(struct output *o)
{
	static const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	uint8_t block[COPY_BLOCK];
	int fd = open(o->path, flags, 0666), r = 0;
	off_t at = 0;
	ssize_t n;

	if (fd < 0)
		return IM_ERR_SYSTEM;
	while (r == 0 && (uint64_t)at < o->written) {
		n = pread(o->fd, block, sizeof block, at);
		r = n > 0 ? write_all(fd, block, (size_t)n) : IM_ERR_SYSTEM;
		at += n > 0 ? n : 0;
	}
	if (close(fd) != 0)
		r = IM_ERR_SYSTEM;
	if (r != 0)
		unlink(o->path);
	return r;
}

/* Network file systems tell only when a descriptor is closed that a write failed; the file must not get its name before. */
static int
settle(int fd)
{
	int copy = dup(fd);

	return copy >= 0 && close(copy) == 0 ? 0 : IM_ERR_SYSTEM;
}

int
output_commit(struct output *o)
{
	int r = 0;

	if (o->fd < 0)
		return IM_ERR_SYSTEM;
	if (o->temp[0] != 0)
		r = settle(o->fd);
	if (r == 0 && o->temp[0] != 0 && rename(o->temp, o->path) == 0)
		o->temp[0] = 0;
	else if (r == 0)
		r = write_through(o);
	output_abort(o);
	return r;
}

void
output_abort(struct output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
	if (o->temp[0] != 0)
		unlink(o->temp);
	o->temp[0] = 0;
}
