#include "exec/tree.h"

#include <stdlib.h>
#include <string.h>
#include "crypto/packet.h"
#include "exec/arena.h"
#include "exec/job.h"

#define TREE_VERSION 1
#define TREE_KEYS 0x6   /* keys 1 and 2 */
#define FOLDER_KEYS 0x6 /* keys 1 and 2 */
#define FILE_KEYS 0xbe  /* keys 1 to 5 and 7 */
#define LINK_KEYS 0x46  /* keys 1, 2 and 6 */

enum tree_key { TREE_KEY_VERSION = 1, TREE_KEY_ENTRIES };
enum entry_key {
	ENTRY_KEY_PATH = 1,
	ENTRY_KEY_KIND,
	ENTRY_KEY_MODE,
	ENTRY_KEY_DIGEST,
	ENTRY_KEY_SIZE,
	ENTRY_KEY_TARGET,
	ENTRY_KEY_MTIME
};

static int
by_path(const void *a, const void *b)
{
	const struct tree_entry *x = a, *y = b;

	return strcmp(x->path, y->path);
}

void
tree_sort(struct tree *t)
{
	if (t->n > 1)
		qsort(t->entries, t->n, sizeof(*t->entries), by_path);
}

static void
put_entry(struct buf *out, const struct tree_entry *e)
{
	bool file = e->kind == TREE_FILE, target = e->kind == TREE_LINK || e->kind == TREE_TWIN;

	pack_map(out, file ? 5 + (e->mtime_s != 0) : 2 + target);
	pack_kbytes(out, ENTRY_KEY_PATH, e->path, strlen(e->path));
	pack_kuint(out, ENTRY_KEY_KIND, e->kind);
	if (file) {
		pack_kuint(out, ENTRY_KEY_MODE, e->mode);
		pack_kbytes(out, ENTRY_KEY_DIGEST, e->digest.bytes, DIGEST_LEN);
		pack_kuint(out, ENTRY_KEY_SIZE, e->size);
		if (e->mtime_s != 0)
			pack_kuint(out, ENTRY_KEY_MTIME, (uint64_t)e->mtime_s);
	} else if (target) {
		pack_kbytes(out, ENTRY_KEY_TARGET, e->target, strlen(e->target));
	}
}

int
tree_encode(const struct tree *t, struct buf *out)
{
	size_t before = out->len;

	if (t->n > TREE_ENTRIES_MAX)
		return IM_ERR_LIMIT;
	pack_map(out, 2);
	pack_kuint(out, TREE_KEY_VERSION, TREE_VERSION);
	pack_uint(out, TREE_KEY_ENTRIES);
	pack_array(out, t->n);
	for (uint32_t i = 0; i < t->n; i++) {
		const struct tree_entry *e = &t->entries[i];

		if (e->mtime_s < 0 || (i > 0 && by_path(e - 1, e) >= 0))
			return IM_ERR_FORMAT;
		put_entry(out, e);
	}
	if (buf_err(out) == 0 && out->len - before > TREE_LEN_MAX)
		return IM_ERR_LIMIT;
	return buf_err(out);
}

/* A byte string under key as text in the arena. */
static int
take_text(const struct item *map, unsigned key, size_t max, struct arena *a, const char **out)
{
	const uint8_t *bytes;
	size_t len;
	const char *text;
	int r = item_bytes(map, key, max, &bytes, &len);

	if (r != 0)
		return r;
	text = arena_text(a, bytes, len);
	if (text == NULL || len == 0)
		return IM_ERR_FORMAT;
	for (size_t i = 0; i < len; i++) {
		if (bytes[i] < 0x20 || bytes[i] == 0x7f)
			return IM_ERR_FORMAT;
	}
	*out = text;
	return 0;
}

static int
take_file(const struct item *map, struct tree_entry *e)
{
	uint64_t mode = 0, mtime = 0;
	int r = item_known(map, FILE_KEYS);

	if (r == 0)
		r = item_uint(map, ENTRY_KEY_MODE, 0777, &mode);
	if (r == 0 && mode != 0644 && mode != 0755)
		r = IM_ERR_FORMAT;
	if (r == 0)
		r = item_fixed(map, ENTRY_KEY_DIGEST, e->digest.bytes, DIGEST_LEN);
	if (r == 0)
		r = item_uint(map, ENTRY_KEY_SIZE, TREE_FILE_MAX, &e->size);
	if (r != 0)
		return r;
	r = item_uint(map, ENTRY_KEY_MTIME, INT64_MAX, &mtime);
	e->mode = (uint32_t)mode;
	e->mtime_s = (int64_t)mtime;
	return r == IM_ERR_ABSENT ? 0 : r;
}

