/* Connections: two ends in one loop, on a loopback socket, with bytes altered or cut off on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/tcp.h>
#include "mesh/conn.h"
#include "tests/unit/conn_rig.h"

#define TAKEN "certificate is not signed by this mesh's root"

static int
set_up(void **state)
{
	struct rig *r = malloc(sizeof *r);

	if (!r)
		return -1;
	alarm(100); /* should a call block, against its promise */
	rig_init(r);
	*state = r;
	return 0;
}

static int
tear_down(void **state)
{
	rig_fini(*state);
	free(*state);
	return 0;
}

static void
open_both(struct rig *r)
{
	rig_connect(r);
	rig_until(r, r->client.ready && r->server.ready);
}

static void
fails(struct rig *r, struct rig_end *e, int err, const char *word)
{
	rig_until(r, e->closed);
	assert_int_equal(e->err, err);
	assert_non_null(strstr(e->why, word));
	assert_int_equal(e->closed, 1);
}

static void
test_messages_both_ways(void **state)
{
	struct rig *r = *state;
	struct buf b;

	open_both(r);
	assert_string_equal(conn_cert(r->client.c)->name, "node3");
	assert_string_equal(conn_cert(r->server.c)->name, "node2");
	assert_memory_equal(
	        conn_node(r->client.c), &conn_cert(r->client.c)->node, sizeof(struct node_id));
	assert_memory_equal(conn_hash(r->client.c), conn_hash(r->server.c), NOISE_HASH_LEN);
	assert_non_null(strstr(conn_name(r->client.c), "node3 (127.0.0.1:"));
	assert_int_equal(conn_send(r->client.c, 7, "hello", 5), 0);
	assert_int_equal(conn_send(r->client.c, 8, NULL, 0), 0);
	rig_until(r, r->server.messages == 2);
	assert_int_equal(r->server.type, 8);
	assert_int_equal(r->server.len, 0);
	assert_memory_equal(r->server.body, "hello", 5);
	buf_init(&b, 3);
	buf_put(&b, "abc", 3);
	assert_int_equal(conn_send_buf(r->server.c, 9, &b), 0);
	buf_put(&b, "d", 1);
	assert_int_equal(conn_send_buf(r->server.c, 9, &b), IM_ERR_LIMIT);
	rig_until(r, r->client.messages == 1);
	assert_memory_equal(r->client.body, "abc", 3);
	assert_int_equal(conn_waiting(r->client.c), 0);
	buf_fini(&b);
	conn_free(r->client.c);
	r->client.c = NULL;
	fails(r, &r->server, IM_ERR_CLOSED, "closed by the peer");
}

static void
test_largest_message(void **state)
{
	struct rig *r = *state;
	uint8_t *big = calloc(1, CHANNEL_MESSAGE_MAX);

	big[CHANNEL_MESSAGE_MAX - 2] = 'z';
	rig_connect(r);
	assert_int_equal(conn_send(r->client.c, 1, big, 1), IM_ERR_CLOSED); /* not open yet */
	rig_until(r, r->client.ready && r->server.ready);
	assert_int_equal(conn_send(r->client.c, 1, big, CHANNEL_MESSAGE_MAX), IM_ERR_LIMIT);
	assert_int_equal(conn_send(r->client.c, 1, big, CHANNEL_MESSAGE_MAX - 1), 0);
	rig_until(r, r->server.messages == 1);
	assert_int_equal(r->server.len, CHANNEL_MESSAGE_MAX - 1);
	assert_int_equal(r->server.body[CHANNEL_MESSAGE_MAX - 2], 'z');
	free(big);
}

static void
test_other_root(void **state)
{
	struct rig *r = *state;

	ids_certify(&r->a, 4, 2);
	rig_connect(r);
	fails(r, &r->server, IM_ERR_OTHER_MESH, TAKEN);
	fails(r, &r->client, IM_ERR_REFUSED, "does not accept this node's certificate");
	assert_int_equal(r->server.ready + r->client.ready, 0);
}

