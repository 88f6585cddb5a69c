#include "client/inputs.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "client/computed.h"
#include "client/reach.h"

#define SECOND_NS 1000000000LL

/* Named by no file, but looked for by every compile of C or C++. */
static const char predefined[] = "stdc-predef.h";

/* The operands of -include and -imacros, as if the source had them as its first lines, but seen
 * from the working directory. */
static int
take_forced(struct reach *r, struct node *source, const struct search *s)
{
	struct task from = {source, r->cwd};
	int e = 0;

	for (unsigned i = 0; i < s->nforced && e == 0; i++) {
		const char *name = s->forced[i];
		size_t len = strlen(name);

		e = reach_operand(r, from, INCLUDE_QUOTE, name, len);
		if (e == 0)
			e = reach_precompiled(r, r->cwd, name, len, ".gch");
		if (e == 0)
			e = reach_precompiled(r, r->cwd, name, len, ".pch");
		for (uint32_t k = 0; e == 0 && k < r->nbases; k++)
			e = reach_precompiled(r, r->bases[k], name, len, ".gch");
		for (uint32_t k = 0; e == 0 && k < r->nbases; k++)
			e = reach_precompiled(r, r->bases[k], name, len, ".pch");
	}
	return e;
}

/* A precompiled header can stand where no header does, and is taken for the first one that the
 * source names. */
static int
check_precompiled(struct reach *r, const struct node *source)
{
	const struct facts *f = &source->facts;
	enum include_kind kind;
	const char *name;
	size_t at = 0, len;
	int e = 0;

	while (e == 0 && includes_next(f->list, f->list_len, &at, &kind, &name, &len)) {
		len = strnlen(name, len);
		if (!len || kind > INCLUDE_ANGLE)
			continue;
		if (kind == INCLUDE_QUOTE || name[0] == '/')
			for (struct place *p = source->reached; e == 0 && p; p = p->next)
				e = reach_precompiled(r, p->folder, name, len, ".gch");
		for (uint32_t k = 0; e == 0 && name[0] != '/' && k < r->nbases; k++)
			e = reach_precompiled(r, r->bases[k], name, len, ".gch");
	}
	return e;
}

static int
close_over(struct reach *r, const struct inputs_request *q)
{
	struct task from = {NULL, r->cwd};
	int e = reach_source(r, q->source, &from.node);
	uint32_t changes, nodes;

	if (e == 0)
		e = take_forced(r, from.node, q->search);
	if (e == 0)
		e = reach_operand(r, from, INCLUDE_ANGLE, predefined, sizeof(predefined) - 1);
	if (e == 0)
		e = check_precompiled(r, from.node);
	do {
		if (e == 0)
			e = reach_run(r);
		changes = r->changes;
		nodes = r->nnodes;
		if (e == 0 && r->macros)
			e = computed_step(r, q->search);
	} while (e == 0 &&
	         (changes != r->changes || nodes != r->nnodes || r->tasks_done != r->ntasks));
	if (e == 0)
		e = reach_take_precompiled(r, from.node);
	/* last: what is a source or a header as well was read as that */
	for (unsigned i = 0; e == 0 && i < q->ndata; i++)
		e = reach_data(r, from.node, q->data[i]);
	return e;
}

static void
file_fill(struct inputs_file *f, const struct node *node)
{
	const struct name *n = node->name;

	f->path = node->path;
	f->mode = n->mode & 0111 ? 0755 : 0644;
	if (n->kind == NAME_LINK) {
		f->target = n->target;
		return;
	}
	f->digest = node->facts.digest;
	f->flags = node->facts.flags;
	f->size = n->id.size;
	f->mtime_s = n->id.mtime_ns / SECOND_NS - (n->id.mtime_ns % SECOND_NS < 0);
	f->dev = (dev_t)n->id.dev;
	f->ino = (ino_t)n->id.ino;
}

