#include "mesh/compile.h"

#include "mesh/account.h"
#include "tests/unit/node_talk.h"

static struct rig a, b;

static void
open_pair(void)
{
	rig_open(&a, "a");
	rig_open(&b, "b");
	rig_init(&a);
	rig_enrol(&a, &b);
}

static void
close_pair(void)
{
	rig_close(&b);
	rig_close(&a);
}

/* IMPORT of these bytes for the compiler; the answer's type. */
static uint8_t
import(struct ctl *c, const char *path, const char *bytes)
{
	struct buf m;
	int fd = files_memory("tarball", bytes, strlen(bytes));
	buf_init(&m, 8192);
	pack_map(&m, 2);
	pack_ktext(&m, 1, path);
	pack_kbytes(&m, 2, "witness", 7);
	ctl_send(c, CONTROL_IMPORT, &m, fd);
	buf_fini(&m);
	close(fd);
	return ctl_wait(c);
}

static void
report(struct ctl *c, unsigned verdict, const struct node_id *node, unsigned outcome)
{
	struct buf m;
	buf_init(&m, 1024);
	pack_map(&m, node ? 4 : 3);
	pack_kuint(&m, 1, verdict);
	pack_ktext(&m, 2, "linking");
	if (node)
		pack_kbytes(&m, 3, node->bytes, NODE_ID_LEN);
	pack_kuint(&m, 4, outcome);
	ctl_send(c, CONTROL_REPORT, &m, -1);
	buf_fini(&m);
}

/* Of a compile with two copies: one was lost, or the result of one counts. */
static void
report_hedged(struct ctl *c, const struct node_id *node, unsigned outcome)
{
	struct account said = {.outcome = (enum outcome)outcome, .node = node, .hedged = true};
	struct buf m;

	buf_init(&m, ACCOUNT_LEN_MAX);
	account_encode(&said, &m);
	ctl_send(c, CONTROL_REPORT, &m, -1);
	buf_fini(&m);
}

/* The inode of the include graph that came with the answer; 0 without. */
static ino_t
graph_in(const struct ctl *c)
{
	struct stat st;
	if (c->got < 0)
		return 0;
	assert_int_equal(fstat(c->got, &st), 0);
	assert_int_equal(st.st_size, GRAPHS_SIZE);
	return st.st_ino;
}

/* The include graph that a new connection of this user is given. */
static ino_t
graph_now(struct rig *r, const char *compiler)
{
	struct ctl c;
	ctl_open(&c, r);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, compiler), CONTROL_TOOLCHAIN);
	ino_t inode = graph_in(&c);
	ctl_close(&c);
	return inode;
}

/* --- compilers --- */

static void
test_nothing_to_submit_to(void **state)
{
	(void)state;
	struct ctl c;
	rig_open(&a, "a");
	ctl_open(&c, &a);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_LOCAL);
	assert_string_equal(ctl_text(&c, 1), "no-mesh");
	rig_init(&a);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_LOCAL);
	assert_string_equal(ctl_text(&c, 1), "no-compatible-peer");
	ctl_close(&c);
	rig_close(&a);
}

