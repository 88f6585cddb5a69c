#include "client/forest.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "exec/job.h"

#define ENTRY_BYTES 72 /* of an entry's encoding besides its path and target, at most */

static_assert(GROVE_TREES_MAX <= JOB_TREES_MAX, "a job holds them all");

/* What a forest keeps, in front of its arrays. */
struct keep {
	const struct inputs *in;
	uint32_t *slots; /* hash table of the files by digest: index + 1, 0 is free */
	uint32_t slot_mask;
	struct tree_entry *own;
	struct grove grove;
};

/* Only while the forest is made. */
struct maker {
	struct keep *keep;
	struct graph *graph;
	const struct inputs_file *files;
	uint32_t n;
	uint32_t *inodes; /* hash table as slots */
	uint32_t
	        *twins; /* a file of the same inode that comes before by path: index + 1; 0: none */
	bool *shared;   /* its content or its inode stands under another path too */
	uint64_t (*lanes)[2]; /* of each file: what struct content adds up */
	void *memory;
};

/* Folders directly in front of what lies below them: '/' sorts before everything else. */
static int
by_depth(const void *a, const void *b)
{
	const char *x = ((const struct tree_entry *)a)->path;
	const char *y = ((const struct tree_entry *)b)->path;
	int kinds = (((const struct tree_entry *)a)->kind == TREE_FOLDER) -
	            (((const struct tree_entry *)b)->kind == TREE_FOLDER);
	int cx, cy;

	while (*x && *x == *y)
		x++, y++;
	cx = *x == '/' ? 1 : (unsigned char)*x;
	cy = *y == '/' ? 1 : (unsigned char)*y;
	return cx != cy ? cx - cy : kinds;
}

static bool
is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

/* Takes an array off *room, or counts it when there is no room yet. */
static void *
carve(char **room, size_t *size, size_t n, size_t each)
{
	char *p = *room;
	size_t bytes = (n * each + 15) & ~(size_t)15;

	*size += bytes;
	if (p)
		*room += bytes;
	return p;
}

static size_t
lay_keep(struct keep *k, char *room)
{
	size_t size = 0;

	carve(&room, &size, 1, sizeof(*k));
	k->slots = carve(&room, &size, (size_t)k->slot_mask + 1, sizeof(*k->slots));
	k->own = carve(&room, &size, k->in->nfiles + k->in->nplaces, sizeof(*k->own));
	return size;
}

static size_t
lay_maker(struct maker *m, char *room, uint32_t slots)
{
	size_t size = 0;

	m->inodes = carve(&room, &size, slots, sizeof(*m->inodes));
	m->twins = carve(&room, &size, m->n, sizeof(*m->twins));
	m->shared = carve(&room, &size, m->n, sizeof(*m->shared));
	m->lanes = carve(&room, &size, m->n, sizeof(*m->lanes));
	return size;
}

static int
allocate(struct maker *m, const struct inputs *in)
{
	struct keep plan = {.in = in};
	uint32_t slots = 16;
	char *room;

	while (slots < 2 * m->n)
		slots *= 2;
	plan.slot_mask = slots - 1;
	m->memory = calloc(1, lay_maker(m, NULL, slots));
	if (!m->memory)
		return IM_ERR_MEMORY;
	lay_maker(m, m->memory, slots);
	room = calloc(1, lay_keep(&plan, NULL));
	if (!room)
		return IM_ERR_MEMORY;
	lay_keep(&plan, room);
	m->keep = (struct keep *)(void *)room;
	*m->keep = plan;
	return 0;
}

static int
check_files(const struct inputs *in)
{
	for (uint32_t i = 0; i < in->nfiles; i++) {
		const struct inputs_file *f = &in->files[i];

		if (!f->target && f->size > TREE_FILE_MAX)
			return IM_ERR_LIMIT;
	}
	return in->nfiles > 0 && in->nfiles <= INPUTS_FILES_MAX ? 0 : IM_ERR_LIMIT;
}

