/* The strings of a decoded message: copied with their NUL as long as there is room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "exec/arena.h"

static void
strings_fill_the_room(void **state)
{
	char room[8];
	struct arena a = {.next = room, .left = sizeof(room)};
	const char *one, *two, *three;

	(void)state;
	one = arena_text(&a, (const uint8_t *)"abc", 3);
	two = arena_text(&a, NULL, 0);
	assert_string_equal(one, "abc");
	assert_string_equal(two, "");
	assert_int_equal(a.left, 3);
	assert_null(arena_text(&a, (const uint8_t *)"def", 3));
	three = arena_text(&a, (const uint8_t *)"de", 2);
	assert_string_equal(three, "de");
	assert_string_equal(one, "abc");
	assert_int_equal(a.left, 0);
	assert_null(arena_text(&a, NULL, 0));
}

static void
nul_inside_is_refused(void **state)
{
	char room[8];
	struct arena a = {.next = room, .left = sizeof(room)};

	(void)state;
	assert_null(arena_text(&a, (const uint8_t *)"a\0b", 3));
	assert_ptr_equal(a.next, room);
	assert_int_equal(a.left, sizeof(room));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(strings_fill_the_room), cmocka_unit_test(nul_inside_is_refused)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
