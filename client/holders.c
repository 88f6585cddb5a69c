#include "client/holders.h"

#include <string.h>

#define KEY_PREFIX "holder 1"

struct tree_key {
	char prefix[sizeof KEY_PREFIX];
	struct digest tree;
};

struct candidate {
	struct node_id node;
	uint32_t trees;
};

static struct tree_key
key_of(const struct digest *tree)
{
	struct tree_key k = {.prefix = KEY_PREFIX, .tree = *tree};

	return k;
}

/* Those of one tree, newest first. */
static uint32_t
recall(const struct graph *g, const struct digest *tree, const struct node_id **out)
{
	struct tree_key key = key_of(tree);
	size_t len = 0;

	*out = graph_find(g, &key, sizeof key, &len);
	if (*out == NULL || len % NODE_ID_LEN != 0 || len > JOB_HOLDERS_MAX * sizeof **out)
		return 0;
	return (uint32_t)(len / NODE_ID_LEN);
}

static uint32_t
looked_at(const struct job *j)
{
	return j->ntrees < HOLDERS_TREES ? j->ntrees : HOLDERS_TREES;
}

uint32_t
holders_find(const struct graph *g, const struct job *j, const struct node_id *but,
        struct node_id out[JOB_HOLDERS_MAX])
{
	struct candidate all[HOLDERS_TREES * JOB_HOLDERS_MAX];
	const struct node_id *known;
	uint32_t n = 0, kept = 0;

	for (uint32_t i = 0; i < looked_at(j); i++) {
		uint32_t nknown = recall(g, &j->trees[i], &known), c;

		for (uint32_t k = 0; k < nknown; k++) {
			if (node_id_cmp(&known[k], but) == 0)
				continue;
			for (c = 0; c < n && node_id_cmp(&all[c].node, &known[k]) != 0; c++)
				;
			if (c == n)
				all[n++] = (struct candidate){known[k], 0};
			all[c].trees++;
		}
	}
	/* the first of those that had most, as often as there is room */
	for (; kept < JOB_HOLDERS_MAX && kept < n; kept++) {
		uint32_t best = 0;

		for (uint32_t c = 1; c < n; c++)
			if (all[c].trees > all[best].trees)
				best = c;
		out[kept] = all[best].node;
		all[best].trees = 0;
	}
	return kept;
}

static void
note(struct graph *g, const struct digest *tree, const struct node_id *node, bool turn)
{
	struct tree_key key = key_of(tree);
	struct node_id now[JOB_HOLDERS_MAX];
	const struct node_id *known;
	uint32_t n = recall(g, tree, &known);

	for (uint32_t k = 0; k < n; k++)
		if (node_id_cmp(&known[k], node) == 0)
			return;
	if (n == JOB_HOLDERS_MAX) {
		if (!turn)
			return;
		n--;
	}
	now[0] = *node;
	if (n > 0)
		memcpy(now + 1, known, n * sizeof *now);
	/* a graph without room costs a question less */
	(void)!graph_add(g, &key, sizeof key, now, (n + 1) * sizeof *now);
}

void
holders_note(struct graph *g, const struct job *j, const struct node_id *node, uint64_t chance)
{
	for (uint32_t i = 0; g != NULL && i < looked_at(j); i++)
		note(g, &j->trees[i], node, chance % HOLDERS_TURN == 0);
}
