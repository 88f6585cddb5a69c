#include "mesh/want.h"

#include "mesh/session.h"
#include "tests/unit/node_talk.h"

static struct rig client, one, two;
static struct digest d;

static void
open_all(void)
{
	rig_open(&client, "client");
	rig_open(&one, "one");
	rig_open(&two, "two");
	client.n.config.slots = 0; /* it lends nothing, so jobs go elsewhere */
	rig_init(&client);
	rig_enrol(&client, &one);
	rig_enrol(&client, &two);
	digest_of(&d, "toolchain", 9);
}

static void
close_all(void)
{
	rig_close(&two);
	rig_close(&one);
	rig_close(&client);
}

/* The client believes that this peer has the toolchain. */
static void
ready(struct rig *r)
{
	rig_unpacked(r, &d);
	UNTIL(rig_member(&client, r)->beacon.load.ntags == 1);
}

/* A want and what came of it. */
struct wish {
	struct want *want;
	unsigned busy, granted, local;
	bool cold;
	struct node_id node;
	char reason[64];
	uint64_t lease;
	bool second;
	int fd;
	uint8_t state[CHANNEL_STATE_LEN];
};

static void
on_granted(void *arg, const struct want_grant *g)
{
	struct wish *w = arg;
	assert_int_equal(g->lease_ms, WIRE_LEASE_MS);
	w->want = NULL;
	w->granted++;
	w->node = *g->node;
	w->fd = g->fd;
	w->lease = g->lease;
	w->second = g->second;
	memcpy(w->state, g->state, CHANNEL_STATE_LEN);
}

static void
on_busy(void *arg, bool cold)
{
	((struct wish *)arg)->busy++;
	((struct wish *)arg)->cold = cold;
}

static void
on_local(void *arg, const char *reason, const char *text)
{
	(void)text;
	struct wish *w = arg;
	w->want = NULL;
	w->local++;
	snprintf(w->reason, sizeof w->reason, "%s", reason);
}

static const struct want_ops ops = {on_granted, on_busy, on_local};

static void
wish(struct wish *w, const struct want_spec *spec)
{
	struct want_spec s = *spec;
	s.toolchain = d;
	s.job = 1;
	memset(w, 0, sizeof *w);
	w->fd = -1;
	struct want *want = want_new(client.n.wants, &s, &ops, w);
	if (!w->granted && !w->local)
		w->want = want;
}

static void
wish_any(struct wish *w)
{
	wish(w, &(struct want_spec){.uid = 1});
}

static void
grant(struct wish *w)
{
	UNTIL(w->granted || w->local);
	if (!w->granted)
		fail_msg("local instead: %s; the log: %s", w->reason, rig_log);
}

static bool
at(const struct wish *w, const struct rig *r)
{
	return node_id_cmp(&w->node, rig_id(r)) == 0;
}

static void
test_only_who_has_the_toolchain(void **state)
{
	(void)state;
	struct wish w;
	open_all();
	wish_any(&w);
	assert_int_equal(w.busy, 1); /* nobody yet, but they could */
	assert_true(w.cold);
	ready(&two);
	grant(&w);
	assert_true(at(&w, &two));
	close(w.fd);
	close_all();
}

static void
test_by_name_and_id(void **state)
{
	(void)state;
	struct wish w;
	struct want_spec s = {.uid = 1};
	char id[NODE_ID_TEXT_SIZE];
	open_all();
	ready(&one);
	ready(&two);
	snprintf(s.peer, sizeof s.peer, "two");
	wish(&w, &s);
	grant(&w);
	assert_true(at(&w, &two));
	close(w.fd);
	node_id_text(rig_id(&one), id);
	snprintf(s.peer, sizeof s.peer, "%.8s", id);
	wish(&w, &s);
	grant(&w);
	assert_true(at(&w, &one));
	close(w.fd);
	snprintf(s.peer, sizeof s.peer, "three");
	wish(&w, &s);
	assert_int_equal(w.local, 1);
	assert_string_equal(w.reason, "no-compatible-peer");
	close_all();
}

