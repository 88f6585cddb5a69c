#include "mesh/room.h"

#include <stdlib.h>
#include <unistd.h>
#include "mesh/blobs.h"
#include "mesh/helper.h"
#include "mesh/serve.h"
#include "mesh/store.h"
#include "mesh/upload.h"

#define INPUTS_AHEAD 64 /* when blobs go, so large a part of the store goes with them */
#define PLACES_FREE 8   /* in the list of toolchains, for those that come in at the same time */

/* A tree that the helper removes. */
struct dropping {
	struct node *node;
	struct digest digest;
};

static void
on_dropped(void *arg, const struct pipe_msg *m, int *fds, unsigned nfds)
{
	struct dropping *d = arg;
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
	/* what could not be removed has another name by now and goes at the next start */
	if (m->err)
		log_warn(&d->node->log, "%.*s", 200, m->text);
	struct toolchain *t = store_find(d->node->store, &d->digest);
	if (t && t->tarball) { /* it came in anew */
		t->dropping = false;
		t->tree = 0;
	} else {
		store_remove(d->node->store, &d->digest);
	}
	free(d);
}

static bool
held(const struct node *n, const struct toolchain *t)
{
	return t->unpacking || t->dropping || (n->serve && serve_holds(n->serve, &t->digest)) ||
	       (n->uploads && upload_pending(n->uploads, &t->digest));
}

/* What goes next: one that is of no use, else the one used longest ago. */
static struct toolchain *
least_used(const struct node *n, const struct digest *keep)
{
	struct toolchain *t, *found = NULL;
	for (unsigned i = 0; (t = store_at(n->store, i)); i++) {
		if (held(n, t) || (keep && digest_equal(&t->digest, keep)))
			continue;
		if (!found || (t->failed && !found->failed) ||
		        (t->failed == found->failed && t->used_ms < found->used_ms))
			found = t;
	}
	return found;
}

/* False when the helper takes no more. */
static bool
drop(struct node *n, struct toolchain *t)
{
	char hex[DIGEST_HEX_SIZE];
	digest_hex(&t->digest, hex);
	if (t->unpacked) {
		struct dropping *d = calloc(1, sizeof *d);
		if (d)
			*d = (struct dropping){n, t->digest};
		if (!d || !helper_ask(n->helper, PIPE_DROP, &t->digest, NULL, 0, on_dropped, d)) {
			free(d);
			return false;
		}
		t->unpacked = false;
		t->dropping = true;
	}
	log_info(&n->log, "toolchain %.12s: removed to make room", hex);
	store_drop_tarball(n->store, t);
	if (!t->dropping)
		store_remove(n->store, &t->digest);
	return true;
}

/* Bytes of disk that toolchains, blobs and trees take. */
static uint64_t
usage(const struct node *n, unsigned *toolchains)
{
	uint64_t bytes, inputs;
	unsigned blobs, trees;
	store_usage(n->store, &bytes, toolchains);
	blobs_usage(n->blobs, &inputs, &blobs, &trees);
	return bytes + inputs;
}

int
room_make(struct node *n, uint64_t bytes, const struct digest *keep)
{
	uint64_t used, max = n->config.store_size;
	uint64_t transit = store_transit(n->store) + blobs_transit(n->blobs);
	unsigned count;
	bool dropped = false;
	if (transit > max || bytes > max - transit)
		return IM_ERR_LIMIT;
	uint64_t room = max - transit - bytes;
	int err = 0;
	while (err == 0) {
		used = usage(n, &count);
		if (used > room) { /* some more at a time, and what is held stays */
			(void)!blobs_shrink(n->blobs, used - room + max / INPUTS_AHEAD);
			used = usage(n, &count);
		}
		if (used <= room && count + PLACES_FREE <= STORE_TOOLCHAINS_MAX)
			break;
		struct toolchain *t = least_used(n, keep);
		if (t && drop(n, t))
			dropped = true;
		else
			err = IM_ERR_LIMIT;
	}
	if (dropped && n->serve)
		serve_toolchains_changed(n->serve);
	return err;
}