static uint64_t
digest_hash(const struct digest *d)
{
	uint64_t h;

	memcpy(&h, d->bytes, sizeof(h));
	return h;
}

/* A file with this digest, or where its slot would be. */
static uint32_t *
digest_slot(const struct keep *k, const struct digest *d)
{
	uint32_t at = (uint32_t)digest_hash(d) & k->slot_mask;

	while (k->slots[at] &&
	        memcmp(k->in->files[k->slots[at] - 1].digest.bytes, d->bytes, DIGEST_LEN) != 0)
		at = (at + 1) & k->slot_mask;
	return &k->slots[at];
}

static uint32_t *
inode_slot(const struct maker *m, const struct inputs_file *f)
{
	uint64_t h = ((uint64_t)f->ino ^ (uint64_t)f->dev << 32) * 0x9e3779b97f4a7c15ULL;
	uint32_t at = (uint32_t)(h >> 32) & m->keep->slot_mask;

	for (; m->inodes[at]; at = (at + 1) & m->keep->slot_mask) {
		const struct inputs_file *other = &m->files[m->inodes[at] - 1];

		if (other->ino == f->ino && other->dev == f->dev)
			break;
	}
	return &m->inodes[at];
}

/* Finds contents and inodes that stand under several paths. */
static void
find_shared(struct maker *m)
{
	for (uint32_t i = 0; i < m->n; i++) {
		const struct inputs_file *f = &m->files[i];
		uint32_t *same, *inode;

		if (f->target)
			continue;
		same = digest_slot(m->keep, &f->digest);
		if (*same)
			m->shared[i] = m->shared[*same - 1] = true;
		else
			*same = i + 1;
		inode = inode_slot(m, f);
		if (*inode && f->ino != 0) {
			uint32_t other = *inode - 1;

			m->shared[i] = m->shared[other] = true;
			if (strcmp(f->path, m->files[other].path) > 0) {
				m->twins[i] = *inode;
				continue;
			}
			m->twins[other] = i + 1;
		}
		*inode = i + 1;
	}
}

static struct tree_entry
file_entry(const struct inputs_file *f)
{
	if (f->target)
		return (struct tree_entry){.path = f->path, .target = f->target, .kind = TREE_LINK};
	return (struct tree_entry){.path = f->path,
	        .digest = f->digest,
	        .size = f->size,
	        .mode = f->mode,
	        .kind = TREE_FILE};
}

/* Appends the encoding of the tree whose root it is. */
static int
encode_tree(struct keep *k, uint32_t root, struct buf *bytes)
{
	struct grove *g = &k->grove;
	struct tree t = {.entries = calloc(g->n, sizeof(*t.entries))};
	int r;

	if (!t.entries)
		return IM_ERR_MEMORY;
	grove_walk(g, root);
	for (uint32_t i = 0; i < g->nfound; i++)
		t.entries[t.n++] = file_entry(&g->files[g->found[i]]);
	tree_sort(&t);
	r = tree_encode(&t, bytes);
	free(t.entries);
	return r;
}

/* What a tree holds, in 128 bits: the sum over its files.  The graph knows the tree's digest under
 * it, so that nothing needs to be sorted and encoded; paths and digests are this user's own. */
struct content {
	char prefix[8];
	uint64_t lanes[2];
};

static void
mix(uint64_t lanes[2], const void *bytes, size_t len)
{
	const char *p = bytes;
	uint64_t word;

	while (len > 0) {
		size_t n = len < sizeof(word) ? len : sizeof(word);

		word = len;
		memcpy(&word, p, n);
		lanes[0] = (lanes[0] ^ word) * 0x9e3779b97f4a7c15ULL;
		lanes[0] ^= lanes[0] >> 32;
		lanes[1] = (lanes[1] + word) * 0xc2b2ae3d27d4eb4fULL;
		lanes[1] ^= lanes[1] >> 29;
		p += n;
		len -= n;
	}
}

