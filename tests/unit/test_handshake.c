/* The Noise handshake against the published vectors, against itself, and against altered
 * messages. */
#include "crypto/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/mangle.h"
#include "tests/unit/noise_xx_vectors.h"

struct bytes {
	uint8_t data[1024];
	size_t len;
};

static struct bytes
from_hex(const char *hex)
{
	struct bytes b = {.len = 0};
	const char *end;

	assert_int_equal(
	        sodium_hex2bin(b.data, sizeof b.data, hex, strlen(hex), NULL, &b.len, &end), 0);
	assert_int_equal(*end, '\0');
	return b;
}

static struct handshake *
from_vector(bool initiator, const char *prologue, const char *s, const char *e)
{
	struct bytes static_sk = from_hex(s), ephemeral = from_hex(e), pro = from_hex(prologue);
	uint8_t pk[DH_LEN];
	struct handshake *h;

	crypto_scalarmult_base(pk, static_sk.data);
	h = handshake_new(initiator, pk, static_sk.data, pro.data, pro.len, ephemeral.data);
	assert_non_null(h);
	return h;
}

/* One handshake message from one side to the other, held against the vector. */
static void
vector_message(struct handshake *from, struct handshake *to, const struct noise_message *m)
{
	struct bytes payload = from_hex(m->payload), cipher = from_hex(m->ciphertext);
	struct buf wire, got;

	buf_init(&wire, NOISE_MESSAGE_MAX);
	buf_init(&got, NOISE_MESSAGE_MAX);
	assert_true(handshake_writes(from));
	assert_false(handshake_writes(to));
	assert_int_equal(handshake_write(from, payload.data, payload.len, &wire), 0);
	assert_int_equal(wire.len, cipher.len);
	assert_memory_equal(wire.data, cipher.data, cipher.len);
	assert_int_equal(handshake_read(to, wire.data, wire.len, &got), 0);
	assert_int_equal(got.len, payload.len);
	assert_memory_equal(got.data, payload.data, payload.len);
	buf_fini(&wire);
	buf_fini(&got);
}

static void
vector_transport(const uint8_t key[32], uint8_t counter, const struct noise_message *m)
{
	struct bytes payload = from_hex(m->payload), cipher = from_hex(m->ciphertext);
	uint8_t nonce[12] = {0, 0, 0, 0, counter}, out[sizeof payload.data + 16];
	unsigned long long n;

	crypto_aead_chacha20poly1305_ietf_encrypt(
	        out, &n, payload.data, payload.len, NULL, 0, NULL, nonce, key);
	assert_int_equal(n, cipher.len);
	assert_memory_equal(out, cipher.data, cipher.len);
}

static void
check_vector(const struct noise_vector *v)
{
	struct handshake *i =
	        from_vector(true, v->init_prologue, v->init_static, v->init_ephemeral);
	struct handshake *r =
	        from_vector(false, v->resp_prologue, v->resp_static, v->resp_ephemeral);
	uint8_t i_send[32], i_recv[32], r_send[32], r_recv[32];
	uint8_t n;

	vector_message(i, r, &v->messages[0]);
	vector_message(r, i, &v->messages[1]);
	vector_message(i, r, &v->messages[2]);
	assert_true(handshake_done(i) && handshake_done(r));
	assert_memory_equal(handshake_hash(i), handshake_hash(r), NOISE_HASH_LEN);
	if (v->handshake_hash != NULL)
		assert_memory_equal(
		        handshake_hash(i), from_hex(v->handshake_hash).data, NOISE_HASH_LEN);
	handshake_split(i, i_send, i_recv);
	handshake_split(r, r_send, r_recv);
	assert_memory_equal(i_send, r_recv, 32);
	assert_memory_equal(i_recv, r_send, 32);
	for (n = 3; v->messages[n].payload != NULL; n++)
		vector_transport(
		        n % 2 == 1 ? r_send : i_send, (uint8_t)(n - 3) / 2, &v->messages[n]);
	assert_true(n > 3);
	handshake_free(i);
	handshake_free(r);
}

static void
test_vectors(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof noise_vectors / sizeof *noise_vectors; i++)
		check_vector(&noise_vectors[i]);
	assert_int_equal(i, 2);
}

struct sides {
	struct key ik, rk;
	struct handshake *i, *r;
	struct buf wire, payload;
};

