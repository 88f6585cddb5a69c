#include "mesh/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define BLOCK 4096 /* bytes in which disk is given out, roughly */

/* The folders from the tree's root down to where the last name stood, each open. */
struct walk {
	int fds[LAYOUT_DEPTH_MAX + 1];     /* [0]: the root, borrowed */
	size_t ends[LAYOUT_DEPTH_MAX + 1]; /* where each folder's path ends in `path` */
	unsigned depth;
	const char *path; /* of the name that was walked to last; starts with '/' */
	uint64_t *bytes;  /* NULL: folders are not made */
};

void
layout_name(const struct digest *d, char out[LAYOUT_NAME_SIZE])
{
	digest_hex(d, out + 3);
	out[0] = out[3];
	out[1] = out[4];
	out[2] = '/';
}

uint64_t
layout_cost(uint64_t size)
{
	return (size | (BLOCK - 1)) + 1;
}

static void
walk_begin(struct walk *w, int root, uint64_t *bytes)
{
	w->fds[0] = root;
	w->ends[0] = 0;
	w->depth = 0;
	w->path = "";
	w->bytes = bytes;
}

static void
walk_end(struct walk *w)
{
	while (w->depth)
		close(w->fds[w->depth--]);
}

/* Goes down into one folder more. */
static int
step(struct walk *w, const char *path, size_t from, size_t to)
{
	char name[NAME_MAX + 1];
	int above = w->fds[w->depth];
	if (w->depth == LAYOUT_DEPTH_MAX || to - from > NAME_MAX)
		return IM_ERR_LIMIT;
	memcpy(name, path + from, to - from);
	name[to - from] = 0;
	if (w->bytes && mkdirat(above, name, 0755) == 0)
		*w->bytes += BLOCK;
	else if (w->bytes && errno != EEXIST)
		return IM_ERR_SYSTEM;
	int fd = openat(above, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return IM_ERR_SYSTEM;
	w->fds[++w->depth] = fd;
	w->ends[w->depth] = to;
	return 0;
}

/* Goes to the folder of `path`, which is an absolute one in the tree and must stay; *name is what stands behind it. */
static int
walk_to(struct walk *w, const char *path, const char **name)
{
	size_t same = 0, end = (size_t)(strrchr(path, '/') - path);
	while (path[same] && path[same] == w->path[same])
		same++;
	while (w->depth && (w->ends[w->depth] > same || path[w->ends[w->depth]] != '/'))
		close(w->fds[w->depth--]);
	w->path = path;
	while (w->ends[w->depth] < end) {
		size_t from = w->ends[w->depth] + 1;
		int err = step(w, path, from, from + strcspn(path + from, "/"));
		if (err < 0)
			return err;
	}
	*name = path + end + 1;
	return 0;
}

/* A file of its own, with the entry's mode and time. */
static int
copy_file(int dir, const char *name, int blobs_fd, const char *blob, const struct tree_entry *e)
{
	struct timespec times[2] = {
	        {.tv_nsec = UTIME_OMIT}, {.tv_sec = e->mtime_s ? e->mtime_s : LAYOUT_MTIME_S}};
	off_t at = 0;
	int to = -1, from = openat(blobs_fd, blob, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (from < 0)
		return errno == ENOENT ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	int err = IM_ERR_SYSTEM;
	to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		goto out;
	while ((uint64_t)at < e->size) {
		ssize_t n = sendfile(to, from, &at, (size_t)(e->size - (uint64_t)at));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			goto out;
	}
	if (fchmod(to, e->mode == 0755 ? 0755 : LAYOUT_MODE) == 0 && futimens(to, times) == 0)
		err = 0;
out:
	if (to >= 0)
		close(to);
	close(from);
	return err;
}

static int
put_file(struct walk *w, const char *name, int blobs_fd, const struct tree_entry *e, bool copy)
{
	char blob[LAYOUT_NAME_SIZE];
	int dir = w->fds[w->depth];
	layout_name(&e->digest, blob);
	if (!copy && linkat(blobs_fd, blob, dir, name, 0) == 0)
		return 0;
	if (!copy && errno != EMLINK)
		return errno == ENOENT ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	*w->bytes += layout_cost(e->size);
	return copy_file(dir, name, blobs_fd, blob, e);
}

/* Everything but twins, which need their targets. */
static int
put_entry(struct walk *w, int blobs_fd, const struct tree_entry *e, bool copy)
{
	const char *name;
	int err = walk_to(w, e->path, &name);
	if (err < 0 || e->kind == TREE_TWIN)
		return err;
	if (e->kind == TREE_FILE)
		return put_file(w, name, blobs_fd, e, copy);
	if (e->kind == TREE_LINK) {
		*w->bytes += BLOCK;
		return symlinkat(e->target, w->fds[w->depth], name) < 0 ? IM_ERR_SYSTEM : 0;
	}
	if (mkdirat(w->fds[w->depth], name, 0755) == 0)
		*w->bytes += BLOCK;
	else if (errno != EEXIST)
		return IM_ERR_SYSTEM;
	return 0;
}

static int
put_twin(struct walk *to, struct walk *from, const struct tree_entry *e)
{
	const char *name, *target;
	int err = walk_to(to, e->path, &name);
	if (err == 0)
		err = walk_to(from, e->target, &target);
	if (err == 0 && linkat(from->fds[from->depth], target, to->fds[to->depth], name, 0) < 0)
		err = IM_ERR_SYSTEM;
	return err;
}

int
layout_write(int into_fd, int blobs_fd, const struct tree *t, const bool *copy, uint64_t *bytes)
{
	struct walk to, from;
	uint64_t sum = BLOCK;
	int err = 0;
	walk_begin(&to, into_fd, &sum);
	walk_begin(&from, into_fd, NULL);
	for (uint32_t i = 0; i < t->n && err == 0; i++)
		err = put_entry(&to, blobs_fd, &t->entries[i], copy[i]);
	for (uint32_t i = 0; i < t->n && err == 0; i++)
		if (t->entries[i].kind == TREE_TWIN)
			err = put_twin(&to, &from, &t->entries[i]);
	walk_end(&to);
	walk_end(&from);
	if (err == 0)
		*bytes = sum;
	return err;
}