/* Sorts the edges by where they come from, and leaves each once. */
static int
fill_follows(struct reach *r, struct inputs_file *files)
{
	uint32_t *all = pool_get(&r->folders.pool, (r->nedges + 1) * sizeof(*all));
	uint32_t *start = calloc(r->nnodes + 1, sizeof(*start));
	uint32_t *seen = calloc(r->nnodes + 1, sizeof(*seen)); /* last file that led there, + 1 */
	int e = all && start && seen ? 0 : IM_ERR_MEMORY;

	if (e != 0)
		goto out;
	for (uint32_t i = 0; i < r->nedges; i++)
		start[r->edges[i].from + 1]++;
	for (uint32_t i = 0; i < r->nnodes; i++)
		start[i + 1] += start[i];
	for (uint32_t i = 0; i < r->nnodes; i++)
		files[i].follows = all + start[i];
	for (uint32_t i = 0; i < r->nedges; i++)
		all[start[r->edges[i].from]++] = r->edges[i].to;
	for (uint32_t i = 0; i < r->nnodes; i++) {
		uint32_t *list = all + (files[i].follows - all);
		uint32_t n = (uint32_t)(all + start[i] - list), kept = 0;

		for (uint32_t k = 0; k < n; k++)
			if (seen[list[k]] != i + 1) {
				seen[list[k]] = i + 1;
				list[kept++] = list[k];
			}
		files[i].nfollows = kept;
	}
out:
	free(seen);
	free(start);
	return e;
}

static int
fill(struct inputs *in, struct reach *r)
{
	struct folders *t = &r->folders;
	struct inputs_file *files = pool_get(&t->pool, (r->nnodes + 1) * sizeof(*files));
	struct inputs_place *places = pool_get(&t->pool, (t->nnoted + 1) * sizeof(*places));
	uint32_t flags = 0, nplaces = 0;
	int e;

	if (!files || !places)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; i < r->nnodes; i++) {
		file_fill(&files[i], r->nodes[i]);
		flags |= files[i].flags;
	}
	for (uint32_t i = 0; i < t->nnoted; i++) {
		struct name *n = t->noted[i];

		if (n == t->root->self)
			continue;
		e = folders_path(t, n, (char **)&places[nplaces].path);
		if (e != 0)
			return e;
		places[nplaces++].target = n->target;
	}
	e = fill_follows(r, files);
	if (e != 0)
		return e;
	*in = (struct inputs){files, r->nnodes, places, nplaces, flags, r};
	return 0;
}

int
inputs_find(struct inputs *in, const struct inputs_request *q, char *why)
{
	struct reach *r = malloc(sizeof(*r));
	int e;

	why[0] = '\0';
	if (!r)
		return IM_ERR_MEMORY;
	e = reach_init(r, q, why);
	if (e == 0)
		e = close_over(r, q);
	folders_release(&r->folders);
	/* What was learnt is of use to the next compile even when this one is refused. */
	if (e != IM_ERR_MEMORY && r->folders.root && folders_save(&r->folders) != 0)
		e = IM_ERR_MEMORY;
	if (e == 0)
		e = fill(in, r);
	if (e != 0) {
		reach_fini(r);
		free(r);
	}
	return e;
}

void
inputs_fini(struct inputs *in)
{
	if (in->memory) {
		reach_fini(in->memory);
		free(in->memory);
	}
	memset(in, 0, sizeof(*in));
}

static bool
begins(const char *path, const char *with)
{
	return strncmp(path, with, strlen(with)) == 0;
}

/* Names that a compile may miss without becoming another: what the sandbox answers by itself, what
 * the dynamic loader and the C library look for, and what a driver asks for because it might have
 * to link. */
static bool
is_harmless(const char *path)
{
	static const char *const folders[] = {"/proc/", "/dev/", "/sys/", "/etc/ld.so.",
	        "/usr/share/locale/", "/usr/share/locale-langpack/", "/usr/lib/locale/"};
	const char *base = strrchr(path, '/') + 1;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (begins(path, folders[i]))
			return true;
	if (strstr(path, "/gconv/"))
		return true;
	return begins(base, "lib") && strstr(base, ".so");
}