/* Fixed ephemerals, so that the same pair can be made again for each altered message. */
static void
sides_init(struct sides *s, const char *r_prologue)
{
	uint8_t seed[32];

	memset(seed, 3, sizeof seed);
	key_make(&s->ik, seed);
	memset(seed, 4, sizeof seed);
	key_make(&s->rk, seed);
	memset(seed, 5, sizeof seed);
	s->i = handshake_new(true, s->ik.dh_pk, s->ik.dh_sk, "pro", 3, seed);
	memset(seed, 6, sizeof seed);
	s->r = handshake_new(false, s->rk.dh_pk, s->rk.dh_sk, r_prologue, strlen(r_prologue), seed);
	assert_true(s->i != NULL && s->r != NULL);
	buf_init(&s->wire, NOISE_MESSAGE_MAX);
	buf_init(&s->payload, NOISE_MESSAGE_MAX);
}

static void
sides_fini(struct sides *s)
{
	handshake_free(s->i);
	handshake_free(s->r);
	buf_fini(&s->wire);
	buf_fini(&s->payload);
}

/* Brings the pair to where message `n` (0 to 2) lies in s->wire, unread. */
static void
sides_until(struct sides *s, unsigned n)
{
	unsigned at;

	for (at = 0; at <= n; at++) {
		struct handshake *from = at % 2 == 0 ? s->i : s->r, *to = at % 2 == 0 ? s->r : s->i;

		buf_reset(&s->wire);
		assert_int_equal(handshake_write(from, "payload", 7, &s->wire), 0);
		if (at < n)
			assert_int_equal(
			        handshake_read(to, s->wire.data, s->wire.len, &s->payload), 0);
	}
}

static void
test_peers_are_known(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s, "pro");
	sides_until(&s, 1);
	assert_null(handshake_peer(s.i));
	assert_null(handshake_peer(s.r));
	assert_int_equal(handshake_read(s.i, s.wire.data, s.wire.len, &s.payload), 0);
	assert_memory_equal(handshake_peer(s.i), s.rk.dh_pk, DH_LEN);
	assert_false(handshake_done(s.i));
	buf_reset(&s.wire);
	assert_int_equal(handshake_write(s.i, "", 0, &s.wire), 0);
	assert_true(handshake_done(s.i));
	assert_int_equal(handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), 0);
	assert_memory_equal(handshake_peer(s.r), s.ik.dh_pk, DH_LEN);
	assert_true(handshake_done(s.r));
	sides_fini(&s);
}

static void
test_ephemerals_are_random(void **state)
{
	struct sides s;
	struct handshake *a, *b;

	(void)state;
	sides_init(&s, "pro");
	a = handshake_new(true, s.ik.dh_pk, s.ik.dh_sk, "pro", 3, NULL);
	b = handshake_new(true, s.ik.dh_pk, s.ik.dh_sk, "pro", 3, NULL);
	assert_int_equal(handshake_write(a, NULL, 0, &s.wire), 0);
	assert_int_equal(handshake_write(b, NULL, 0, &s.payload), 0);
	assert_int_equal(s.wire.len, DH_LEN);
	assert_memory_not_equal(s.wire.data, s.payload.data, DH_LEN);
	handshake_free(a);
	handshake_free(b);
	handshake_free(NULL);
	sides_fini(&s);
}

static void
test_turns(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s, "pro");
	assert_int_equal(handshake_write(s.r, "", 0, &s.wire), IM_ERR_REFUSED);
	assert_int_equal(handshake_read(s.i, "", 0, &s.payload), IM_ERR_REFUSED);
	sides_fini(&s);
	sides_init(&s, "pro");
	sides_until(&s, 2);
	assert_int_equal(handshake_write(s.i, "", 0, &s.wire), IM_ERR_REFUSED);
	assert_int_equal(handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), 0);
	assert_int_equal(handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), IM_ERR_REFUSED);
	sides_fini(&s);
}

/* One wrong message ends it: nobody may go on guessing. */
static void
test_dead_after_error(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s, "pro");
	sides_until(&s, 2);
	s.wire.data[0] ^= 1;
	assert_int_equal(
	        handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), IM_ERR_SIGNATURE);
	s.wire.data[0] ^= 1;
	assert_int_equal(handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), IM_ERR_REFUSED);
	assert_false(handshake_done(s.r));
	sides_fini(&s);
}

