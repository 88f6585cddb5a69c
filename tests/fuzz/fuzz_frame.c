/*
 * Bytes from the network into a connection: a newly accepted one, or (first byte odd) one whose channel is open.
 *
 * Nobody without the keys gets a channel, and no message is handed over but the sample's own frames, in their order.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mesh/conn.h"
#include "tests/unit/mesh_ids.h"

#define SIZE_LIMIT 65536 /* what a socket takes without a reader */
#define FRAMES 3

struct end {
	struct loop *loop;
	unsigned messages;
};

static void
on_ready(void *arg, struct conn *c)
{
	(void)arg, (void)c;
	abort(); /* the acceptor's ephemeral key is a new one each time */
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *body, size_t len)
{
	struct end *e = arg;

	(void)c, (void)body;
	if (type != ++e->messages || len != 10u * type)
		abort();
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	struct end *e = arg;

	if (err >= 0 || *why == 0)
		abort();
	conn_free(c);
	loop_stop(e->loop);
}

static const struct conn_ops ops = {on_ready, on_message, NULL, on_closed};

/* Both halves from the same bytes: one end's sending is the other's receiving. */
static void
channel_bytes(uint8_t state[CHANNEL_STATE_LEN])
{
	memset(state, 1, CHANNEL_STATE_LEN);
}

/* The frames of an honest peer, `ends` with the length up to each. */
static void
honest(struct buf *b, size_t ends[FRAMES])
{
	uint8_t state[CHANNEL_STATE_LEN], body[10 * FRAMES] = {0};
	struct channel ch;

	channel_bytes(state);
	channel_import(&ch, state);
	for (uint8_t i = 0; i < FRAMES; i++) {
		if (channel_seal(&ch, i + 1, body, 10u * (i + 1), b) != 0)
			abort();
		ends[i] = b->len;
	}
}

/* As many messages as honest frames stand at the beginning. */
static void
check(unsigned messages, const uint8_t *data, size_t size)
{
	size_t ends[FRAMES];
	unsigned expected = 0;
	struct buf b;

	buf_init(&b, 4096);
	honest(&b, ends);
	while (expected < FRAMES && size >= ends[expected] &&
	        memcmp(data, b.data, ends[expected]) == 0)
		expected++;
	if (messages != expected)
		abort();
	buf_fini(&b);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ids_node node;
	uint8_t state[CHANNEL_STATE_LEN];
	struct node_id id = {{1}};
	struct end e = {0};
	bool open;
	int s[2];

	if (size == 0 || size > SIZE_LIMIT)
		return 0;
	open = *data++ % 2;
	size--;
	if (node.id.key == NULL)
		ids_member(&node, 1, 2);
	e.loop = loop_new();
	if (e.loop == NULL || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s) != 0)
		abort();
	if ((size_t)send(s[1], data, size, MSG_NOSIGNAL) != size || shutdown(s[1], SHUT_WR) != 0)
		abort();
	channel_bytes(state);
	if (!(open ? conn_adopt(e.loop, s[0], state, &id, &ops, &e)
	           : conn_accept(e.loop, &node.id, s[0], &ops, &e)) ||
	        loop_run(e.loop) != 0)
		abort();
	check(e.messages, data, open ? size : 0);
	close(s[1]);
	loop_free(e.loop);
	return 0;
}

size_t
fuzz_sample(unsigned i, uint8_t *out)
{
	static struct ids_node node;
	struct greeting g;
	size_t ends[FRAMES], len;
	struct buf b;

	if (i > 1)
		return 0;
	buf_init(&b, FUZZ_SAMPLE_MAX - 1);
	ids_member(&node, 1, 3);
	greet_init(&g, &node.id, true);
	if (i == 1)
		honest(&b, ends);
	else if (greet_begin(&g, &b) != 0)
		abort();
	else
		memset(b.data + WIRE_PREAMBLE_LEN + 2, 9,
		        32); /* any ephemeral key, but the same in each run */
	greet_fini(&g);
	if (i == 0) { /* a third message, of which only the shape is right */
		buf_put_u16(&b, 90);
		for (int k = 0; k < 90; k++)
			buf_put_u8(&b, (uint8_t)k);
	}
	out[0] = (uint8_t)i;
	len = b.len;
	memcpy(out + 1, b.data, len);
	buf_fini(&b);
	return 1 + len;
}
