#include "net_rig.h"

#include "gossip/relay.h"
#include "gossip/segment.h"

static void
add_nodes(struct net *n, unsigned segment, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		net_node(n, segment);
}

static void
seed(struct net *n, size_t node, size_t at)
{
	assert_int_equal(gossip_add_seed(n->f->nodes[node].g, &n->f->nodes[at].at), 0);
}

static unsigned
relays_of(const struct net *n, unsigned segment)
{
	unsigned count = 0;

	for (size_t i = 0; i < n->f->n; i++)
		if (n->f->nodes[i].g && n->f->nodes[i].segment == segment)
			count += segment_is_relay(n->f->nodes[i].g);
	return count;
}

static size_t
a_relay_of(const struct net *n, unsigned segment)
{
	for (size_t i = 0; i < n->f->n; i++)
		if (n->f->nodes[i].g && n->f->nodes[i].segment == segment &&
		        segment_is_relay(n->f->nodes[i].g))
			return i;
	fail_msg("no relay");
	return 0;
}

/* Twenty each, routed, one seed at one node. */
static struct net *
two_segments(unsigned each)
{
	struct net *n = net_new();

	add_nodes(n, 1, each);
	add_nodes(n, 2, each);
	seed(n, each + 3, 2);
	return n;
}

static void
segments_find_one_another(void **state)
{
	struct net *n = two_segments(20);

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 10000);
	assert_true(net_all_see_all(n));
	assert_int_equal(relays_of(n, 1), SEGMENT_RELAYS);
	assert_int_equal(relays_of(n, 2), SEGMENT_RELAYS);
	for (size_t i = 0; i < 40; i++) /* each knows where each is */
		for (size_t k = 0; k < 40; k++)
			if (i != k)
				assert_memory_equal(
				        &fake_view(&n->f->nodes[i], &n->f->nodes[k])->tcp,
				        &n->f->nodes[k].at, sizeof(struct endpoint));
	net_run(n, 60000);
	for (size_t i = 0; i < 40; i++)
		assert_int_equal(n->f->nodes[i].downs, 0);
	net_free(n);
}

/* The route between carries each beacon about once, not once for each node there. */
static void
few_datagrams_cross(void **state)
{
	struct net *n = two_segments(50);

	(void)state;
	assert_true(net_until_all_see_all(n, 8000) != UINT64_MAX);
	net_run(n, 10000);
	net_zero(n);
	net_run(n, 20000);
	assert_true(net_all_see_all(n));
	assert_true(n->crossed / 20 < 150); /* 100 nodes, a beacon a second each */
	assert_true(net_most(n, n->got) / 20 < 220);
	net_free(n);
}

static void
load_crosses_within_intervals(void **state)
{
	struct net *n = two_segments(20);
	struct load l = {.slots = 8, .used = 3};

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 5000);
	for (size_t i = 0; i < 20; i++)
		gossip_load(n->f->nodes[i].g, &l, n->f->now_ms);
	net_run(n, 3500);
	for (size_t i = 20; i < 40; i++)
		for (size_t k = 0; k < 20; k++)
			assert_int_equal(
			        fake_view(&n->f->nodes[i], &n->f->nodes[k])->beacon.load.used, 3);
	net_free(n);
}

static void
goodbye_crosses_at_once(void **state)
{
	struct net *n = two_segments(20);

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 5000);
	for (size_t i = 0; i < 20; i++) {
		if (segment_is_relay(n->f->nodes[i].g))
			continue;
		gossip_bye(n->f->nodes[i].g, n->f->now_ms);
		net_settle(n);
		for (size_t k = 20; k < 40; k++)
			assert_int_equal(fake_state(&n->f->nodes[k], &n->f->nodes[i]), MEMBER_GONE);
		break;
	}
	net_free(n);
}

