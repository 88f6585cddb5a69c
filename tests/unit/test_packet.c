/* Messages: what is written can be read, and hostile bytes cost neither memory nor time. */
#include "crypto/packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include "tests/unit/mangle.h"

/* Opens and frees; the bytes are copied so that reads past their end show. */
static int
try_open(const void *bytes, size_t len)
{
	uint8_t *copy = malloc(len);
	struct packet *p;
	int err;

	assert_true(copy != NULL || len == 0);
	if (len > 0)
		memcpy(copy, bytes, len);
	err = packet_open(&p, copy, len);
	if (err == 0)
		packet_free(p);
	free(copy);
	return err;
}

static void
write_sample(struct buf *b)
{
	pack_map(b, 8);
	pack_kuint(b, 1, 18446744073709551615u);
	pack_kbytes(b, 2, "\0\1\2", 3);
	pack_ktext(b, 3, "text");
	pack_uint(b, 4);
	pack_bool(b, true);
	pack_uint(b, 5);
	pack_nil(b);
	pack_uint(b, 6);
	pack_array(b, 3);
	pack_uint(b, 300);
	pack_bytes(b, "xy", 2);
	pack_map(b, 0);
	pack_uint(b, 7);
	pack_map(b, 1);
	pack_kuint(b, 1, 0);
	pack_kuint(b, 64, 5);
}

static void
check_array(const struct item *root)
{
	const struct item *array;
	const uint8_t *p;
	uint64_t v;
	size_t len;
	uint32_t n;

	assert_int_equal(item_array(root, 6, 2, &array, &n), IM_ERR_LIMIT);
	assert_int_equal(item_array(root, 3, 9, &array, &n), IM_ERR_FORMAT);
	assert_int_equal(item_array(root, 6, 3, &array, &n), 0);
	assert_int_equal(n, 3);
	assert_int_equal(value_uint(item_at(array, 0), 300, &v), 0);
	assert_int_equal(v, 300);
	assert_int_equal(value_uint(item_at(array, 0), 299, &v), IM_ERR_LIMIT);
	assert_int_equal(value_uint(item_at(array, 1), 299, &v), IM_ERR_FORMAT);
	assert_int_equal(value_bytes(item_at(array, 1), 2, &p, &len), 0);
	assert_memory_equal(p, "xy", 2);
	assert_int_equal(value_bytes(item_at(array, 1), 1, &p, &len), IM_ERR_LIMIT);
	assert_int_equal(value_bytes(item_at(array, 2), 9, &p, &len), IM_ERR_FORMAT);
	assert_true(value_is_map(item_at(array, 2)));
	assert_false(value_is_map(item_at(array, 1)));
}