static void
mix_file(const struct inputs_file *f, uint64_t lanes[2])
{
	struct {
		uint64_t size, mode;
	} rest = {f->size, f->mode};

	lanes[0] = 1;
	lanes[1] = 2;
	mix(lanes, f->path, strlen(f->path) + 1);
	if (f->target)
		mix(lanes, f->target, strlen(f->target) + 1);
	else
		mix(lanes, f->digest.bytes, DIGEST_LEN);
	mix(lanes, &rest, sizeof(rest));
	/* sums are only as good as what is added up: once more, so that the last bytes reach all bits */
	mix(lanes, lanes, 2 * sizeof(*lanes));
}

static struct content
content_of(const struct maker *m, uint32_t root)
{
	struct content c = {"tree 2", {1, 2}};
	struct grove *g = &m->keep->grove;

	grove_walk(g, root);
	for (uint32_t i = 0; i < g->nfound; i++) {
		c.lanes[0] += m->lanes[g->found[i]][0];
		c.lanes[1] += m->lanes[g->found[i]][1];
	}
	return c;
}

/* The closure of a file becomes a tree. */
static int
add_tree(struct maker *m, uint32_t root, struct forest *out)
{
	struct content key = content_of(m, root);
	struct digest *d = &out->trees[out->ntrees];
	size_t len = 0;
	const void *known = graph_find(m->graph, &key, sizeof(key), &len);
	struct buf bytes;
	int r;

	if (known && len == sizeof(*d)) {
		memcpy(d, known, sizeof(*d));
		out->ntrees++;
		return 0;
	}
	buf_init(&bytes, TREE_LEN_MAX);
	r = encode_tree(m->keep, root, &bytes);
	if (r == 0) {
		digest_of(d, bytes.data, bytes.len);
		out->ntrees++;
		/* a graph without room only costs the next one the same */
		(void)!graph_add(m->graph, &key, sizeof(key), d, sizeof(*d));
	}
	buf_fini(&bytes);
	return r;
}

static const struct inputs_file *
first_twin(const struct maker *m, uint32_t i)
{
	while (m->twins[i])
		i = m->twins[i] - 1;
	return &m->files[i];
}

static void
own_files(struct maker *m, struct tree *own)
{
	bool times = m->keep->in->flags & INCLUDES_ONCE;

	for (uint32_t i = 0; i < m->n; i++) {
		const struct inputs_file *f = &m->files[i];
		struct tree_entry e = file_entry(f);

		if ((m->keep->grove.marks[i] & (GROVE_TREE | GROVE_ROOT)) == GROVE_TREE &&
		        !m->shared[i])
			continue;
		if (times && m->shared[i] && f->mtime_s > 0)
			e.mtime_s = f->mtime_s;
		if (m->twins[i])
			e = (struct tree_entry){.path = f->path,
			        .target = first_twin(m, i)->path,
			        .kind = TREE_TWIN};
		own->entries[own->n++] = e;
	}
}

static void
own_places(const struct inputs *in, struct tree *own)
{
	for (uint32_t i = 0; i < in->nplaces; i++) {
		const struct inputs_place *p = &in->places[i];

		own->entries[own->n++] = (struct tree_entry){.path = p->path,
		        .target = p->target,
		        .kind = p->target ? TREE_LINK : TREE_FOLDER};
	}
}