static void
a_dead_relay_is_replaced(void **state)
{
	struct net *n = two_segments(12);

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 5000);
	fake_stop(&n->f->nodes[a_relay_of(n, 1)]);
	fake_stop(&n->f->nodes[a_relay_of(n, 2)]);
	net_run(n, 20000);
	assert_true(net_all_see_all(n));
	assert_int_equal(relays_of(n, 1), SEGMENT_RELAYS);
	for (size_t i = 0; i < 24; i++) /* the dead two, and nobody else, were missed */
		if (n->f->nodes[i].g)
			assert_int_equal(n->f->nodes[i].downs, 2);
	net_free(n);
}

static void
the_office_moves_on(void **state)
{
	struct net *n = two_segments(6);
	size_t was, moved = 0;

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 5000);
	was = a_relay_of(n, 1);
	for (int epoch = 0; epoch < 4; epoch++) {
		net_run(n, SEGMENT_EPOCH_S * 1000);
		moved += a_relay_of(n, 1) != was;
		assert_true(net_all_see_all(n));
		assert_int_equal(relays_of(n, 1), SEGMENT_RELAYS);
	}
	assert_true(moved > 0);
	for (size_t i = 0; i < 12; i++)
		assert_int_equal(n->f->nodes[i].downs, 0);
	net_free(n);
}

/* No multicast at all; everybody names one node. */
static void
seeds_alone_serve_hundreds(void **state)
{
	struct net *n = net_new();
	unsigned seconds = 20;

	(void)state;
	add_nodes(n, 0, 200);
	for (size_t i = 1; i < 200; i++)
		seed(n, i, 0);
	assert_true(net_until_all_see_all(n, 15000) != UINT64_MAX);
	net_run(n, 10000);
	net_zero(n);
	net_run(n, seconds * 1000);
	assert_true(net_all_see_all(n));
	assert_in_range(net_most(n, n->sent) / seconds, 80, 125);
	assert_true(net_most(n, n->got) / seconds <= 125);
	fake_stop(&n->f->nodes[0]); /* nobody needs the seed any more */
	net_run(n, 20000);
	assert_true(net_until_all_see_all(n, 40000) !=
	            UINT64_MAX); /* its last words may come by others */
	net_free(n);
}

/* One node that knows a thousand by unicast: it sends 100 datagrams a second, and each of them hears
 * it once in an interval. */
static void
a_thousand_cost_no_more(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 0);
	static uint8_t told[1024];
	unsigned sent = 0, reached = 0;

	(void)state;
	f->now_ms = 100000;
	for (unsigned round = 0; round < 4; round++) {
		for (unsigned i = 1; i < 1000; i++) {
			struct fake_node n = {.config = me->config, .at = me->at};
			uint8_t bytes[BEACON_LEN_MAX];
			size_t len;

			fake_key(&n.key, 5000 + i);
			n.config.cert = n.cert;
			n.config.cert_len = fake_cert(&f->root, &n.key, n.cert, FAKE_WALL + 100000);
			n.at.bytes[1] = (uint8_t)(1 + (i >> 8));
			n.at.bytes[3] = (uint8_t)i;
			len = fake_beacon(&n, 1, round + 1, bytes);
			assert_int_equal(
			        gossip_receive(me->g, bytes, len, &n.at, false, f->now_ms), 0);
		}
		for (uint64_t end = f->now_ms + 10000; f->now_ms < end; f->now_ms += 50) {
			struct gossip_action a;

			gossip_tick(me->g, f->now_ms);
			while (gossip_next(me->g, &a)) {
				sent += a.type == GOSSIP_UNICAST && round > 1;
				if (a.type == GOSSIP_UNICAST && round == 3 &&
				        !letter_is(a.bytes, a.len))
					told[(a.to.bytes[1] - 1) << 8 | a.to.bytes[3]] = 1;
			}
		}
	}
	for (unsigned i = 0; i < 1024; i++)
		reached += told[i];
	assert_in_range(sent / 20, 80, 130);
	assert_true(reached >= 930); /* edges of the interval */
	fake_mesh_free(f);
}