static void
check_scalars(const struct item *root)
{
	char text[5], small[4];
	const uint8_t *p;
	uint8_t three[3];
	uint64_t v = 77;
	size_t len;
	bool flag = false;

	assert_int_equal(item_uint(root, 1, UINT64_MAX, &v), 0);
	assert_true(v == UINT64_MAX);
	v = 77;
	assert_int_equal(item_uint(root, 1, 1, &v), IM_ERR_LIMIT);
	assert_int_equal(item_uint(root, 5, 1, &v), IM_ERR_ABSENT); /* nil */
	assert_int_equal(item_uint(root, 9, 1, &v), IM_ERR_ABSENT);
	assert_int_equal(item_uint(root, 3, 1, &v), IM_ERR_FORMAT);
	assert_int_equal(v, 77); /* untouched on error */
	assert_int_equal(item_bytes(root, 2, 3, &p, &len), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(p, "\0\1\2", 3);
	assert_int_equal(item_bytes(root, 2, 2, &p, &len), IM_ERR_LIMIT);
	assert_int_equal(item_fixed(root, 2, three, 3), 0);
	assert_memory_equal(three, "\0\1\2", 3);
	assert_int_equal(item_fixed(root, 2, three, 2), IM_ERR_FORMAT);
	assert_int_equal(item_text(root, 3, text, sizeof text), 0);
	assert_string_equal(text, "text");
	assert_int_equal(item_text(root, 3, small, sizeof small), IM_ERR_LIMIT);
	assert_int_equal(item_text(root, 2, text, sizeof text), IM_ERR_FORMAT);
	assert_int_equal(item_bool(root, 4, &flag), 0);
	assert_true(flag);
	assert_int_equal(item_bool(root, 1, &flag), IM_ERR_FORMAT);
	assert_null(item_get(root, 5));
}

static void
test_round_trip(void **state)
{
	const struct item *inner;
	struct packet *p;
	struct buf b;
	uint64_t v;

	(void)state;
	buf_init(&b, 1000);
	write_sample(&b);
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	check_scalars(packet_root(p));
	check_array(packet_root(p));
	assert_int_equal(item_map(packet_root(p), 7, &inner), 0);
	assert_int_equal(item_uint(inner, 1, 0, &v), 0);
	assert_int_equal(item_map(packet_root(p), 1, &inner), IM_ERR_FORMAT);
	assert_int_equal(item_known(packet_root(p), 0xfe), 0); /* 64 is optional */
	assert_int_equal(item_known(packet_root(p), 0x7e), IM_ERR_VERSION);
	packet_free(p);
	packet_free(NULL);
	buf_fini(&b);
}

static void
test_write_errors_stay(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	write_sample(&b);
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	assert_true(b.len <= 10);
	buf_fini(&b);
}

static int
known_of(const void *bytes, size_t len)
{
	struct packet *p;
	int err;

	assert_int_equal(packet_open(&p, bytes, len), 0);
	err = item_known(packet_root(p), 0xff);
	packet_free(p);
	return err;
}

static void
test_known_keys(void **state)
{
	(void)state;
	assert_int_equal(known_of("\x82\x01\x01\x02\x01", 5), 0);
	assert_int_equal(known_of("\x82\x01\x01\x01\x02", 5), IM_ERR_VERSION); /* twice */
	assert_int_equal(known_of("\x82\x40\x01\x40\x02", 5), IM_ERR_VERSION); /* optional, twice */
	assert_int_equal(known_of("\x82\x01\x01\xcc\x01\x02", 6),
	        IM_ERR_VERSION); /* twice, written otherwise */
	assert_int_equal(known_of("\x81\xa1\x61\x01", 4), IM_ERR_VERSION); /* text as a key */
	assert_int_equal(known_of("\x81\x3f\x01", 3), IM_ERR_VERSION);     /* 63 */
	assert_int_equal(known_of("\x81\x40\x01", 3), 0);                  /* 64 */
	assert_int_equal(known_of("\x80", 1), 0);
}

static void
test_refused_bytes(void **state)
{
	(void)state;
	assert_int_equal(try_open("", 0), IM_ERR_TRUNCATED);
	assert_int_equal(try_open("\x01", 1), IM_ERR_FORMAT); /* not a map */
	assert_int_equal(try_open("\x90", 1), IM_ERR_FORMAT);
	assert_int_equal(try_open("\x80\x80", 2), IM_ERR_FORMAT);     /* trailing */
	assert_int_equal(try_open("\x81\x01\xff", 3), IM_ERR_FORMAT); /* negative */
	assert_int_equal(try_open("\x81\x01\xd0\xff", 4), IM_ERR_FORMAT);
	assert_int_equal(try_open("\x81\x01\xca\0\0\0\0", 7), IM_ERR_FORMAT); /* float */
	assert_int_equal(try_open("\x81\x01\xd4\0\0", 5), IM_ERR_FORMAT);     /* extension */
	assert_int_equal(try_open("\x81\x01\xc7\x01\0\0", 6), IM_ERR_FORMAT);
	assert_int_equal(try_open("\x81\x01\xc1", 3), IM_ERR_FORMAT);
	assert_int_equal(try_open("\x81\x01\xc4\x05\x01", 5), IM_ERR_TRUNCATED);
	assert_int_equal(try_open("\x81\x01\xcf\x01", 4), IM_ERR_TRUNCATED);
	assert_int_equal(try_open("\x81\x01", 2), IM_ERR_TRUNCATED);
}

/* Heads that ask for gigabytes are refused by the bytes that are there. */
static void
test_no_memory_for_lies(void **state)
{
	static const char *const lies[] = {"\xdf\xff\xff\xff\xff", "\x81\x01\xdd\xff\xff\xff\xff",
	        "\x81\x01\xdf\x7f\xff\xff\xff", "\x81\x01\xc6\xff\xff\xff\xff",
	        "\x81\x01\xdb\xff\xff\xff\xff"};
	static const size_t lens[] = {5, 7, 7, 7, 7};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof lens / sizeof *lens; i++) {
		int err = try_open(lies[i], lens[i]);

		assert_true(err == IM_ERR_TRUNCATED || err == IM_ERR_LIMIT);
	}
}

