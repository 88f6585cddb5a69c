#include "client/grove.h"

#include <stdlib.h>
#include <string.h>

#define FRESH_MIN 3 /* files that a tree must bring and no tree before it has */

struct candidate {
	const char *path;
	uint32_t file, size; /* size: files of its closure */
};

static int
by_path(const void *a, const void *b)
{
	return strcmp(((const struct candidate *)a)->path, ((const struct candidate *)b)->path);
}

static int
by_size(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return by_path(a, b);
}

void
grove_walk(struct grove *g, uint32_t i)
{
	uint32_t at = 0;

	g->walk++;
	g->nfound = 0;
	g->seen[i] = g->walk;
	g->found[g->nfound++] = i;
	for (; at < g->nfound; at++) {
		const struct inputs_file *f = &g->files[g->found[at]];

		for (uint32_t k = 0; k < f->nfollows; k++) {
			uint32_t next = f->follows[k];

			if (g->seen[next] == g->walk)
				continue;
			g->seen[next] = g->walk;
			g->found[g->nfound++] = next;
		}
	}
}

/* Length of the base name without its last suffix. */
static size_t
stem(const char *path, const char **name)
{
	const char *dot;

	*name = strrchr(path, '/') + 1;
	dot = strrchr(*name, '.');
	return dot && dot > *name ? (size_t)(dot - *name) : strlen(*name);
}

/* A root, and where it leads when it is a link. */
static void
mark_root(struct grove *g, uint32_t i)
{
	while (!(g->marks[i] & GROVE_ROOT)) {
		g->marks[i] |= GROVE_ROOT;
		if (!g->files[i].target || g->files[i].nfollows == 0)
			break;
		i = g->files[i].follows[0];
	}
}

/* The source, and whatever is not reached from it: forced files. */
static void
mark_roots(struct grove *g)
{
	for (uint32_t i = 0; i < g->n; i++) {
		if (g->marks[i] & GROVE_REACHED)
			continue;
		mark_root(g, i);
		grove_walk(g, i);
		for (uint32_t k = 0; k < g->nfound; k++)
			g->marks[g->found[k]] |= GROVE_REACHED;
	}
}

/* foo.h that foo.c includes. */
static void
mark_relatives(struct grove *g)
{
	const struct inputs_file *source = &g->files[0];
	const char *own, *name;
	size_t len;

	while (source->target && source->nfollows > 0)
		source = &g->files[source->follows[0]];
	len = stem(source->path, &own);
	for (uint32_t k = 0; k < source->nfollows; k++) {
		uint32_t next = source->follows[k];

		if (stem(g->files[next].path, &name) == len && memcmp(name, own, len) == 0)
			mark_root(g, next);
	}
}

/* What roots follow, each with the size of its closure, large ones first; returns how many.  Of
 * those that reach each other the first by path is taken, in every job the same. */
static uint32_t
find_candidates(struct grove *g, struct candidate *c)
{
	uint32_t n = 0, kept = 0;

	for (uint32_t i = 0; i < g->n; i++) {
		for (uint32_t k = 0; g->marks[i] & GROVE_ROOT && k < g->files[i].nfollows; k++)
			g->marks[g->files[i].follows[k]] |= GROVE_CANDIDATE;
	}
	for (uint32_t i = 0; i < g->n; i++)
		if ((g->marks[i] & (GROVE_CANDIDATE | GROVE_ROOT)) == GROVE_CANDIDATE)
			c[n++] = (struct candidate){g->files[i].path, i, 0};
	qsort(c, n, sizeof(*c), by_path);
	for (uint32_t k = 0; k < n; k++) {
		if (g->marks[c[k].file] & GROVE_PART)
			continue;
		grove_walk(g, c[k].file);
		for (uint32_t w = 1; w < g->nfound; w++)
			g->marks[g->found[w]] |= GROVE_PART;
		c[kept] = c[k];
		c[kept++].size = g->nfound;
	}
	qsort(c, kept, sizeof(*c), by_size);
	return kept;
}

/* Takes what brings enough, and leaves the rest with the job. */
static void
choose(struct grove *g, const struct candidate *c, uint32_t n)
{
	for (uint32_t k = 0; k < n; k++) {
		uint32_t i = c[k].file, fresh = 0;
		uint8_t mark = GROVE_OWN;

		if (g->marks[i] & (GROVE_PART | GROVE_TREE | GROVE_OWN))
			continue;
		grove_walk(g, i);
		for (uint32_t w = 0; w < g->nfound; w++)
			fresh += !(g->marks[g->found[w]] & (GROVE_ROOT | GROVE_TREE | GROVE_OWN));
		if (fresh >= FRESH_MIN && g->ntrees < GROVE_TREES_MAX) {
			g->trees[g->ntrees++] = i;
			mark = GROVE_TREE;
		}
		for (uint32_t w = 0; w < g->nfound; w++)
			g->marks[g->found[w]] |= mark;
	}
}

int
grove_make(struct grove *g, const struct inputs *in)
{
	struct grove made = {.files = in->files, .n = in->nfiles};
	size_t n = in->nfiles;
	struct candidate *candidates = malloc(n * sizeof(*candidates));
	uint32_t *room = calloc(n, 2 * sizeof(*room) + 1);
	int r = IM_ERR_MEMORY;

	if (!candidates || !room) {
		free(room);
		goto out;
	}
	made.memory = made.found = room;
	made.seen = room + n;
	made.marks = (uint8_t *)(room + 2 * n);
	mark_roots(&made);
	mark_relatives(&made);
	choose(&made, candidates, find_candidates(&made, candidates));
	*g = made;
	r = 0;
out:
	free(candidates);
	return r;
}

void
grove_fini(struct grove *g)
{
	free(g->memory);
	memset(g, 0, sizeof(*g));
}
