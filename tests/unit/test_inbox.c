#include "fake_mesh.h"

#include "gossip/inbox.h"

/* Hands bytes to n as if from `from`. */
static int
hand(struct fake_mesh *f, struct fake_node *n, const uint8_t *bytes, size_t len,
        const struct endpoint *from)
{
	struct arrival a = {bytes, len, from, true, f->now_ms, false, NULL};

	return inbox_receive(n->g, &a);
}

static struct gossip_counts
counts_of(const struct fake_node *n)
{
	struct gossip_counts c;

	gossip_counts(n->g, &c);
	return c;
}

static void
replays_are_refused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t one[BEACON_LEN_MAX], two[BEACON_LEN_MAX], old[BEACON_LEN_MAX];
	size_t len1 = fake_beacon(b, 5, 1, one), len2 = fake_beacon(b, 5, 2, two);
	size_t len0 = fake_beacon(b, 4, 99, old);

	(void)state;
	assert_int_equal(hand(f, a, one, len1, &b->at), 0);
	assert_int_equal(hand(f, a, two, len2, &b->at), 0);
	assert_int_equal(hand(f, a, one, len1, &b->at), IM_ERR_REPLAY);
	assert_int_equal(hand(f, a, old, len0, &b->at), IM_ERR_REPLAY);
	assert_int_equal(counts_of(a).replayed, 2);
	assert_int_equal(counts_of(a).bad, 2);
	assert_int_equal(fake_view(a, b)->beacon.seq, 2);
	assert_int_equal(hand(f, a, two, len2, &b->at), IM_ERR_EXISTS); /* another interface */
	assert_int_equal(counts_of(a).bad, 2);
	fake_mesh_free(f);
}

static void
forged_signatures_are_refused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct fake_node *thief = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];
	size_t len = fake_beacon(b, 1, 1, bytes);
	struct beacon d = {0};
	struct buf out;

	(void)state;
	bytes[20] ^= 1; /* the mesh id within the body */
	assert_int_not_equal(hand(f, a, bytes, len, &b->at), 0);
	/* b's certificate and id under the thief's signature */
	buf_init(&out, BEACON_LEN_MAX);
	d.mesh = b->config.mesh;
	node_id_of(&d.node, b->key.sign_pk);
	assert_int_equal(beacon_encode(&d, &thief->key, b->cert, b->config.cert_len, &out), 0);
	assert_int_equal(hand(f, a, out.data, out.len, &b->at), IM_ERR_SIGNATURE);
	assert_int_equal(counts_of(a).bad_signature, 1);
	assert_int_equal(fake_state(a, b), -1);
	buf_fini(&out);
	fake_mesh_free(f);
}

static void
another_mesh_is_refused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	b->config.mesh.bytes[0] ^= 1;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), IM_ERR_OTHER_MESH);
	assert_int_equal(counts_of(a).other_mesh, 1);
	assert_int_equal(fake_state(a, b), -1);
	fake_mesh_free(f);
}

static void
certificates_of_others_are_refused(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];
	struct key other;

	(void)state;
	fake_key(&other, 3000000); /* in a beacon of the right mesh */
	b->config.cert_len = fake_cert(&other, &b->key, b->cert, FAKE_WALL + 1000);
	assert_int_equal(
	        hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), IM_ERR_UNKNOWN_KEY);
	b->config.cert_len = fake_cert(&f->root, &b->key, b->cert, FAKE_WALL - 1);
	f->now_ms += 1000; /* what comes from there after a refused one waits */
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), IM_ERR_EXPIRED);
	assert_int_equal(counts_of(a).bad_cert, 2);
	assert_int_equal(fake_state(a, b), -1);
	fake_mesh_free(f);
}

static void
certificates_end(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	b->config.cert_len = fake_cert(&f->root, &b->key, b->cert, FAKE_WALL + 60);
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), 0);
	assert_int_equal(fake_view(a, b)->roles, ROLE_WORKER);
	assert_int_equal(fake_view(a, b)->trust, TRUST_MEMBER);
	f->now_ms += 30000;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 2, bytes), &b->at), 0);
	f->now_ms += 60000;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 3, bytes), &b->at), IM_ERR_EXPIRED);
	fake_mesh_free(f);
}