static int
take_entry(const struct item *map, struct arena *a, struct tree_entry *e)
{
	uint64_t kind;
	int r;

	if (!value_is_map(map))
		return IM_ERR_FORMAT;
	r = item_uint(map, ENTRY_KEY_KIND, TREE_TWIN, &kind);
	if (r == 0)
		r = take_text(map, ENTRY_KEY_PATH, JOB_PATH_MAX, a, &e->path);
	if (r != 0)
		return r;
	/* The root itself is there in every view. */
	if (!job_path_ok(e->path) || e->path[1] == '\0')
		return IM_ERR_FORMAT;
	e->kind = (uint8_t)kind;
	if (kind == TREE_FOLDER)
		return item_known(map, FOLDER_KEYS);
	if (kind == TREE_FILE)
		return take_file(map, e);
	r = item_known(map, LINK_KEYS);
	return r != 0 ? r : take_text(map, ENTRY_KEY_TARGET, TREE_TARGET_MAX, a, &e->target);
}

/*
 * The first of entries from..n-1 that stands behind the len bytes of path and a slash.  What lies below a path need not be its
 * neighbour: "/a-b" sorts between "/a" and "/a/b".
 */
static uint32_t
first_below(const struct tree *t, uint32_t from, const char *path, size_t len)
{
	uint32_t low = from, high = t->n;

	while (low < high) {
		uint32_t mid = low + (high - low) / 2;
		const char *other = t->entries[mid].path;
		int order = strncmp(other, path, len);

		if (order < 0 || (order == 0 && (unsigned char)other[len] < '/'))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static bool
has_below(const struct tree *t, uint32_t i)
{
	const char *path = t->entries[i].path, *other;
	size_t len = strlen(path);
	uint32_t at = first_below(t, i + 1, path, len);

	if (at == t->n)
		return false;
	other = t->entries[at].path;
	return strncmp(other, path, len) == 0 && other[len] == '/';
}

static bool
twin_ok(const struct tree *t, const struct tree_entry *e)
{
	struct tree_entry wanted = {.path = e->target};
	const struct tree_entry *file =
	        bsearch(&wanted, t->entries, t->n, sizeof(*t->entries), by_path);

	return file != NULL && file->kind == TREE_FILE;
}

/* What concerns more than one entry: order, and what leads to what. */
static int
check_tree(const struct tree *t)
{
	for (uint32_t i = 1; i < t->n; i++) {
		if (by_path(&t->entries[i - 1], &t->entries[i]) >= 0)
			return IM_ERR_FORMAT;
	}
	for (uint32_t i = 0; i < t->n; i++) {
		const struct tree_entry *e = &t->entries[i];

		if (e->kind == TREE_TWIN && !twin_ok(t, e))
			return IM_ERR_FORMAT;
		if (e->kind != TREE_FOLDER && has_below(t, i))
			return IM_ERR_FORMAT;
	}
	return 0;
}

/* One block: the entries, then text_len bytes for their strings. */
static int
allocate(struct tree *t, struct arena *a, size_t text_len)
{
	size_t entries = t->n * sizeof(*t->entries);
	char *block = calloc(1, entries + text_len);

	if (block == NULL)
		return IM_ERR_MEMORY;
	t->memory = block;
	t->entries = (struct tree_entry *)(void *)block;
	*a = (struct arena){.next = block + entries, .left = text_len};
	return 0;
}

static int
take_tree(struct tree *t, const struct item *root, size_t len)
{
	const struct item *entries = NULL;
	struct arena a;
	uint64_t version = 0;
	int r = item_uint(root, TREE_KEY_VERSION, UINT32_MAX, &version);

	if (r == 0 && version != TREE_VERSION)
		return IM_ERR_VERSION;
	if (r == 0)
		r = item_known(root, TREE_KEYS);
	if (r == 0)
		r = item_array(root, TREE_KEY_ENTRIES, TREE_ENTRIES_MAX, &entries, &t->n);
	if (r == 0)
		r = allocate(t, &a, len);
	for (uint32_t i = 0; r == 0 && i < t->n; i++)
		r = take_entry(item_at(entries, i), &a, &t->entries[i]);
	return r != 0 ? r : check_tree(t);
}

int
tree_decode(struct tree *t, const void *bytes, size_t len)
{
	struct packet *p = NULL;
	struct tree tree = {0};
	int r;

	if (len > TREE_LEN_MAX)
		return IM_ERR_LIMIT;
	r = packet_open(&p, bytes, len);
	if (r != 0)
		return r == IM_ERR_TRUNCATED ? IM_ERR_FORMAT : r;
	r = take_tree(&tree, packet_root(p), len);
	packet_free(p);
	if (r != 0) {
		tree_fini(&tree);
		return r == IM_ERR_ABSENT ? IM_ERR_FORMAT : r;
	}
	*t = tree;
	return 0;
}

void
tree_fini(struct tree *t)
{
	free(t->memory);
	*t = (struct tree){0};
}
