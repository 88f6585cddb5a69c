/* Messages between nodes: each comes back as it went, and nothing mangled gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include "crypto/packet.h"
#include "mesh/wire.h"
#include "tests/unit/mangle.h"
#include "tests/unit/wire_cases.h"

#define OUT_MAX 8192

static struct wire_value sample;

static int
set_up(void **state)
{
	(void)state;
	wire_sample(&sample);
	return crypto_start();
}

static void
encode(const struct wire_case *c, struct buf *b, const struct wire_value *v)
{
	buf_init(b, OUT_MAX);
	c->encode(b, v);
	assert_int_equal(buf_err(b), 0);
}

static void
test_round_trip(void **state)
{
	static struct wire_value got, again;
	struct buf b, second;

	(void)state;
	for (size_t i = 0; i < WIRE_CASES; i++) {
		memset(&got, 0, sizeof got);
		encode(&wire_cases[i], &b, &sample);
		assert_int_equal(wire_cases[i].decode(b.data, b.len, &got), 0);
		encode(&wire_cases[i], &second, &got);
		assert_int_equal(second.len, b.len);
		assert_memory_equal(second.data, b.data, b.len);
		assert_true(memcmp(&got, &again, sizeof got) != 0);
		buf_fini(&b);
		buf_fini(&second);
	}
}

static void
test_fields(void **state)
{
	static struct wire_value got;
	struct buf b;

	(void)state;
	encode(&wire_cases[7], &b, &sample);
	assert_int_equal(wire_joined_decode(b.data, b.len, &got.joined), 0);
	assert_memory_equal(&got.joined, &sample.joined, sizeof got.joined);
	buf_fini(&b);
	encode(&wire_cases[6], &b, &sample);
	assert_int_equal(wire_join_decode(b.data, b.len, &got.join), 0);
	assert_memory_equal(&got.join, &sample.join, sizeof got.join);
	buf_fini(&b);
	encode(&wire_cases[1], &b, &sample);
	assert_int_equal(wire_answer_decode(b.data, b.len, &got.small, &got.load), 0);
	assert_int_equal(got.small, WERR_LEASE);
	assert_memory_equal(&got.load, &sample.load, sizeof got.load);
	buf_fini(&b);
	encode(&wire_cases[0], &b, &sample);
	assert_int_equal(wire_reserve_decode(b.data, b.len, &got.reserve), 0);
	assert_memory_equal(&got.reserve, &sample.reserve, sizeof got.reserve);
	buf_fini(&b);
}

/* Out-parameters stay as they are on error; what is accepted means the same when it is said again. */
static bool
accepts(const uint8_t *bytes, size_t len, void *arg)
{
	static struct wire_value got, before, again;
	const struct wire_case *c = arg;
	struct buf b;

	memset(&got, 0xa5, sizeof got);
	before = got;
	if (c->decode(bytes, len, &got) < 0) {
		assert_memory_equal(&got, &before, sizeof got);
		return false;
	}
	encode(c, &b, &got);
	memset(&again, 0xa5, sizeof again);
	assert_int_equal(c->decode(b.data, b.len, &again), 0);
	if (memcmp(&again, &got, sizeof got) !=
	        0) { /* behind the end of a text there is no meaning */
		struct buf second;
		encode(c, &second, &again);
		assert_int_equal(second.len, b.len);
		assert_memory_equal(second.data, b.data, b.len);
		buf_fini(&second);
	}
	buf_fini(&b);
	return true;
}

static void
test_mangled(void **state)
{
	struct buf b;

	(void)state;
	for (size_t i = 0; i < WIRE_CASES; i++) {
		void *c = (void *)(uintptr_t)&wire_cases[i];

		encode(&wire_cases[i], &b, &sample);
		assert_int_equal(mangle_cut(accepts, b.data, b.len, c), 0);
		for (size_t bit = 0; bit < 8 * b.len; bit++)
			(void)mangle_one(accepts, b.data, b.len, bit, c);
		buf_put_u8(&b, 0);
		assert_false(accepts(b.data, b.len, c));
		buf_fini(&b);
	}
}

