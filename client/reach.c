#include "client/reach.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "client/computed.h"
#include "exec/job.h"

#define OPERAND_SLOTS 1024
#define SECOND_NS 1000000000LL

/* What a name leads to in all search folders together. */
struct operand {
	struct operand *next;
	const char *text;
	uint64_t hash;
	uint32_t len;
	uint32_t nhits;
	struct node **hits;
};

static int
refuse(struct reach *r, const char *path, const char *cause)
{
	snprintf(r->folders.why, FOLDER_WHY_SIZE, "%.160s: %s", path, cause);
	return IM_ERR_REFUSED;
}

/* Room for one more element of `size` bytes in an array. */
static int
room(void *array_at, uint32_t n, uint32_t *cap, size_t size)
{
	void **array = array_at;
	uint32_t more = *cap ? 2 * *cap : 256;
	void *at;

	if (n < *cap)
		return 0;
	at = realloc(*array, more * size);
	if (!at)
		return IM_ERR_MEMORY;
	*array = at;
	*cap = more;
	return 0;
}

static int
edge_add(struct reach *r, const struct node *from, const struct node *to)
{
	int e;

	if (r->nedges == REACH_EDGES_MAX)
		return IM_ERR_LIMIT;
	e = room(&r->edges, r->nedges, &r->edges_cap, sizeof(*r->edges));
	if (e == 0)
		r->edges[r->nedges++] = (struct edge){from->index, to->index};
	return e;
}

/* Notes that the file is reached through the folder, and is to be looked at from there. */
static int
task_add(struct reach *r, struct node *node, struct folder *folder)
{
	struct place *p;

	for (p = node->reached; p; p = p->next)
		if (p->folder == folder)
			return 0;
	p = pool_get(&r->folders.pool, sizeof(*p));
	if (!p || room(&r->tasks, r->ntasks, &r->tasks_cap, sizeof(*r->tasks)) != 0)
		return IM_ERR_MEMORY;
	p->folder = folder;
	p->next = node->reached;
	node->reached = p;
	r->tasks[r->ntasks++] = (struct task){node, folder};
	return 0;
}

/* The node of a file or link, made when there is none. */
static int
node_at(struct reach *r, struct name *n, struct node **out)
{
	struct node *node;
	int e;

	if (n->node) {
		*out = r->nodes[n->node - 1];
		return 0;
	}
	node = pool_get(&r->folders.pool, sizeof(*node));
	if (!node || room(&r->nodes, r->nnodes, &r->nodes_cap, sizeof(struct node *)) != 0)
		return IM_ERR_MEMORY;
	if (r->nnodes == INPUTS_FILES_MAX)
		return IM_ERR_LIMIT;
	e = folders_path(&r->folders, n, (char **)&node->path);
	if (e != 0)
		return e;
	if (n->kind == NAME_FILE) {
		bool steady = n->in->steady && n->in->id.dev == n->id.dev;

		node->facts.data = r->data;
		e = facts_find(&node->facts, &r->folders, node->path, &n->id, steady);
		if (e != 0)
			return e;
		if (node->facts.flags & INCLUDES_UNDECIDED)
			return refuse(r, node->path, node->facts.why);
		if (node->facts.flags & INCLUDES_MODULES && !r->gcc)
			return refuse(r, node->path, "modules");
		r->bytes += n->id.size;
		if (r->bytes > INPUTS_BYTES_MAX)
			return IM_ERR_LIMIT;
	}
	node->name = n;
	node->index = r->nnodes;
	r->nodes[r->nnodes++] = node;
	n->node = r->nnodes;
	*out = node;
	return 0;
}