static void
large_segments_meet_calmly(void **state)
{
	struct net *n = net_new();
	unsigned worst = 0;

	(void)state;
	add_nodes(n, 1, 100);
	add_nodes(n, 2, 100);
	net_run(n, 20000);
	seed(n, 3, 150);
	for (int second = 0; second < 12 && !net_all_see_all(n); second++) {
		net_zero(n);
		net_run(n, 1000);
		worst = net_most(n, n->got) > worst ? net_most(n, n->got) : worst;
	}
	assert_true(net_all_see_all(n));
	assert_true(worst < 700);
	net_free(n);
}

static void
partitions_heal(void **state)
{
	struct net *n = two_segments(15);

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	for (size_t i = 0; i < 15; i++)
		n->side[i] = 1;
	net_run(n, 60000);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(gossip_count_up(n->f->nodes[i].g), 14);
	for (size_t i = 0; i < 15; i++)
		n->side[i] = 0;
	n->f->nodes[18].g->nseeds = 0; /* what they remember is enough */
	assert_true(net_until_all_see_all(n, 20000) != UINT64_MAX);
	net_free(n);
}

static void
loss_is_borne(void **state)
{
	struct net *n = two_segments(15);

	(void)state;
	n->loss_percent = 20;
	assert_true(net_until_all_see_all(n, 30000) != UINT64_MAX);
	for (size_t i = 0; i < 30; i++)
		n->f->nodes[i].downs = 0;
	net_run(n, 200000);
	for (size_t i = 0; i < 30; i++)
		assert_int_equal(n->f->nodes[i].downs, 0);
	net_free(n);
}

/* The switch drops multicast from the start, or forgets the group later. */
static void
filtered_multicast_is_noticed(void **state)
{
	struct net *n = net_new();
	const struct member *example = NULL;

	(void)state;
	add_nodes(n, 1, 8);
	n->filtered[1] = true;
	for (size_t i = 1; i < 8; i++)
		seed(n, i, 0);
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 8000);
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(gossip_count_deaf(n->f->nodes[i].g, n->f->now_ms, &example), 7);
	assert_non_null(example);
	n->filtered[1] = false;
	net_run(n, 8000);
	assert_true(net_all_see_all(n));
	for (size_t i = 0; i < 8; i++)
		assert_int_equal(gossip_count_deaf(n->f->nodes[i].g, n->f->now_ms, NULL), 0);
	n->filtered[1] = true;
	for (size_t i = 0; i < 8; i++) /* nobody to ask but one another */
		n->f->nodes[i].g->nseeds = 0;
	for (int i = 0; i < 600; i++) {
		net_run(n, 100);
		for (size_t k = 0; k < 8; k++)
			assert_int_equal(n->f->nodes[k].downs, 0);
	}
	assert_true(net_all_see_all(n));
	assert_int_equal(gossip_count_deaf(n->f->nodes[3].g, n->f->now_ms, NULL), 7);
	net_free(n);
}

/* A node of another network, or without multicast, is no sign of a filter. */
static void
other_networks_are_no_filter(void **state)
{
	struct net *n = net_new();

	(void)state;
	add_nodes(n, 1, 3);
	add_nodes(n, 2, 3);
	seed(n, 0, 4);
	gossip_set_subnets(net_node(n, 1)->g, NULL, 0); /* has switched it off */
	n->f->nodes[6].segment = 0;
	seed(n, 6, 0);
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 20000);
	assert_true(net_all_see_all(n));
	for (size_t i = 0; i < 6; i++)
		assert_int_equal(gossip_count_deaf(n->f->nodes[i].g, n->f->now_ms, NULL), 0);
	net_free(n);
}

