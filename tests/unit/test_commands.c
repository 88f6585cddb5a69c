#include "mesh/commands.h"

#include "mesh/history.h"
#include "tests/unit/node_talk.h"

static struct rig a, b;
static struct ctl ca, cb;

static void
open_pair(void)
{
	rig_open(&a, "a");
	rig_open(&b, "b");
	ctl_open(&ca, &a);
	ctl_open(&cb, &b);
}

static void
close_pair(void)
{
	ctl_close(&cb);
	ctl_close(&ca);
	rig_close(&b);
	rig_close(&a);
}

/* INVITE at a; the token's text. */
static void
invite(unsigned uses, unsigned seconds, char token[TOKEN_TEXT_MAX])
{
	struct buf m;
	buf_init(&m, 256);
	pack_map(&m, 3);
	pack_kuint(&m, 1, ROLE_WORKER);
	pack_kuint(&m, 2, uses);
	pack_kuint(&m, 3, seconds);
	ctl_send(&ca, CONTROL_INVITE, &m, -1);
	buf_fini(&m);
	assert_int_equal(ctl_wait(&ca), CONTROL_OK);
	snprintf(token, TOKEN_TEXT_MAX, "%s", ctl_text(&ca, 1));
}

static bool
says(struct ctl *c, uint8_t answer, const char *text)
{
	return answer == CONTROL_ERROR && strstr(ctl_text(c, 1), text);
}

static void
test_init(void **state)
{
	(void)state;
	uint8_t mesh[MESH_ID_LEN], again[MESH_ID_LEN];
	open_pair();
	assert_true(says(&ca, ctl_ask_text(&ca, CONTROL_INVITE, NULL), "malformed") ||
	            ca.type == CONTROL_ERROR);
	ctl_close(&ca);
	ctl_open(&ca, &a);
	assert_true(says(&ca, ctl_ask_text(&ca, CONTROL_ROOT, NULL), "no mesh"));
	assert_true(says(&ca, ctl_ask_text(&ca, CONTROL_LEAVE, NULL), "no mesh"));
	assert_true(says(&ca, ctl_ask_text(&ca, CONTROL_INIT, ""), "name"));
	assert_int_equal(ctl_ask_text(&ca, CONTROL_INIT, "house"), CONTROL_OK);
	assert_string_equal(ctl_text(&ca, 1), "house");
	assert_int_equal(item_fixed(ctl_root(&ca), 2, mesh, sizeof mesh), 0);
	assert_string_equal(ctl_text(&ca, 3), "a");
	assert_true(says(&ca, ctl_ask_text(&ca, CONTROL_INIT, "other"), "already"));
	rig_stop(&a); /* the certificate outlives the daemon */
	ctl_close(&ca);
	rig_start(&a);
	ctl_open(&ca, &a);
	assert_int_equal(ctl_ask_text(&ca, CONTROL_ROOT, NULL), CONTROL_OK);
	assert_string_equal(ctl_text(&ca, 2), "house");
	assert_non_null(identity_cert(a.n.identity));
	memcpy(again, identity_conn(a.n.identity)->mesh.bytes, sizeof again);
	assert_memory_equal(mesh, again, sizeof mesh);
	close_pair();
}

static void
test_join(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX];
	uint64_t peers;
	open_pair();
	assert_int_equal(ctl_ask_text(&ca, CONTROL_INIT, "house"), CONTROL_OK);
	invite(1, 3600, token);
	assert_int_equal(ctl_ask_text(&cb, CONTROL_JOIN, token), CONTROL_OK);
	assert_string_equal(ctl_text(&cb, 1), "house");
	assert_string_equal(ctl_text(&cb, 4), "member");
	assert_int_equal(item_uint(ctl_root(&cb), 5, 100, &peers), 0);
	assert_int_equal(peers, 1);
	assert_true(says(&cb, ctl_ask_text(&cb, CONTROL_JOIN, token), "already"));
	/* it holds no root key */
	struct buf m;
	buf_init(&m, 64);
	pack_map(&m, 3);
	for (unsigned i = 1; i <= 3; i++)
		pack_kuint(&m, i, 1);
	ctl_send(&cb, CONTROL_INVITE, &m, -1);
	buf_fini(&m);
	assert_true(says(&cb, ctl_wait(&cb), "no root key"));
	close_pair();
}

