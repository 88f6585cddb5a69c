/* mesh/history: bounded whatever is told, oldest first out, each user for himself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>
#include "mesh/history.h"

static struct history *h;

static int
setup(void **state)
{
	(void)state;
	h = history_new();
	return h == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	history_free(h);
	return 0;
}

/* A compile of the file "/src/N.c", told at N. */
static void
tell(uid_t uid, unsigned n)
{
	char file[64];

	snprintf(file, sizeof file, "/src/%u.c", n);
	history_add(h, uid, n, &(struct account){.file = file, .exit = -1});
}

/* How many a user sees; told of the first and the last. */
static unsigned
seen(uid_t asker, uint64_t *first, uint64_t *last)
{
	const struct item *list, *one;
	struct packet *p = NULL, *inner = NULL;
	struct account_room room;
	struct account a;
	const uint8_t *bytes;
	char expected[64];
	struct buf b;
	uint32_t n;
	size_t len;

	buf_init(&b, 4 << 20);
	history_encode(h, asker, &b);
	assert_int_equal(buf_err(&b), 0);
	assert_int_equal(packet_open(&p, b.data, b.len), 0);
	assert_int_equal(item_array(packet_root(p), 1, HISTORY_MAX, &list, &n), 0);
	*first = *last = 0;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t told, uid;

		one = item_at(list, i);
		assert_int_equal(item_uint(one, 1, UINT64_MAX, &told), 0);
		assert_int_equal(item_uint(one, 2, UINT32_MAX, &uid), 0);
		assert_true(asker == 0 || uid == asker);
		assert_int_equal(item_bytes(one, 3, ACCOUNT_LEN_MAX, &bytes, &len), 0);
		assert_int_equal(packet_open(&inner, bytes, len), 0);
		assert_int_equal(account_decode(&a, &room, packet_root(inner)), 0);
		if (strlen(a.file) < 64) {
			snprintf(expected, sizeof expected, "/src/%u.c", (unsigned)told);
			assert_string_equal(a.file, expected);
		}
		packet_free(inner);
		assert_true(told >= *last);
		*last = told;
		if (i == 0)
			*first = told;
	}
	packet_free(p);
	buf_fini(&b);
	return n;
}

static void
test_users_apart(void **state)
{
	uint64_t first, last;

	(void)state;
	assert_int_equal(seen(0, &first, &last), 0);
	tell(1000, 1);
	tell(1001, 2);
	tell(1000, 3);
	tell(0, 4);
	assert_int_equal(seen(1000, &first, &last), 2);
	assert_true(first == 1 && last == 3);
	assert_int_equal(seen(1001, &first, &last), 1);
	assert_int_equal(seen(1002, &first, &last), 0);
	assert_int_equal(seen(0, &first, &last), 4); /* root sees all */
}

static void
test_oldest_goes(void **state)
{
	uint64_t first, last;

	(void)state;
	for (unsigned i = 1; i <= HISTORY_MAX + 10; i++)
		tell(1000, i);
	assert_int_equal(history_count(h), HISTORY_MAX);
	assert_int_equal(seen(1000, &first, &last), HISTORY_MAX);
	assert_true(first == 11 && last == HISTORY_MAX + 10);
}

/* Whoever tells much, or long, pushes out what is his own. */
static void
test_nobody_driven_out(void **state)
{
	char name[ACCOUNT_NAME_MAX + 1];
	uint64_t first, last;

	(void)state;
	for (unsigned i = 1; i <= 300; i++)
		tell(1000, i);
	for (unsigned i = 1; i <= 5000; i++)
		tell(1001, i);
	assert_int_equal(seen(1000, &first, &last), 300);
	assert_int_equal(seen(1001, &first, &last), HISTORY_MAX - 300);
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = 0;
	for (unsigned i = 1; i <= 1000; i++)
		history_add(h, 1002, 5000 + i,
		        &(struct account){.file = name, .output = name, .exit = -1});
	assert_int_equal(seen(1000, &first, &last), 300);
	assert_true(seen(1002, &first, &last) < HISTORY_MAX / 16);
	assert_true(last == 6000);
}

/* A user for each account, and one more. */
static void
test_many_users(void **state)
{
	uint64_t first, last;

	(void)state;
	for (unsigned i = 1; i <= HISTORY_MAX + 5; i++)
		tell(1000 + i, i);
	assert_int_equal(history_count(h), HISTORY_MAX);
	assert_int_equal(seen(1000 + HISTORY_MAX + 5, &first, &last), 1);
	assert_int_equal(seen(0, &first, &last), HISTORY_MAX);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_users_apart), TEST(test_oldest_goes),
	        TEST(test_nobody_driven_out), TEST(test_many_users)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