/* A map whose key 1 holds `depth - 1` arrays in one another. */
static int
open_nested(unsigned depth)
{
	struct buf b;
	unsigned i;
	int err;

	buf_init(&b, 1 << 20);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	for (i = 1; i < depth; i++)
		pack_array(&b, 1);
	pack_nil(&b);
	assert_int_equal(buf_err(&b), 0);
	err = try_open(b.data, b.len);
	buf_fini(&b);
	return err;
}

static void
test_depth(void **state)
{
	(void)state;
	assert_int_equal(open_nested(1), 0);
	assert_int_equal(open_nested(PACKET_DEPTH_MAX), 0);
	assert_int_equal(open_nested(PACKET_DEPTH_MAX + 1), IM_ERR_LIMIT);
	assert_int_equal(open_nested(500000), IM_ERR_LIMIT);
}

static int
open_wide(uint32_t values)
{
	struct buf b;
	uint32_t i;
	int err;

	buf_init(&b, 1 << 20);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, values);
	for (i = 0; i < values; i++)
		pack_uint(&b, 0);
	assert_int_equal(buf_err(&b), 0);
	err = try_open(b.data, b.len);
	buf_fini(&b);
	return err;
}

static void
test_count(void **state)
{
	(void)state;
	assert_int_equal(
	        open_wide(PACKET_ITEMS_MAX - 3), 0); /* the map, its key and the array count too */
	assert_int_equal(open_wide(PACKET_ITEMS_MAX - 2), IM_ERR_LIMIT);
}

static void
test_pairs(void **state)
{
	struct buf b;
	uint32_t n, i;

	(void)state;
	for (n = PACKET_PAIRS_MAX; n <= PACKET_PAIRS_MAX + 1; n++) {
		buf_init(&b, 1 << 20);
		pack_map(&b, n);
		for (i = 0; i < n; i++)
			pack_kuint(&b, 64 + i, 0);
		assert_int_equal(try_open(b.data, b.len), n == PACKET_PAIRS_MAX ? 0 : IM_ERR_LIMIT);
		buf_fini(&b);
	}
}

static void
test_text_is_clean(void **state)
{
	static const char *const bad[] = {"\x81\x01\xa2"
	                                  "a\0",
	        "\x81\x01\xa2"
	        "\x1b[",
	        "\x81\x01\xa2"
	        "a\n",
	        "\x81\x01\xa2"
	        "a\x7f"};
	struct packet *p;
	char text[8];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof bad / sizeof *bad; i++) {
		assert_int_equal(packet_open(&p, bad[i], 5), 0);
		assert_int_equal(item_text(packet_root(p), 1, text, sizeof text), IM_ERR_FORMAT);
		packet_free(p);
	}
	assert_int_equal(packet_open(&p, "\x81\x01\xa0", 3), 0);
	assert_int_equal(item_text(packet_root(p), 1, text, sizeof text), 0);
	assert_string_equal(text, "");
	packet_free(p);
}

static bool
opens(const uint8_t *bytes, size_t len, void *arg)
{
	struct packet *p;
	uint64_t v;
	char text[8];

	(void)arg;
	if (packet_open(&p, bytes, len) != 0)
		return false;
	if (item_known(packet_root(p), 0xfe) == 0 &&
	        item_uint(packet_root(p), 1, UINT64_MAX, &v) == 0)
		(void)!item_text(packet_root(p), 3, text, sizeof text);
	packet_free(p);
	return true;
}

/* A flipped bit may leave a well-formed message (nothing signs it here); it must only never break
 * anything. */
static void
test_mangled(void **state)
{
	struct buf b;
	size_t bit;

	(void)state;
	buf_init(&b, 1000);
	write_sample(&b);
	assert_true(opens(b.data, b.len, NULL));
	assert_int_equal(mangle_cut(opens, b.data, b.len, NULL), 0);
	for (bit = 0; bit < 8 * b.len; bit++)
		(void)mangle_one(opens, b.data, b.len, bit, NULL);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_round_trip),
	        cmocka_unit_test(test_write_errors_stay),
	        cmocka_unit_test(test_known_keys),
	        cmocka_unit_test(test_refused_bytes),
	        cmocka_unit_test(test_no_memory_for_lies),
	        cmocka_unit_test(test_depth),
	        cmocka_unit_test(test_count),
	        cmocka_unit_test(test_pairs),
	        cmocka_unit_test(test_text_is_clean),
	        cmocka_unit_test(test_mangled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