/* Each path once, no folder that another entry implies, nothing below a file or a link. */
static int
tidy(struct tree *own)
{
	uint32_t n = 0;
	size_t size = ENTRY_BYTES;

	qsort(own->entries, own->n, sizeof(*own->entries), by_depth);
	for (uint32_t i = 0; i < own->n; i++) {
		struct tree_entry e = own->entries[i];
		const char *next = i + 1 < own->n ? own->entries[i + 1].path : "";

		if (!job_path_ok(e.path))
			return IM_ERR_FORMAT;
		if (!e.path[1] || (n > 0 && strcmp(own->entries[n - 1].path, e.path) == 0))
			continue;
		if (is_below(next, e.path) && e.kind != TREE_FOLDER)
			return IM_ERR_FORMAT;
		if (is_below(next, e.path) || (strcmp(next, e.path) == 0 && e.kind == TREE_FOLDER))
			continue;
		size += ENTRY_BYTES + strlen(e.path) + (e.target ? strlen(e.target) : 0);
		own->entries[n++] = e;
	}
	own->n = n;
	tree_sort(own);
	return size <= FOREST_OWN_MAX ? 0 : IM_ERR_LIMIT;
}

static int
make(struct maker *m, struct forest *out)
{
	const struct inputs *in = m->keep->in;
	int r = grove_make(&m->keep->grove, in);

	if (r != 0)
		return r;
	find_shared(m);
	for (uint32_t i = 0; i < m->n; i++)
		mix_file(&m->files[i], m->lanes[i]);
	for (uint32_t i = 0; r == 0 && i < m->keep->grove.ntrees; i++)
		r = add_tree(m, m->keep->grove.trees[i], out);
	if (r != 0)
		return r;
	out->own.entries = m->keep->own;
	own_files(m, &out->own);
	own_places(in, &out->own);
	return tidy(&out->own);
}

int
forest_make(struct forest *f, const struct inputs *in, struct graph *graph)
{
	struct maker m = {.graph = graph, .files = in->files, .n = in->nfiles};
	struct forest made = {.ntrees = 0};
	int r = check_files(in);

	if (r == 0)
		r = allocate(&m, in);
	made.memory = m.keep;
	if (r == 0)
		r = make(&m, &made);
	free(m.memory);
	if (r != 0)
		forest_fini(&made);
	else
		*f = made;
	return r;
}

void
forest_fini(struct forest *f)
{
	struct keep *k = f->memory;

	if (k) {
		grove_fini(&k->grove);
		free(k);
	}
	memset(f, 0, sizeof(*f));
}

/* Exactly len bytes; IM_ERR_DIGEST when the file has another length by now. */
static int
read_exactly(int fd, uint8_t *to, size_t len)
{
	char more;

	while (len > 0) {
		ssize_t n = read(fd, to, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? IM_ERR_SYSTEM : IM_ERR_DIGEST;
		to += n;
		len -= (size_t)n;
	}
	return read(fd, &more, 1) == 0 ? 0 : IM_ERR_DIGEST;
}

static int
read_file(const struct inputs_file *f, struct buf *out)
{
	int fd = open(f->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	struct digest found;
	uint8_t *room;
	int r;

	if (fd < 0)
		return IM_ERR_SYSTEM;
	room = buf_room(out, f->size);
	r = room ? read_exactly(fd, room, f->size) : buf_err(out);
	close(fd);
	if (r != 0)
		return r;
	digest_of(&found, room, f->size);
	if (!digest_equal(&found, &f->digest))
		return IM_ERR_DIGEST;
	out->len += f->size;
	return 0;
}

/* A tree whose digest the graph knew is encoded only now; what the graph says is not believed for more than that. */
static int
tree_blob(struct keep *k, uint32_t i, const struct digest *d, struct buf *out)
{
	size_t begin = out->len;
	struct digest found;
	int r = encode_tree(k, k->grove.trees[i], out);

	if (r != 0)
		return r;
	digest_of(&found, out->data + begin, out->len - begin);
	return digest_equal(&found, d) ? 0 : IM_ERR_DIGEST;
}

int
forest_blob(const struct forest *f, const struct digest *d, struct buf *out)
{
	struct keep *k = f->memory;
	uint32_t file;

	for (uint32_t i = 0; i < f->ntrees; i++)
		if (digest_equal(&f->trees[i], d))
			return tree_blob(k, i, d, out);
	file = *digest_slot(k, d);
	return file ? read_file(&k->in->files[file - 1], out) : IM_ERR_ABSENT;
}