/* A link to a file, and what is behind it.  The file is looked at from every folder on the way. */
static int
enter_link(struct reach *r, struct name *link, struct name *end, struct node **out)
{
	struct node *first, *at, *next, *last;
	int e = node_at(r, link, &first);

	if (e == 0)
		e = node_at(r, end, &last);
	for (at = first; e == 0 && at != last; at = next) {
		struct name *n;

		e = folders_follow(&r->folders, at->name, &n);
		if (e == 0 && !n)
			return refuse(r, at->path, "changes while it is read");
		if (e == 0)
			e = node_at(r, n, &next);
		if (e == 0)
			e = edge_add(r, at, next);
		if (e == 0)
			e = task_add(r, last, at->name->in);
	}
	if (e == 0)
		e = task_add(r, last, end->in);
	*out = first;
	return e;
}

/* Takes what stands at a name into the set; *out is NULL when it is no file. */
static int
enter(struct reach *r, struct name *n, struct node **out)
{
	struct name *end = n;
	int e = 0;

	*out = NULL;
	if (n->kind == NAME_LINK)
		e = folders_end(&r->folders, n, &end);
	if (e != 0 || !end)
		return e;
	if (end->kind == NAME_FOLDER)
		return folders_note(&r->folders, end);
	if (end->kind != NAME_FILE) {
		char *path;

		e = folders_path(&r->folders, end, &path);
		return e == 0 ? refuse(r, path, "neither file nor folder") : e;
	}
	if (n->kind == NAME_LINK)
		return enter_link(r, n, end, out);
	e = node_at(r, n, out);
	return e == 0 ? task_add(r, *out, n->in) : e;
}

/* What stands at the path from the folder, behind any links; *out is NULL when nothing does. */
static int
end_of(struct reach *r, struct folder *from, const char *text, size_t len, struct name **out)
{
	int e = folders_walk(&r->folders, from, text, len, out);

	if (e == 0 && *out && (*out)->kind == NAME_LINK)
		e = folders_end(&r->folders, *out, out);
	return e;
}

static int
note_precompiled(struct reach *r, struct name *gch)
{
	int e;

	for (uint32_t i = 0; i < r->nprecompiled; i++)
		if (r->precompiled[i] == gch)
			return 0;
	e = room(&r->precompiled, r->nprecompiled, &r->precompiled_cap, sizeof(struct name *));
	if (e == 0)
		r->precompiled[r->nprecompiled++] = gch;
	return e;
}

int
reach_take_precompiled(struct reach *r, struct node *source)
{
	struct node *hit;
	int e = 0;

	r->data = true;
	for (uint32_t i = 0; e == 0 && i < r->nprecompiled; i++) {
		e = enter(r, r->precompiled[i], &hit);
		if (e == 0 && hit)
			e = edge_add(r, source, hit);
	}
	return e;
}

int
reach_precompiled(
        struct reach *r, struct folder *from, const char *name, size_t len, const char *suffix)
{
	char text[JOB_PATH_MAX + 8];
	struct name *n, *end, *header;
	int e;

	if (len > JOB_PATH_MAX || strlen(suffix) >= sizeof(text) - JOB_PATH_MAX)
		return 0;
	memcpy(text, name, len);
	memcpy(text + len, suffix, strlen(suffix) + 1);
	e = folders_walk(&r->folders, from, text, len + strlen(suffix), &n);
	if (e != 0 || !n)
		return e;
	e = end_of(r, from, text, len + strlen(suffix), &end);
	if (e != 0 || !end)
		return e;
	/* one without its header does not say what it was made from */
	e = end_of(r, from, name, len, &header);
	if (e != 0)
		return e;
	if (r->gcc && strcmp(suffix, ".gch") == 0 && end->kind == NAME_FILE && header &&
	        header->kind == NAME_FILE)
		return note_precompiled(r, n);
	(void)refuse(r, text, "precompiled header");
	return IM_ERR_EXISTS;
}