/* A machine that starts with a wrong clock believes no certificate; once it is set right, it does. */
static void
a_clock_may_be_set(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false),
	                 *c = fake_add(f, 1, true);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	gossip_set_wall(a->g, 100, f->now_ms);
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), IM_ERR_EXPIRED);
	assert_int_equal(hand(f, a, bytes, fake_beacon(c, 1, 1, bytes), &c->at), 0);
	f->now_ms += 3000;
	gossip_set_wall(a->g, FAKE_WALL, f->now_ms);
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), 0);
	assert_int_equal(fake_view(a, b)->trust, TRUST_MEMBER);
	gossip_set_wall(a->g, FAKE_WALL + 200000000, f->now_ms); /* nobody dies of it */
	fake_run(f, 100);
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_mesh_free(f);
}

static void
strangers_are_spares(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, true);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), 0);
	assert_int_equal(fake_view(a, b)->trust, TRUST_SPARE);
	b->config.cert_len = fake_cert(&f->root, &b->key, b->cert, FAKE_WALL + 60);
	b->config.cert = b->cert;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 2, bytes), &b->at), 0);
	assert_int_equal(fake_view(a, b)->trust, TRUST_MEMBER);
	fake_mesh_free(f);
}

static void
noise_and_echoes(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	assert_int_equal(hand(f, a, (const uint8_t *)"nonsense", 8, &a->at), IM_ERR_FORMAT);
	assert_int_equal(counts_of(a).bad_format, 1);
	assert_int_equal(hand(f, a, bytes, fake_beacon(a, 1, 1, bytes), &a->at), IM_ERR_EXISTS);
	assert_int_equal(counts_of(a).received, 1);
	fake_mesh_free(f);
}

/* Heard by a relay: found at its own address, not the relay's; what it says itself counts more. */
static void
addresses_are_found(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct endpoint relay = {4, {10, 1, 0, 9}, 999, 0}, own = {4, {10, 1, 0, 2}, 4000, 0};
	struct arrival in = {NULL, 0, &relay, false, 0, false, NULL};
	struct beacon d = {0};
	struct buf out;

	(void)state;
	buf_init(&out, BEACON_LEN_MAX);
	d.mesh = b->config.mesh;
	node_id_of(&d.node, b->key.sign_pk);
	d.port = 4001;
	d.naddrs = 2;
	d.addrs[0] = (struct beacon_addr){4, {172, 17, 0, 1}};
	d.addrs[1] = (struct beacon_addr){4, {10, 1, 0, 2}};
	for (d.seq = 1; d.seq <= 2; d.seq++) {
		buf_reset(&out);
		assert_int_equal(beacon_encode(&d, &b->key, b->cert, b->config.cert_len, &out), 0);
		in.bytes = out.data;
		in.len = out.len;
		in.from = d.seq == 1 ? &relay : &own;
		in.now_ms = f->now_ms;
		assert_int_equal(inbox_receive(a->g, &in), 0);
		assert_memory_equal(fake_view(a, b)->tcp.bytes, own.bytes, 4);
		assert_int_equal(fake_view(a, b)->tcp.port, 4001);
		assert_int_equal(fake_view(a, b)->from.port, d.seq == 1 ? 4001 : 4000);
		assert_true(fake_view(a, b)->unicast);
	}
	buf_fini(&out);
	fake_mesh_free(f);
}

/* A wrong guess ends with the first word from the node itself. */
static void
guesses_do_not_last(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct endpoint relay = {4, {172, 17, 0, 9}, 999, 0};
	struct arrival in = {NULL, 0, &relay, false, 0, false, NULL};
	struct beacon d = {0};
	struct buf out;

	(void)state;
	buf_init(&out, BEACON_LEN_MAX);
	d.mesh = b->config.mesh;
	node_id_of(&d.node, b->key.sign_pk);
	d.naddrs = 2;
	d.addrs[0] = (struct beacon_addr){4, {172, 17, 0, 1}};
	d.addrs[1] = (struct beacon_addr){4, {10, 1, 0, 2}};
	for (d.seq = 1; d.seq <= 3; d.seq++) {
		buf_reset(&out);
		assert_int_equal(beacon_encode(&d, &b->key, b->cert, b->config.cert_len, &out), 0);
		in.bytes = out.data;
		in.len = out.len;
		in.from = d.seq == 2 ? &b->at : &relay; /* nor does a relay's word undo it */
		in.now_ms = f->now_ms;
		assert_int_equal(inbox_receive(a->g, &in), 0);
		assert_int_equal(fake_view(a, b)->tcp.bytes[0], d.seq == 1 ? 172 : 10);
	}
	buf_fini(&out);
	fake_mesh_free(f);
}

