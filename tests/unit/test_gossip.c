#include "fake_mesh.h"

static void
appears_within_two_seconds(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *late;

	(void)state;
	for (int i = 0; i < 5; i++)
		fake_node(f, 1);
	fake_run(f, 2000);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(gossip_count_up(f->nodes[i].g), 4);
	late = fake_node(f, 1);
	fake_run(f, 1010); /* its HELLO is answered, not just their next beacons awaited */
	assert_int_equal(gossip_count_up(late->g), 5);
	assert_int_equal(late->ups, 5);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(fake_state(&f->nodes[i], late), MEMBER_UP);
	fake_mesh_free(f);
}

/* In a mesh so large that its own beacons are rare, a node answers within about one interval (2.5 s). */
static void
newcomers_are_answered(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 1);
	uint8_t bytes[BEACON_LEN_MAX];
	struct gossip_counts before, after;

	(void)state;
	fake_run(f, 10);
	for (int i = 1; i < 250; i++) {
		struct fake_node *n = fake_add(f, 1, true);
		size_t len = fake_beacon(n, 1, 1, bytes);

		assert_int_equal(gossip_receive(me->g, bytes, len, &n->at, true, f->now_ms), 0);
	}
	for (uint64_t boot = 2; boot < 7; boot++) {
		size_t len = fake_beacon(&f->nodes[1], boot, 1, bytes);

		fake_run(f, 3130);
		gossip_counts(me->g, &before);
		assert_int_equal(
		        gossip_receive(me->g, bytes, len, &f->nodes[1].at, true, f->now_ms), 0);
		fake_run(f, 3130);
		gossip_counts(me->g, &after);
		assert_true(after.sent > before.sent);
	}
	fake_mesh_free(f);
}

static void
other_segments_stay_apart(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 2);

	(void)state;
	fake_run(f, 5000);
	assert_int_equal(fake_state(a, b), -1);
	fake_mesh_free(f);
}

static void
silence_is_noticed(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);

	(void)state;
	fake_run(f, 3000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_run(f, 10000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_stop(b);
	fake_run(f, 6500);
	assert_int_equal(fake_state(a, b), MEMBER_SUSPECT);
	assert_int_equal(a->downs, 0);
	fake_run(f, 8000);
	assert_int_equal(fake_state(a, b), MEMBER_GONE);
	assert_int_equal(a->downs, 1);
	assert_int_equal(gossip_count_up(a->g), 0);
	f->now_ms += 25 * 3600 * 1000;
	gossip_tick(a->g, f->now_ms);
	assert_int_equal(fake_state(a, b), -1);
	fake_mesh_free(f);
}

/* After a pause of one's own the others are not dead. */
static void
own_pause_is_excused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);

	(void)state;
	fake_run(f, 3000);
	f->now_ms += 30000;
	gossip_tick(a->g, f->now_ms);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_run(f, 3000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(a->downs, 0);
	fake_mesh_free(f);
}

static void
bye_is_at_once(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);

	(void)state;
	fake_run(f, 3000);
	gossip_bye(b->g, f->now_ms);
	fake_settle(f);
	assert_int_equal(fake_state(a, b), MEMBER_GONE);
	assert_int_equal(a->downs, 1);
	fake_run(f, 5000); /* it says nothing more */
	assert_int_equal(fake_state(a, b), MEMBER_GONE);
	fake_mesh_free(f);
}

static void
restart_is_seen(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);

	(void)state;
	fake_run(f, 3000);
	fake_stop(b);
	fake_start(f, b, 2);
	fake_run(f, 2000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(fake_view(a, b)->beacon.boot, 2);
	assert_int_equal(a->ups, 2);
	assert_int_equal(a->downs, 1);
	assert_int_equal(fake_state(b, a), MEMBER_UP);
	fake_stop(b); /* a clock that went back: not believed */
	fake_start(f, b, 1);
	fake_run(f, 20000);
	assert_int_equal(fake_state(a, b), MEMBER_GONE);
	fake_mesh_free(f);
}