/* The folder of a name that is not there: clang asks for it before it asks for the file. */
static int
note_folder_of(struct reach *r, struct folder *from, const char *name, size_t len)
{
	struct name *n;
	int e;

	while (len > 0 && name[len - 1] != '/')
		len--;
	if (len < 2)
		return 0;
	e = folders_walk(&r->folders, from, name, len - 1, &n);
	if (e == 0 && n && n->kind == NAME_LINK)
		e = folders_end(&r->folders, n, &n);
	return e == 0 && n && n->kind == NAME_FOLDER ? folders_note(&r->folders, n) : e;
}

/* What stands at the name as seen from the folder; *out is NULL when nothing does. */
static int
look(struct reach *r, struct folder *from, const char *name, size_t len, struct node **out)
{
	struct name *n;
	bool is_new;
	int e = folders_walk(&r->folders, from, name, len, &n);

	*out = NULL;
	if (e == 0 && !n)
		return note_folder_of(r, from, name, len);
	if (e != 0)
		return e;
	is_new = !n->node;
	e = enter(r, n, out);
	if (e == 0 && *out && is_new)
		e = reach_precompiled(r, n->in, n->text, n->len, ".gch");
	return e;
}

/* The search folders that are known to lack the operand. */
static uint64_t
lacking(struct reach *r, const struct operand *o)
{
	uint64_t hash = folders_first(o->text, o->len);
	struct first *f = &r->firsts[hash % REACH_FIRSTS];

	if (!hash || f->hash == hash)
		return hash ? f->lacking : 0;
	*f = (struct first){.hash = hash};
	for (uint32_t i = 0; i < r->nbases && i < 64; i++)
		f->lacking |= (uint64_t)folders_lacks(r->bases[i], hash) << i;
	return f->lacking;
}

static int
operand_make(struct reach *r, struct operand *o)
{
	uint64_t lack = lacking(r, o);
	struct node *hit;
	uint32_t n = 0;
	int e;

	o->hits = pool_get(&r->folders.pool, r->nbases * sizeof(*o->hits));
	if (!o->hits)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; i < r->nbases; i++) {
		if (i < 64 && lack >> i & 1)
			continue;
		e = look(r, r->bases[i], o->text, o->len, &hit);
		if (e != 0)
			return e;
		if (hit)
			o->hits[n++] = hit;
	}
	o->nhits = n;
	return 0;
}

/* What the name leads to in the search folders, each of which is asked once. */
static int
operand_at(struct reach *r, const char *name, size_t len, struct operand **out)
{
	uint64_t hash = absent_hash(name, len);
	struct operand **slot = &r->operands[hash % OPERAND_SLOTS], *o;

	for (o = *slot; o; o = o->next)
		if (o->hash == hash && o->len == len && memcmp(o->text, name, len) == 0)
			break;
	*out = o;
	if (o)
		return 0;
	o = pool_get(&r->folders.pool, sizeof(*o));
	if (!o || !(o->text = pool_text(&r->folders.pool, name, len)))
		return IM_ERR_MEMORY;
	o->hash = hash;
	o->len = (uint32_t)len;
	o->next = *slot;
	*slot = o;
	*out = o;
	return operand_make(r, o);
}

int
reach_operand(
        struct reach *r, struct task from, enum include_kind kind, const char *name, size_t len)
{
	struct folder *own = kind == INCLUDE_QUOTE    ? from.folder
	                     : kind == INCLUDE_BINARY ? r->cwd
	                                              : NULL;
	struct operand *o;
	struct node *hit;
	int e;

	len = strnlen(name, len);
	if (!len)
		return 0;
	if (kind == INCLUDE_MACRO)
		return computed_note(r, from, name, len);
	if (name[0] == '/')
		own = r->folders.root;
	if (own) {
		e = look(r, own, name, len, &hit);
		if (e == 0 && hit)
			e = edge_add(r, from.node, hit);
		if (e != 0 || name[0] == '/')
			return e;
	}
	e = operand_at(r, name, len, &o);
	for (uint32_t i = 0; e == 0 && i < o->nhits; i++)
		e = edge_add(r, from.node, o->hits[i]);
	return e;
}

