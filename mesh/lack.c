#include "mesh/lack.h"

void
lacks_note(struct lacks *all, const struct member *m, uint32_t tag)
{
	all->list[all->next++ % LACKS_MAX] =
	        (struct lack){.node = m->node, .tag = tag, .heard_ms = m->heard_ms};
}

bool
lacks_has(const struct lacks *all, const struct member *m, uint32_t tag)
{
	for (unsigned i = 0; i < LACKS_MAX; i++) {
		const struct lack *k = &all->list[i];
		if (k->heard_ms == m->heard_ms && k->tag == tag &&
		        node_id_cmp(&k->node, &m->node) == 0)
			return true;
	}
	return false;
}