/* True when the folder is one of the set's, by itself or above a file or place of it. */
static bool
has_folder(const struct reach *r, const char *real)
{
	if (strcmp(real, "/") == 0)
		return true;
	for (const struct folder *f = r->folders.root; f; f = f->next)
		if (strcmp(f->path, real) == 0) {
			if (f->self->noted)
				return true;
			break;
		}
	for (uint32_t i = 0; i < r->nnodes; i++) {
		size_t len = strlen(real);

		if (begins(r->nodes[i]->path, real) && r->nodes[i]->path[len] == '/')
			return true;
	}
	for (uint32_t i = 0; i < r->folders.nnoted; i++)
		for (const struct folder *f = r->folders.noted[i]->in; f->parent != f;
		        f = f->parent)
			if (strcmp(f->path, real) == 0)
				return true;
	return false;
}

/* True when a folder that the path leads through, as it is spelled, is one that names were looked
 * for in. */
bool
inputs_cover(const struct inputs *in, const char *path)
{
	const struct reach *r = in->memory;
	char prefix[PATH_MAX], real[PATH_MAX];
	const char *slash = path, *dots;

	for (dots = path; (dots = strstr(dots, "/..")) != NULL; dots++)
		if (dots[3] == '/' || !dots[3])
			slash = dots + 3;
	for (slash = strchr(slash, '/'); slash; slash = strchr(slash + 1, '/')) {
		if (slash == path)
			continue;
		if ((size_t)(slash - path) >= sizeof(prefix))
			return true;
		memcpy(prefix, path, (size_t)(slash - path));
		prefix[slash - path] = '\0';
		if (!realpath(prefix, real))
			return false;
		if (strcmp(r->cwd->path, real) == 0)
			return true;
		for (uint32_t i = 0; i < r->nbases; i++)
			if (strcmp(r->bases[i]->path, real) == 0)
				return true;
	}
	return false;
}

/* The folder that a path's last component is looked for in, from the few that were asked for last: a compile tries the same ones again
 * and again. IM_ERR_ABSENT: there is none. */
static int
folder_above(struct reach *r, const char *path, size_t len, struct folder **out)
{
	struct seen *s =
	        &r->seen[(len * 31 + (unsigned char)path[len - 1] + (unsigned char)path[len / 2]) %
	                 REACH_SEEN];
	struct name *n;
	char *text;
	int e;

	if (s->len == len && memcmp(s->path, path, len) == 0) {
		*out = s->folder;
		return s->folder ? 0 : IM_ERR_ABSENT;
	}
	e = folders_walk(&r->folders, r->folders.root, path, len, &n);
	if (e == 0 && n && n->kind == NAME_LINK)
		e = folders_end(&r->folders, n, &n);
	if (e != 0)
		return e;
	*out = n && n->kind == NAME_FOLDER ? n->folder : NULL;
	text = pool_get(&r->folders.pool, len);
	if (text) {
		memcpy(text, path, len);
		*s = (struct seen){text, len, *out};
	}
	return *out ? 0 : IM_ERR_ABSENT;
}

/* Looks by the job's own folders: what it knows to be absent costs no system call, now or in the next compile. */
bool
inputs_lacks(struct inputs *in, const char *path)
{
	const char *slash = strrchr(path, '/');
	struct reach *r = in->memory;
	struct folder *folder;
	char real[PATH_MAX];
	struct name *n;
	int e;

	if (path[0] != '/')
		return false;
	e = folder_above(r, path, slash > path ? (size_t)(slash - path) : 1, &folder);
	if (e == 0)
		e = folders_walk(&r->folders, folder, slash + 1, strlen(slash + 1), &n);
	if (e == 0 && n && n->kind == NAME_LINK)
		e = folders_end(&r->folders, n, &n);
	if (e == IM_ERR_ABSENT || (e == 0 && !n) || is_harmless(path))
		return false;
	return e != 0 || n->kind != NAME_FOLDER || !realpath(path, real) || !has_folder(r, real);
}

void
inputs_keep(struct inputs *in)
{
	struct reach *r = in->memory;

	folders_release(&r->folders);
	/* a graph without room costs the next compile its own look */
	(void)!folders_save(&r->folders);
}
