/*
 * Two ends of a connection in one loop: an initiator that connects to a loopback listener, an acceptor, and between them a
 * relay that can alter one byte or end the stream after some.
 *
 * Each end notes what its callbacks say.  Nothing here sleeps: rig_until() runs the loop until a condition holds, for at most
 * ten seconds.
 */
#ifndef TESTS_CONN_RIG_H
#define TESTS_CONN_RIG_H

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mesh/conn.h"
#include "tests/unit/mesh_ids.h"

#define RIG_NEVER SIZE_MAX
#define RIG_LATE_MS 10000

struct rig_end {
	struct loop *loop;
	struct conn *c; /* NULL once closed */
	unsigned ready, messages, drained, closed;
	int err;
	char why[128];
	uint8_t type; /* of the last message, with its body */
	uint8_t body[CHANNEL_MESSAGE_MAX];
	size_t len, total;                    /* bytes of the last message, of all */
	void (*on_message)(struct rig_end *); /* may be NULL */
	void (*on_drained)(struct rig_end *);
	void (*on_ready)(struct rig_end *);
	uint8_t state[CHANNEL_STATE_LEN]; /* for tests that export */
	int fd, result;
};

struct rig_way {
	struct loop *loop;
	struct watch *watch;
	int from, to;
	size_t passed, flip,
	        cut; /* the byte at `flip` is altered by `mask`; the stream ends in front of `cut` */
	uint8_t mask;
};

struct rig {
	struct loop *loop;
	struct timer *late;
	bool is_late;
	struct ids_node a, b;
	struct rig_end client, server;
	struct rig_way up, down; /* from the client, from the server */
	int listener;
	struct endpoint at;
};

static inline void
rig_ready(void *arg, struct conn *c)
{
	struct rig_end *e = arg;

	(void)c;
	e->ready++;
	if (e->on_ready)
		e->on_ready(e);
	loop_stop(e->loop);
}

static inline void
rig_message(void *arg, struct conn *c, uint8_t type, const uint8_t *body, size_t len)
{
	struct rig_end *e = arg;

	(void)c;
	e->messages++;
	e->type = type;
	memcpy(e->body, body, len);
	e->len = len;
	e->total += len;
	if (e->on_message)
		e->on_message(e);
	loop_stop(e->loop);
}

static inline void
rig_drained(void *arg, struct conn *c)
{
	struct rig_end *e = arg;

	(void)c;
	e->drained++;
	if (e->on_drained)
		e->on_drained(e);
	loop_stop(e->loop);
}

static inline void
rig_closed(void *arg, struct conn *c, int err, const char *why)
{
	struct rig_end *e = arg;

	e->closed++;
	e->err = err;
	snprintf(e->why, sizeof e->why, "%s", why);
	conn_free(c);
	e->c = NULL;
	loop_stop(e->loop);
}

static const struct conn_ops rig_ops = {rig_ready, rig_message, rig_drained, rig_closed};

static inline void
rig_on_late(void *arg)
{
	struct rig *r = arg;

	r->is_late = true;
	loop_stop(r->loop);
}

/* Runs the loop until the condition holds. */
#define rig_until(r, condition)                                   \
	do {                                                      \
		timer_set((r)->late, RIG_LATE_MS);                \
		while (!(condition) && !(r)->is_late)             \
			assert_int_equal(loop_run((r)->loop), 0); \
		timer_stop((r)->late);                            \
		assert_true(condition);                           \
	} while (0)

static inline void
rig_way_end(struct rig_way *w)
{
	watch_set(w->watch, 0);
	shutdown(w->to, SHUT_WR);
}

static inline void
rig_on_bytes(void *arg, int events)
{
	struct rig_way *w = arg;
	uint8_t bytes[65536];
	ssize_t n = recv(w->from, bytes, sizeof bytes, 0);

	(void)events;
	for (ssize_t i = 0; i < n; i++)
		if (w->passed + (size_t)i == w->flip)
			bytes[i] ^= w->mask;
	bool last = n <= 0 || w->passed + (size_t)n >= w->cut;
	if (n > 0 && last)
		n = (ssize_t)(w->cut - w->passed);
	for (ssize_t i = 0, k; i < n; i += k)
		if ((k = send(w->to, bytes + i, (size_t)(n - i), MSG_NOSIGNAL)) <= 0) {
			last = true;
			break;
		}
	if (n > 0)
		w->passed += (size_t)n;
	if (last)
		rig_way_end(w);
	loop_stop(w->loop);
}

static inline void
rig_init(struct rig *r)
{
	struct sockaddr_in sa = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof sa;

	memset(r, 0, sizeof *r);
	ids_member(&r->a, 1, 2);
	ids_member(&r->b, 1, 3);
	r->loop = r->client.loop = r->server.loop = r->up.loop = r->down.loop = loop_new();
	r->late = timer_new(r->loop, rig_on_late, r);
	r->up.flip = r->up.cut = r->down.flip = r->down.cut = RIG_NEVER;
	r->up.mask = r->down.mask = 1;
	r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (bind(r->listener, (struct sockaddr *)&sa, sizeof sa) < 0 ||
	        listen(r->listener, 4) < 0 ||
	        getsockname(r->listener, (struct sockaddr *)&sa, &len) < 0)
		abort();
	r->at = (struct endpoint){.len = 4, .bytes = {127, 0, 0, 1}, .port = ntohs(sa.sin_port)};
}

static inline void
rig_fini(struct rig *r)
{
	struct rig_way *ways[] = {&r->up, &r->down};

	conn_free(r->client.c);
	conn_free(r->server.c);
	for (int i = 0; i < 2; i++)
		watch_free(ways[i]->watch);
	if (r->up.watch) {
		close(r->up.from);
		close(r->down.from);
	}
	close(r->listener);
	timer_free(r->late);
	loop_free(r->loop);
}

/* Connects both ends through the relay; what comes of it shows in them. */
static inline void
rig_connect(struct rig *r)
{
	int pair[2], fd;

	r->client.c = conn_connect(r->loop, &r->a.id, &r->at, &rig_ops, &r->client);
	fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC);
	if (!r->client.c || fd < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		abort();
	r->up.from = r->down.to = fd;
	r->up.to = r->down.from = pair[0];
	r->up.watch = watch_new(r->loop, fd, LOOP_READ, rig_on_bytes, &r->up);
	r->down.watch = watch_new(r->loop, pair[0], LOOP_READ, rig_on_bytes, &r->down);
	r->server.c = conn_accept(r->loop, &r->b.id, pair[1], &rig_ops, &r->server);
}

#endif