/* Leaving says goodbye and forgets; coming back under the same key works at once. */
static void
test_leave_and_come_back(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX];
	open_pair();
	assert_int_equal(ctl_ask_text(&ca, CONTROL_INIT, "house"), CONTROL_OK);
	invite(2, 3600, token);
	assert_int_equal(ctl_ask_text(&cb, CONTROL_JOIN, token), CONTROL_OK);
	UNTIL(rig_member(&a, &b));
	uint64_t boot = rig_member(&a, &b)->beacon.boot;
	assert_int_equal(ctl_ask_text(&cb, CONTROL_LEAVE, NULL), CONTROL_OK);
	assert_false(identity_in_mesh(b.n.identity));
	UNTIL(!rig_member(&a, &b));
	assert_int_equal(ctl_ask_text(&cb, CONTROL_JOIN, token), CONTROL_OK);
	uint64_t start = loop_now_ms();
	UNTIL(rig_member(&a, &b));
	assert_true(loop_now_ms() - start < 5000);
	/* its beacons count from 1 again: only a later boot keeps them from being replays */
	assert_true(rig_member(&a, &b)->beacon.boot > boot);
	close_pair();
}

static void
test_bad_tokens(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX], other[TOKEN_TEXT_MAX];
	open_pair();
	assert_int_equal(ctl_ask_text(&ca, CONTROL_INIT, "house"), CONTROL_OK);
	invite(1, 3600, token);
	assert_true(says(&cb, ctl_ask_text(&cb, CONTROL_JOIN, "imx1-nonsense"), "not valid"));
	snprintf(other, sizeof other, "%s", token);
	other[20] = other[20] == 'a' ? 'b' : 'a';
	assert_true(says(&cb, ctl_ask_text(&cb, CONTROL_JOIN, other), "not valid"));
	/* a token of another mesh, for a node that is in one */
	assert_int_equal(ctl_ask_text(&cb, CONTROL_INIT, "cottage"), CONTROL_OK);
	assert_true(says(&cb, ctl_ask_text(&cb, CONTROL_JOIN, token), "another mesh"));
	assert_string_equal(identity_mesh_name(b.n.identity), "cottage");
	assert_int_equal(ctl_ask_text(&cb, CONTROL_LEAVE, NULL), CONTROL_OK);
	/* used up */
	assert_int_equal(ctl_ask_text(&cb, CONTROL_JOIN, token), CONTROL_OK);
	assert_int_equal(ctl_ask_text(&cb, CONTROL_LEAVE, NULL), CONTROL_OK);
	assert_true(says(&cb, ctl_ask_text(&cb, CONTROL_JOIN, token), "used up"));
	close_pair();
}

/* A client that goes, or asks again, while its join is under way. */
static void
test_join_withdrawn(void **state)
{
	(void)state;
	char token[TOKEN_TEXT_MAX];
	struct buf m;
	open_pair();
	assert_int_equal(ctl_ask_text(&ca, CONTROL_INIT, "house"), CONTROL_OK);
	invite(9, 3600, token);
	buf_init(&m, 2048);
	pack_map(&m, 1);
	pack_ktext(&m, 1, token);
	ctl_send(&cb, CONTROL_JOIN, &m, -1);
	ctl_send(&cb, CONTROL_JOIN, &m, -1); /* replaces the first */
	assert_int_equal(ctl_wait(&cb), CONTROL_OK);
	assert_int_equal(ctl_ask_text(&cb, CONTROL_LEAVE, NULL), CONTROL_OK);
	ctl_send(&cb, CONTROL_JOIN, &m, -1);
	ctl_send(&cb, CONTROL_JOIN, &m, -1);
	ctl_close(&cb);
	for (int i = 0; i < 20; i++)
		rig_spin();
	assert_null(identity_cert(b.n.identity));
	ctl_open(&cb, &b);
	buf_fini(&m);
	close_pair();
}

