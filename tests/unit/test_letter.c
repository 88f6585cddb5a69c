#include "fake_mesh.h"

#include "crypto/packet.h"
#include "gossip/letter.h"

static struct letter
a_letter(enum letter_kind kind)
{
	struct letter l = {.kind = kind, .token = {1, 2, 3, 4, 5, 6, 7, 8}};

	memset(l.mesh.bytes, 7, sizeof(l.mesh.bytes));
	memset(l.from.bytes, 9, sizeof(l.from.bytes));
	for (l.nnews = 0; l.nnews < LETTER_NEWS_MAX; l.nnews++) {
		memset(l.news[l.nnews].node.bytes, (int)l.nnews, NODE_ID_LEN);
		l.news[l.nnews].boot = UINT64_C(0x123456789abcdef0) + l.nnews;
		l.news[l.nnews].seq = 1000 + l.nnews;
	}
	return l;
}

static void
digests_and_requests_travel(void **state)
{
	(void)state;
	for (int kind = LETTER_DIGEST; kind <= LETTER_REQUEST; kind++) {
		struct letter l = a_letter((enum letter_kind)kind), out;
		struct buf b;

		l.news[3].seq = UINT64_C(1) << 40;
		buf_init(&b, LETTER_LEN_MAX);
		assert_int_equal(letter_encode(&l, &b), 0);
		assert_true(b.len <= LETTER_FULL);
		assert_true(letter_is(b.data, b.len));
		assert_int_equal(letter_decode(&out, b.data, b.len), 0);
		assert_int_equal(out.kind, kind);
		assert_memory_equal(&out.mesh, &l.mesh, sizeof(l.mesh));
		assert_memory_equal(out.token, l.token, LETTER_TOKEN_LEN);
		assert_int_equal(out.nnews, LETTER_NEWS_MAX);
		for (uint32_t i = 0; i < out.nnews; i++) {
			bool digest = kind == LETTER_DIGEST;
			uint64_t seq = i == 3 ? UINT32_MAX : l.news[i].seq;

			assert_memory_equal(&out.news[i].node, &l.news[i].node, NODE_ID_LEN);
			assert_true(out.news[i].boot == (digest ? l.news[i].boot : 0));
			assert_true(out.news[i].seq == (digest ? seq : 0));
		}
		/* a request is the shorter one: asking for all of a digest amplifies nothing */
		if (kind == LETTER_REQUEST)
			assert_true(b.len < LETTER_NEWS_MAX * 28);
		for (size_t len = 0; len < b.len; len++)
			assert_int_equal(letter_decode(&out, b.data, len), IM_ERR_FORMAT);
		buf_fini(&b);
	}
}

static void
beacons_are_carried_verbatim(void **state)
{
	struct letter l = {.kind = LETTER_CARRY, .nbeacons = 2}, out;
	uint8_t one[BEACON_LEN_MAX];
	struct buf b;

	(void)state;
	memset(one, 0x5a, sizeof(one));
	l.beacons[0].bytes = l.beacons[1].bytes = one;
	l.beacons[0].len = 500;
	l.beacons[1].len = 400;
	buf_init(&b, LETTER_LEN_MAX);
	assert_int_equal(letter_encode(&l, &b), 0);
	assert_int_equal(letter_decode(&out, b.data, b.len), 0);
	assert_int_equal(out.nbeacons, 2);
	assert_int_equal(out.beacons[1].len, 400);
	assert_memory_equal(out.beacons[1].bytes, one, 400);
	buf_reset(&b);
	l.nbeacons = 1; /* the longest beacon fits alone, and no two */
	l.beacons[0].len = BEACON_LEN_MAX;
	assert_int_equal(letter_encode(&l, &b), 0);
	l.nbeacons = 2;
	assert_int_equal(letter_encode(&l, &b), IM_ERR_LIMIT);
	buf_fini(&b);
}

static void
others_are_refused(void **state)
{
	static const uint8_t kind9[] = {0x82, 8, 9, 12, 0x90}, nothing[] = {0x81, 8, 3};
	static const uint8_t unknown[] = {0x83, 8, 3, 12, 0x90, 13, 1};
	static const uint8_t no_bytes[] = {0x82, 8, 3, 12, 0x91, 1};
	struct letter l = a_letter(LETTER_DIGEST), out;
	uint8_t many[2000] = {0x82, 8, 3, 12, 0x99};
	struct buf b;

	(void)state;
	assert_int_equal(letter_decode(&out, kind9, sizeof(kind9)), IM_ERR_VERSION);
	assert_int_equal(letter_decode(&out, nothing, sizeof(nothing)), IM_ERR_FORMAT);
	assert_int_equal(letter_decode(&out, unknown, sizeof(unknown)), IM_ERR_VERSION);
	assert_int_equal(letter_decode(&out, no_bytes, sizeof(no_bytes)), IM_ERR_FORMAT);
	for (int i = 0; i < 9; i++) {
		many[5 + 2 * i] = 0xc4; /* empty bytes */
		many[6 + 2 * i] = 0;
	}
	assert_int_equal(letter_decode(&out, many, 5 + 18), IM_ERR_LIMIT);
	assert_int_equal(letter_decode(&out, many, LETTER_LEN_MAX + 1), IM_ERR_LIMIT);
	buf_init(&b, LETTER_LEN_MAX); /* a list that is no whole number of entries */
	pack_map(&b, 5);
	pack_kuint(&b, 8, LETTER_DIGEST);
	pack_kbytes(&b, 9, l.mesh.bytes, MESH_ID_LEN);
	pack_kbytes(&b, 10, l.token, LETTER_TOKEN_LEN);
	pack_kbytes(&b, 11, l.from.bytes, NODE_ID_LEN);
	pack_kbytes(&b, 12, many, 29);
	assert_int_equal(letter_decode(&out, b.data, b.len), IM_ERR_FORMAT);
	buf_fini(&b);
}

static void
beacons_are_no_letters(void **state)
{
	struct fake_mesh *f = fake_mesh_new();
	uint8_t bytes[BEACON_LEN_MAX];
	size_t len = fake_beacon(fake_add(f, 1, false), 1, 1, bytes);

	(void)state;
	assert_false(letter_is(bytes, len));
	assert_false(letter_is(bytes, 0));
	fake_mesh_free(f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(digests_and_requests_travel),
	        cmocka_unit_test(beacons_are_carried_verbatim),
	        cmocka_unit_test(others_are_refused),
	        cmocka_unit_test(beacons_are_no_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