static void
test_other_mesh(void **state)
{
	struct rig *r = *state;

	ids_member(&r->a, 4, 2);
	rig_connect(r);
	fails(r, &r->server, IM_ERR_OTHER_MESH, "another mesh");
	fails(r, &r->client, IM_ERR_REFUSED, "another mesh");
	assert_int_equal(r->server.ready + r->client.ready, 0);
}

static void
test_stranger_and_spare(void **state)
{
	struct rig *r = *state;
	static const struct node_id zero;

	ids_spare(&r->a, 1, 2);
	memset(&r->a.id.mesh, 0, sizeof r->a.id.mesh);
	open_both(r);
	assert_true(conn_stranger(r->server.c));
	assert_true(conn_stranger(r->client.c));
	assert_null(conn_cert(r->server.c));
	assert_memory_equal(conn_node(r->server.c), &zero, sizeof zero);
	rig_fini(r);
	rig_init(r);
	ids_spare(&r->a, 1, 2);
	open_both(r);
	assert_false(conn_stranger(r->server.c));
	assert_null(conn_cert(r->server.c));
	assert_non_null(conn_cert(r->client.c));
}

/* Where the first frame from the client begins. */
static size_t
first_frame(struct rig *r)
{
	open_both(r);
	return r->up.passed;
}

static void
test_altered_frame(void **state)
{
	struct rig *r = *state;
	size_t frame = first_frame(r), len = 4 + 1 + 5 + CHANNEL_OVERHEAD;

	for (size_t i = 4; i <= len; i++) {
		rig_fini(r);
		rig_init(r);
		open_both(r);
		assert_int_equal(r->up.passed, frame);
		r->up.flip = frame + i;
		assert_int_equal(conn_send(r->client.c, 7, "hello", 5), 0);
		assert_int_equal(conn_send(r->client.c, 7, "again", 5), 0);
		if (i < len)
			fails(r, &r->server, IM_ERR_SIGNATURE, "altered");
		else /* that one is in the next frame's length */
			fails(r, &r->server, IM_ERR_LIMIT, "length");
		assert_int_equal(r->server.messages, i < len ? 0 : 1);
	}
}

static void
test_frame_too_long(void **state)
{
	struct rig *r = *state;

	r->up.flip = first_frame(r);
	assert_int_equal(conn_send(r->client.c, 7, "hello", 5), 0);
	fails(r, &r->server, IM_ERR_LIMIT, "frame length");
	rig_fini(r);
	rig_init(r);
	r->down.flip =
	        (open_both(r), r->down.passed + 3); /* 18 becomes 16: shorter than any message */
	r->down.mask = 2;
	assert_int_equal(conn_send(r->server.c, 7, "", 0), 0);
	fails(r, &r->client, IM_ERR_LIMIT, "frame length");
}

static void
test_truncated_frame(void **state)
{
	struct rig *r = *state;
	size_t frame = first_frame(r), len = 4 + 1 + 5 + CHANNEL_OVERHEAD;

	for (size_t i = 0; i < len; i++) {
		rig_fini(r);
		rig_init(r);
		open_both(r);
		r->up.cut = frame + i;
		assert_int_equal(conn_send(r->client.c, 7, "hello", 5), 0);
		if (i == 0)
			fails(r, &r->server, IM_ERR_CLOSED, "closed");
		else
			fails(r, &r->server, IM_ERR_TRUNCATED, "truncated");
		assert_int_equal(r->server.messages, 0);
	}
}

static void
test_altered_handshake(void **state)
{
	struct rig *r = *state;

	r->up.flip =
	        WIRE_PREAMBLE_LEN + 2 + 5; /* the client's ephemeral key: its side sees it first */
	rig_connect(r);
	fails(r, &r->client, IM_ERR_SIGNATURE, "does not verify");
	fails(r, &r->server, IM_ERR_CLOSED, "during the handshake");
	rig_fini(r);
	rig_init(r);
	r->up.cut = WIRE_PREAMBLE_LEN + 7;
	rig_connect(r);
	fails(r, &r->server, IM_ERR_TRUNCATED, "handshake");
}