/* Questions are for everybody, changes are not.  Only root can be somebody else. */
static void
test_rights(void **state)
{
	(void)state;
	static const uint8_t changes[] = {
	        CONTROL_INIT, CONTROL_INVITE, CONTROL_JOIN, CONTROL_LEAVE};
	struct ctl c;
	if (geteuid() != 0)
		skip();
	open_pair();
	assert_int_equal(seteuid(65534), 0);
	ctl_open(&c, &a);
	assert_int_equal(seteuid(0), 0);
	for (size_t i = 0; i < sizeof changes; i++)
		assert_true(says(&c, ctl_ask_text(&c, changes[i], "x"), "only root"));
	assert_false(identity_in_mesh(a.n.identity));
	assert_int_equal(ctl_ask_text(&c, CONTROL_STATUS, NULL), CONTROL_OK);
	assert_true(c.got >= 0);
	assert_int_equal(ctl_ask_text(&c, CONTROL_PEERS, NULL), CONTROL_OK);
	assert_int_equal(ctl_ask_text(&c, CONTROL_TOOLCHAINS, NULL), CONTROL_OK);
	ctl_close(&c);
	close_pair();
}

/* A compile here of this file. */
static void
report(struct ctl *c, const char *file)
{
	struct buf m;
	buf_init(&m, ACCOUNT_LEN_MAX);
	account_encode(
	        &(struct account){
	                .verdict = VERDICT_LOCAL, .reason = "linking", .file = file, .exit = -1},
	        &m);
	ctl_send(c, CONTROL_REPORT, &m, -1);
	buf_fini(&m);
}

/* How many compiles WHY tells of, and whether their bytes hold the text. */
static unsigned
why(struct ctl *c, const char *text, bool *held)
{
	static uint8_t bytes[65536];
	struct packet *p;
	const struct item *list;
	uint32_t n;
	assert_int_equal(ctl_ask_text(c, CONTROL_WHY, NULL), CONTROL_OK);
	assert_true(c->got >= 0);
	ssize_t len = pread(c->got, bytes, sizeof bytes, 0);
	assert_true(len > 0);
	assert_int_equal(packet_open(&p, bytes, (size_t)len), 0);
	assert_int_equal(item_array(packet_root(p), 1, HISTORY_MAX, &list, &n), 0);
	packet_free(p);
	*held = memmem(bytes, (size_t)len, text, strlen(text)) != NULL;
	return n;
}

/* Everybody is told of his own compiles, and root of all. */
static void
test_why(void **state)
{
	(void)state;
	struct ctl other;
	bool held;
	rig_open(&a, "a");
	ctl_open(&ca, &a);
	assert_int_equal(why(&ca, "x", &held), 0);
	report(&ca, "/src/mine.c");
	assert_int_equal(why(&ca, "/src/mine.c", &held), 1);
	assert_true(held);
	if (geteuid() == 0) {
		assert_int_equal(seteuid(65534), 0);
		ctl_open(&other, &a);
		assert_int_equal(seteuid(0), 0);
		assert_int_equal(why(&other, "mine", &held), 0);
		report(&other, "/src/theirs.c");
		assert_int_equal(why(&other, "/src/theirs.c", &held), 1);
		assert_true(held);
		assert_int_equal(why(&other, "mine", &held), 1);
		assert_false(held);
		assert_int_equal(why(&ca, "/src/theirs.c", &held), 2);
		assert_true(held);
		ctl_close(&other);
	}
	ctl_close(&ca);
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_init, rig_teardown),
	        cmocka_unit_test_teardown(test_join, rig_teardown),
	        cmocka_unit_test_teardown(test_leave_and_come_back, rig_teardown),
	        cmocka_unit_test_teardown(test_bad_tokens, rig_teardown),
	        cmocka_unit_test_teardown(test_join_withdrawn, rig_teardown),
	        cmocka_unit_test_teardown(test_rights, rig_teardown),
	        cmocka_unit_test_teardown(test_why, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
