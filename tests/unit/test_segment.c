#include "fake_mesh.h"

#include "gossip/segment.h"

/* Thirty nodes agree on two relays, and on others ten minutes later. */
static void
all_agree_on_two_relays(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	bool was[30], same = true;

	(void)state;
	for (int i = 0; i < 30; i++)
		fake_node(f, 1);
	for (int epoch = 0; epoch < 2; epoch++) {
		unsigned relays = 0;

		fake_run(f, 5000);
		for (int i = 0; i < 30; i++) {
			bool is = segment_is_relay(f->nodes[i].g);

			assert_int_equal(f->nodes[i].g->segment.others, 29);
			relays += is;
			same &= !epoch || is == was[i];
			was[i] = is;
			for (int k = 0; k < 30; k++) /* and says so */
				if (k != i)
					assert_int_equal(fake_view(&f->nodes[k], &f->nodes[i])
					                                 ->beacon.reach &
					                         REACH_RELAY,
					        is ? REACH_RELAY : 0);
		}
		assert_int_equal(relays, SEGMENT_RELAYS);
		f->now_ms += SEGMENT_EPOCH_S * 1000;
		for (int i = 0; i < 30; i++)
			gossip_tick(f->nodes[i].g, f->now_ms);
	}
	assert_false(same);
	fake_mesh_free(f);
}

static void
whoever_hears_nobody_is_its_own_relay(void **state)
{
	struct fake_mesh *f = fake_mesh_new();

	(void)state;
	for (int i = 0; i < 5; i++)
		fake_node(f, 0);
	for (int i = 1; i < 5; i++)
		assert_int_equal(gossip_add_seed(f->nodes[i].g, &f->nodes[0].at), 0);
	fake_run(f, 5000);
	for (int i = 0; i < 5; i++) {
		assert_int_equal(f->nodes[i].g->segment.others, 0);
		assert_int_equal(f->nodes[i].g->segment.far, 4);
		assert_true(segment_is_relay(f->nodes[i].g));
	}
	fake_mesh_free(f);
}

/* Strangers' keys cost nothing: they must not win the office by making many. */
static void
strangers_speak_for_no_member(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 1);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	for (int i = 0; i < 200; i++) {
		struct fake_node *n = fake_add(f, 1, true);
		size_t len = fake_beacon(n, 1, 1, bytes);

		assert_int_equal(gossip_receive(me->g, bytes, len, &n->at, true, f->now_ms), 0);
	}
	fake_run(f, 1500);
	assert_int_equal(me->g->segment.others, 200);
	assert_int_equal(me->g->segment.rank, 0);
	fake_mesh_free(f);
}

static bool
near(struct gossip *g, uint8_t len, uint8_t last, uint8_t before)
{
	struct endpoint e = {.len = len};

	e.bytes[0] = len == 4 ? 10 : 0xfd;
	e.bytes[len - 2] = before;
	e.bytes[len - 1] = last;
	return segment_is_near(g, &e);
}

static void
own_networks_are_near(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct gossip *g = fake_node(f, 1)->g;
	struct subnet s[3] = {{{4, {10, 0, 1, 64}}, 26}, {{16, {0xfd}}, 120}, {{4, {10}}, 33}};

	(void)state;
	gossip_set_subnets(g, s, 3); /* the last one is no network at all */
	assert_true(near(g, 4, 65, 1));
	assert_true(near(g, 4, 127, 1));
	assert_false(near(g, 4, 128, 1));
	assert_false(near(g, 4, 65, 2));
	assert_true(near(g, 16, 200, 0));
	assert_false(near(g, 16, 200, 1));
	gossip_set_subnets(g, NULL, 0);
	assert_false(near(g, 4, 65, 1));
	assert_false(g->multicast);
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(all_agree_on_two_relays),
	        cmocka_unit_test(whoever_hears_nobody_is_its_own_relay),
	        cmocka_unit_test(strangers_speak_for_no_member),
	        cmocka_unit_test(own_networks_are_near),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