/* A peer that says NACK is followed by the next. */
static void
test_nack(void **state)
{
	(void)state;
	struct wish w;
	open_all();
	ready(&one);
	ready(&two);
	two.n.helper->level = 0; /* NACK_SANDBOX */
	for (int i = 0; i < 3; i++) {
		wish_any(&w);
		grant(&w);
		assert_true(at(&w, &one));
		close(w.fd);
		want_ended(client.n.wants, w.lease);
	}
	close_all();
}

/* Peers that the wish excludes are not asked. */
static void
test_avoid(void **state)
{
	(void)state;
	struct wish w;
	struct want_spec s = {.uid = 1, .navoid = 1};
	open_all();
	ready(&one);
	ready(&two);
	s.avoid[0] = *rig_id(&one);
	wish(&w, &s);
	grant(&w);
	assert_true(at(&w, &two));
	close(w.fd);
	s.navoid = 2;
	s.avoid[1] = *rig_id(&two);
	wish(&w, &s);
	assert_int_equal(w.local, 1);
	close_all();
}

/* All full: BUSY, and a slot that comes free is granted. */
static void
test_busy_then_granted(void **state)
{
	(void)state;
	struct wish w[5];
	open_all();
	ready(&one);
	ready(&two);
	for (int i = 0; i < 4; i++) { /* a slot and one ahead at each */
		wish_any(&w[i]);
		grant(&w[i]);
	}
	wish_any(&w[4]);
	UNTIL(w[4].busy);
	assert_int_equal(w[4].granted, 0);
	close(w[2].fd);
	grant(&w[4]);
	assert_int_equal(w[4].busy, 1);
	assert_false(w[4].cold);
	assert_int_equal(node_id_cmp(&w[4].node, &w[2].node), 0);
	for (int i = 0; i < 5; i++)
		if (i != 2)
			close(w[i].fd);
	close_all();
}

/* A returned channel serves the same user's next want, and nobody else's. */
static void
test_idle_channels(void **state)
{
	(void)state;
	struct wish w;
	struct want_spec s = {.uid = 1}, other = {.uid = 2};
	struct talk t = {0};
	struct buf b;
	open_all();
	ready(&one);
	wish(&w, &s);
	grant(&w);
	uint64_t inode = conn_inode(w.fd);
	/* the wrapper ends the job, then gives the channel back */
	buf_init(&t.body, CHANNEL_MESSAGE_MAX);
	t.conn = conn_adopt(rig_loop, w.fd, w.state, &w.node, &talk_ops, &t);
	buf_init(&b, 16);
	talk_send(&t, WIRE_CANCEL, NULL);
	assert_int_equal(talk_error(&t), WERR_CANCELLED);
	assert_int_equal(conn_export(t.conn, w.state, &w.fd), 0);
	t.conn = NULL;
	want_ended(client.n.wants, w.lease);
	want_return(client.n.wants, 1, &w.node, w.fd, w.state);
	wish(&w, &other);
	grant(&w);
	assert_int_not_equal(conn_inode(w.fd), inode);
	close(w.fd);
	UNTIL(serve_running(one.n.serve) == 0);
	wish(&w, &s);
	grant(&w);
	assert_int_equal(conn_inode(w.fd), inode);
	close(w.fd);
	buf_fini(&b);
	talk_end(&t);
	close_all();
}

static void
test_dead_peer(void **state)
{
	(void)state;
	struct wish w;
	open_all();
	ready(&one);
	ready(&two);
	/* two listens no more, but the client has not noticed */
	watch_free(two.accepting);
	two.accepting = NULL;
	close(two.listener);
	two.listener = open("/dev/null", O_RDONLY);
	for (int i = 0; i < 2; i++) {
		wish_any(&w);
		grant(&w);
		assert_true(at(&w, &one));
		close(w.fd);
		want_ended(client.n.wants, w.lease);
	}
	close_all();
}

