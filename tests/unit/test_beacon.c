#include "fake_mesh.h"

#include "crypto/packet.h"

struct sample {
	struct key root, key;
	uint8_t cert[CERT_LEN_MAX];
	size_t cert_len;
	struct beacon b;
	struct buf out;
};

/* A beacon that uses all that a beacon can hold. */
static void
make(struct sample *s)
{
	struct beacon *b = &s->b;

	assert_int_equal(crypto_start(), 0);
	memset(s, 0, sizeof(*s));
	buf_init(&s->out, BEACON_LEN_MAX);
	fake_key(&s->root, 1);
	fake_key(&s->key, 2);
	s->cert_len = fake_cert(&s->root, &s->key, s->cert, FAKE_WALL + 1000);
	mesh_id_of(&b->mesh, s->root.sign_pk);
	node_id_of(&b->node, s->key.sign_pk);
	b->boot = UINT64_C(1800000000123);
	b->seq = 77;
	b->kind = BEACON_HELLO;
	memset(b->name, 'n', NAME_SIZE - 1);
	memset(b->platform, 'p', PLATFORM_SIZE - 1);
	memset(b->version, 'v', sizeof(b->version) - 1);
	b->port = 65535;
	b->sandbox = 3;
	b->speed = 250;
	b->load = (struct load){64, 63, 62, 1000, STATE_DRAINING | STATE_ON_BATTERY, {0}, 0};
	b->load.ntags = BEACON_TAGS_MAX;
	b->naddrs = BEACON_ADDRS_MAX;
	for (uint32_t i = 0; i < BEACON_TAGS_MAX; i++)
		b->load.tags[i] = 0xfffffff0u + i;
	for (uint32_t i = 0; i < BEACON_ADDRS_MAX; i++) {
		b->addrs[i].len = i ? 16 : 4;
		memset(b->addrs[i].bytes, (int)i + 1, b->addrs[i].len);
	}
}

static void
everything_comes_back(void **state)
{
	struct sample s;
	struct beacon d;

	(void)state;
	make(&s);
	assert_int_equal(beacon_encode(&s.b, &s.key, s.cert, s.cert_len, &s.out), 0);
	assert_true(s.out.len <= BEACON_LEN_MAX);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), 0);
	assert_int_equal(beacon_verify(&d, s.out.data, s.out.len), 0);
	assert_int_equal(d.cert_len, s.cert_len);
	assert_memory_equal(d.cert, s.cert, s.cert_len);
	assert_memory_equal(d.sign_pk, s.key.sign_pk, SIGN_PK_LEN);
	assert_memory_equal(&d.mesh, &s.b.mesh, sizeof(d.mesh));
	assert_memory_equal(&d.node, &s.b.node, sizeof(d.node));
	assert_true(d.boot == s.b.boot && d.seq == s.b.seq && d.kind == s.b.kind);
	assert_string_equal(d.name, s.b.name);
	assert_string_equal(d.platform, s.b.platform);
	assert_string_equal(d.version, s.b.version);
	assert_true(d.port == 65535 && d.sandbox == 3 && d.speed == 250);
	assert_memory_equal(&d.load, &s.b.load, sizeof(d.load));
	assert_int_equal(d.naddrs, s.b.naddrs);
	assert_memory_equal(d.addrs, s.b.addrs, sizeof(d.addrs));
	buf_fini(&s.out);
}

/* What is read at the front is what decoding finds, and nothing is read beyond the end. */
static void
the_front_tells_the_same(void **state)
{
	struct beacon_front f;
	struct sample s;

	(void)state;
	make(&s);
	assert_int_equal(beacon_encode(&s.b, &s.key, s.cert, s.cert_len, &s.out), 0);
	assert_int_equal(beacon_peek(&f, s.out.data, s.out.len), 0);
	assert_memory_equal(&f.mesh, &s.b.mesh, sizeof(f.mesh));
	assert_memory_equal(&f.node, &s.b.node, sizeof(f.node));
	assert_true(f.boot == s.b.boot && f.seq == s.b.seq && f.kind == s.b.kind);
	assert_int_equal(f.cert_len, s.cert_len);
	assert_memory_equal(f.cert, s.cert, s.cert_len);
	for (size_t len = 0; len < s.out.len; len++) {
		uint8_t *exact = malloc(len ? len : 1); /* for the sanitizer */
		int err;

		memcpy(exact, s.out.data, len);
		err = beacon_peek(&f, exact, len);
		assert_true(err == IM_ERR_FORMAT || len >= s.out.len - s.cert_len - 4);
		free(exact);
	}
	buf_reset(&s.out);
	assert_int_equal(beacon_encode(&s.b, &s.key, NULL, 0, &s.out), 0);
	assert_int_equal(beacon_peek(&f, s.out.data, s.out.len), 0);
	assert_null(f.cert);
	buf_fini(&s.out);
}

