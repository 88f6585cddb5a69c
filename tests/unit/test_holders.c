/* client/holders: who had which trees, over a graph of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "client/holders.h"

#define TURN HOLDERS_TURN /* a chance that takes a place, and one that does not */
#define NO_TURN 1

static struct graph *g;
static struct node_id found[JOB_HOLDERS_MAX];
static const struct node_id nobody;

static struct node_id
node(uint8_t n)
{
	return (struct node_id){{n}};
}

static struct job
job_of(const struct digest *trees, uint32_t n)
{
	return (struct job){.trees = trees, .ntrees = n};
}

static void
note(const struct digest *trees, uint32_t n, uint8_t id, uint64_t chance)
{
	struct job j = job_of(trees, n);
	struct node_id who = node(id);

	holders_note(g, &j, &who, chance);
}

/* The first bytes of those found, as a number of decimal digits. */
static unsigned
find(const struct digest *trees, uint32_t n, uint8_t but)
{
	struct job j = job_of(trees, n);
	struct node_id who = node(but);
	uint32_t k = holders_find(g, &j, &who, found);
	unsigned all = 0;

	assert_true(k <= JOB_HOLDERS_MAX);
	for (uint32_t i = 0; i < k; i++)
		all = all * 10 + found[i].bytes[0];
	return all;
}

static int
set_up(void **state)
{
	int fd = memfd_create("graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	(void)state;
	assert_int_equal(crypto_start(), 0);
	assert_int_equal(ftruncate(fd, GRAPH_FILE_MIN), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	return graph_open(&g, fd);
}

static int
tear_down(void **state)
{
	(void)state;
	graph_free(g);
	g = NULL;
	return 0;
}

static void
newest_first(void **state)
{
	static const struct digest t[] = {{{1}}};

	(void)state;
	assert_int_equal(find(t, 1, 0), 0);
	note(t, 1, 1, NO_TURN);
	note(t, 1, 2, NO_TURN);
	assert_int_equal(find(t, 1, 0), 21);
	note(t, 1, 1, NO_TURN); /* known: nothing changes */
	note(t, 1, 3, NO_TURN);
	assert_int_equal(find(t, 1, 0), 321);
	assert_int_equal(find(t, 1, 2), 31); /* not whom it would tell */
	note(t, 1, 4, NO_TURN);
	assert_int_equal(find(t, 1, 0), 321);
	note(t, 1, 4, TURN);
	assert_int_equal(find(t, 1, 0), 432);
}

static void
most_trees_first(void **state)
{
	static const struct digest t[] = {{{1}}, {{2}}, {{3}}};

	(void)state;
	note(t, 3, 1, NO_TURN);
	note(t, 1, 2, NO_TURN);
	note(t + 1, 2, 3, NO_TURN);
	note(t, 1, 4, NO_TURN); /* the first tree: 4 2 1, the others: 3 1 */
	assert_int_equal(find(t, 3, 0), 134);
	assert_int_equal(find(t, 1, 0), 421);
	assert_int_equal(find(t, 3, 1), 342);
}

static void
large_trees_count(void **state)
{
	static struct digest t[HOLDERS_TREES + 1];

	(void)state;
	for (uint8_t i = 0; i <= HOLDERS_TREES; i++)
		t[i].bytes[0] = (uint8_t)(i + 1);
	note(t, HOLDERS_TREES + 1, 1, NO_TURN);
	assert_int_equal(find(&t[HOLDERS_TREES - 1], 1, 0), 1);
	assert_int_equal(find(&t[HOLDERS_TREES], 1, 0), 0);
	note(&t[HOLDERS_TREES], 1, 2, NO_TURN);
	assert_int_equal(find(t, HOLDERS_TREES + 1, 0), 1);
}

/* Nothing is added again that is there: the graph would fill. */
static void
does_not_grow(void **state)
{
	static const struct digest t[] = {{{1}}};

	(void)state;
	for (uint32_t i = 0; i < 2 * GRAPH_FILE_MIN / 64; i++)
		note(t, 1, (uint8_t)(1 + i % 5), NO_TURN);
	assert_false(graph_full(g));
	assert_int_equal(find(t, 1, 0), 321);
}

/* What stands in the graph may be anything. */
static void
damaged(void **state)
{
	static const struct digest t[] = {{{1}}};
	struct {
		char prefix[9];
		struct digest tree;
	} key = {"holder 1", {{1}}};
	uint8_t junk[5 * NODE_ID_LEN] = {9};

	(void)state;
	note(t, 1, 1, NO_TURN);
	for (size_t len = 0; len <= sizeof junk; len++) {
		assert_int_equal(graph_add(g, &key, sizeof key, junk, len), 0);
		find(t, 1, 0);
		if (len % NODE_ID_LEN != 0 || len > JOB_HOLDERS_MAX * NODE_ID_LEN)
			assert_int_equal(find(t, 1, 0), 0);
	}
	note(t, 1, 2, NO_TURN);
	assert_int_equal(find(t, 1, 0), 2);
}

static void
without_graph(void **state)
{
	static const struct digest t[] = {{{1}}};
	struct job j = job_of(t, 1);

	(void)state;
	holders_note(NULL, &j, &nobody, TURN);
	assert_int_equal(holders_find(NULL, &j, &nobody, found), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(newest_first, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(most_trees_first, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(large_trees_count, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(does_not_grow, set_up, tear_down),
	        cmocka_unit_test_setup_teardown(damaged, set_up, tear_down),
	        cmocka_unit_test(without_graph),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
