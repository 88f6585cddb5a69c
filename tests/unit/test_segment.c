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

/* A segment of n nodes with both families, which has come to know that IPv4 is enough. */
static struct fake_mesh *
dual_segment(int n)
{
	const struct subnet s = {{4, {10, 1}}, 16};
	struct fake_mesh *f = fake_mesh_new();

	f->dual = true;
	for (int i = 0; i < n; i++)
		gossip_set_subnets(fake_node(f, 1)->g, &s, 1);
	fake_run(f, 4000);
	assert_int_not_equal(f->nodes[0].by_ipv6, 0);
	fake_run(f, 16000);
	for (int i = 0; i < n; i++)
		assert_true(f->nodes[i].g->segment.ipv4_alone);
	return f;
}

/* Lets ms pass; returns how many beacons came to n by IPv6. */
static unsigned
by_ipv6(struct fake_mesh *f, const struct fake_node *n, uint64_t ms)
{
	unsigned before = n->by_ipv6;

	fake_run(f, ms);
	return n->by_ipv6 - before;
}

static void
nobody_was_missed(const struct fake_mesh *f)
{
	for (size_t i = 0; i < f->n; i++) {
		assert_int_equal(f->nodes[i].downs, 0);
		assert_int_equal(gossip_count_up(f->nodes[i].g), f->n - 1);
	}
}

static void
one_family_is_enough(void **state)
{
	struct fake_mesh *f = dual_segment(10);
	struct fake_node *newcomer;

	(void)state;
	assert_int_equal(by_ipv6(f, &f->nodes[3], 60000), 0);
	nobody_was_missed(f);
	/* a newcomer hears both, and so do the others, until it has said what it hears */
	newcomer = fake_node(f, 1);
	assert_in_range(by_ipv6(f, newcomer, 3000), 10, 40);
	fake_run(f, 15000);
	assert_int_equal(by_ipv6(f, newcomer, 60000), 0);
	nobody_was_missed(f);
	/* one that crashes is no reason to do more */
	fake_stop(newcomer);
	assert_int_equal(by_ipv6(f, &f->nodes[3], 60000), 0);
	/* the last words are heard by all */
	gossip_bye(f->nodes[9].g, f->now_ms);
	assert_int_equal(by_ipv6(f, &f->nodes[3], 1), 2);
	fake_mesh_free(f);
}

/* The switch forgets that it is in the IPv4 group. */
static void
who_goes_deaf_is_heard(void **state)
{
	struct fake_mesh *f = dual_segment(60);
	struct fake_node *n = &f->nodes[4];

	(void)state;
	n->deaf = n;
	for (int i = 0; n->g->segment.ipv4 && i < 100; i++)
		fake_run(f, 100);
	assert_int_equal(by_ipv6(f, n, 1), 0);
	for (int i = 0; i < 60; i++) /* it is known at once, not when its beacon is checked next */
		if (i != 4)
			assert_int_equal(
			        table_find(&f->nodes[i].g->table, &n->g->self)->m.beacon.reach &
			                REACH_IPV4,
			        0);
	assert_in_range(by_ipv6(f, n, 2000), 50, 200);
	assert_in_range(by_ipv6(f, n, 60000), 3000, 3600);
	nobody_was_missed(f);
	assert_false(n->g->segment.ipv4);
	/* and is in it again */
	n->deaf = NULL;
	fake_run(f, 90000);
	assert_int_equal(by_ipv6(f, n, 60000), 0);
	nobody_was_missed(f);
	fake_mesh_free(f);
}

/* Of one node alone the beacons do not arrive. */
static void
who_misses_one_hears_it(void **state)
{
	struct fake_mesh *f = dual_segment(10);
	struct fake_node *n = &f->nodes[4];

	(void)state;
	n->deaf = &f->nodes[7];
	fake_run(f, 30000);
	assert_in_range(by_ipv6(f, n, 60000), 500, 600);
	assert_int_equal(n->g->segment.deaf, 0);
	nobody_was_missed(f);
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
	        cmocka_unit_test(one_family_is_enough),
	        cmocka_unit_test(who_goes_deaf_is_heard),
	        cmocka_unit_test(who_misses_one_hears_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
