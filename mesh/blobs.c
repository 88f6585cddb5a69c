#include "mesh/blobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/scratch.h"
#include "mesh/blob_file.h"
#include "mesh/blob_index.h"
#include "mesh/files.h"
#include "mesh/layout.h"
#include "mesh/sweep.h"

#define SPARE_ENTRIES 4096 /* removed at a time when there are too many */

struct blobs {
	int dir, blobs, trees, tmp;
	struct blob_index index;
	uint64_t transit;
	uint32_t stamp;
	struct tree tree; /* the one decoded last */
	struct digest tree_digest;
};

static void
remove_blob(struct blobs *b, uint32_t i)
{
	char name[LAYOUT_NAME_SIZE];
	layout_name(digests_at(&b->index.digests, i), name);
	unlinkat(b->blobs, name, 0);
	blob_index_removed(&b->index, i);
}

/* The number of a blob that is here and checked, else DIGESTS_NONE. */
static uint32_t
find(struct blobs *b, const struct digest *d)
{
	uint32_t i = digests_find(&b->index.digests, d);
	if (i == DIGESTS_NONE || !b->index.at[i].stored)
		return DIGESTS_NONE;
	struct blob *e = &b->index.at[i];
	if (!e->checked) {
		char name[LAYOUT_NAME_SIZE];
		struct digest got;
		uint64_t size = 0;
		layout_name(d, name);
		int fd = openat(b->blobs, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
		e->checked = fd >= 0 && digest_of_fd(&got, &size, fd) == 0 && size == e->size &&
		             digest_equal(&got, d);
		if (fd >= 0)
			close(fd);
		if (!e->checked) {
			remove_blob(b, i);
			return DIGESTS_NONE;
		}
	}
	blob_index_used(&b->index, i);
	return i;
}

/* --- opening --- */

int
blobs_folders(const char *store_dir)
{
	static const char *const names[] = {"blobs", "trees", "tmp"};
	char path[FILES_PATH_SIZE];
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		int err = files_path(path, store_dir, names[i]);
		if (err == 0)
			err = files_mkdir(path, i == 2 ? 0700 : 0755);
		if (err < 0)
			return err;
	}
	return 0;
}

static int
open_folder(int dir, const char *name, int *fd)
{
	*fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *fd < 0 ? IM_ERR_SYSTEM : 0;
}

static void
found_blob(void *arg, const struct digest *d, uint64_t size)
{
	struct blobs *b = arg;
	uint32_t i = blob_index_entry(&b->index, d);
	if (i != DIGESTS_NONE && !b->index.at[i].stored)
		blob_index_stored(&b->index, i, size, false);
}

static int
open_all(struct blobs *b, const char *store_dir)
{
	int err = blobs_folders(store_dir);
	if (err == 0)
		err = open_folder(AT_FDCWD, store_dir, &b->dir);
	if (err == 0)
		err = open_folder(b->dir, "blobs", &b->blobs);
	if (err == 0)
		err = open_folder(b->dir, "trees", &b->trees);
	if (err == 0)
		err = open_folder(b->dir, "tmp", &b->tmp);
	if (err == 0)
		err = sweep_trees(b->trees, b->tmp);
	if (err == 0)
		err = sweep_files(b->tmp, BLOB_FILE_PREFIX);
	if (err == 0)
		err = sweep_list(b->blobs, BLOBS_MAX, found_blob, b);
	return err;
}