static void
test_unknown_keys(void **state)
{
	static struct wire_value got;
	struct buf b;

	(void)state;
	for (size_t i = 0; i < WIRE_CASES; i++) {
		encode(&wire_cases[i], &b, &sample);
		assert_int_equal(b.data[0] & 0xf0, 0x80);
		unsigned pairs = b.data[0] & 0x0f;
		b.data[0]++;
		size_t len = b.len;
		pack_kuint(&b, 64, 1);
		assert_int_equal(wire_cases[i].decode(b.data, b.len, &got), 0);
		for (unsigned key = 0; key < 64; key = key ? key + 1 : pairs + 1) {
			b.len = len;
			pack_kuint(&b, key, 1);
			assert_int_equal(wire_cases[i].decode(b.data, b.len, &got), IM_ERR_VERSION);
		}
		b.len = len;
		pack_kuint(&b, 1, 1); /* twice */
		assert_int_equal(wire_cases[i].decode(b.data, b.len, &got), IM_ERR_VERSION);
		assert_int_equal(wire_cases[i].decode("\x80", 1, &got), IM_ERR_ABSENT);
		buf_fini(&b);
	}
}

static void
test_limits(void **state)
{
	static struct wire_value got;
	static char longer[SIGN_TEXT_MAX + 1];
	struct buf b;

	(void)state;
	memset(longer, 'x', sizeof longer - 1);
	buf_init(&b, OUT_MAX);
	wire_toolchain_encode(&b, &sample.digest, 1, longer);
	assert_int_equal(get_toolchain(b.data, b.len, &got), IM_ERR_LIMIT);
	buf_reset(&b);
	wire_toolchain_encode(&b, &sample.digest, 1, longer + 1);
	assert_int_equal(get_toolchain(b.data, b.len, &got), 0);
	assert_string_equal(got.sig, longer + 1);
	buf_reset(&b);
	pack_map(&b, 1);
	pack_kuint(&b, 1, 1ULL << 32);
	assert_int_equal(get_started(b.data, b.len, &got), IM_ERR_LIMIT);
	buf_reset(&b);
	pack_map(&b, 2);
	pack_kbytes(&b, 1, longer, SIGN_PK_LEN);
	pack_kbytes(&b, 2, longer, NAME_SIZE); /* no room for the NUL */
	assert_true(get_mesh(b.data, b.len, &got) < 0);
	buf_fini(&b);
}

/* NEED with len bytes of digests; *n is what was in it before when it is refused. */
static int
need(size_t len, struct digest *out, uint32_t *n)
{
	static const uint8_t bytes[(WIRE_NEED_MAX + 1) * DIGEST_LEN] = {1, 2, 3};
	struct buf b;

	buf_init(&b, 2 * sizeof bytes);
	pack_map(&b, 1);
	pack_kbytes(&b, 1, bytes, len);
	assert_int_equal(buf_err(&b), 0);
	int err = wire_need_decode(b.data, b.len, out, n);
	buf_fini(&b);
	return err;
}

static void
test_need(void **state)
{
	struct digest *out = calloc(WIRE_NEED_MAX, sizeof *out);
	uint32_t n = 77;
	struct buf b;

	(void)state;
	assert_non_null(out);
	assert_int_equal(need(0, out, &n), IM_ERR_FORMAT);
	assert_int_equal(need(DIGEST_LEN - 1, out, &n), IM_ERR_FORMAT);
	assert_int_equal(need(DIGEST_LEN + 1, out, &n), IM_ERR_FORMAT);
	assert_int_equal(need((WIRE_NEED_MAX + 1) * DIGEST_LEN, out, &n), IM_ERR_LIMIT);
	assert_int_equal(n, 77);
	assert_int_equal(out[0].bytes[0], 0);
	assert_int_equal(need(WIRE_NEED_MAX * DIGEST_LEN, out, &n), 0);
	assert_int_equal(n, WIRE_NEED_MAX);
	assert_int_equal(out[0].bytes[2], 3);
	buf_init(&b, 262144 - 1); /* the body of a frame */
	wire_need_encode(&b, out, n);
	assert_int_equal(buf_err(&b), 0);
	memset(out, 0, sizeof *out);
	assert_int_equal(wire_need_decode(b.data, b.len, out, &n), 0);
	assert_int_equal(out[0].bytes[2], 3);
	buf_fini(&b);
	free(out);
}