static void
test_packed_once(void **state)
{
	(void)state;
	struct ctl c, d;
	struct digest got, want;
	open_pair();
	ctl_open(&c, &b);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	assert_int_equal(import(&c, "/usr/bin/cc", "tarball"), CONTROL_TOOLCHAIN);
	digest_of(&want, "tarball", 7);
	assert_int_equal(item_fixed(ctl_root(&c), 1, got.bytes, DIGEST_LEN), 0);
	assert_true(digest_equal(&got, &want));
	ctl_open(&d, &b);
	assert_int_equal(ctl_ask_text(&d, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_TOOLCHAIN);
	assert_int_equal(item_fixed(ctl_root(&d), 1, got.bytes, DIGEST_LEN), 0);
	assert_true(digest_equal(&got, &want));
	assert_int_equal(
	        ctl_ask_text(&d, CONTROL_PACKING, "/usr/bin/cc"), CONTROL_PACK); /* it changed */
	ctl_close(&d);
	ctl_close(&c);
	close_pair();
}

/* One packs, the others of the same user wait for it. */
static void
test_others_wait(void **state)
{
	(void)state;
	struct ctl c[3];
	open_pair();
	for (int i = 0; i < 3; i++)
		ctl_open(&c[i], &b);
	assert_int_equal(ctl_ask_text(&c[0], CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	struct buf m;
	buf_init(&m, 256);
	pack_map(&m, 1);
	pack_ktext(&m, 1, "/usr/bin/cc");
	for (int i = 1; i < 3; i++)
		ctl_send(&c[i], CONTROL_COMPILER, &m, -1);
	buf_fini(&m);
	for (int i = 0; i < 5; i++)
		rig_spin();
	assert_false(ctl_poll(&c[1]) || ctl_poll(&c[2]));
	/* the packer dies: one of the waiting goes on, the other waits for that one */
	ctl_close(&c[0]);
	UNTIL(ctl_poll(&c[1]) || ctl_poll(&c[2]));
	struct ctl *packer = c[1].type ? &c[1] : &c[2], *other = c[1].type ? &c[2] : &c[1];
	assert_int_equal(packer->type, CONTROL_PACK);
	assert_false(ctl_poll(other));
	assert_int_equal(import(packer, "/usr/bin/cc", "tarball"), CONTROL_TOOLCHAIN);
	assert_int_equal(ctl_wait(other), CONTROL_TOOLCHAIN);
	ctl_close(&c[1]);
	ctl_close(&c[2]);
	close_pair();
}

/* A second death, or a packer that compiles here after all: the compiler cannot be packed. */
static void
test_cannot_be_packed(void **state)
{
	(void)state;
	struct ctl c;
	open_pair();
	for (int i = 0; i < 2; i++) {
		ctl_open(&c, &b);
		assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
		ctl_close(&c);
		UNTIL(b.n.clients->count == 0);
	}
	ctl_open(&c, &b);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_LOCAL);
	assert_string_equal(ctl_text(&c, 1), "toolchain");
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/gcc"), CONTROL_PACK);
	report(&c, 1, NULL, 0);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/gcc"), CONTROL_LOCAL);
	/* a tarball that cannot be taken */
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/clang"), CONTROL_PACK);
	int pair[2];
	struct buf m;
	assert_int_equal(pipe(pair), 0);
	buf_init(&m, 256);
	pack_map(&m, 2);
	pack_ktext(&m, 1, "/usr/bin/clang");
	pack_kbytes(&m, 2, "w", 1);
	ctl_send(&c, CONTROL_IMPORT, &m, pair[0]);
	assert_int_equal(ctl_wait(&c), CONTROL_ERROR);
	close(pair[0]);
	close(pair[1]);
	buf_fini(&m);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/clang"), CONTROL_LOCAL);
	ctl_close(&c);
	close_pair();
}

/* Two users do not share compilers.  Only root can be two users. */
static void
test_users_apart(void **state)
{
	(void)state;
	struct ctl c, d;
	if (geteuid() != 0)
		skip();
	open_pair();
	ctl_open(&c, &b);
	assert_int_equal(seteuid(65534), 0);
	ctl_open(&d, &b);
	assert_int_equal(seteuid(0), 0);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	assert_int_equal(ctl_ask_text(&d, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	assert_int_equal(import(&c, "/usr/bin/cc", "root's"), CONTROL_TOOLCHAIN);
	ino_t graph = graph_in(&c);
	assert_int_equal(ctl_ask_text(&d, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	assert_int_equal(import(&d, "/usr/bin/cc", "another's"), CONTROL_TOOLCHAIN);
	assert_true(graph != 0 && graph_in(&d) != 0 && graph_in(&d) != graph);
	ctl_close(&d);
	ctl_close(&c);
	close_pair();
}

static void
test_graph_comes_along(void **state)
{
	(void)state;
	struct ctl c;
	open_pair();
	ctl_open(&c, &b);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	assert_int_equal(c.got, -1);
	assert_int_equal(import(&c, "/usr/bin/cc", "tarball"), CONTROL_TOOLCHAIN);
	ino_t graph = graph_in(&c);
	assert_true(graph != 0);
	assert_true(graph_now(&b, "/usr/bin/cc") == graph);
	/* once for each connection, or one that does not read would collect them without end */
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_TOOLCHAIN);
	assert_int_equal(c.got, -1);
	/* of no use: there is another one, as soon as the first is not that young any more */
	UNTIL((ctl_send(&c, CONTROL_GRAPH, NULL, -1), graph_now(&b, "/usr/bin/cc") != graph));
	assert_true(graph_now(&b, "/usr/bin/cc") != 0);
	ctl_close(&c);
	close_pair();
}

/* While its tarball is copied, a client may not turn to another compiler: the copy would count for that one. */
static void
test_no_switch_during_import(void **state)
{
	(void)state;
	struct ctl c;
	struct buf m;
	char *big = malloc(16 << 20);
	open_pair();
	memset(big, 1, 16 << 20);
	int fd = files_memory("tarball", big, 16 << 20);
	free(big);
	ctl_open(&c, &b);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/cc"), CONTROL_PACK);
	buf_init(&m, 256);
	pack_map(&m, 2);
	pack_ktext(&m, 1, "/usr/bin/cc");
	pack_kbytes(&m, 2, "w", 1);
	ctl_send(&c, CONTROL_IMPORT, &m, fd);
	assert_int_equal(ctl_ask_text(&c, CONTROL_COMPILER, "/usr/bin/other"), CONTROL_ERROR);
	UNTIL(b.n.clients->count == 0);
	assert_null(store_compiler(b.n.store, getuid(), "/usr/bin/other"));
	assert_int_equal(rig_files(&b, "tmp"), 0);
	close(fd);
	buf_fini(&m);
	ctl_close(&c);
	close_pair();
}

/* --- leases --- */

struct held {
	uint8_t state[CHANNEL_STATE_LEN];
	struct node_id node;
	int fd;
};

/* What stands in a GRANT. */
static void
hold(struct ctl *c, struct held *h)
{
	assert_int_equal(c->type, CONTROL_GRANT);
	assert_int_equal(item_fixed(ctl_root(c), 1, h->state, sizeof h->state), 0);
	assert_int_equal(item_fixed(ctl_root(c), 2, h->node.bytes, NODE_ID_LEN), 0);
	h->fd = c->got;
	c->got = -1;
	assert_true(h->fd >= 0);
}

static uint8_t
want_for(struct ctl *c, const struct digest *d, uint32_t predicted_ms)
{
	struct buf m;
	buf_init(&m, 256);
	pack_map(&m, predicted_ms ? 3 : 2);
	pack_kbytes(&m, 1, d->bytes, DIGEST_LEN);
	pack_kuint(&m, 2, 1);
	if (predicted_ms)
		pack_kuint(&m, 5, predicted_ms);
	ctl_send(c, CONTROL_WANT, &m, -1);
	buf_fini(&m);
	return ctl_wait(c);
}

static uint8_t
want(struct ctl *c, const struct digest *d)
{
	return want_for(c, d, 0);
}

static void
give_back(struct ctl *c, const struct held *h, int fd)
{
	struct buf m;
	buf_init(&m, 256);
	pack_map(&m, 2);
	pack_kbytes(&m, 1, h->state, sizeof h->state);
	pack_kbytes(&m, 2, h->node.bytes, NODE_ID_LEN);
	ctl_send(c, CONTROL_RETURN, &m, fd);
	buf_fini(&m);
}

/* a can run d; b submits and lends nothing. */
static void
open_worker(struct digest *d)
{
	open_pair();
	digest_of(d, "toolchain", 9);
	b.n.config.slots = 0;
	rig_unpacked(&a, d);
	UNTIL(rig_member(&b, &a)->beacon.load.ntags == 1);
}

static unsigned
used(void)
{
	struct load l;
	serve_load(a.n.serve, &l);
	return l.used;
}

/* The job that goes with a granted channel, cancelled at once: the channel is idle then. */
static void
end_job(struct held *h)
{
	struct talk t = {0};
	buf_init(&t.body, CHANNEL_MESSAGE_MAX);
	t.conn = conn_adopt(rig_loop, h->fd, h->state, &h->node, &talk_ops, &t);
	talk_send(&t, WIRE_CANCEL, NULL);
	talk_wait(&t, WIRE_ERROR);
	assert_int_equal(conn_export(t.conn, h->state, &h->fd), 0);
	buf_fini(&t.body);
}

static void
test_returned_channel_is_granted_again(void **state)
{
	(void)state;
	struct ctl c;
	struct digest d;
	struct held h;
	open_worker(&d);
	ctl_open(&c, &b);
	assert_int_equal(want(&c, &d), CONTROL_GRANT);
	hold(&c, &h);
	assert_int_equal(used(), 1);
	uint64_t inode = conn_inode(h.fd);
	end_job(&h);
	fcntl(h.fd, F_SETFL, 0); /* blocking: must not stop the daemon */
	give_back(&c, &h, h.fd);
	UNTIL(b.n.clients->list->ngranted == 0);
	assert_true(fcntl(h.fd, F_GETFL) & O_NONBLOCK);
	close(h.fd);
	assert_int_equal(want(&c, &d), CONTROL_GRANT);
	hold(&c, &h);
	assert_int_equal(conn_inode(h.fd), inode);
	close(h.fd);
	ctl_close(&c);
	close_pair();
}

/* What was not granted to this very connection is closed, not kept. */
static void
test_foreign_return(void **state)
{
	(void)state;
	struct ctl c, other;
	struct digest d;
	struct held h;
	int pair[2];
	char byte;
	open_worker(&d);
	ctl_open(&c, &b);
	ctl_open(&other, &b);
	assert_int_equal(want(&c, &d), CONTROL_GRANT);
	hold(&c, &h);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	give_back(&c, &h, pair[0]);
	close(pair[0]);
	UNTIL(read(pair[1], &byte, 1) == 0); /* the daemon has closed its copy */
	assert_int_equal(wants_view(b.n.wants, rig_id(&a))->used, 1);
	give_back(&other, &h, h.fd);
	give_back(&other, &h, -1);
	for (int i = 0; i < 5; i++)
		rig_spin();
	assert_int_equal(wants_view(b.n.wants, rig_id(&a))->used, 1);
	ctl_forget(&c);
	assert_false(ctl_poll(&other) || ctl_poll(&c)); /* and both clients live */
	close(pair[1]);
	close(h.fd);
	ctl_close(&other);
	ctl_close(&c);
	close_pair();
}

static void
test_death_withdraws(void **state)
{
	(void)state;
	struct ctl c[3];
	struct digest d;
	struct held h;
	open_worker(&d);
	for (int i = 0; i < 2; i++) {
		ctl_open(&c[i], &b);
		assert_int_equal(want(&c[i], &d), CONTROL_GRANT);
	}
	ctl_open(&c[2], &b);
	assert_int_equal(want(&c[2], &d), CONTROL_BUSY);
	hold(&c[0], &h);
	close(h.fd);
	ctl_close(&c[0]); /* its slot goes to the one that waits */
	assert_int_equal(ctl_wait(&c[2]), CONTROL_GRANT);
	ctl_close(&c[1]);
	ctl_close(&c[2]);
	UNTIL(used() == 0 && wants_view(b.n.wants, rig_id(&a))->used == 0 &&
	        b.n.clients->count == 0);
	/* one that dies while it waits */
	a.n.config.slots = 0;
	ctl_open(&c[0], &b);
	want(&c[0], &d);
	ctl_close(&c[0]);
	UNTIL(b.n.clients->count == 0 && !b.n.clients->dead);
	close_pair();
}

static void
test_limits(void **state)
{
	(void)state;
	struct ctl c;
	struct digest d;
	struct held h;
	open_worker(&d);
	a.n.config.slots = 32;
	peers_load_changed(a.n.peers);
	ctl_open(&c, &b);
	for (int i = 0; i < GRANTED_MAX; i++) {
		assert_int_equal(want(&c, &d), CONTROL_GRANT);
		hold(&c, &h);
		close(h.fd);
	}
	assert_int_equal(want(&c, &d), CONTROL_ERROR);
	ctl_close(&c);
	close_pair();
}

/* --- reports --- */

static void
test_reports(void **state)
{
	(void)state;
	struct ctl c;
	struct digest d;
	open_worker(&d);
	ctl_open(&c, &b);
	const struct view *v = wants_view(b.n.wants, rig_id(&a));
	report(&c, 0, rig_id(&a), 1); /* it was never sent there: who knows what it means */
	assert_int_equal(ctl_ask_text(&c, CONTROL_ROOT, NULL), CONTROL_OK);
	assert_int_equal(v->failures, 0);
	assert_int_equal(want(&c, &d), CONTROL_GRANT);
	report(&c, 0, rig_id(&a), 1);
	report(&c, 0, rig_id(&a), 2);
	report(&c, 0, rig_id(&a), 0);
	report(&c, 1, NULL, 0);
	report(&c, 2, rig_id(&a), 0);
	UNTIL(b.n.counters.fallback == 1);
	const struct counters *n = &b.n.counters;
	assert_int_equal(n->remote, 1); /* attempts are not compiles */
	assert_int_equal(n->local, 1);
	assert_int_equal(n->retried, 2);
	assert_int_equal(n->failed, 1);
	assert_int_equal(n->nreasons, 1);
	assert_string_equal(n->reasons[0].name, "linking");
	assert_int_equal(n->reasons[0].count, 2);
	assert_int_equal(v->failures, 0); /* the remote one went well */
	report_hedged(&c, rig_id(&a), 1);
	report_hedged(&c, rig_id(&a), 0);
	UNTIL(n->remote == 2);
	assert_int_equal(n->hedged, 1);
	assert_int_equal(n->retried, 2); /* a copy that is lost beside another is no retry */
	ctl_close(&c);
	close_pair();
}

/* A compile at a, with what was predicted and how long it took. */
static void
one_took(struct ctl *c, const struct digest *d, uint32_t predicted_ms, uint64_t took_ms)
{
	struct account said = {.node = rig_id(&a), .exit = -1, .ms.compile = took_ms};
	uint64_t before = b.n.counters.remote;
	struct held h;
	struct buf m;
	assert_int_equal(want_for(c, d, predicted_ms), CONTROL_GRANT);
	hold(c, &h);
	end_job(&h);
	give_back(c, &h, h.fd);
	close(h.fd);
	buf_init(&m, ACCOUNT_LEN_MAX);
	account_encode(&said, &m);
	assert_int_equal(buf_err(&m), 0);
	ctl_send(c, CONTROL_REPORT, &m, -1);
	buf_fini(&m);
	UNTIL(b.n.counters.remote == before + 1);
}

/* How fast a peer is comes from what its jobs took against what was predicted, never from itself. */
static void
test_speeds(void **state)
{
	(void)state;
	struct ctl c;
	struct digest d;
	open_worker(&d);
	ctl_open(&c, &b);
	const struct view *v = wants_view(b.n.wants, rig_id(&a));
	one_took(&c, &d, 0, 1000);
	one_took(&c, &d, 1000, 0);
	assert_int_equal(v->speed, 0); /* nothing to learn */
	one_took(&c, &d, 1000, 1000);
	assert_int_equal(v->speed, 1000);
	for (int i = 0; i < 40; i++)
		one_took(&c, &d, 1000, 500);
	assert_in_range(v->speed, 1900, 2000);
	one_took(&c, &d, 1000000, 1); /* one wonder is not believed */
	assert_in_range(v->speed, 2500, 2800);
	ctl_close(&c);
	close_pair();
}

static void
report_cause(struct ctl *c, const char *reason, const char *cause)
{
	struct buf m;
	buf_init(&m, 4096);
	pack_map(&m, cause ? 4 : 3);
	pack_kuint(&m, 1, 2);
	pack_ktext(&m, 2, reason);
	pack_kuint(&m, 4, 0);
	if (cause)
		pack_ktext(&m, 64, cause);
	ctl_send(c, CONTROL_REPORT, &m, -1);
	buf_fini(&m);
}

/* A defect is logged with the name; nothing else is, and no user writes more than a line. */
static void
test_defects_are_logged(void **state)
{
	(void)state;
	struct ctl c;
	char line[128], text[600];
	open_pair();
	ctl_open(&c, &b);
	snprintf(line, sizeof line, "include-missed: the input set lacked /src/h.h (uid %u)\n",
	        (unsigned)getuid());
	report_cause(&c, "diagnostics", "no business of the log");
	report_cause(&c, "include-missed", "the input set lacked /src/h.h");
	UNTIL(b.n.counters.fallback == 2);
	assert_true(rig_logged(line));
	assert_false(rig_logged("no business"));
	report_cause(&c, "include-missed", NULL);
	UNTIL(b.n.counters.fallback == 3);
	assert_true(rig_logged("include-missed: no name was told"));
	assert_int_equal(b.n.counters.nreasons, 2);
	assert_int_equal(b.n.counters.reasons[1].count, 2);
	report_cause(&c, "include-missed", "two\nlines");
	assert_int_equal(ctl_wait(&c), CONTROL_ERROR);
	ctl_close(&c);
	ctl_open(&c, &b);
	memset(text, 'x', sizeof text);
	text[CONTROL_CAUSE_SIZE] = 0;
	report_cause(&c, "include-missed", text);
	assert_int_equal(ctl_wait(&c), CONTROL_ERROR);
	assert_int_equal(b.n.counters.fallback, 3);
	ctl_close(&c);
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_nothing_to_submit_to, rig_teardown),
	        cmocka_unit_test_teardown(test_packed_once, rig_teardown),
	        cmocka_unit_test_teardown(test_others_wait, rig_teardown),
	        cmocka_unit_test_teardown(test_cannot_be_packed, rig_teardown),
	        cmocka_unit_test_teardown(test_users_apart, rig_teardown),
	        cmocka_unit_test_teardown(test_graph_comes_along, rig_teardown),
	        cmocka_unit_test_teardown(test_no_switch_during_import, rig_teardown),
	        cmocka_unit_test_teardown(test_returned_channel_is_granted_again, rig_teardown),
	        cmocka_unit_test_teardown(test_foreign_return, rig_teardown),
	        cmocka_unit_test_teardown(test_death_withdraws, rig_teardown),
	        cmocka_unit_test_teardown(test_limits, rig_teardown),
	        cmocka_unit_test_teardown(test_reports, rig_teardown),
	        cmocka_unit_test_teardown(test_speeds, rig_teardown),
	        cmocka_unit_test_teardown(test_defects_are_logged, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
