#include "fake_mesh.h"

#include "gossip/outbox.h"

/* Takes all that n has to send; *multicasts counts, to[] collects the unicast targets' last
 * address bytes. */
static size_t
drain(struct fake_node *n, size_t *multicasts, uint8_t *to, size_t max)
{
	struct gossip_action a;
	size_t unicasts = 0;

	*multicasts = 0;
	while (gossip_next(n->g, &a)) {
		*multicasts += a.type == GOSSIP_MULTICAST;
		if (a.type != GOSSIP_UNICAST)
			continue;
		assert_true(unicasts < max);
		to[unicasts++] = a.to.bytes[3];
	}
	return unicasts;
}

static void
hear(struct fake_mesh *f, struct fake_node *me, const struct fake_node *other, uint64_t seq,
        bool multicast)
{
	uint8_t bytes[BEACON_LEN_MAX];
	size_t len = fake_beacon(other, 1, seq, bytes);

	assert_int_equal(gossip_receive(me->g, bytes, len, &other->at, multicast, f->now_ms), 0);
}

static void
seeds_hear_us_once(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 0), *other = fake_add(f, 0, false);
	size_t multicasts;
	uint8_t to[8];

	(void)state;
	assert_int_equal(gossip_add_seed(me->g, &other->at), 0);
	assert_int_equal(gossip_add_seed(me->g, &other->at), 0);
	hear(f, me, other, 1, false); /* a seed and a member at once */
	drain(me, &multicasts, to, 8);
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	assert_int_equal(drain(me, &multicasts, to, 8), 1);
	assert_int_equal(multicasts, 1);
	assert_int_equal(to[0], other->at.bytes[3]);
	fake_mesh_free(f);
}

static void
multicast_members_get_no_unicast(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 1), *other = fake_add(f, 1, false);
	size_t multicasts;
	uint8_t to[8];

	(void)state;
	hear(f, me, other, 1, false);
	hear(f, me, other, 2, true);
	hear(f, me, other, 3, false);
	drain(me, &multicasts, to, 8);
	me->g->answer_ms = 0;
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	assert_int_equal(drain(me, &multicasts, to, 8), 0);
	f->now_ms += 6000; /* multicast has died away: unicast takes over */
	hear(f, me, other, 4, false);
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	assert_int_equal(drain(me, &multicasts, to, 8), 1);
	fake_mesh_free(f);
}

/* A hundred unicast members: 64 at once, all in one interval; strangers never at their cost. */
static void
targets_rotate(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 0);
	bool seen[256] = {false};
	size_t multicasts, n, distinct = 0;
	uint8_t to[200];

	(void)state;
	me->g->silent = true; /* no introductions */
	for (int i = 0; i < 120; i++)
		hear(f, me, fake_add(f, 0, i >= 100), 1, false);
	for (size_t i = 0; i < me->g->table.count; i++)
		me->g->table.list[i]->answer = false;
	drain(me, &multicasts, to, 200);
	for (int round = 0; round < 2; round++) {
		if (round == 0)
			outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
		else
			outbox_slice(me->g, f->now_ms);
		n = drain(me, &multicasts, to, 200);
		assert_int_equal(n, OUTBOX_TARGETS_MAX);
		/* 120 targets: the other half within what is left of the interval */
		assert_true(me->g->slice_ms > f->now_ms);
		assert_true(me->g->slice_ms <= f->now_ms + (round + 1) * 1200);
		for (size_t i = 0; i < n; i++)
			seen[to[i]] = true;
	}
	for (size_t i = 1; i <= 100; i++)
		distinct += seen[f->nodes[i].at.bytes[3]];
	assert_int_equal(distinct, 100);
	fake_mesh_free(f);
}

/* Those who asked are answered, however many, 128 targets at a time. */
static void
answers_are_all_given(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 0);
	size_t multicasts, n;
	uint8_t to[256];

	(void)state;
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	me->g->silent = true; /* no introductions */
	for (int i = 0; i < 150; i++)
		hear(f, me, fake_add(f, 0, false), 1, false);
	me->g->silent = false;
	drain(me, &multicasts, to, 256);
	me->g->answer_ms = f->now_ms;
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	n = drain(me, &multicasts, to, 256);
	assert_int_equal(n, 2 * OUTBOX_TARGETS_MAX);
	assert_true(me->g->answer_ms > f->now_ms);
	f->now_ms = me->g->answer_ms;
	outbox_beacon(me->g, BEACON_ALIVE, f->now_ms);
	for (size_t i = 0; i < me->g->table.count; i++)
		assert_false(me->g->table.list[i]->answer);
	assert_true(me->g->answer_ms == 0);
	fake_mesh_free(f);
}

/* First sight by unicast: the newcomer's beacon for the old one, the old one's for the newcomer;
 * nothing the second time. Both go as carries. */
static void
newcomers_are_introduced_once(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 0), *b = fake_add(f, 0, false),
	                 *c = fake_add(f, 0, false);
	size_t multicasts;
	uint8_t to[8];

	(void)state;
	hear(f, me, b, 1, false);
	assert_int_equal(drain(me, &multicasts, to, 8), 0);
	hear(f, me, c, 1, false);
	assert_int_equal(drain(me, &multicasts, to, 8), 2);
	assert_int_equal(multicasts, 0);
	assert_int_equal(to[0] + to[1], b->at.bytes[3] + c->at.bytes[3]);
	hear(f, me, c, 2, false);
	assert_int_equal(drain(me, &multicasts, to, 8), 0);
	fake_mesh_free(f);
}

/* Strangers' source addresses may be a victim's: what is passed on to them is limited altogether.
 * */
static void
strangers_are_told_little(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *me = fake_node(f, 1);
	size_t multicasts, n = 0;
	static uint8_t to[20000];

	(void)state;
	for (int i = 0; i < 80; i++)
		hear(f, me, fake_add(f, 1, false), 1, true);
	for (int i = 0; i < 20; i++) {
		hear(f, me, fake_add(f, 0, true), 1, false);
		n += drain(me, &multicasts, to, sizeof(to));
	}
	assert_true(n <= STRANGER_PER_S);
	assert_true(n > 0);
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(seeds_hear_us_once),
	        cmocka_unit_test(multicast_members_get_no_unicast),
	        cmocka_unit_test(targets_rotate),
	        cmocka_unit_test(answers_are_all_given),
	        cmocka_unit_test(newcomers_are_introduced_once),
	        cmocka_unit_test(strangers_are_told_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