/* From segment 1 to segment 2 and on to a network without multicast. */
static void
a_laptop_roams(void **state)
{
	struct net *n = two_segments(10);
	struct fake_node *laptop = net_node(n, 1);

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	net_run(n, 10000);
	for (unsigned place = 2; place != 1; place = place ? 0 : 1) {
		net_place(n, laptop, place, 200 + place);
		net_run(n, 2500);
		for (size_t i = 0; i < 20; i++) {
			const struct member *m = fake_view(&n->f->nodes[i], laptop);

			assert_int_equal(m->state, MEMBER_UP);
			assert_memory_equal(&m->tcp, &laptop->at, sizeof(laptop->at));
		}
		net_zero(n);
		net_run(n, 10000);
		assert_true(net_all_see_all(n));
		assert_int_equal(n->lost_addresses, 0);
	}
	for (size_t i = 0; i < 20; i++)
		assert_int_equal(n->f->nodes[i].downs, 0);
	net_free(n);
}

/* What n would send in answer to a letter. */
static size_t
answer_bytes(struct net *n, struct fake_node *to, const struct letter *l,
        const struct endpoint *from, size_t *given)
{
	struct gossip_action a;
	struct buf b;
	size_t bytes = 0;

	net_settle(n);
	buf_init(&b, LETTER_LEN_MAX);
	assert_int_equal(letter_encode(l, &b), 0);
	(void)!gossip_receive(to->g, b.data, b.len, from, false, n->f->now_ms);
	*given += b.len;
	while (gossip_next(to->g, &a))
		bytes += a.len;
	buf_fini(&b);
	return bytes;
}

static void
false_senders_get_nothing(void **state)
{
	struct net *n = two_segments(20);
	struct fake_node *me = &n->f->nodes[0], *other = &n->f->nodes[30];
	struct endpoint victim = {4, {10, 9, 9, 9}, FAKE_PORT, 0};
	struct letter l = {.kind = LETTER_REQUEST, .mesh = me->config.mesh};
	size_t given = 0, sent = 0;

	(void)state;
	assert_true(net_until_all_see_all(n, 6000) != UINT64_MAX);
	for (l.nnews = 0; l.nnews < 30; l.nnews++)
		node_id_of(&l.news[l.nnews].node, n->f->nodes[5 + l.nnews].key.sign_pk);
	for (int i = 0; i < 256; i++) { /* no token, or one for another address */
		l.token[0] = (uint8_t)i;
		assert_int_equal(answer_bytes(n, me, &l, &victim, &given), 0);
		assert_int_equal(answer_bytes(n, me, &l, &other->at, &given), 0);
	}
	l.kind = LETTER_DIGEST;
	l.from = other->g->self;
	for (uint32_t i = 0; i < l.nnews; i++)
		l.news[i].boot = 1000 + i;
	assert_int_equal(answer_bytes(n, me, &l, &victim, &given), 0);
	given = 0;
	for (int i = 0; i < 1000; i++) { /* with a true address: less than came, and bounded */
		l.news[0].node.bytes[0]++;
		sent += answer_bytes(n, me, &l, &other->at, &given);
	}
	assert_true(sent > 0);
	assert_true(sent <= RELAY_ASK_PER_S * RELAY_BURST_S * (size_t)LETTER_LEN_MAX);
	assert_true(sent < given / 2);
	net_free(n);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(segments_find_one_another),
	        cmocka_unit_test(few_datagrams_cross),
	        cmocka_unit_test(load_crosses_within_intervals),
	        cmocka_unit_test(goodbye_crosses_at_once),
	        cmocka_unit_test(a_dead_relay_is_replaced),
	        cmocka_unit_test(the_office_moves_on),
	        cmocka_unit_test(seeds_alone_serve_hundreds),
	        cmocka_unit_test(a_thousand_cost_no_more),
	        cmocka_unit_test(large_segments_meet_calmly),
	        cmocka_unit_test(partitions_heal),
	        cmocka_unit_test(loss_is_borne),
	        cmocka_unit_test(filtered_multicast_is_noticed),
	        cmocka_unit_test(other_networks_are_no_filter),
	        cmocka_unit_test(a_laptop_roams),
	        cmocka_unit_test(false_senders_get_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