static void
test_blob(void **state)
{
	struct digest d = {{9}};
	uint64_t size = 77;
	struct buf b;

	(void)state;
	buf_init(&b, OUT_MAX);
	wire_blob_encode(&b, &sample.digest, TREE_FILE_MAX + 1);
	assert_int_equal(wire_blob_decode(b.data, b.len, &d, &size), IM_ERR_LIMIT);
	assert_true(size == 77 && d.bytes[0] == 9);
	buf_reset(&b);
	wire_blob_encode(&b, &sample.digest, 5);
	assert_int_equal(wire_blob_decode(b.data, b.len, &d, &size), 0);
	assert_true(size == 5 && digest_equal(&d, &sample.digest));
	buf_fini(&b);
}

/* {1: certificate of cert_len, 2: "m", 3: n peers of this text} */
static int
joined(size_t cert_len, uint32_t n, const void *peer, size_t peer_len)
{
	static const uint8_t cert[CERT_LEN_MAX + 1];
	static struct wire_joined j;
	struct buf b;

	buf_init(&b, OUT_MAX);
	pack_map(&b, 3);
	pack_kbytes(&b, 1, cert, cert_len);
	pack_ktext(&b, 2, "m");
	pack_uint(&b, 3);
	pack_array(&b, n);
	for (uint32_t i = 0; i < n; i++)
		pack_bytes(&b, peer, peer_len);
	int err = wire_joined_decode(b.data, b.len, &j);
	buf_fini(&b);
	return err;
}

static void
test_joined(void **state)
{
	static const char longer[] =
	        "0123456789012345678901234567890123456789012345678901234567890123";

	(void)state;
	assert_int_equal(joined(CERT_LEN_MAX, 16, longer, 63), 0);
	assert_int_equal(joined(0, 0, "", 0), 0);
	assert_int_equal(joined(CERT_LEN_MAX + 1, 1, "a", 1), IM_ERR_LIMIT);
	assert_int_equal(joined(1, 17, "a", 1), IM_ERR_LIMIT);
	assert_int_equal(joined(1, 1, longer, 64), IM_ERR_LIMIT);
	assert_int_equal(joined(1, 1, "host\0x:1", 8), IM_ERR_FORMAT);
	assert_int_equal(joined(1, 1, "\033[31m:1", 7), IM_ERR_FORMAT);
	assert_int_equal(joined(1, 1, "h\xc3\xa4", 3), IM_ERR_FORMAT);
}

/* Whatever its cause, a message reaches the other side. */
static void
test_error_text(void **state)
{
	char longer[1000], out[WIRE_TEXT_SIZE];
	uint32_t code;
	struct buf b;

	(void)state;
	memset(longer, 'x', sizeof longer);
	longer[sizeof longer - 1] = 0;
	buf_init(&b, 1024);
	wire_error_encode(&b, WERR_DISK, longer);
	assert_int_equal(wire_error_decode(b.data, b.len, &code, out), 0);
	assert_int_equal(code, WERR_DISK);
	assert_int_equal(strlen(out), WIRE_TEXT_SIZE - 1);
	buf_reset(&b);
	wire_error_encode(&b, WERR_SANDBOX, "bwrap: no\n\033[1mway");
	assert_int_equal(wire_error_decode(b.data, b.len, &code, out), 0);
	assert_string_equal(out, "bwrap: no  [1mway");
	buf_fini(&b);
}

static void
test_payload(void **state)
{
	static const uint8_t cert[CERT_LEN_MAX + 1] = "certificate";
	const uint8_t *got;
	size_t len;
	struct buf b;

	(void)state;
	buf_init(&b, OUT_MAX);
	wire_payload_encode(&b, NULL, 0);
	assert_int_equal(wire_payload_decode(b.data, b.len, &got, &len), 0);
	assert_true(got == NULL && len == 0);
	buf_reset(&b);
	wire_payload_encode(&b, cert, CERT_LEN_MAX);
	assert_int_equal(wire_payload_decode(b.data, b.len, &got, &len), 0);
	assert_int_equal(len, CERT_LEN_MAX);
	assert_memory_equal(got, cert, len);
	assert_true(got > b.data && got < b.data + b.len);
	for (size_t n = 0; n < b.len; n++)
		assert_true(wire_payload_decode(b.data, n, &got, &len) < 0);
	b.data[0]++;
	pack_kuint(&b, 2, 1);
	assert_int_equal(wire_payload_decode(b.data, b.len, &got, &len), IM_ERR_VERSION);
	buf_reset(&b);
	wire_payload_encode(&b, cert, CERT_LEN_MAX + 1);
	assert_int_equal(wire_payload_decode(b.data, b.len, &got, &len), IM_ERR_LIMIT);
	buf_reset(&b);
	pack_map(&b, 1);
	pack_kuint(&b, 1, 5);
	assert_int_equal(wire_payload_decode(b.data, b.len, &got, &len), IM_ERR_FORMAT);
	buf_fini(&b);
}

