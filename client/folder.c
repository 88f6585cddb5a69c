#include "client/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <unistd.h>
#include "exec/job.h"

#define SECOND_NS 1000000000LL
#define SETTLED_NS (2 * SECOND_NS) /* the coarsest clock of a file system */
#define YOUNG_NS (24 * 3600 * SECOND_NS)
#define NAMES_FIRST 2048
#define HANDLES_MAX 32
#define KEY_SIZE (JOB_PATH_MAX + 64)

/* Not in every linux/magic.h. */
#define MAGIC_ZFS 0x2fc12fc1
#define MAGIC_BCACHEFS 0xca451a4e
#define MAGIC_XFS 0x58465342

int
folders_note(struct folders *t, struct name *n)
{
	if (n->noted)
		return 0;
	if (t->nnoted == t->noted_cap) {
		uint32_t cap = t->noted_cap ? 2 * t->noted_cap : 64;
		struct name **at = realloc(t->noted, cap * sizeof(struct name *));

		if (!at)
			return IM_ERR_MEMORY;
		t->noted = at;
		t->noted_cap = cap;
	}
	n->noted = true;
	t->noted[t->nnoted++] = n;
	return 0;
}

static int
refuse(struct folders *t, const char *path, const char *cause)
{
	snprintf(t->why, FOLDER_WHY_SIZE, "%.160s: %s", path, cause);
	return IM_ERR_REFUSED;
}

/* Writes the name's path into a buffer of JOB_PATH_MAX + 1 bytes; -1 when it is too long. */
static int
path_of(const struct folder *in, const char *text, size_t len, char *path)
{
	if (in->path_len + 1 + len > JOB_PATH_MAX)
		return -1;
	memcpy(path, in->path, in->path_len);
	path[in->path_len] = '/';
	memcpy(path + in->path_len + 1, text, len);
	path[in->path_len + 1 + len] = '\0';
	return 0;
}

int
folders_path(struct folders *t, const struct name *n, char **out)
{
	char path[JOB_PATH_MAX + 1];
	char *at;

	if (path_of(n->in, n->text, n->len, path) != 0)
		return refuse(t, n->text, "path too long");
	if (!job_path_ok(path))
		return refuse(t, path, "control characters in the name");
	at = pool_text(&t->pool, path, n->in->path_len + 1 + n->len);
	if (!at)
		return IM_ERR_MEMORY;
	*out = at;
	return 0;
}

void
identity_of(struct identity *id, const struct stat *st)
{
	id->dev = st->st_dev;
	id->ino = st->st_ino;
	id->size = (uint64_t)st->st_size;
	id->mtime_ns = st->st_mtim.tv_sec * SECOND_NS + st->st_mtim.tv_nsec;
	id->ctime_ns = st->st_ctim.tv_sec * SECOND_NS + st->st_ctim.tv_nsec;
}

bool
identity_equal(const struct identity *a, const struct identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->size == b->size &&
	       a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns;
}

/* Whether the file system changes a folder's times with each name added, and tells attributes
 * without asking another machine. */
static bool
steady(struct folders *t, const char *path, uint64_t dev)
{
	static const uint32_t magics[] = {EXT4_SUPER_MAGIC, MAGIC_XFS, BTRFS_SUPER_MAGIC,
	        TMPFS_MAGIC, OVERLAYFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, RAMFS_MAGIC, MAGIC_ZFS,
	        MAGIC_BCACHEFS};
	struct statfs fs;

	if (t->steady_known >= 0 && t->steady_dev == dev)
		return t->steady_known;
	t->steady_dev = dev;
	t->steady_known = 0;
	if (statfs(path, &fs) == 0)
		for (size_t i = 0; i < sizeof(magics) / sizeof(magics[0]); i++)
			if ((uint32_t)fs.f_type == magics[i])
				t->steady_known = 1;
	return t->steady_known;
}

/* The graph's key for a folder's absent names: a letter (another when hashes change), the state, the path, a byte for the
 * level. */
static size_t
absent_key(const struct folder *f, char key[KEY_SIZE])
{
	char *at = key;

	*at++ = 'b';
	memcpy(at, &f->id, sizeof(f->id));
	at += sizeof(f->id);
	memcpy(at, f->path, f->path_len);
	return (size_t)(at - key) + f->path_len + 1;
}

static struct folder *
folder_new(struct folders *t, struct name *self, const char *path, const struct stat *st)
{
	struct folder *f = pool_get(&t->pool, sizeof(*f));
	int64_t old = t->now_ns - SETTLED_NS;
	char key[KEY_SIZE];

	if (!f)
		return NULL;
	f->self = self;
	f->handle = -1;
	f->path_len = self->len ? (uint32_t)strlen(path) : 0;
	f->path = pool_text(&t->pool, path, strlen(path));
	if (!f->path)
		return NULL;
	f->parent = self->in ? self->in : f;
	identity_of(&f->id, st);
	f->id.size = 0; /* says nothing that the times do not */
	f->steady = steady(t, path, f->id.dev);
	f->trusted = f->steady && f->id.mtime_ns < old && f->id.ctime_ns < old;
	f->young = f->id.mtime_ns > t->now_ns - YOUNG_NS;
	if (f->trusted && t->graph)
		absent_load(&f->absent, t->graph, key, absent_key(f, key));
	self->folder = f;
	*t->tail = f;
	t->tail = &f->next;
	return f;
}