static void
test_deadline(void **state)
{
	struct rig *r = *state;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->b.id.handshake_ms = 20;
	r->server.c = conn_accept(r->loop, &r->b.id, pair[0], &rig_ops, &r->server);
	assert_int_equal(write(pair[1], "IMX", 3), 3); /* and then nothing */
	fails(r, &r->server, IM_ERR_TIMEOUT, "handshake took too long");
	close(pair[1]);
	/* an open channel has no deadline */
	r->server.closed = 0;
	r->a.id.handshake_ms = 500;
	r->b.id.handshake_ms = 500;
	open_both(r);
	timer_set(r->late, 700);
	while (!r->is_late)
		assert_int_equal(loop_run(r->loop), 0);
	r->is_late = false;
	assert_int_equal(r->client.closed + r->server.closed, 0);
}

static void
test_nobody_there(void **state)
{
	struct rig *r = *state;
	struct endpoint nowhere = {0}, closed = r->at;

	assert_null(conn_connect(r->loop, &r->a.id, &nowhere, &rig_ops, &r->client));
	close(r->listener);
	r->client.c = conn_connect(r->loop, &r->a.id, &closed, &rig_ops, &r->client);
	if (r->client.c) /* else the kernel said so at once */
		fails(r, &r->client, IM_ERR_CLOSED, "refused");
	r->listener = dup(0);
}

static void
export_now(struct rig_end *e)
{
	e->result = conn_export(e->c, e->state, &e->fd);
	if (e->result == 0)
		e->c = NULL;
}

static void
adopt(struct rig *r, struct rig_end *e)
{
	struct node_id node = {{0xab}};

	e->c = conn_adopt(r->loop, e->fd, e->state, &node, &rig_ops, e);
	assert_non_null(e->c);
	assert_memory_equal(conn_node(e->c), &node, sizeof node);
	assert_non_null(strstr(conn_name(e->c), "ab00"));
	assert_null(conn_cert(e->c));
}

static void
test_export_and_adopt(void **state)
{
	struct rig *r = *state;
	uint64_t inode;
	unsigned vanished_ms;
	socklen_t len = sizeof vanished_ms;

	rig_connect(r);
	assert_int_equal(conn_export(r->client.c, r->client.state, &r->client.fd), IM_ERR_REFUSED);
	rig_until(r, r->client.ready && r->server.ready);
	assert_int_equal(conn_send(r->client.c, 1, "before", 6), 0);
	assert_int_equal(conn_export(r->client.c, r->client.state, &r->client.fd), IM_ERR_REFUSED);
	rig_until(r, r->server.messages == 1);
	rig_until(r, conn_waiting(r->client.c) == 0);
	export_now(&r->client);
	assert_int_equal(r->client.result, 0);
	inode = conn_inode(r->client.fd);
	vanished_ms = 0;
	assert_int_equal(
	        getsockopt(r->client.fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished_ms, &len), 0);
	assert_int_equal(vanished_ms,
	        2 * WIRE_SILENCE_MS); /* a machine that is gone is noticed by what it does not answer */
	assert_true(inode != 0);
	adopt(r, &r->client);
	assert_int_equal(conn_send(r->client.c, 2, "after", 5), 0);
	rig_until(r, r->server.messages == 2);
	assert_memory_equal(r->server.body, "after", 5);
	/* out of a message's callback, and in again */
	r->client.on_message = export_now;
	r->client.result = 1;
	assert_int_equal(conn_send(r->server.c, 3, "take", 4), 0);
	rig_until(r, r->client.messages == 1);
	assert_int_equal(r->client.result, 0);
	assert_true(conn_inode(r->client.fd) == inode);
	r->client.on_message = NULL;
	adopt(r, &r->client);
	assert_int_equal(conn_send(r->client.c, 4, "home", 4), 0);
	rig_until(r, r->server.messages == 3);
	assert_int_equal(conn_send(r->server.c, 5, "fine", 4), 0);
	rig_until(r, r->client.messages == 2);
	assert_int_equal(conn_inode(0) == inode, 0);
	assert_int_equal(conn_inode(-1), 0);
}