/* A node with two addresses keeps its place while it speaks from both, and moves when the old one
 * falls silent. */
static void
addresses_do_not_flap(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct endpoint six = {16, {0xfe, 0x80, 1}, FAKE_PORT, 3};
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	for (uint64_t seq = 1; seq <= 10; seq++) {
		const struct endpoint *from = seq % 2 ? &b->at : &six;

		f->now_ms += 1000;
		assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, seq, bytes), from), 0);
		assert_int_equal(fake_view(a, b)->tcp.len, 4);
	}
	f->now_ms += 5000;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 11, bytes), &six), 0);
	assert_int_equal(fake_view(a, b)->tcp.len, 16);
	fake_mesh_free(f);
}

/* A beacon of b that somebody else made up. */
static size_t
forge(const struct fake_node *b, uint64_t boot, uint64_t seq, uint8_t out[BEACON_LEN_MAX])
{
	struct beacon_front f;
	size_t len = fake_beacon(b, boot, seq, out);
	const uint8_t *body = memmem(out, len, "forged", 6);

	assert_int_equal(beacon_peek(&f, out, len), 0);
	assert_non_null(body);
	memcpy(out + (body - out), "FORGED", 6);
	return len;
}

/* Beacons of members beyond the budget wait, and are looked at when somebody asks. */
static void
news_wait_until_somebody_asks(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];
	uint64_t seq = 1;

	(void)state;
	while (seq <= 500) /* all at one moment: the first at once, then a sample */
		assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, seq++, bytes), &b->at), 0);
	assert_true(a->g != NULL);
	assert_int_equal(fake_view(a, b)->beacon.seq, 500);
	assert_int_equal(counts_of(a).bad, 0);
	assert_int_equal(hand(f, a, bytes, forge(b, 1, seq, bytes), &b->at), 0);
	assert_int_equal(fake_view(a, b)->beacon.seq, 500); /* looked at, and refused */
	assert_int_equal(counts_of(a).bad_signature, 1);
	fake_mesh_free(f);
}

/* Forged news of a member replace nothing, whatever their sequence, and the true ones still come. */
static void
forged_news_replace_nothing(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), 0);
	for (uint64_t seq = 2; seq <= 20; seq++) {
		for (uint64_t i = 0; i < 3; i++)
			(void)!hand(
			        f, a, bytes, forge(b, 1, UINT64_MAX - seq - 99 * i, bytes), &b->at);
		f->now_ms += 9000;
		(void)!hand(f, a, bytes, fake_beacon(b, 1, seq, bytes), &b->at);
		assert_string_equal(fake_view(a, b)->beacon.name, "forged"); /* not FORGED */
	}
	f->now_ms += 9000;
	(void)!hand(f, a, bytes, fake_beacon(b, 1, 21, bytes), &b->at);
	f->now_ms += 9000;
	(void)!hand(f, a, bytes, fake_beacon(b, 1, 22, bytes), &b->at);
	assert_int_equal(fake_view(a, b)->beacon.seq, 22);
	fake_mesh_free(f);
}

/* What a knows of b without having it looked at. */
static const struct member *
fake_peek(const struct fake_node *a, const struct fake_node *b)
{
	struct node_id id;

	node_id_of(&id, b->key.sign_pk);
	return &table_find(&a->g->table, &id)->m;
}

/* As in a large mesh: what may be checked unasked is used up by others. */
static void
drain_budget(struct fake_mesh *f, struct fake_node *a)
{
	while (bucket_take(&a->g->unasked, INBOX_UNASKED_PER_S, f->now_ms))
		;
}