/* A and B know only the seed C, and there is no multicast. */
static void
seeds_alone_suffice(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *c = fake_node(f, 0), *a = fake_node(f, 0), *b = fake_node(f, 0);
	struct gossip_counts counts;

	(void)state;
	fake_run(f, 500);
	assert_int_equal(gossip_add_seed(a->g, &c->at), 0);
	assert_int_equal(gossip_add_seed(b->g, &c->at), 0);
	fake_run(f, 2000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(fake_state(b, a), MEMBER_UP);
	assert_memory_equal(&fake_view(a, b)->tcp, &b->at, sizeof(b->at));
	assert_memory_equal(&fake_view(b, a)->from, &a->at, sizeof(a->at));
	fake_stop(c); /* they do without it */
	fake_run(f, 30000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(fake_state(b, a), MEMBER_UP);
	assert_int_equal(fake_state(a, c), MEMBER_GONE);
	gossip_counts(a->g, &counts);
	assert_int_equal(counts.bad, 0);
	fake_mesh_free(f);
}

/* A knows B, B knows C, C knows D. */
static void
a_chain_of_seeds_suffices(void **state)
{
	struct fake_mesh *f = fake_mesh_new();

	(void)state;
	for (int i = 0; i < 4; i++)
		fake_node(f, 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(gossip_add_seed(f->nodes[i].g, &f->nodes[i + 1].at), 0);
	fake_run(f, 4000);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(gossip_count_up(f->nodes[i].g), 3);
	fake_run(f, 60000);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(gossip_count_up(f->nodes[i].g), 3);
	fake_mesh_free(f);
}

static void
table_survives_restart(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 0), *b = fake_node(f, 0), *c = fake_node(f, 0);
	struct buf saved;

	(void)state;
	assert_int_equal(gossip_add_seed(a->g, &b->at), 0);
	assert_int_equal(gossip_add_seed(a->g, &c->at), 0);
	fake_run(f, 3000);
	buf_init(&saved, GOSSIP_SAVE_MAX);
	gossip_save(a->g, &saved);
	assert_int_equal(buf_err(&saved), 0);
	fake_stop(a);
	fake_stop(b);
	fake_stop(c);
	fake_start(f, b, 2); /* it knows nobody either */
	a->ups = 0;
	fake_start(f, a, 2); /* without seeds */
	assert_int_equal(gossip_load_saved(a->g, saved.data, saved.len, f->now_ms), 0);
	assert_int_equal(fake_state(a, b), MEMBER_SUSPECT);
	assert_int_equal(a->ups, 0);
	assert_string_equal(fake_view(a, b)->beacon.name, "n1");
	assert_int_equal(gossip_count_up(a->g), 0);
	fake_run(f, 2000);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(fake_state(a, c), MEMBER_SUSPECT);
	assert_int_equal(a->ups, 1);
	fake_run(f, 600000);
	assert_int_equal(fake_state(a, c), MEMBER_GONE);
	assert_int_equal(a->downs, 0);
	f->now_ms += 25 * 3600 * 1000;
	gossip_tick(a->g, f->now_ms);
	assert_int_equal(fake_state(a, c), -1);
	buf_fini(&saved);
	fake_mesh_free(f);
}

/* What somebody has recorded of a node that is gone is refused after our restart as well; the node
 * itself comes back with the next boot id. */
static void
replays_are_refused_after_restart(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t old[BEACON_LEN_MAX], last[BEACON_LEN_MAX], anew[BEACON_LEN_MAX];
	size_t old_len = fake_beacon(b, 5, 8, old), last_len = fake_beacon(b, 5, 9, last);
	struct buf saved;

	(void)state;
	assert_int_equal(gossip_receive(a->g, last, last_len, &b->at, true, f->now_ms), 0);
	for (int gone = 0; gone < 2; gone++) {
		buf_init(&saved, GOSSIP_SAVE_MAX);
		gossip_save(a->g, &saved);
		fake_stop(a);
		fake_start(f, a, 2);
		assert_int_equal(gossip_load_saved(a->g, saved.data, saved.len, f->now_ms), 0);
		buf_fini(&saved);
		assert_int_equal(fake_state(a, b), gone ? MEMBER_GONE : MEMBER_SUSPECT);
		assert_int_equal(
		        gossip_receive(a->g, old, old_len, &b->at, true, f->now_ms), IM_ERR_REPLAY);
		assert_int_equal(gossip_receive(a->g, last, last_len, &b->at, true, f->now_ms),
		        IM_ERR_REPLAY);
		fake_run(f, 600000);
		assert_int_equal(fake_state(a, b), MEMBER_GONE);
	}
	assert_int_equal(
	        gossip_receive(a->g, anew, fake_beacon(b, 6, 1, anew), &b->at, true, f->now_ms), 0);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_mesh_free(f);
}

static void
load_spreads_with_edges_under_a_limit(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);
	struct load l = {.slots = 4};
	unsigned before;

	(void)state;
	gossip_load(b->g, &l, f->now_ms);
	fake_run(f, 3000);
	assert_int_equal(fake_view(a, b)->beacon.load.slots, 4);
	a->changes = 0;
	l.used = 4; /* busy: at once */
	gossip_load(b->g, &l, f->now_ms);
	fake_settle(f);
	assert_int_equal(fake_view(a, b)->beacon.load.used, 4);
	assert_int_equal(a->changes, 1);
	l.permille = 700; /* no edge: with the next beacon */
	gossip_load(b->g, &l, f->now_ms);
	fake_settle(f);
	assert_int_equal(fake_view(a, b)->beacon.load.permille, 0);
	fake_run(f, 2000);
	assert_int_equal(fake_view(a, b)->beacon.load.permille, 700);
	before = a->received;
	for (int i = 0; i < 500; i++) { /* ten seconds of flapping */
		l.used = l.used ? 0 : 4;
		gossip_load(b->g, &l, f->now_ms);
		fake_run(f, 20);
	}
	assert_true(a->received - before <= 8 + 4 * 10 + 20);
	assert_true(a->received - before >= 4 * 10);
	l.used = 4; /* the last state arrives although the bucket is empty */
	gossip_load(b->g, &l, f->now_ms);
	fake_run(f, 600);
	assert_int_equal(fake_view(a, b)->beacon.load.used, 4);
	fake_mesh_free(f);
}

static void
toolchain_tags_are_edges(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);
	struct load l = {.slots = 4, .tags = {7}, .ntags = 1};

	(void)state;
	fake_run(f, 3000);
	gossip_load(b->g, &l, f->now_ms);
	fake_settle(f);
	assert_int_equal(fake_view(a, b)->beacon.load.ntags, 1);
	l.tags[0] = 8;
	gossip_load(b->g, &l, f->now_ms);
	fake_settle(f);
	assert_int_equal(fake_view(a, b)->beacon.load.tags[0], 8);
	fake_mesh_free(f);
}

