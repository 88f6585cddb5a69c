#include "mesh/report.h"

#include "mesh/blob_file.h"
#include "tests/unit/node_rig.h"

static struct rig a, b;
static struct buf bytes;
static struct packet *packet;

static const struct item *
decode(void (*report)(struct node *, struct buf *), struct rig *r)
{
	packet_free(packet);
	packet = NULL;
	buf_fini(&bytes);
	buf_init(&bytes, REPORT_MAX);
	report(&r->n, &bytes);
	assert_int_equal(buf_err(&bytes), 0);
	assert_int_equal(packet_open(&packet, bytes.data, bytes.len), 0);
	return packet_root(packet);
}

static const struct item *
map_of(const struct item *m, unsigned key)
{
	const struct item *out;
	assert_int_equal(item_map(m, key, &out), 0);
	return out;
}

static const struct item *
list_of(const struct item *m, unsigned key, uint32_t *n)
{
	const struct item *out;
	assert_int_equal(item_array(m, key, 1000, &out, n), 0);
	return out;
}

static uint64_t
number(const struct item *m, unsigned key)
{
	uint64_t v;
	assert_int_equal(item_uint(m, key, UINT64_MAX, &v), 0);
	return v;
}

static const char *
text(const struct item *m, unsigned key)
{
	static char t[512];
	assert_int_equal(item_text(m, key, t, sizeof t), 0);
	return t;
}

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
	packet_free(packet);
	packet = NULL;
	buf_fini(&bytes);
	rig_close(&b);
	rig_close(&a);
}

static void
test_peers(void **state)
{
	(void)state;
	uint32_t n;
	char id[NODE_ID_TEXT_SIZE];
	open_pair();
	a.n.config.slots = 3;
	peers_load_changed(a.n.peers);
	UNTIL(rig_member(&b, &a)->beacon.load.slots == 3);
	const struct item *list = list_of(decode(report_peers, &b), 1, &n);
	assert_int_equal(n, 2);
	const struct item *self = item_at(list, 0), *peer = item_at(list, 1);
	node_id_text(rig_id(&b), id);
	assert_string_equal(text(self, 1), id);
	assert_string_equal(text(self, 2), "b");
	assert_int_equal(number(self, 3), 1);
	assert_string_equal(text(self, 4), "self");
	node_id_text(rig_id(&a), id);
	assert_string_equal(text(peer, 1), id);
	assert_int_equal(number(peer, 3), 0);
	assert_string_equal(text(peer, 4), "member");
	assert_string_equal(text(peer, 5), "up");
	assert_string_equal(text(peer, 7), a.n.platform);
	assert_int_equal(number(peer, 8), 3);
	assert_int_equal(number(peer, 14), 3);
	assert_string_equal(text(peer, 17), IM_VERSION);
	for (unsigned key = 1; key <= 17; key++)
		assert_non_null(item_get(peer, key));
	close_pair();
}