struct blobs *
blobs_open(const char *store_dir, char *why)
{
	struct blobs *b = calloc(1, sizeof *b);
	if (!b) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	b->dir = b->blobs = b->trees = b->tmp = -1;
	blob_index_init(&b->index, BLOBS_MAX);
	int err = open_all(b, store_dir);
	if (err < 0) {
		snprintf(why, 256, "%.160s: blobs and trees: %s", store_dir,
		        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
		blobs_free(b);
		return NULL;
	}
	return b;
}

void
blobs_free(struct blobs *b)
{
	if (!b)
		return;
	int fds[] = {b->dir, b->blobs, b->trees, b->tmp};
	for (size_t i = 0; i < sizeof fds / sizeof *fds; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	blob_index_fini(&b->index);
	tree_fini(&b->tree);
	free(b);
}

/* --- reading --- */

bool
blobs_has(struct blobs *b, const struct digest *d, uint64_t *size)
{
	uint32_t i = find(b, d);
	if (i != DIGESTS_NONE && size)
		*size = b->index.at[i].size;
	return i != DIGESTS_NONE;
}

int
blobs_open_file(struct blobs *b, const struct digest *d, int *fd)
{
	char name[LAYOUT_NAME_SIZE];
	if (find(b, d) == DIGESTS_NONE)
		return IM_ERR_ABSENT;
	layout_name(d, name);
	int f = openat(b->blobs, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (f < 0)
		return IM_ERR_SYSTEM;
	*fd = f;
	return 0;
}

int
blobs_read(struct blobs *b, const struct digest *d, size_t max, struct buf *out)
{
	uint64_t size;
	int fd = -1;
	if (!blobs_has(b, d, &size))
		return IM_ERR_ABSENT;
	if (size > max)
		return IM_ERR_LIMIT;
	uint8_t *room = buf_room(out, (size_t)size);
	int err = size == 0 ? 0 : room ? blobs_open_file(b, d, &fd) : buf_err(out);
	if (err < 0 || size == 0)
		return err;
	for (size_t at = 0; at < size && err == 0;) {
		ssize_t n = pread(fd, room + at, (size_t)size - at, (off_t)at);
		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || errno != EINTR)
			err = IM_ERR_SYSTEM;
	}
	close(fd);
	if (err == 0)
		out->len += (size_t)size;
	return err;
}

/* --- coming in --- */

int
blobs_folder(const struct blobs *b)
{
	return b->blobs;
}

int
blobs_tmp(const struct blobs *b)
{
	return b->tmp;
}

/* There is always a place in the index for one more. */
static void
make_place(struct blobs *b)
{
	if (b->index.digests.n < b->index.digests.max)
		return;
	for (unsigned i = 0; i < SPARE_ENTRIES; i++)
		if (blobs_shrink(b, 1) < 0)
			return;
}

int
blobs_adopt(struct blobs *b, const struct digest *d, uint64_t size)
{
	make_place(b);
	uint32_t i = blob_index_entry(&b->index, d);
	if (i == DIGESTS_NONE)
		return IM_ERR_LIMIT;
	if (!b->index.at[i].stored)
		blob_index_stored(&b->index, i, size, true);
	return 0;
}

void
blobs_expect(struct blobs *b, int64_t bytes)
{
	b->transit += (uint64_t)bytes;
}

uint64_t
blobs_transit(const struct blobs *b)
{
	return b->transit;
}

/* --- trees --- */

int
blobs_tree(struct blobs *b, const struct digest *d, const struct tree **out)
{
	struct tree t;
	struct buf text;
	if (b->tree.memory && digest_equal(d, &b->tree_digest)) {
		*out = &b->tree;
		return 0;
	}
	buf_init(&text, TREE_LEN_MAX);
	int err = blobs_read(b, d, TREE_LEN_MAX, &text);
	if (err == 0)
		err = tree_decode(&t, text.data, text.len);
	buf_fini(&text);
	if (err < 0)
		return err;
	tree_fini(&b->tree);
	b->tree = t;
	b->tree_digest = *d;
	*out = &b->tree;
	return 0;
}

bool
blobs_laid_out(struct blobs *b, const struct digest *tree)
{
	uint32_t i = digests_find(&b->index.digests, tree);
	if (i == DIGESTS_NONE || !b->index.at[i].tree)
		return false;
	blob_index_tree_used(&b->index, i);
	return true;
}

int
blobs_tree_cost(struct blobs *b, const struct digest *tree, uint64_t *bytes)
{
	const struct tree *t;
	uint64_t files = 0, cost = 0;
	int err = blobs_tree(b, tree, &t);
	if (err < 0)
		return err;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct tree_entry *e = &t->entries[i];
		cost += layout_cost(0); /* its folder, mostly */
		if (e->kind != TREE_FILE)
			continue;
		files += e->size;
		if (e->mtime_s || e->mode != LAYOUT_MODE)
			cost += layout_cost(e->size);
	}
	if (files > BLOBS_TREE_BYTES)
		return IM_ERR_LIMIT;
	*bytes = cost;
	return 0;
}

/* Which entries are copies, and which blobs the others link to; links has room for all entries. */
static int
plan(struct blobs *b, const struct tree *t, bool *copy, struct laid *l)
{
	uint64_t files = 0;
	b->stamp++;
	for (uint32_t i = 0; i < t->n; i++) {
		const struct tree_entry *e = &t->entries[i];
		if (e->kind != TREE_FILE)
			continue;
		uint32_t k = find(b, &e->digest);
		if (k == DIGESTS_NONE)
			return IM_ERR_ABSENT;
		if (b->index.at[k].size != e->size)
			return IM_ERR_FORMAT;
		files += e->size;
		copy[i] = e->mtime_s || e->mode != LAYOUT_MODE || b->index.at[k].stamp == b->stamp;
		if (copy[i])
			continue;
		b->index.at[k].stamp = b->stamp;
		l->links[l->nlinks++] = k;
	}
	return files > BLOBS_TREE_BYTES ? IM_ERR_LIMIT : 0;
}

/* Under another name first: a tree that has its name is complete. */
static int
write_tree(struct blobs *b, const struct digest *d, const struct tree *t, const bool *copy,
        uint64_t *bytes)
{
	char name[DIGEST_HEX_SIZE], part[DIGEST_HEX_SIZE + 4];
	int fd;
	digest_hex(d, name);
	snprintf(part, sizeof part, "%s.tmp", name);
	if (mkdirat(b->trees, part, 0755) < 0)
		return IM_ERR_SYSTEM;
	int err = open_folder(b->trees, part, &fd);
	if (err == 0) {
		err = layout_write(fd, b->blobs, t, copy, bytes);
		close(fd);
	}
	if (err == 0 && renameat(b->trees, part, b->trees, name) < 0)
		err = IM_ERR_SYSTEM;
	int error = errno;
	if (err < 0 && scratch_remove(b->trees, part) < 0)
		err = IM_ERR_SYSTEM;
	errno = error;
	return err;
}

static void
remove_tree(struct blobs *b, uint32_t i)
{
	char name[DIGEST_HEX_SIZE];
	digest_hex(digests_at(&b->index.digests, i), name);
	(void)!scratch_remove(b->trees, name); /* what is left goes at the next start */
	blob_index_dropped(&b->index, i);
}

static int
drop_oldest_tree(struct blobs *b)
{
	uint32_t i = blob_index_oldest_tree(&b->index);
	if (i == DIGESTS_NONE)
		return IM_ERR_LIMIT;
	remove_tree(b, i);
	return 0;
}

int
blobs_lay_out(struct blobs *b, const struct digest *tree)
{
	const struct tree *t;
	if (blobs_laid_out(b, tree))
		return 0;
	int err = blobs_tree(b, tree, &t);
	if (err < 0)
		return err;
	uint32_t i = blob_index_entry(&b->index, tree);
	bool *copy = calloc(t->n + 1, sizeof *copy);
	struct laid *l = calloc(1, sizeof *l);
	if (l)
		l->links = calloc(t->n + 1, sizeof *l->links);
	err = i != DIGESTS_NONE && copy && l && l->links ? 0 : IM_ERR_MEMORY;
	while (err == 0 &&
	        (b->index.ntrees >= BLOBS_TREES_MAX || b->index.nlinks > BLOBS_LINKS_MAX - t->n))
		err = drop_oldest_tree(b);
	if (err == 0)
		err = plan(b, t, copy, l);
	if (err == 0)
		err = write_tree(b, tree, t, copy, &l->bytes);
	if (err == 0) {
		blob_index_laid(&b->index, i, l);
	} else {
		laid_free(l);
	}
	free(copy);
	return err;
}

/* --- keeping and making room --- */

int
blobs_hold(struct blobs *b, const struct digest *d)
{
	uint32_t i = blob_index_entry(&b->index, d);
	if (i == DIGESTS_NONE)
		return b->index.digests.n == b->index.digests.max ? IM_ERR_LIMIT : IM_ERR_MEMORY;
	b->index.at[i].held++;
	return 0;
}

void
blobs_release(struct blobs *b, const struct digest *d)
{
	uint32_t i = digests_find(&b->index.digests, d);
	if (i == DIGESTS_NONE || b->index.at[i].held == 0)
		return;
	b->index.at[i].held--;
	blob_index_tidy(&b->index, i);
}

void
blobs_usage(const struct blobs *b, uint64_t *bytes, unsigned *nblobs, unsigned *ntrees)
{
	*bytes = b->index.bytes;
	*nblobs = b->index.nblobs;
	*ntrees = b->index.ntrees;
}

int
blobs_shrink(struct blobs *b, uint64_t bytes)
{
	uint64_t before = b->index.bytes;
	uint32_t blob = blob_index_oldest(&b->index, b->index.blob_uses.oldest);
	while (before - b->index.bytes < bytes) {
		uint32_t tree = blob_index_oldest_tree(&b->index);
		if (tree != DIGESTS_NONE &&
		        (blob == DIGESTS_NONE ||
		                b->index.at[tree].tree->use.at < b->index.at[blob].use.at)) {
			remove_tree(b, tree);
			/* blobs that it linked to may go now */
			blob = blob_index_oldest(&b->index, b->index.blob_uses.oldest);
		} else if (blob != DIGESTS_NONE) {
			uint32_t next = b->index.at[blob].use.newer;
			remove_blob(b, blob);
			blob = blob_index_oldest(&b->index, next);
		} else {
			return IM_ERR_LIMIT;
		}
	}
	return 0;
}
