#include "mesh/blob_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mesh/files.h"
#include "mesh/layout.h"

#define MEMORY_MAX (128 * 1024) /* bytes of a blob that wait in memory before a file is made */

struct blob_file {
	struct digest_stream digest; /* once there is a file */
	struct blobs *blobs;
	struct buf bytes; /* until there is a file */
	int fd;           /* in tmp/; -1: none */
	uint64_t size, max;
	char name[48];
};

static const struct timespec blob_times[2] = {
        {.tv_sec = LAYOUT_MTIME_S}, {.tv_sec = LAYOUT_MTIME_S}};

struct blob_file *
blob_file_new(struct blobs *b, uint64_t max)
{
	struct blob_file *f = aligned_alloc(_Alignof(struct blob_file), sizeof *f);
	if (!f)
		return NULL;
	f->blobs = b;
	f->fd = -1;
	f->size = 0;
	f->max = max;
	buf_init(&f->bytes, MEMORY_MAX);
	blobs_expect(b, (int64_t)max);
	return f;
}

/* From memory to a file in tmp/; its name is that of no other one that is in transit. */
static int
spill(struct blob_file *f)
{
	snprintf(
	        f->name, sizeof f->name, BLOB_FILE_PREFIX "%llx", (unsigned long long)(uintptr_t)f);
	f->fd = openat(
	        blobs_tmp(f->blobs), f->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, LAYOUT_MODE);
	if (f->fd < 0)
		return IM_ERR_SYSTEM;
	digest_begin(&f->digest);
	digest_add(&f->digest, f->bytes.data, f->bytes.len);
	int err = files_write_all(f->fd, f->bytes.data, f->bytes.len);
	buf_fini(&f->bytes);
	return err;
}

int
blob_file_add(struct blob_file *f, const void *bytes, size_t len)
{
	int err = 0;
	if (len > f->max - f->size)
		return IM_ERR_LIMIT;
	if (f->fd < 0 && f->size + len > MEMORY_MAX)
		err = spill(f);
	if (err == 0 && f->fd < 0) {
		buf_put(&f->bytes, bytes, len);
		err = buf_err(&f->bytes);
	} else if (err == 0) {
		digest_add(&f->digest, bytes, len);
		err = files_write_all(f->fd, bytes, len);
	}
	if (err == 0)
		f->size += len;
	return err;
}

static int
make_folder(int blobs_fd, const char *name)
{
	char folder[3] = {name[0], name[1], 0};
	return mkdirat(blobs_fd, folder, 0755) < 0 && errno != EEXIST ? IM_ERR_SYSTEM : 0;
}

/* The file of a blob, new, for writing.  What has its name and is not known was left by something else. */
static int
create(int blobs_fd, const char *name)
{
	int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd = openat(blobs_fd, name, flags, LAYOUT_MODE);
	if ((fd < 0 && errno == ENOENT && make_folder(blobs_fd, name) == 0) ||
	        (fd < 0 && errno == EEXIST && unlinkat(blobs_fd, name, 0) == 0))
		fd = openat(blobs_fd, name, flags, LAYOUT_MODE);
	return fd;
}

/* A small one, at its place: its bytes are checked already, and a crash in the middle is found at its next use. */
static int
write_small(struct blob_file *f, const char *name)
{
	int folder = blobs_folder(f->blobs), fd = create(folder, name);
	if (fd < 0)
		return IM_ERR_SYSTEM;
	int err = files_write_all(fd, f->bytes.data, f->bytes.len);
	if (err == 0 && futimens(fd, blob_times) < 0)
		err = IM_ERR_SYSTEM;
	int error = errno;
	if (err < 0)
		unlinkat(folder, name, 0);
	close(fd);
	errno = error;
	return err;
}

static int
move_large(struct blob_file *f, const char *name)
{
	int folder = blobs_folder(f->blobs);
	if (futimens(f->fd, blob_times) < 0 || make_folder(folder, name) < 0)
		return IM_ERR_SYSTEM;
	return renameat(blobs_tmp(f->blobs), f->name, folder, name) < 0 ? IM_ERR_SYSTEM : 0;
}

int
blob_file_keep(struct blob_file *f, const struct digest *d)
{
	char name[LAYOUT_NAME_SIZE];
	struct digest got;
	int err = 0;
	if (f->fd < 0)
		digest_of(&got, f->bytes.data, f->bytes.len);
	else
		digest_end(&f->digest, &got);
	layout_name(d, name);
	if (!digest_equal(&got, d)) {
		err = IM_ERR_DIGEST;
	} else if (!blobs_has(f->blobs, d, NULL)) {
		err = f->fd < 0 ? write_small(f, name) : move_large(f, name);
		if (err == 0 && (err = blobs_adopt(f->blobs, d, f->size)) < 0)
			unlinkat(blobs_folder(f->blobs), name, 0);
	}
	int error = errno;
	blob_file_drop(f);
	errno = error;
	return err;
}

void
blob_file_drop(struct blob_file *f)
{
	if (!f)
		return;
	blobs_expect(f->blobs, -(int64_t)f->max);
	if (f->fd >= 0) {
		unlinkat(blobs_tmp(f->blobs), f->name, 0);
		close(f->fd);
	}
	buf_fini(&f->bytes);
	free(f);
}