static void
a_spare_needs_no_certificate(void **state)
{
	struct sample s;
	struct beacon d;

	(void)state;
	make(&s);
	assert_int_equal(beacon_encode(&s.b, &s.key, NULL, 0, &s.out), 0);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), 0);
	assert_null(d.cert);
	assert_int_equal(beacon_verify(&d, s.out.data, s.out.len), 0);
	buf_fini(&s.out);
}

/* No single altered byte gets past decoding and signature together, but in the certificate, which
 * is checked apart. */
static void
altered_bytes_are_refused(void **state)
{
	struct sample s;
	struct beacon d;

	(void)state;
	make(&s);
	assert_int_equal(beacon_encode(&s.b, &s.key, NULL, 0, &s.out), 0);
	for (size_t i = 0; i < s.out.len; i++) {
		s.out.data[i] ^= 0x01;
		assert_false(!beacon_decode(&d, s.out.data, s.out.len) &&
		             !beacon_verify(&d, s.out.data, s.out.len));
		s.out.data[i] ^= 0x01;
	}
	for (size_t i = 0; i < s.out.len; i++)
		assert_int_equal(beacon_decode(&d, s.out.data, i), IM_ERR_FORMAT);
	buf_fini(&s.out);
}

static void
another_node_id_is_refused(void **state)
{
	struct sample s;
	struct beacon d;

	(void)state;
	make(&s);
	s.b.node.bytes[0] ^= 1;
	assert_int_equal(beacon_encode(&s.b, &s.key, s.cert, s.cert_len, &s.out), 0);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), IM_ERR_FORMAT);
	buf_fini(&s.out); /* somebody else's certificate */
	make(&s);
	fake_key(&s.key, 3);
	assert_int_equal(beacon_encode(&s.b, &s.key, s.cert, s.cert_len, &s.out), 0);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), 0);
	assert_int_equal(beacon_verify(&d, s.out.data, s.out.len), IM_ERR_SIGNATURE);
	buf_fini(&s.out);
}

static void
limits_hold(void **state)
{
	struct sample s;
	struct beacon d;
	uint8_t big[BEACON_LEN_MAX] = {0};

	(void)state;
	make(&s);
	assert_int_equal(beacon_encode(&s.b, &s.key, big, 900, &s.out), IM_ERR_LIMIT);
	assert_int_equal(s.out.len, 0);
	s.b.load.slots = 1000000; /* our own exaggerations are cut, not sent */
	s.b.load.permille = 5000;
	assert_int_equal(beacon_encode(&s.b, &s.key, NULL, 0, &s.out), 0);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), 0);
	assert_int_equal(d.load.slots, 65535);
	assert_int_equal(d.load.permille, 1000);
	buf_reset(&s.out);
	strcpy(s.b.name, "two\nlines");
	assert_int_equal(beacon_encode(&s.b, &s.key, NULL, 0, &s.out), 0);
	assert_int_equal(beacon_decode(&d, s.out.data, s.out.len), IM_ERR_FORMAT);
	buf_fini(&s.out);
}

/* An outer map around a body, signed by nobody: decoding must judge the body first. */
static int
decode_body(const struct buf *body)
{
	static const uint8_t nothing[SIGNATURE_LEN];
	struct beacon d;
	struct buf out;
	int err;

	buf_init(&out, BEACON_LEN_MAX);
	pack_map(&out, 3);
	pack_kbytes(&out, 1, body->data, body->len);
	pack_kbytes(&out, 2, nothing, sizeof(nothing));
	pack_kbytes(&out, 4, nothing, SIGN_PK_LEN);
	err = beacon_decode(&d, out.data, out.len);
	buf_fini(&out);
	return err;
}

static void
other_versions_are_told_apart(void **state)
{
	struct buf body;

	(void)state;
	assert_int_equal(crypto_start(), 0);
	buf_init(&body, BEACON_LEN_MAX);
	pack_map(&body, 1);
	pack_kuint(&body, 1, 2);
	assert_int_equal(decode_body(&body), IM_ERR_VERSION);
	buf_reset(&body); /* a mandatory key that we do not know */
	pack_map(&body, 2);
	pack_kuint(&body, 1, 1);
	pack_kuint(&body, 16, 0);
	assert_int_equal(decode_body(&body), IM_ERR_VERSION);
	buf_reset(&body); /* fields lack */
	pack_map(&body, 1);
	pack_kuint(&body, 1, 1);
	assert_int_equal(decode_body(&body), IM_ERR_FORMAT);
	buf_fini(&body);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(everything_comes_back),
	        cmocka_unit_test(the_front_tells_the_same),
	        cmocka_unit_test(a_spare_needs_no_certificate),
	        cmocka_unit_test(altered_bytes_are_refused),
	        cmocka_unit_test(another_node_id_is_refused),
	        cmocka_unit_test(limits_hold),
	        cmocka_unit_test(other_versions_are_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
