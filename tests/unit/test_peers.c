#include "mesh/peers.h"

#include "tests/unit/node_rig.h"

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

static void
test_see_each_other(void **state)
{
	(void)state;
	const struct member *live[4];
	open_pair();
	assert_int_equal(peers_live(a.n.peers, live, 4), 1);
	assert_int_equal(node_id_cmp(&live[0]->node, rig_id(&b)), 0);
	assert_int_equal(live[0]->tcp.port, b.port);
	assert_int_equal(live[0]->trust, TRUST_MEMBER);
	assert_true(a.news > 0);
	/* it says goodbye when it ends */
	struct node_id id = *rig_id(&b);
	rig_stop(&b);
	UNTIL(gossip_find(peers_gossip(a.n.peers), &id)->state == MEMBER_GONE);
	assert_int_equal(peers_live(a.n.peers, live, 4), 0);
	rig_start(&b);
	close_pair();
}

/* After a restart the table is there before anybody is heard, and so is the way to the others. */
static void
test_saved_table(void **state)
{
	(void)state;
	const struct member *m;
	open_pair();
	rig_stop(&b);
	b.n.config.seeds[0] = 0;
	snprintf(b.n.config.listen, sizeof b.n.config.listen, "127.0.0.1:%u", b.port);
	rig_start(&b);
	m = gossip_find(peers_gossip(b.n.peers), rig_id(&a));
	assert_non_null(m);
	assert_int_equal(m->heard_ms, 0);
	assert_int_not_equal(m->state, MEMBER_UP);
	UNTIL(rig_member(&b, &a) && rig_member(&a, &b));
	close_pair();
}

static void
test_damaged_table(void **state)
{
	(void)state;
	char path[FILES_PATH_SIZE];
	open_pair();
	rig_stop(&b);
	assert_int_equal(files_path(path, b.n.config.state_dir, "peers"), 0);
	assert_int_equal(files_write(path, "\xdd\xff\xff\xff\xff", 5, 0600), 0);
	rig_start(&b);
	assert_true(rig_logged("found anew"));
	UNTIL(rig_member(&b, &a));
	close_pair();
}

/* Another platform's nodes and spares are there, but not for picking. */
static void
test_only_fitting_members_are_live(void **state)
{
	(void)state;
	struct rig c;
	const struct member *live[4];
	open_pair();
	rig_open(&c, "spare");
	assert_int_equal(
	        identity_adopt_mesh(c.n.identity, identity_conn(a.n.identity)->root_pk, "test"), 0);
	snprintf(c.n.config.seeds, sizeof c.n.config.seeds, "127.0.0.1:%u", a.port);
	mesh_changed(&c.n);
	UNTIL(rig_member(&a, &c));
	assert_int_equal(rig_member(&a, &c)->trust, TRUST_SPARE);
	assert_int_equal(peers_live(a.n.peers, live, 4), 1);
	snprintf(a.n.platform, sizeof a.n.platform, "pdp11");
	assert_int_equal(peers_live(a.n.peers, live, 4), 0);
	rig_close(&c);
	close_pair();
}

/* All silent at once: whoever was heard before may be asked, a node of the saved table may not. */
static void
test_suspects_are_asked_when_nobody_is_up(void **state)
{
	(void)state;
	const struct member *live[4];
	open_pair();
	struct member *m = (struct member *)gossip_find(peers_gossip(a.n.peers), rig_id(&b));
	m->state = MEMBER_SUSPECT;
	assert_int_equal(peers_live(a.n.peers, live, 4), 1);
	assert_ptr_equal(live[0], m);
	m->heard_ms = 0;
	assert_int_equal(peers_live(a.n.peers, live, 4), 0);
	close_pair();
}

/* Slots, use and toolchains of a beacon. */
static void
test_load(void **state)
{
	(void)state;
	struct digest d;
	open_pair();
	a.n.config.slots = 5;
	digest_of(&d, "t", 1);
	rig_unpacked(&a, &d);
	UNTIL(rig_member(&b, &a)->beacon.load.slots == 5 &&
	        rig_member(&b, &a)->beacon.load.ntags == 1);
	assert_int_equal(rig_member(&b, &a)->beacon.load.tags[0], get_u32(d.bytes));
	close_pair();
}

static void
test_own_hosts(void **state)
{
	(void)state;
	char text[TOKEN_HOSTS_SIZE], small[8], want[32];
	rig_open(&a, "a");
	peers_own_hosts(a.n.peers, text, sizeof text);
	snprintf(want, sizeof want, "127.0.0.1:%u", a.port);
	assert_string_equal(text, want);
	peers_own_hosts(a.n.peers, small, sizeof small); /* none rather than half of one */
	assert_string_equal(small, "");
	rig_close(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_teardown(test_see_each_other, rig_teardown),
	        cmocka_unit_test_teardown(test_saved_table, rig_teardown),
	        cmocka_unit_test_teardown(test_damaged_table, rig_teardown),
	        cmocka_unit_test_teardown(test_only_fitting_members_are_live, rig_teardown),
	        cmocka_unit_test_teardown(test_suspects_are_asked_when_nobody_is_up, rig_teardown),
	        cmocka_unit_test_teardown(test_load, rig_teardown),
	        cmocka_unit_test_teardown(test_own_hosts, rig_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