/* Reads a link's target into the pool. */
static int
link_read(struct folders *t, struct name *n, const char *path)
{
	char target[JOB_PATH_MAX + 1];
	ssize_t len = readlink(path, target, sizeof(target));

	if (len <= 0 || (size_t)len == sizeof(target))
		return refuse(t, path, "link that cannot be read");
	n->target = pool_text(&t->pool, target, (size_t)len);
	return n->target ? 0 : IM_ERR_MEMORY;
}

/* The folder's own descriptor; -1 when it is not worth one. */
static int
handle_of(struct folders *t, struct folder *f)
{
	if (f->handle >= 0 || t->handles == HANDLES_MAX || f->probes++ < FOLDER_HANDLE_FROM)
		return f->handle;
	f->probes = 0;
	f->handle = open(f->path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	t->handles += f->handle >= 0;
	return f->handle;
}

void
folders_release(struct folders *t)
{
	for (struct folder *f = t->root; f && t->handles; f = f->next) {
		if (f->handle < 0)
			continue;
		close(f->handle);
		f->handle = -1;
		t->handles--;
	}
}

/* Looks on the disk. */
static int
name_probe(struct folders *t, struct name *n)
{
	char path[JOB_PATH_MAX + 1];
	struct stat st;
	int fd;

	if (path_of(n->in, n->text, n->len, path) != 0)
		return refuse(t, n->text, "path too long");
	/* /dev/stdin and /dev/fd lead there, too: what only the compile's own process has */
	if (strcmp(path, "/proc") == 0) {
		(void)!refuse(t, path, "each process sees another");
		return IM_ERR_UNSUPPORTED;
	}
	fd = handle_of(t, n->in);
	if (fd >= 0 ? fstatat(fd, n->text, &st, AT_SYMLINK_NOFOLLOW) : lstat(path, &st)) {
		if (errno != ENOENT && errno != ENOTDIR && errno != ENAMETOOLONG)
			return refuse(t, path, strerror(errno));
		n->kind = NAME_ABSENT;
		return 0;
	}
	n->mode = st.st_mode & 07777;
	identity_of(&n->id, &st);
	if (S_ISLNK(st.st_mode)) {
		n->kind = NAME_LINK;
		return link_read(t, n, path);
	}
	if (S_ISDIR(st.st_mode)) {
		n->kind = NAME_FOLDER;
		return folder_new(t, n, path, &st) ? 0 : IM_ERR_MEMORY;
	}
	n->kind = S_ISREG(st.st_mode) ? NAME_FILE : NAME_OTHER;
	return 0;
}

static size_t
name_slot(const struct folders *t, const struct folder *in, uint64_t hash)
{
	return (hash ^ (uintptr_t)in >> 4) & t->names_mask;
}

static int
names_grow(struct folders *t)
{
	size_t n = t->names_mask ? 2 * (t->names_mask + 1) : NAMES_FIRST;
	struct name **old = t->names, **at = calloc(n, sizeof(struct name *));
	size_t old_n = t->names_mask ? t->names_mask + 1 : 0;

	if (!at)
		return IM_ERR_MEMORY;
	t->names = at;
	t->names_mask = n - 1;
	for (size_t i = 0; i < old_n; i++)
		for (struct name *k = old[i], *next; k; k = next) {
			size_t slot = name_slot(t, k->in, k->hash);

			next = k->next;
			k->next = at[slot];
			at[slot] = k;
		}
	free(old);
	return 0;
}

/* By the graph, or on the disk. */
static int
name_find(struct folders *t, struct name *n)
{
	struct folder *in = n->in;
	int r = 0;

	n->known = absent_has(&in->absent, n->hash);
	n->kind = NAME_ABSENT;
	if (!n->known)
		r = name_probe(t, n);
	if (r == 0 && n->kind == NAME_ABSENT && !n->known && in->trusted) {
		in->new_count++;
		in->relied = true;
	}
	return r;
}

/* What stands under the one component in the folder; *out is NULL when nothing does. */
static int
folder_child(struct folders *t, struct folder *in, const char *text, size_t len, struct name **out)
{
	uint64_t hash = absent_hash(text, len);
	struct name *n;
	size_t slot;
	int r;

	*out = NULL;
	if (folders_lacks(in, hash))
		return 0;
	for (n = t->names[name_slot(t, in, hash)]; n; n = n->next)
		if (n->hash == hash && n->in == in && n->len == len && !memcmp(n->text, text, len))
			break;
	if (!n) {
		if (t->nnames > t->names_mask && names_grow(t) != 0)
			return IM_ERR_MEMORY;
		n = pool_get(&t->pool, sizeof(*n));
		if (!n || !(n->text = pool_text(&t->pool, text, len)))
			return IM_ERR_MEMORY;
		n->in = in;
		n->len = (uint32_t)len;
		n->hash = hash;
		n->late = t->saved;
		r = name_find(t, n);
		if (r != 0)
			return r;
		slot = name_slot(t, in, hash);
		n->next = t->names[slot];
		t->names[slot] = n;
		t->nnames++;
	}
	if (n->kind != NAME_ABSENT)
		*out = n;
	return 0;
}

uint64_t
folders_first(const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);

	if (!len || text[0] == '/' || text[0] == '.')
		return 0;
	return absent_hash(text, slash ? (size_t)(slash - text) : len);
}

