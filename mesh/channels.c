#include "mesh/channels.h"

#include <stdlib.h>

#define EXPIRE_MS 5000 /* between two looks for those that nobody used for long */

struct idle {
	struct channels *all;
	struct idle *next;
	struct conn *conn;
	uid_t uid;
	struct node_id node;
	uint64_t until_ms;
};

struct channels {
	struct node *node;
	struct idle *list; /* the most recently used first */
	unsigned count;
	struct timer *expire;
};

/* Takes it out of the list and frees it, but for its connection. */
static struct conn *
release(struct idle *i)
{
	struct channels *all = i->all;
	struct conn *c = i->conn;
	for (struct idle **p = &all->list; *p; p = &(*p)->next) {
		if (*p == i) {
			*p = i->next;
			all->count--;
			break;
		}
	}
	free(i);
	return c;
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c, (void)p, (void)len;
	if (type != WIRE_PING) /* nothing was asked, so nothing may be answered */
		conn_free(release(arg));
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err, (void)why;
	conn_free(release(arg));
}

static const struct conn_ops ops = {.message = on_message, .closed = on_closed};

static void
on_expire(void *arg)
{
	struct channels *all = arg;
	uint64_t now = loop_now_ms();
	struct idle *next;
	for (struct idle *i = all->list; i; i = next) {
		next = i->next;
		if (now >= i->until_ms)
			conn_free(release(i));
	}
	if (all->list)
		timer_set(all->expire, EXPIRE_MS);
}

void
channels_keep(struct channels *all, uid_t uid, const struct node_id *node, struct conn *c)
{
	struct idle *i = all->count < CHANNELS_MAX ? calloc(1, sizeof *i) : NULL;
	if (!i) {
		conn_free(c);
		return;
	}
	*i = (struct idle){.all = all,
	        .next = all->list,
	        .conn = c,
	        .uid = uid,
	        .node = *node,
	        .until_ms = loop_now_ms() + CHANNELS_IDLE_MS};
	if (!all->list)
		timer_set(all->expire, EXPIRE_MS);
	all->list = i;
	all->count++;
	conn_hand(c, &ops, i);
}

void
channels_return(struct channels *all, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN])
{
	struct conn *c = conn_adopt(all->node->loop, fd, state, node, &ops, NULL);
	if (c)
		channels_keep(all, uid, node, c);
}

struct conn *
channels_take(struct channels *all, uid_t uid, const struct node_id *node)
{
	for (struct idle *i = all->list; i; i = i->next)
		if (i->uid == uid && node_id_cmp(&i->node, node) == 0)
			return release(i);
	return NULL;
}

struct channels *
channels_new(struct node *n)
{
	struct channels *all = calloc(1, sizeof *all);
	if (!all)
		return NULL;
	all->node = n;
	all->expire = timer_new(n->loop, on_expire, all);
	if (!all->expire) {
		free(all);
		return NULL;
	}
	return all;
}

void
channels_reset(struct channels *all)
{
	while (all->list)
		conn_free(release(all->list));
}

void
channels_free(struct channels *all)
{
	if (!all)
		return;
	channels_reset(all);
	timer_free(all->expire);
	free(all);
}