static void
test_status_adds_up(void **state)
{
	(void)state;
	uint32_t n;
	struct digest d;
	open_pair();
	a.n.config.slots = 3;
	b.n.config.slots = 2;
	peers_load_changed(a.n.peers);
	UNTIL(rig_member(&b, &a)->beacon.load.slots == 3);
	rig_tarball(&b, "1234567", 7, &d);
	struct blob_file *f = blob_file_new(b.n.blobs, 1);
	assert_int_equal(blob_file_add(f, "x", 1), 0);
	digest_of(&d, "x", 1);
	assert_int_equal(blob_file_keep(f, &d), 0);
	struct counters *c = &b.n.counters;
	c->remote = 10, c->local = 4, c->fallback = 2, c->retried = 3, c->failed = 1;
	c->served = 5, c->refused = 6, c->killed = 7;
	for (int i = 0; i < 3; i++)
		tally_add(c->reasons, &c->nreasons, NODE_REASONS_MAX,
		        i < 2 ? "linking" : "no-daemon");
	const struct item *root = decode(report_status, &b);
	assert_string_equal(text(item_at(list_of(root, 1, &n), 0), 2), "b");
	assert_int_equal(n, 1);
	const struct item *mesh = map_of(root, 2);
	assert_string_equal(text(mesh, 1), "test");
	assert_int_equal(number(mesh, 3), 2);
	assert_int_equal(number(mesh, 4), 5);
	assert_int_equal(number(mesh, 5), 5);
	const struct item *sent = map_of(root, 3);
	static const unsigned want[] = {10, 4, 2, 3, 0, 1};
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(number(sent, i + 1), want[i]);
	const struct item *reasons = list_of(sent, 7, &n);
	assert_int_equal(n, 2);
	assert_string_equal(text(item_at(reasons, 0), 1), "linking");
	assert_int_equal(number(item_at(reasons, 0), 2), 2);
	const struct item *served = map_of(root, 4);
	assert_int_equal(number(served, 1), 5);
	assert_int_equal(number(served, 2), 0);
	assert_int_equal(number(served, 3), 6);
	assert_int_equal(number(served, 4), 7);
	const struct item *store = map_of(root, 6);
	assert_int_equal(number(store, 1), 7 + 4096);
	assert_int_equal(number(store, 2), b.n.config.store_size);
	assert_int_equal(number(store, 3), 1);
	assert_int_equal(number(store, 4), 1);
	list_of(root, 7, &n);
	assert_int_equal(n, 0); /* no problems */
	close_pair();
}

static bool
has_problem(struct rig *r, const char *what)
{
	uint32_t n;
	const struct item *list = list_of(decode(report_status, r), 7, &n);
	for (uint32_t i = 0; i < n; i++)
		if (strstr(text(item_at(list, i), 1), what) && *text(item_at(list, i), 2))
			return true;
	return false;
}

static void
test_problems(void **state)
{
	(void)state;
	rig_open(&a, "a");
	rig_open(&b, "b");
	assert_true(has_problem(&a, "no mesh"));
	rig_init(&a);
	assert_false(has_problem(&a, "no mesh"));
	assert_false(has_problem(&a, "no other node")); /* it has just made the mesh */
	a.n.helper->level = 0;
	assert_true(has_problem(&a, "no sandbox"));
	struct digest d = {{0}};
	for (uint8_t i = 0; i < 20; i++) {
		d.bytes[0] = i;
		store_add(a.n.store, &d)->failed = i == 19;
	}
	assert_true(has_problem(&a, "could not be unpacked"));
	assert_int_equal(
	        identity_adopt_mesh(b.n.identity, identity_conn(a.n.identity)->root_pk, "test"), 0);
	assert_true(has_problem(&b, "spare"));
	rig_enrol(&a, &b);
	assert_false(has_problem(&b, "no other node"));
	rig_stop(&a);
	UNTIL(has_problem(&b, "no other node"));
	rig_start(&a);
	close_pair();
}

static void
test_toolchains(void **state)
{
	(void)state;
	uint32_t n;
	struct digest d, e, got;
	open_pair();
	rig_tarball(&b, "one", 3, &d);
	digest_of(&e, "two", 3);
	rig_unpacked(&b, &e);
	assert_int_equal(store_set_compiler(b.n.store, 1000, "/usr/bin/cc", &d, "w", 1), 0);
	const struct item *list = list_of(decode(report_toolchains, &b), 1, &n);
	assert_int_equal(n, 2);
	const struct item *one = item_at(list, 0), *two = item_at(list, 1);
	assert_int_equal(item_fixed(one, 1, got.bytes, DIGEST_LEN), 0);
	assert_true(digest_equal(&got, &d));
	assert_int_equal(number(one, 2), 3);
	assert_string_equal(text(one, 3), "b");
	assert_string_equal(text(one, 4), "/usr/bin/cc");
	assert_int_equal(number(one, 5), 1000);
	assert_int_equal(number(one, 7), 0);
	assert_null(item_get(two, 4));
	assert_int_equal(number(two, 7), 1);
	close_pair();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_peers, rig_teardown),
	        cmocka_unit_test_teardown(test_status_adds_up, rig_teardown),
	        cmocka_unit_test_teardown(test_problems, rig_teardown),
	        cmocka_unit_test_teardown(test_toolchains, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
