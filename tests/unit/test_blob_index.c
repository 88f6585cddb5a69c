/* Bytes, numbers and the order of use, without a disk. */
#include "mesh/blob_index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdlib.h>

static struct blob_index x;
static uint32_t n[5];

/* Five blobs of one block each, used in the order of their numbers. */
static int
set_up(void **state)
{
	(void)state;
	blob_index_init(&x, 10);
	for (unsigned i = 0; i < 5; i++) {
		struct digest d = {{(uint8_t)i}};
		n[i] = blob_index_entry(&x, &d);
		blob_index_stored(&x, n[i], 100, true);
	}
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	blob_index_fini(&x);
	return 0;
}

static uint32_t
oldest(void)
{
	return blob_index_oldest(&x, x.blob_uses.oldest);
}

static void
test_order(void **state)
{
	(void)state;
	assert_int_equal(x.bytes, 5 * 4096);
	assert_int_equal(oldest(), n[0]);
	blob_index_used(&x, n[0]);
	assert_int_equal(oldest(), n[1]);
	x.at[n[1]].held = 1;
	assert_int_equal(oldest(), n[2]);
	blob_index_removed(&x, n[2]);
	assert_int_equal(oldest(), n[3]);
	blob_index_removed(&x, n[3]);
	blob_index_removed(&x, n[4]);
	assert_int_equal(oldest(), n[0]);
	blob_index_removed(&x, n[0]);
	assert_int_equal(oldest(), DIGESTS_NONE);
	assert_int_equal(x.nblobs, 1);
	assert_int_equal(x.digests.n, 1);
	blob_index_removed(&x, n[1]); /* held: it stays known */
	assert_int_equal(x.digests.n, 1);
	assert_int_equal(x.bytes, 0);
}

static void
test_links(void **state)
{
	(void)state;
	struct laid *l = calloc(1, sizeof *l);
	l->links = malloc(2 * sizeof *l->links);
	l->links[0] = n[0];
	l->links[1] = n[1];
	l->nlinks = 2;
	l->bytes = 8192;
	blob_index_laid(&x, n[4], l);
	assert_int_equal(x.bytes, 7 * 4096);
	assert_int_equal(oldest(), n[2]);
	assert_int_equal(blob_index_oldest_tree(&x), n[4]);
	x.at[n[4]].held = 1;
	assert_int_equal(blob_index_oldest_tree(&x), DIGESTS_NONE);
	blob_index_dropped(&x, n[4]);
	assert_int_equal(oldest(), n[0]);
	assert_int_equal(x.bytes, 5 * 4096);
	assert_int_equal(x.nlinks, 0);
}

static void
test_limit(void **state)
{
	(void)state;
	for (unsigned i = 5; i < 11; i++) {
		struct digest d = {{(uint8_t)i}};
		assert_int_equal(blob_index_entry(&x, &d) == DIGESTS_NONE, i == 10);
	}
	blob_index_removed(&x, n[0]);
	struct digest d = {{10}};
	assert_int_equal(blob_index_entry(&x, &d), n[0]);
	assert_false(x.at[n[0]].stored);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(test_order, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_links, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(test_limit, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
