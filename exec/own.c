#include "exec/own.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/findings.h"
#include "exec/scratch.h"

#define MTIME_S 1 /* of files whose time does not matter */
#define PATH_SIZE (JOB_PATH_MAX + 2)
#define BLOB_SIZE (DIGEST_HEX_SIZE + 16)
#define WALK_ENTRIES_MAX 100000
#define WALK_DEPTH_MAX 128

uint64_t
own_bytes(const struct tree *own)
{
	uint64_t sum = 0;

	for (uint32_t i = 0; i < own->n; i++)
		sum += own->entries[i].kind == TREE_FILE ? own->entries[i].size : 0;
	return sum;
}

/* --- before --- */

static int
open_blob(const struct tree_entry *e)
{
	char hex[DIGEST_HEX_SIZE], path[BLOB_SIZE];
	struct stat st;
	int fd;

	digest_hex(&e->digest, hex);
	snprintf(path, sizeof(path), "blobs/%.2s/%s", hex, hex);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	if (fstat(fd, &st) == 0 && st.st_size >= 0 && (uint64_t)st.st_size == e->size)
		return fd;
	close(fd);
	return IM_ERR_ABSENT;
}

static int64_t
mtime_of(const struct tree_entry *e)
{
	return e->mtime_s == 0 ? MTIME_S : e->mtime_s;
}

static int
write_file(const struct tree_entry *e, int w)
{
	int fd = open_blob(e), r;

	if (fd < 0)
		return fd;
	r = scratch_copy(w, e->path + 1, e->mode, fd, e->size);
	if (r == 0)
		r = scratch_date(w, e->path + 1, mtime_of(e));
	close(fd);
	return r;
}

static int
write_entry(const struct tree_entry *e, int w)
{
	int r;

	if (e->kind == TREE_FILE)
		r = write_file(e, w);
	else if (e->kind == TREE_FOLDER)
		r = scratch_folder(w, e->path + 1);
	else if (e->kind == TREE_LINK)
		r = scratch_link(w, e->path + 1, e->target);
	else
		r = scratch_twin(w, e->path + 1, e->target + 1);
	if (r == IM_ERR_SYSTEM && (errno == EEXIST || errno == ENOTDIR || errno == ELOOP))
		return IM_ERR_REFUSED;
	return r;
}

int
own_write(const struct tree *own, int w, uint32_t *at)
{
	int r = 0;

	/* Twins last: the file may come behind its twin. */
	for (int twins = 0; twins < 2; twins++) {
		for (uint32_t i = 0; r == 0 && i < own->n; i++) {
			*at = i;
			if ((own->entries[i].kind == TREE_TWIN) == (twins == 1))
				r = write_entry(&own->entries[i], w);
		}
	}
	return r;
}

/* --- after --- */

