#include "mesh/blob_index.h"

#include <stdlib.h>
#include <string.h>
#include "mesh/layout.h"

void
laid_free(struct laid *l)
{
	if (l)
		free(l->links);
	free(l);
}

void
blob_index_init(struct blob_index *x, uint32_t max)
{
	memset(x, 0, sizeof *x);
	x->blob_uses = x->tree_uses = (struct list){DIGESTS_NONE, DIGESTS_NONE};
	digests_init(&x->digests, max);
}

void
blob_index_fini(struct blob_index *x)
{
	for (uint32_t i = x->tree_uses.oldest; i != DIGESTS_NONE;) {
		struct laid *t = x->at[i].tree;
		i = t->use.newer;
		laid_free(t);
	}
	digests_fini(&x->digests);
	free(x->at);
	x->at = NULL;
}

static struct use *
use_of(struct blob_index *x, const struct list *l, uint32_t i)
{
	return l == &x->tree_uses ? &x->at[i].tree->use : &x->at[i].use;
}

static void
unlist(struct blob_index *x, struct list *l, uint32_t i)
{
	struct use *u = use_of(x, l, i);
	if (u->older == DIGESTS_NONE)
		l->oldest = u->newer;
	else
		use_of(x, l, u->older)->newer = u->newer;
	if (u->newer == DIGESTS_NONE)
		l->newest = u->older;
	else
		use_of(x, l, u->newer)->older = u->older;
	u->at = 0;
}

static void
touch(struct blob_index *x, struct list *l, uint32_t i)
{
	struct use *u = use_of(x, l, i);
	if (u->at)
		unlist(x, l, i);
	*u = (struct use){l->newest, DIGESTS_NONE, ++x->clock};
	if (l->newest == DIGESTS_NONE)
		l->oldest = i;
	else
		use_of(x, l, l->newest)->newer = i;
	l->newest = i;
}

uint32_t
blob_index_entry(struct blob_index *x, const struct digest *d)
{
	bool fresh;
	uint32_t i = digests_add(&x->digests, d, &fresh);
	if (i == DIGESTS_NONE || !fresh)
		return i;
	if (i >= x->cap) {
		uint32_t cap = x->cap ? x->cap * 2 : 256;
		struct blob *at = realloc(x->at, cap * sizeof *at);
		if (!at) {
			digests_remove(&x->digests, i);
			return DIGESTS_NONE;
		}
		x->at = at;
		x->cap = cap;
	}
	x->at[i] = (struct blob){0};
	return i;
}

void
blob_index_tidy(struct blob_index *x, uint32_t i)
{
	const struct blob *e = &x->at[i];
	if (!e->stored && !e->tree && !e->held && !e->links)
		digests_remove(&x->digests, i);
}

void
blob_index_stored(struct blob_index *x, uint32_t i, uint64_t size, bool checked)
{
	struct blob *e = &x->at[i];
	e->stored = true;
	e->checked = checked;
	e->size = size;
	x->bytes += layout_cost(size);
	x->nblobs++;
	touch(x, &x->blob_uses, i);
}

void
blob_index_removed(struct blob_index *x, uint32_t i)
{
	struct blob *e = &x->at[i];
	unlist(x, &x->blob_uses, i);
	e->stored = false;
	x->bytes -= layout_cost(e->size);
	x->nblobs--;
	blob_index_tidy(x, i);
}

void
blob_index_used(struct blob_index *x, uint32_t i)
{
	touch(x, &x->blob_uses, i);
}

void
blob_index_laid(struct blob_index *x, uint32_t i, struct laid *l)
{
	for (uint32_t k = 0; k < l->nlinks; k++)
		x->at[l->links[k]].links++;
	x->nlinks += l->nlinks;
	x->bytes += l->bytes;
	x->ntrees++;
	x->at[i].tree = l;
	touch(x, &x->tree_uses, i);
}

void
blob_index_dropped(struct blob_index *x, uint32_t i)
{
	struct laid *l = x->at[i].tree;
	unlist(x, &x->tree_uses, i);
	x->at[i].tree = NULL;
	for (uint32_t k = 0; k < l->nlinks; k++) {
		x->at[l->links[k]].links--;
		blob_index_tidy(x, l->links[k]);
	}
	x->nlinks -= l->nlinks;
	x->bytes -= l->bytes;
	x->ntrees--;
	laid_free(l);
	blob_index_tidy(x, i);
}

void
blob_index_tree_used(struct blob_index *x, uint32_t i)
{
	touch(x, &x->tree_uses, i);
	if (x->at[i].stored)
		touch(x, &x->blob_uses, i);
}

uint32_t
blob_index_oldest(const struct blob_index *x, uint32_t i)
{
	while (i != DIGESTS_NONE && (x->at[i].held || x->at[i].links))
		i = x->at[i].use.newer;
	return i;
}

uint32_t
blob_index_oldest_tree(const struct blob_index *x)
{
	uint32_t i = x->tree_uses.oldest;
	while (i != DIGESTS_NONE && x->at[i].held)
		i = x->at[i].tree->use.newer;
	return i;
}
