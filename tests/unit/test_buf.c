/* Buffers keep their maximum, their error, and the bytes that were there before it. */
#include "crypto/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

static void
test_put_and_read(void **state)
{
	static const uint8_t want[] = {'a', 'b', 7, 1, 2, 0xde, 0xad, 0xbe, 0xef};
	struct buf b;

	(void)state;
	buf_init(&b, 100);
	assert_null(b.data);
	buf_put(&b, "ab", 2);
	buf_put_u8(&b, 7);
	buf_put_u16(&b, 0x0102);
	buf_put_u32(&b, 0xdeadbeef);
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(b.len, sizeof want);
	assert_memory_equal(b.data, want, sizeof want);
	assert_int_equal(get_u16(b.data + 3), 0x0102);
	assert_true(get_u32(b.data + 5) == 0xdeadbeef);
	buf_fini(&b);
	assert_int_equal(b.max, 100);
	assert_int_equal(b.len, 0);
}

static void
test_maximum_is_hard(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 4);
	buf_put(&b, "abc", 3);
	buf_put(&b, "de", 2);
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	assert_int_equal(b.len, 3);
	buf_put(&b, "d", 1); /* would fit, but the error sticks */
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "abc", 3);
	assert_null(buf_text(&b));
	assert_null(buf_room(&b, 0));
	buf_reset(&b);
	assert_int_equal(buf_err(&b), 0);
	buf_put(&b, "wxyz", 4);
	assert_int_equal(buf_err(&b), 0);
	assert_string_equal(buf_text(&b), "wxyz"); /* the NUL needs no room of its own */
	assert_true(b.cap <= 4);
	buf_put(&b, "", SIZE_MAX); /* no wrap-around */
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	buf_fini(&b);
}

static void
test_no_room_at_all(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 0);
	assert_string_equal(buf_text(&b), "");
	buf_put(&b, "", 0);
	assert_int_equal(buf_err(&b), 0);
	buf_put_u8(&b, 1);
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	buf_fini(&b);
}

static void
test_memory_lacks(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_null(buf_room(&b, SIZE_MAX));
	assert_int_equal(buf_err(&b), IM_ERR_MEMORY);
	buf_fini(&b);
}

static void
test_growth_keeps_bytes(void **state)
{
	struct buf b;
	unsigned i;

	(void)state;
	buf_init(&b, 40000);
	for (i = 0; i < 10000; i++)
		buf_put_u32(&b, i);
	assert_int_equal(buf_err(&b), 0);
	for (i = 0; i < 10000; i++)
		assert_int_equal(get_u32(b.data + 4 * i), i);
	buf_consume(&b, 4 * 9999);
	assert_int_equal(b.len, 4);
	assert_int_equal(get_u32(b.data), 9999);
	buf_consume(&b, 4);
	buf_consume(&b, 0);
	assert_int_equal(b.len, 0);
	buf_fini(&b);
}

static void
test_room(void **state)
{
	struct buf b;
	uint8_t *room;

	(void)state;
	buf_init(&b, 1000);
	buf_put(&b, "x", 1);
	room = buf_room(&b, 999);
	assert_non_null(room);
	assert_int_equal(b.len, 1);
	memset(room, 'y', 999);
	b.len += 999;
	assert_null(buf_room(&b, 1));
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	buf_fini(&b);
}

static void
test_printf(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 12);
	buf_printf(&b, "%s %d", "hello", 42);
	assert_int_equal(b.len, 8);
	assert_string_equal(buf_text(&b), "hello 42");
	buf_printf(&b, "%s", "four");
	assert_int_equal(b.len, 12);
	buf_printf(&b, "!");
	assert_int_equal(buf_err(&b), IM_ERR_LIMIT);
	assert_memory_equal(b.data, "hello 42four", 12);
	buf_fini(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_put_and_read),
	        cmocka_unit_test(test_maximum_is_hard),
	        cmocka_unit_test(test_no_room_at_all),
	        cmocka_unit_test(test_memory_lacks),
	        cmocka_unit_test(test_growth_keeps_bytes),
	        cmocka_unit_test(test_room),
	        cmocka_unit_test(test_printf),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