/* Never the messages behind the one of the callback: these would be lost. */
static void
test_export_with_more_behind(void **state)
{
	struct rig *r = *state;

	open_both(r);
	rig_until(r, conn_waiting(r->client.c) == 0);
	r->client.on_message = export_now;
	r->down.passed = 0;
	conn_read(r->client.c, false);
	assert_int_equal(conn_send(r->server.c, 1, "one", 3), 0);
	assert_int_equal(conn_send(r->server.c, 2, "two", 3), 0);
	/* both have to lie in the client's socket before it looks */
	rig_until(r, r->down.passed == 2 * (4 + 1 + 3 + CHANNEL_OVERHEAD));
	conn_read(r->client.c, true);
	rig_until(r, r->client.messages == 2);
	assert_int_equal(r->client.result, 0); /* the second time */
	assert_null(r->client.c);
	close(r->client.fd);
}

static void
send_quickly(struct rig_end *e)
{
	e->result = conn_send(e->c, 1, "quick", 5);
}

/* A message that came together with the end of the handshake is behind `ready`. */
static void
test_export_in_ready(void **state)
{
	struct rig *r = *state;

	r->server.on_ready = send_quickly;
	r->client.on_ready = export_now;
	rig_connect(r);
	rig_until(r, r->client.ready);
	assert_int_equal(r->client.result, IM_ERR_REFUSED);
	rig_until(r, r->client.messages == 1);
	assert_memory_equal(r->client.body, "quick", 5);
}

static void
read_again(struct rig_end *e)
{
	if (!e->result)
		e->result = 1;
	conn_read(e->c, true);
}

static void
read_one(struct rig_end *e)
{
	conn_read(e->c, false);
	if (e->messages == 2 && !e->result)
		e->result = -1; /* it came although reading was off */
	if (e->messages == 1)
		assert_int_equal(conn_send(e->c, 9, "got it", 6), 0);
}

static void
test_back_pressure(void **state)
{
	struct rig *r = *state;
	static uint8_t block[64 * 1024];
	unsigned sent = 0, drained;
	int err = 0;

	open_both(r);
	conn_read(r->server.c, false);
	while ((err = conn_send(r->client.c, 1, block, sizeof block)) == 0)
		sent++;
	assert_int_equal(err, IM_ERR_LIMIT);
	assert_true(conn_waiting(r->client.c) > CONN_OUT_MAX);
	assert_true(conn_waiting(r->client.c) <= CONN_OUT_MAX + 4 + CHANNEL_FRAME_MAX);
	drained = r->client.drained;
	conn_read(r->server.c, true);
	rig_until(r, r->server.messages == sent);
	assert_int_equal(r->server.total, sent * sizeof block);
	rig_until(r, r->client.drained > drained);
	assert_int_equal(conn_waiting(r->client.c), 0);
	assert_int_equal(
	        conn_send(r->client.c, 2, "on", 2), 0); /* the refused one has broken nothing */
	rig_until(r, r->server.messages == sent + 1);
	assert_int_equal(r->server.len, 2);
}

/* The largest message still fits when exactly CONN_OUT_MAX bytes wait. */
static void
test_back_pressure_at_the_edge(void **state)
{
	struct rig *r = *state;
	uint8_t *block = calloc(1, CHANNEL_MESSAGE_MAX);
	size_t overhead = 4 + 1 + CHANNEL_OVERHEAD, left;

	open_both(r);
	while ((left = CONN_OUT_MAX - conn_waiting(r->client.c)) > 0) {
		left = left < 100000 ? left : left < 200000 ? left / 2 : 100000;
		assert_int_equal(conn_send(r->client.c, 1, block, left - overhead), 0);
	}
	assert_int_equal(conn_send(r->client.c, 1, block, CHANNEL_MESSAGE_MAX - 1), 0);
	assert_int_equal(conn_send(r->client.c, 1, block, 1), IM_ERR_LIMIT);
	free(block);
}