/* A job that would end late gets a slot for a second copy, told as such; its want lasts until both are over. */
static void
test_second_copy(void **state)
{
	(void)state;
	struct wish w;
	struct want_spec s = {.uid = 1, .predicted_ms = 60000};
	open_all();
	ready(&one);
	wish(&w, &s);
	grant(&w);
	uint64_t first = w.lease;
	int fd = w.fd;
	assert_false(w.second);
	((struct view *)wants_view(client.n.wants, rig_id(&one)))->speed = 100;
	ready(&two);
	w.granted = 0;
	grant(&w);
	assert_true(w.second);
	assert_true(at(&w, &two));
	assert_int_not_equal(w.lease, first);
	want_ended(client.n.wants, first);
	want_ended(client.n.wants, first);
	want_ended(client.n.wants, w.lease);
	close(fd);
	close(w.fd);
	UNTIL(serve_running(one.n.serve) == 0 && serve_running(two.n.serve) == 0);
	close_all();
}

/* Two users' wants in one queue: what is withdrawn leaves it, and its channel serves the next one. */
static void
test_queue_is_left(void **state)
{
	(void)state;
	struct wish w[4];
	struct wire_load load;
	open_all();
	ready(&one);
	for (int i = 0; i < 2; i++) {
		wish_any(&w[i]);
		grant(&w[i]);
	}
	for (int i = 2; i < 4; i++)
		wish_any(&w[i]);
	UNTIL((serve_wire_load(one.n.serve, &load), load.queued == 2));
	want_cancel(w[3].want);
	UNTIL((serve_wire_load(one.n.serve, &load), load.queued == 1));
	close(w[0].fd);
	want_ended(client.n.wants, w[0].lease);
	grant(&w[2]);
	assert_int_equal(w[3].granted + w[3].local, 0);
	close(w[1].fd);
	close(w[2].fd);
	close_all();
}

static void
test_cancel_and_reset(void **state)
{
	(void)state;
	struct wish w, v;
	open_all();
	ready(&one);
	unsigned before = rig_open_fds();
	wish_any(&w);
	assert_non_null(w.want);
	assert_int_equal(wants_view(client.n.wants, rig_id(&one))->asking, 1);
	want_cancel(w.want);
	assert_int_equal(wants_view(client.n.wants, rig_id(&one))->asking, 0);
	want_cancel(NULL);
	wish_any(&v);
	wants_reset(client.n.wants);
	assert_int_equal(v.local, 1);
	assert_string_equal(v.reason, "no-mesh");
	assert_int_equal(w.granted + w.local, 0);
	UNTIL(rig_open_fds() == before);
	close_all();
}

/* A peer that accepts and says nothing costs a deadline, no more. */
static void
test_silent_peer(void **state)
{
	(void)state;
	struct wish w;
	open_all();
	ready(&two);
	ready(&one);
	watch_set(two.accepting, 0);
	for (int i = 0; i < 4; i++) {
		wish_any(&w);
		grant(&w);
		assert_true(at(&w, &one));
		close(w.fd);
		want_ended(client.n.wants, w.lease);
	}
	close_all();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_only_who_has_the_toolchain, rig_teardown),
	        cmocka_unit_test_teardown(test_by_name_and_id, rig_teardown),
	        cmocka_unit_test_teardown(test_nack, rig_teardown),
	        cmocka_unit_test_teardown(test_avoid, rig_teardown),
	        cmocka_unit_test_teardown(test_busy_then_granted, rig_teardown),
	        cmocka_unit_test_teardown(test_idle_channels, rig_teardown),
	        cmocka_unit_test_teardown(test_dead_peer, rig_teardown),
	        cmocka_unit_test_teardown(test_cancel_and_reset, rig_teardown),
	        cmocka_unit_test_teardown(test_silent_peer, rig_teardown),
	        cmocka_unit_test_teardown(test_second_copy, rig_teardown),
	        cmocka_unit_test_teardown(test_queue_is_left, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
