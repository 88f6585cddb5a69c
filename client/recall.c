#include "client/recall.h"

#include <string.h>
#include "client/answers.h"
#include "client/reach.h"

#define PREFIX "recall 2"
#define KEY_LEN (sizeof(PREFIX) + DIGEST_LEN)

/* A value in the graph: this, the trees' digests, the own tree's encoding, the answers. */
struct record {
	struct digest findings;
	uint32_t ntrees, nfiles, flags, own_len, answers_len, unused;
};

static void
put_strings(struct buf *b, const char *const *list, unsigned n)
{
	buf_put_u32(b, n);
	for (unsigned i = 0; i < n; i++)
		buf_put(b, list[i], strlen(list[i]) + 1);
}

int
recall_key(
        struct digest *key, const struct inputs_request *q, const char *const *outputs, uint32_t n)
{
	const struct search *s = q->search;
	struct buf b;
	int err;

	buf_init(&b, 16u << 20);
	put_strings(&b, &q->cwd, 1);
	put_strings(&b, &q->source, 1);
	put_strings(&b, s->folders, s->nfolders);
	put_strings(&b, s->forced, s->nforced);
	put_strings(&b, s->macros, s->nmacros);
	put_strings(&b, q->also, q->nalso);
	put_strings(&b, q->data, q->ndata);
	put_strings(&b, outputs, n);
	err = buf_err(&b);
	if (err == 0)
		digest_of(key, b.data, b.len);
	buf_fini(&b);
	return err;
}

static void
graph_key(char out[KEY_LEN], const struct digest *key)
{
	memcpy(out, PREFIX, sizeof(PREFIX));
	memcpy(out + sizeof(PREFIX), key->bytes, DIGEST_LEN);
}

int
recall_find(struct recall *r, const struct graph *g, const struct digest *key)
{
	char name[KEY_LEN];
	struct record head;
	const char *at;
	size_t len, trees;

	graph_key(name, key);
	at = graph_find(g, name, sizeof(name), &len);
	if (!at || len < sizeof(head))
		return IM_ERR_ABSENT;
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	len -= sizeof(head);
	trees = head.ntrees * sizeof(struct digest);
	if (head.ntrees > GROVE_TREES_MAX ||
	        len != trees + (size_t)head.own_len + (size_t)head.answers_len)
		return IM_ERR_ABSENT;
	if (!answers_hold(at + trees + head.own_len, head.answers_len))
		return IM_ERR_ABSENT;
	*r = (struct recall){.ntrees = head.ntrees,
	        .findings = head.findings,
	        .nfiles = head.nfiles,
	        .flags = head.flags};
	memcpy(r->trees, at, trees);
	return tree_decode(&r->own, at + trees, head.own_len) == 0 ? 0 : IM_ERR_ABSENT;
}

void
recall_fini(struct recall *r)
{
	tree_fini(&r->own);
}

void
recall_keep(const struct recall *r, struct graph *g, const struct digest *key,
        const struct inputs *in, const char *const *outputs, uint32_t n)
{
	const struct reach *reach = in->memory;
	struct record head = {.findings = r->findings,
	        .ntrees = r->ntrees,
	        .nfiles = r->nfiles,
	        .flags = r->flags};
	char name[KEY_LEN];
	struct buf own, answers, b;

	if (graph_filled(g) > RECALL_GRAPH_PERCENT)
		return;
	graph_key(name, key);
	buf_init(&own, TREE_LEN_MAX);
	buf_init(&answers, GRAPH_VALUE_MAX);
	buf_init(&b, GRAPH_VALUE_MAX);
	if (tree_encode(&r->own, &own) == 0 &&
	        answers_put(&answers, &reach->folders, outputs, n) == 0) {
		head.own_len = (uint32_t)own.len;
		head.answers_len = (uint32_t)answers.len;
		buf_put(&b, &head, sizeof(head));
		buf_put(&b, r->trees, r->ntrees * sizeof(*r->trees));
		buf_put(&b, own.data, own.len);
		buf_put(&b, answers.data, answers.len);
		/* a graph without room costs the next compile its own search */
		if (buf_err(&b) == 0)
			(void)!graph_add(g, name, sizeof(name), b.data, b.len);
	}
	buf_fini(&answers);
	buf_fini(&own);
	buf_fini(&b);
}