/* A beacon of b by which it can be found to be of this network. */
static size_t
speak(const struct fake_node *b, uint64_t seq, uint8_t out[BEACON_LEN_MAX])
{
	struct beacon d = {.mesh = b->config.mesh,
	        .boot = 1,
	        .seq = seq,
	        .reach = REACH_KNOWN | REACH_MULTICAST,
	        .port = FAKE_PORT};
	struct buf buf;
	size_t len;

	buf_init(&buf, BEACON_LEN_MAX);
	node_id_of(&d.node, b->key.sign_pk);
	assert_int_equal(beacon_encode(&d, &b->key, b->cert, b->config.cert_len, &buf), 0);
	len = buf.len;
	memcpy(out, buf.data, len);
	buf_fini(&buf);
	return len;
}

/* While a member's beacons are drowned in forged ones, its silence is not its death; when the forger
 * falls silent as well, it is. */
static void
forgers_do_not_kill(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	uint8_t bytes[BEACON_LEN_MAX];

	(void)state;
	assert_int_equal(hand(f, a, bytes, fake_beacon(b, 1, 1, bytes), &b->at), 0);
	for (uint64_t seq = 2; seq < 400; seq++) {
		(void)!hand(f, a, bytes, forge(b, 1, seq, bytes), &b->at);
		fake_run(f, 100);
	}
	assert_int_equal(fake_state(a, b), MEMBER_UP);
	fake_run(f, 80000);
	assert_int_equal(fake_state(a, b), MEMBER_GONE);
	fake_mesh_free(f);
}

/* b speaks twice each time, over two ways of which now this one, now that one is the faster: its place stays, though few of its
 * beacons are checked. */
static void
copies_keep_the_address(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct endpoint six = {16, {0xfe, 0x80, 1}, FAKE_PORT, 3};
	uint8_t bytes[BEACON_LEN_MAX];
	unsigned moves = 0;

	(void)state;
	for (uint64_t seq = 1; seq <= 400; seq++) {
		size_t len = fake_beacon(b, 1, seq, bytes);
		bool first = seq == 1 || seq % 3;

		drain_budget(f, a);
		(void)!hand(f, a, bytes, len, first ? &b->at : &six);
		(void)!hand(f, a, bytes, len, first ? &six : &b->at);
		fake_run(f, 1000);
		moves += fake_peek(a, b)->tcp.len != 4;
	}
	assert_int_equal(moves, 0);
	fake_mesh_free(f);
}

/* Most of what b multicasts is not looked at; a word of its by unicast in between does not mean that its multicast no longer arrives. */
static void
one_word_by_unicast_changes_no_way(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	struct fake_node *a = fake_node(f, 1), *b = fake_add(f, 1, false);
	struct arrival in = {NULL, 0, &b->at, false, 0, false, NULL};
	uint8_t bytes[BEACON_LEN_MAX];
	size_t deaf = 0;
	uint64_t seq = 1;

	(void)state;
	gossip_set_subnets(a->g, &(struct subnet){{4, {10, 1, 0, 1}}, 24}, 1);
	for (; seq <= 400; seq++) {
		drain_budget(f, a);
		if (seq % 20 == 0) {
			in.bytes = bytes;
			in.len = speak(b, seq, bytes);
			in.now_ms = f->now_ms;
			(void)!inbox_receive(a->g, &in);
		} else {
			(void)!hand(f, a, bytes, speak(b, seq, bytes), &b->at);
		}
		fake_run(f, 1000);
		deaf += gossip_count_deaf(a->g, f->now_ms, NULL);
	}
	assert_int_equal(deaf, 0);
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(replays_are_refused),
	        cmocka_unit_test(forged_signatures_are_refused),
	        cmocka_unit_test(another_mesh_is_refused),
	        cmocka_unit_test(certificates_of_others_are_refused),
	        cmocka_unit_test(certificates_end),
	        cmocka_unit_test(a_clock_may_be_set),
	        cmocka_unit_test(strangers_are_spares),
	        cmocka_unit_test(noise_and_echoes),
	        cmocka_unit_test(addresses_are_found),
	        cmocka_unit_test(guesses_do_not_last),
	        cmocka_unit_test(addresses_do_not_flap),
	        cmocka_unit_test(news_wait_until_somebody_asks),
	        cmocka_unit_test(forged_news_replace_nothing),
	        cmocka_unit_test(forgers_do_not_kill),
	        cmocka_unit_test(copies_keep_the_address),
	        cmocka_unit_test(one_word_by_unicast_changes_no_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