/* Two hundred nodes: in the steady state nobody receives more than 120 beacons a second. */
static void
beacon_rate_is_bounded(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 1);
	uint8_t bytes[BEACON_LEN_MAX];
	struct gossip_counts before, after;

	(void)state;
	for (int i = 1; i < 200; i++)
		fake_add(f, 1, true);
	for (uint64_t seq = 1; seq <= 20; seq++) {
		if (seq == 4)
			gossip_counts(me->g, &before);
		for (size_t i = 1; i < 200; i++) {
			size_t len = fake_beacon(&f->nodes[i], 1, seq, bytes);

			assert_int_equal(
			        gossip_receive(me->g, bytes, len, &f->nodes[i].at, true, f->now_ms),
			        0);
		}
		fake_run(f, 2000);
	}
	assert_int_equal(gossip_count_up(me->g), 199);
	gossip_counts(me->g, &after);
	/* 34 s of one sender; all 200 send so. */
	assert_in_range(200 * (after.sent - before.sent) / 34, 80, 120);
	fake_mesh_free(f);
}

static void
another_mesh_forgets_all(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_node(f, 1);
	struct key other;

	(void)state;
	fake_run(f, 3000);
	fake_key(&other, 2000000);
	a->config.cert = NULL; /* a spare of the same mesh keeps its table */
	assert_int_equal(gossip_set_mesh(a->g, &a->config), 0);
	fake_run(f, 100);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	assert_int_equal(fake_view(b, a)->trust, TRUST_SPARE);
	mesh_id_of(&a->config.mesh, other.sign_pk);
	memcpy(a->config.root_pk, other.sign_pk, SIGN_PK_LEN);
	assert_int_equal(gossip_set_mesh(a->g, &a->config), 0);
	fake_settle(f);
	assert_int_equal(fake_state(a, b), -1);
	assert_int_equal(a->downs, 1);
	fake_run(f, 3000);
	assert_int_equal(fake_state(a, b), -1);
	assert_int_equal(b->last_err, IM_ERR_OTHER_MESH);
	fake_mesh_free(f);
}

static void
damaged_tables_are_refused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1);

	(void)state;
	assert_int_equal(gossip_load_saved(a->g, "\xff\xff", 2, f->now_ms), IM_ERR_FORMAT);
	assert_null(gossip_member(a->g, 0));
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(appears_within_two_seconds),
	        cmocka_unit_test(newcomers_are_answered),
	        cmocka_unit_test(other_segments_stay_apart),
	        cmocka_unit_test(silence_is_noticed),
	        cmocka_unit_test(own_pause_is_excused),
	        cmocka_unit_test(bye_is_at_once),
	        cmocka_unit_test(restart_is_seen),
	        cmocka_unit_test(seeds_alone_suffice),
	        cmocka_unit_test(a_chain_of_seeds_suffices),
	        cmocka_unit_test(table_survives_restart),
	        cmocka_unit_test(replays_are_refused_after_restart),
	        cmocka_unit_test(load_spreads_with_edges_under_a_limit),
	        cmocka_unit_test(toolchain_tags_are_edges),
	        cmocka_unit_test(beacon_rate_is_bounded),
	        cmocka_unit_test(another_mesh_forgets_all),
	        cmocka_unit_test(damaged_tables_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