int
reach_run(struct reach *r)
{
	int e = 0;

	while (e == 0 && r->tasks_done < r->ntasks) {
		struct task t = r->tasks[r->tasks_done++];
		const struct facts *f = &t.node->facts;
		enum include_kind kind;
		const char *name;
		size_t at = 0, len;

		while (e == 0 && includes_next(f->list, f->list_len, &at, &kind, &name, &len))
			e = reach_operand(r, t, kind, name, len);
	}
	return e;
}

int
reach_data(struct reach *r, struct node *source, const char *name)
{
	struct node *hit;
	struct name *n;
	size_t len = strlen(name);
	int e = folders_walk(&r->folders, r->cwd, name, len, &n);

	r->data = true;
	if (e == 0 && !n)
		return note_folder_of(r, r->cwd, name, len);
	if (e == 0)
		e = enter(r, n, &hit);
	return e == 0 && hit ? edge_add(r, source, hit) : e;
}

int
reach_source(struct reach *r, const char *path, struct node **out)
{
	struct node *first;
	struct name *n;
	int e = folders_walk(&r->folders, r->cwd, path, strlen(path), &n);

	if (e != 0)
		return e;
	if (!n)
		return IM_ERR_ABSENT;
	e = enter(r, n, &first);
	if (e != 0)
		return e;
	if (!first)
		return n->kind == NAME_LINK ? IM_ERR_ABSENT : refuse(r, path, "a folder");
	while (n->kind == NAME_LINK)
		n = n->end;
	return node_at(r, n, out);
}

/* The folder at a path from another, if there is one; links to it and itself are noted. */
static int
folder_find(struct reach *r, struct folder *from, const char *path, struct folder **out)
{
	struct name *n;
	int e = folders_walk(&r->folders, from, path, strlen(path), &n);

	if (e == 0 && n && n->kind == NAME_LINK)
		e = folders_end(&r->folders, n, &n);
	*out = NULL;
	if (e != 0 || !n || n->kind != NAME_FOLDER)
		return e;
	*out = n->folder;
	return folders_note(&r->folders, n);
}

int
reach_init(struct reach *r, const struct inputs_request *q, char *why)
{
	const struct search *s = q->search;
	struct timespec now;
	struct folder *f;
	int e;

	memset(r, 0, sizeof(*r));
	clock_gettime(CLOCK_REALTIME, &now);
	e = folders_init(&r->folders, q->graph,
	        q->now_ns ? q->now_ns : now.tv_sec * SECOND_NS + now.tv_nsec, why);
	if (e != 0)
		return e;
	r->gcc = s->gcc_major > 0;
	r->operands = calloc(OPERAND_SLOTS, sizeof(struct operand *));
	r->bases = calloc(s->nfolders + 1, sizeof(struct folder *));
	if (!r->operands || !r->bases)
		return IM_ERR_MEMORY;
	e = folder_find(r, r->folders.root, q->cwd, &r->cwd);
	if (e == 0 && !r->cwd)
		return IM_ERR_ABSENT;
	for (unsigned i = 0; e == 0 && i < q->nalso; i++)
		e = folder_find(r, r->cwd, q->also[i], &f);
	for (unsigned i = 0; e == 0 && i < s->nfolders; i++) {
		uint32_t k;

		e = folder_find(r, r->cwd, s->folders[i], &f);
		if (e != 0 || !f)
			continue;
		for (k = 0; k < r->nbases && r->bases[k] != f; k++)
			;
		if (k == r->nbases)
			r->bases[r->nbases++] = f;
	}
	return e;
}

void
reach_fini(struct reach *r)
{
	folders_fini(&r->folders);
	free(r->operands);
	free(r->bases);
	free(r->nodes);
	free(r->edges);
	free(r->tasks);
	free(r->precompiled);
	memset(r, 0, sizeof(*r));
}