bool
folders_lacks(struct folder *from, uint64_t first)
{
	bool lacks = !from->young && absent_has(&from->absent, first);

	from->relied = from->relied || lacks;
	return lacks;
}

/* Links that lead to no file are noted. */
int
folders_end(struct folders *t, struct name *link, struct name **out)
{
	struct name *n = NULL;
	int r = 0;

	*out = link->end;
	if (link->end)
		return 0;
	if (t->depth < FOLDER_LINKS_MAX) {
		t->depth++;
		r = folders_follow(t, link, &n);
		if (r == 0 && n && n->kind == NAME_LINK)
			r = folders_end(t, n, &n);
		t->depth--;
	}
	if (r == 0 && (!n || n->kind == NAME_FOLDER))
		r = folders_note(t, link);
	if (r != 0)
		return r;
	link->end = n;
	*out = n;
	return 0;
}

int
folders_follow(struct folders *t, struct name *link, struct name **out)
{
	return folders_walk(t, link->in, link->target, strlen(link->target), out);
}

int
folders_walk(
        struct folders *t, struct folder *from, const char *text, size_t len, struct name **out)
{
	struct folder *at = len && text[0] == '/' ? t->root : from;
	const char *end = text + len, *stop;
	struct name *n = at->self;
	int r = 0;

	*out = NULL;
	for (;; text = stop) {
		while (text < end && *text == '/')
			text++;
		if (text == end)
			break;
		stop = memchr(text, '/', (size_t)(end - text));
		if (!stop)
			stop = end;
		/* What came before must be a folder for anything to be behind it. */
		if (n->kind == NAME_LINK)
			r = folders_end(t, n, &n);
		if (r != 0 || !n || n->kind != NAME_FOLDER)
			return r;
		at = n->folder;
		if (stop - text == 1 && text[0] == '.')
			continue;
		if (stop - text == 2 && text[0] == '.' && text[1] == '.') {
			r = folders_note(t, at->self);
			n = at->parent->self;
		} else {
			r = folder_child(t, at, text, (size_t)(stop - text), &n);
		}
		if (r != 0 || !n)
			return r;
	}
	*out = n;
	return 0;
}

int
folders_init(struct folders *t, struct graph *g, int64_t now_ns, char *why)
{
	struct name *root;
	struct stat st;
	int r;

	memset(t, 0, sizeof(*t));
	pool_init(&t->pool);
	t->graph = g;
	t->why = why;
	t->tail = &t->root;
	t->steady_known = -1;
	t->now_ns = now_ns;
	if (lstat("/", &st) != 0)
		return IM_ERR_SYSTEM;
	r = names_grow(t);
	root = pool_get(&t->pool, sizeof(*root));
	if (r == 0 && root) {
		root->kind = NAME_FOLDER;
		root->text = "";
		if (folder_new(t, root, "/", &st)) {
			root->in = t->root;
			return 0;
		}
	}
	folders_fini(t);
	return IM_ERR_MEMORY;
}

void
folders_fini(struct folders *t)
{
	folders_release(t);
	free(t->names);
	free(t->noted);
	pool_fini(&t->pool);
	memset(t, 0, sizeof(*t));
}

/* Hangs each name under its folder, in front of those from before; the table is empty after. */
static void
names_sort_out(struct folders *t)
{
	for (size_t i = 0; i <= t->names_mask; i++)
		for (struct name *n = t->names[i], *next; n; n = next) {
			next = n->next;
			n->next = n->in->names;
			n->in->names = n;
		}
	memset(t->names, 0, (t->names_mask + 1) * sizeof(struct name *));
}

/* The absent names that were looked at since the last time: all new ones stand in front. */
static int
folder_save(struct folders *t, struct folder *f)
{
	uint64_t *hashes = malloc(f->new_count * sizeof(*hashes));
	char key[KEY_SIZE];
	size_t n = 0;
	int r;

	if (!hashes)
		return IM_ERR_MEMORY;
	for (struct name *k = f->names; k && n < f->new_count; k = k->next)
		if (k->kind == NAME_ABSENT && !k->known)
			hashes[n++] = k->hash;
	f->new_count = 0;
	r = absent_add(&f->absent, t->graph, key, absent_key(f, key), hashes, n);
	free(hashes);
	return r;
}

int
folders_save(struct folders *t)
{
	int r = 0;

	names_sort_out(t);
	t->saved = true;
	for (struct folder *f = t->root; t->graph && f && r == 0; f = f->next)
		if (f->new_count)
			r = folder_save(t, f);
	return r;
}