/* The first entry whose path is not before `path`. */
static uint32_t
lower_bound(const struct tree *t, const char *path)
{
	uint32_t low = 0, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;

		if (strcmp(t->entries[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static const struct tree_entry *
find(const struct tree *t, const char *path)
{
	uint32_t i = lower_bound(t, path);

	return i < t->n && strcmp(t->entries[i].path, path) == 0 ? &t->entries[i] : NULL;
}

static bool
declared(const struct job *j, const char *path)
{
	for (uint32_t i = 0; i < j->noutputs; i++) {
		if (strcmp(j->outputs[i], path) == 0)
			return true;
	}
	return false;
}

/* A file of ours that was written to, replaced or removed; overlays keep the scratch's own files where they are. */
static bool
changed(const struct tree *own, const struct tree_entry *e, int w)
{
	struct stat st;

	if (e->kind == TREE_LINK)
		return !scratch_links_to(w, e->path + 1, e->target);
	if (scratch_stat(w, e->path + 1, &st) != 0)
		return true;
	if (e->kind == TREE_FOLDER)
		return !S_ISDIR(st.st_mode);
	if (e->kind == TREE_TWIN)
		e = find(own, e->target);
	return e == NULL || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != e->size ||
	       st.st_mtim.tv_sec != mtime_of(e) || st.st_mtim.tv_nsec != 0;
}

struct walk {
	const struct job *job;
	struct buf *findings;
	unsigned left;  /* entries still to be looked at */
	unsigned found; /* records made */
	size_t len;
	char path[PATH_SIZE];
};

static void
report(struct walk *w)
{
	findings_add(w->findings, FINDING_EXTRA, w->path);
	w->found++;
}

static void
give_up(struct walk *w)
{
	findings_add(w->findings, FINDING_OVERFLOW, "");
	w->found++;
}

static bool
is_below(const char *path, const char *folder, size_t len)
{
	return strncmp(path, folder, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* A folder that was made for something of the job's. */
static bool
our_folder(struct walk *w)
{
	const struct job *j = w->job;
	uint32_t i;
	bool ours;

	if (is_below(j->cwd, w->path, w->len) || find(&j->own, w->path) != NULL)
		return true;
	for (i = 0; i < j->noutputs; i++) {
		if (is_below(j->outputs[i], w->path, w->len))
			return true;
	}
	w->path[w->len] = '/';
	w->path[w->len + 1] = '\0';
	i = lower_bound(&j->own, w->path);
	ours = i < j->own.n && strncmp(j->own.entries[i].path, w->path, w->len + 1) == 0;
	w->path[w->len] = '\0';
	return ours;
}

/* Temporary files stand in /tmp itself; a project that lives there or below is looked at as any other. */
static bool
ignored(const struct walk *w, bool ours)
{
	if (strcmp(w->path, "/dev") == 0 || strcmp(w->path, "/proc") == 0)
		return true;
	return !ours && strncmp(w->path, "/tmp/", 5) == 0 && strchr(w->path + 5, '/') == NULL &&
	       strcmp(w->job->cwd, "/tmp") != 0;
}

static void walk_folder(struct walk *w, int fd, int depth);

/* A folder that another layer has, too, is here because something below it was changed, and that is said instead. */
static void
walk_below(struct walk *w, int fd, const char *name, int depth)
{
	bool ours = our_folder(w) || strcmp(w->path, "/tmp") == 0;
	unsigned found = w->found;
	int below;

	if (ignored(w, ours))
		return;
	below = openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (below < 0 || depth == WALK_DEPTH_MAX)
		give_up(w);
	else
		walk_folder(w, below, depth + 1);
	if (below >= 0 && depth == WALK_DEPTH_MAX)
		close(below);
	if (!ours && w->found == found)
		report(w);
}

static void
walk_entry(struct walk *w, int fd, const char *name, int depth)
{
	size_t len = w->len, name_len = strlen(name);
	struct stat st;

	/* Room for a slash behind it, which our_folder() puts there. */
	if (len + 1 + name_len + 2 > sizeof(w->path) ||
	        fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		give_up(w);
		return;
	}
	w->path[len] = '/';
	memcpy(w->path + len + 1, name, name_len + 1);
	w->len = len + 1 + name_len;
	if (S_ISDIR(st.st_mode))
		walk_below(w, fd, name, depth);
	else if (find(&w->job->own, w->path) == NULL && !declared(w->job, w->path) &&
	         !ignored(w, false))
		report(w);
	w->len = len;
	w->path[len] = '\0';
}

/* Takes fd over. */
static void
walk_folder(struct walk *w, int fd, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;

	if (d == NULL) {
		close(fd);
		give_up(w);
		return;
	}
	while (w->left > 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (--w->left == 0)
			give_up(w);
		else
			walk_entry(w, dirfd(d), e->d_name, depth);
	}
	closedir(d);
}

void
own_changes(const struct job *j, int w, struct buf *findings)
{
	struct walk all = {.job = j, .findings = findings, .left = WALK_ENTRIES_MAX};
	int fd = openat(w, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	for (uint32_t i = 0; i < j->own.n; i++) {
		const struct tree_entry *e = &j->own.entries[i];

		if (changed(&j->own, e, w) && !declared(j, e->path))
			findings_add(findings, FINDING_EXTRA, e->path);
	}
	if (fd < 0)
		give_up(&all);
	else
		walk_folder(&all, fd, 0);
}