/* Reading is turned on in `drained`, with a whole message in the buffer: it comes although the peer says nothing more. */
static void
test_read_on_in_a_callback(void **state)
{
	struct rig *r = *state;

	open_both(r);
	rig_until(r, conn_waiting(r->client.c) == 0);
	r->client.on_message = read_one;
	conn_read(r->client.c, false);
	r->down.passed = 0;
	assert_int_equal(conn_send(r->server.c, 1, "one", 3), 0);
	assert_int_equal(conn_send(r->server.c, 2, "two", 3), 0);
	rig_until(r, r->down.passed == 2 * (4 + 1 + 3 + CHANNEL_OVERHEAD));
	r->client.on_drained = read_again;
	conn_read(r->client.c, true);
	rig_until(r, r->client.messages == 2);
	assert_int_equal(r->client.type, 2);
	assert_int_equal(r->client.result, 1);
}

/* A wrapper shares the socket that it gave back, and may have made it blocking: the daemon does not wait for it. */
static void
test_blocking_socket(void **state)
{
	struct rig *r = *state;
	static uint8_t block[64 * 1024];
	struct node_id node = {{1}};
	int pair[2];

	open_both(r);
	rig_until(r, conn_waiting(r->client.c) == 0);
	export_now(&r->client);
	assert_int_equal(r->client.result, 0);
	close(r->client.fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	r->client.c = conn_adopt(r->loop, pair[0], r->client.state, &node, &rig_ops, &r->client);
	for (int i = 0; i < 32; i++)
		assert_int_equal(conn_send(r->client.c, 1, block, sizeof block), 0);
	timer_set(r->late, 50);
	while (!r->is_late)
		assert_int_equal(loop_run(r->loop), 0);
	assert_true(conn_waiting(r->client.c) > 0);
	close(pair[1]);
}

static void
free_now(struct rig_end *e)
{
	conn_free(e->c);
	e->c = NULL;
}

static void
test_free_in_callbacks(void **state)
{
	struct rig *r = *state;

	r->server.on_ready = free_now;
	rig_connect(r);
	rig_until(r, r->client.closed);
	assert_int_equal(r->server.ready, 1);
	assert_int_equal(r->server.closed, 0);
	rig_fini(r);
	rig_init(r);
	r->server.on_message = free_now;
	open_both(r);
	assert_int_equal(conn_send(r->client.c, 1, "one", 3), 0);
	assert_int_equal(conn_send(r->client.c, 2, "two", 3), 0);
	rig_until(r, r->client.closed);
	assert_int_equal(r->server.messages, 1);
	conn_free(NULL);
}

static void
test_hand(void **state)
{
	struct rig *r = *state;
	struct rig_end *other = calloc(1, sizeof *other);

	open_both(r);
	other->loop = r->loop;
	conn_hand(r->server.c, &rig_ops, other);
	assert_int_equal(conn_send(r->client.c, 1, "one", 3), 0);
	rig_until(r, other->messages == 1);
	assert_int_equal(r->server.messages, 0);
	conn_hand(r->server.c, &rig_ops, &r->server);
	free(other);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_messages_both_ways),
	        T(test_largest_message),
	        T(test_other_root),
	        T(test_other_mesh),
	        T(test_stranger_and_spare),
	        T(test_altered_frame),
	        T(test_frame_too_long),
	        T(test_truncated_frame),
	        T(test_altered_handshake),
	        T(test_deadline),
	        T(test_nobody_there),
	        T(test_export_and_adopt),
	        T(test_export_with_more_behind),
	        T(test_export_in_ready),
	        T(test_back_pressure),
	        T(test_back_pressure_at_the_edge),
	        T(test_read_on_in_a_callback),
	        T(test_blocking_socket),
	        T(test_free_in_callbacks),
	        T(test_hand),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