static void
test_limits(void **state)
{
	static uint8_t big[NOISE_MESSAGE_MAX + 1];
	struct sides s;

	(void)state;
	sides_init(&s, "pro");
	assert_int_equal(
	        handshake_write(s.i, big, NOISE_MESSAGE_MAX - DH_LEN + 1, &s.wire), IM_ERR_LIMIT);
	assert_int_equal(handshake_write(s.i, big, NOISE_MESSAGE_MAX - DH_LEN, &s.wire), 0);
	assert_int_equal(s.wire.len, NOISE_MESSAGE_MAX);
	assert_int_equal(handshake_read(s.r, s.wire.data, s.wire.len, &s.payload), 0);
	assert_int_equal(s.payload.len, NOISE_MESSAGE_MAX - DH_LEN);
	buf_reset(&s.wire);
	buf_reset(&s.payload);
	assert_int_equal(handshake_write(s.r, big, NOISE_MESSAGE_MAX - 96, &s.wire), 0);
	assert_int_equal(s.wire.len, NOISE_MESSAGE_MAX);
	assert_int_equal(handshake_read(s.i, s.wire.data, s.wire.len, &s.payload), 0);
	sides_fini(&s);
	sides_init(&s, "pro");
	assert_int_equal(handshake_read(s.r, big, sizeof big, &s.payload), IM_ERR_LIMIT);
	sides_fini(&s);
}

static void
test_other_prologue(void **state)
{
	struct sides s;

	(void)state;
	sides_init(&s, "prp");
	sides_until(&s, 1);
	assert_int_equal(
	        handshake_read(s.i, s.wire.data, s.wire.len, &s.payload), IM_ERR_SIGNATURE);
	assert_int_equal(handshake_write(s.i, "", 0, &s.wire), IM_ERR_REFUSED); /* dead */
	assert_null(handshake_peer(s.i));
	sides_fini(&s);
}

/* Points of small order as the peer's ephemeral key: with them the shared secret would be known to
 * everybody. */
static void
test_zero_result(void **state)
{
	static const char *const points[] = {
	        "0000000000000000000000000000000000000000000000000000000000000000",
	        "0100000000000000000000000000000000000000000000000000000000000000",
	        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
	        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct sides s;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof points / sizeof *points; i++) {
		struct bytes e = from_hex(points[i]), message = {.len = 103};

		sides_init(&s, "pro");
		assert_int_equal(handshake_read(s.r, e.data, e.len, &s.payload), 0);
		assert_int_equal(handshake_write(s.r, "", 0, &s.wire), IM_ERR_REFUSED);
		assert_int_equal(s.wire.len, 0);
		assert_false(handshake_writes(s.r));
		assert_int_equal(handshake_write(s.i, "", 0, &s.wire), 0);
		memcpy(message.data, e.data, e.len);
		assert_int_equal(
		        handshake_read(s.i, message.data, message.len, &s.payload), IM_ERR_REFUSED);
		sides_fini(&s);
	}
}

/* Takes altered message *arg; for the first one, which nothing protects yet, the second must then
 * fail. */
static bool
completes(const uint8_t *bytes, size_t len, void *arg)
{
	unsigned n = *(unsigned *)arg;
	struct sides s;
	bool ok;

	sides_init(&s, "pro");
	sides_until(&s, n);
	buf_reset(&s.payload);
	ok = handshake_read(n == 1 ? s.i : s.r, bytes, len, &s.payload) == 0;
	if (ok && n == 0) {
		buf_reset(&s.wire);
		ok = handshake_write(s.r, "", 0, &s.wire) == 0 &&
		     handshake_read(s.i, s.wire.data, s.wire.len, &s.payload) == 0;
	}
	if (!ok && n > 0 && s.payload.len != 0)
		ok = true; /* bytes that did not verify came out */
	sides_fini(&s);
	return ok;
}

static void
test_mangled(void **state)
{
	struct sides s;
	unsigned n;

	(void)state;
	for (n = 0; n < 3; n++) {
		sides_init(&s, "pro");
		sides_until(&s, n);
		assert_true(completes(s.wire.data, s.wire.len, &n));
		assert_int_equal(mangle_cut(completes, s.wire.data, s.wire.len, &n), 0);
		assert_int_equal(
		        mangle_flip(completes, s.wire.data, s.wire.len, s.wire.len, &n), 0);
		sides_fini(&s);
	}
}

static int
setup(void **state)
{
	(void)state;
	return crypto_start();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_vectors),
	        cmocka_unit_test(test_peers_are_known),
	        cmocka_unit_test(test_ephemerals_are_random),
	        cmocka_unit_test(test_turns),
	        cmocka_unit_test(test_dead_after_error),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_other_prologue),
	        cmocka_unit_test(test_zero_result),
	        cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