static bool
block_accepts(const uint8_t *bytes, size_t len, void *arg)
{
	size_t n;

	return wire_block_decode(bytes, len, arg, &n) == 0;
}

static void
test_block(void **state)
{
	uint8_t *raw = malloc(WIRE_BLOCK_MAX + 1), *out = malloc(WIRE_BLOCK_MAX);
	uint32_t x = 1;
	struct buf b;
	size_t n;

	(void)state;
	for (size_t i = 0; i <= WIRE_BLOCK_MAX; i++)
		raw[i] = (uint8_t)((x = x * 1664525 + 1013904223) >> 24); /* does not compress */
	buf_init(&b, 2 * WIRE_BLOCK_MAX);
	assert_int_equal(wire_block_encode(&b, raw, WIRE_BLOCK_MAX + 1), IM_ERR_LIMIT);
	for (size_t len = 0; len <= WIRE_BLOCK_MAX; len = len ? len * 8 : 1) {
		size_t k = len < WIRE_BLOCK_MAX ? len : WIRE_BLOCK_MAX;
		buf_reset(&b);
		assert_int_equal(wire_block_encode(&b, raw, k), 0);
		assert_int_equal(get_u32(b.data), k);
		assert_int_equal(wire_block_decode(b.data, b.len, out, &n), 0);
		assert_int_equal(n, k);
		assert_memory_equal(out, raw, n);
	}
	buf_reset(&b);
	assert_int_equal(wire_block_encode(&b, raw, WIRE_BLOCK_MAX), 0);
	assert_int_equal(wire_block_decode(b.data, b.len, out, &n), 0);
	assert_memory_equal(out, raw, WIRE_BLOCK_MAX);
	b.data[1]++; /* more than a block may hold */
	assert_int_equal(wire_block_decode(b.data, b.len, out, &n), IM_ERR_LIMIT);
	buf_reset(&b);
	memset(raw, 'a', 1000);
	assert_int_equal(wire_block_encode(&b, raw, 1000), 0);
	assert_true(b.len < 100);
	assert_int_equal(mangle_cut(block_accepts, b.data, b.len, out), 0);
	b.data[3]--; /* less than what is in it */
	assert_int_equal(wire_block_decode(b.data, b.len, out, &n), IM_ERR_FORMAT);
	b.data[3] += 2;
	assert_int_equal(wire_block_decode(b.data, b.len, out, &n), IM_ERR_FORMAT);
	buf_fini(&b);
	buf_init(&b, 100); /* no room */
	assert_int_equal(wire_block_encode(&b, raw, 1000), IM_ERR_LIMIT);
	buf_fini(&b);
	free(raw);
	free(out);
}

static void
test_nack_names(void **state)
{
	(void)state;
	for (uint32_t n = NACK_BUSY; n <= NACK_INSTALLING; n++) {
		assert_string_not_equal(wire_nack_name(n), "unknown");
		for (uint32_t k = NACK_BUSY; k < n; k++)
			assert_string_not_equal(wire_nack_name(n), wire_nack_name(k));
	}
	assert_string_equal(wire_nack_name(0), "unknown");
	assert_string_equal(wire_nack_name(UINT32_MAX), "unknown");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_fields),
	        cmocka_unit_test(test_mangled),
	        cmocka_unit_test(test_unknown_keys),
	        cmocka_unit_test(test_limits),
	        cmocka_unit_test(test_need),
	        cmocka_unit_test(test_blob),
	        cmocka_unit_test(test_joined),
	        cmocka_unit_test(test_error_text),
	        cmocka_unit_test(test_payload),
	        cmocka_unit_test(test_block),
	        cmocka_unit_test(test_nack_names),
	};

	return cmocka_run_group_tests(tests, set_up, NULL);
}
