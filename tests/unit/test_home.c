/* client/home: when this machine beats its peers, and what is kept of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/home.h"
#include "tests/unit/inputs_rig.h"

static const struct digest one = {{1}}, other = {{2}};

static struct home
after(uint64_t here_us, unsigned nhere, uint64_t there_us, unsigned nthere)
{
	struct home h = {.at = {{.count = 0}}};

	while (nhere-- > 0)
		(void)home_add(&h.at[HOME_HERE], here_us, 1000);
	while (nthere-- > 0)
		(void)home_add(&h.at[HOME_THERE], there_us, 1000);
	return h;
}

static bool
faster(uint64_t here_us, unsigned nhere, uint64_t there_us, unsigned nthere)
{
	struct home h = after(here_us, nhere, there_us, nthere);

	return home_is_faster(&h);
}

static void
test_faster(void **state)
{
	const unsigned n = HOME_COUNT_MIN;

	(void)state;
	assert_true(faster(400000, n, 1000000, n));
	assert_false(faster(500000, n, 1000000, n));
	assert_false(faster(1000000, n, 400000, n));
	assert_false(faster(400000, n - 1, 1000000, n));
	assert_false(faster(400000, n, 1000000, n - 1));
	assert_false(faster(0, n, 1000000, n));
}

/* Commands of different lengths say the same. */
static void
test_mean(void **state)
{
	struct home_times t = {.count = 0};

	(void)state;
	assert_true(home_add(&t, 300000, 100));
	assert_true(home_add(&t, 6000000, 2000));
	assert_int_equal(t.permille, 3000);
	assert_true(home_add(&t, 3000000, 1000));
	assert_true(home_add(&t, 3000000, 1000));
	assert_false(home_add(&t, 3700000, 1000)); /* near: no news */
	assert_true(home_add(&t, 7000000, 1000));
	assert_int_equal(t.permille, 4000);
	assert_false(home_add(&t, 7000000, HOME_LEAST_MS - 1));
	assert_false(home_add(&t, 0, 1000));
	assert_true(home_add(&t, UINT64_MAX, 1000));
	assert_true(t.permille < 1000000);
}

/* How many of 400 processes say so. */
static unsigned
of_400(bool (*says)(const void *arg), const void *arg)
{
	unsigned n = 0;
	int status;

	for (int i = 0; i < 400; i++) {
		pid_t pid = fork();

		if (pid == 0)
			_exit(says(arg));
		assert_int_equal(waitpid(pid, &status, 0), pid);
		n += WEXITSTATUS(status) == 1;
	}
	return n;
}

static bool
keeps(const void *home)
{
	return home_keeps(home);
}

static bool
is_timed(const void *graph)
{
	return home_is_timed(graph, &one, 1000);
}

/* What is believed is looked at again now and then, from both sides. */
static void
test_again(void **state)
{
	struct home h = after(400000, HOME_WEIGHT, 1000000, HOME_WEIGHT);
	struct graph *g = NULL;

	(void)state;
	assert_in_range(of_400(keeps, &h), 340, 399);
	h.at[HOME_HERE].permille = 900;
	assert_int_equal(of_400(keeps, &h), 0);
	assert_int_equal(graph_open(&g, rig_memory(GRAPH_FILE_MIN)), 0);
	assert_true(home_is_timed(g, &one, 1000));
	assert_false(home_is_timed(g, &one, HOME_LEAST_MS - 1));
	assert_false(home_is_timed(NULL, &one, 1000));
	for (int i = 0; i < HOME_WEIGHT; i++)
		home_took(g, &one, HOME_HERE, 1000000, 1000);
	assert_in_range(of_400(is_timed, g), 1, 150);
	graph_free(g);
}

static void
test_kept(void **state)
{
	struct graph *g = NULL;
	struct home h;

	(void)state;
	assert_int_equal(graph_open(&g, rig_memory(GRAPH_FILE_MIN)), 0);
	home_find(&h, g, &one);
	assert_int_equal(h.at[HOME_HERE].count + h.at[HOME_THERE].count, 0);
	for (int i = 0; i < HOME_COUNT_MIN; i++) {
		home_took(g, &one, HOME_HERE, 100000, 1000);
		home_took(g, &one, HOME_THERE, 1000000, 1000);
	}
	home_find(&h, g, &one);
	assert_true(home_is_faster(&h));
	home_find(&h, g, &other);
	assert_false(home_is_faster(&h));
	graph_free(g);
	home_took(NULL, &one, HOME_HERE, 100000, 1000);
	home_find(&h, NULL, &one);
	assert_int_equal(h.at[HOME_HERE].count, 0);
}

/* The graph is the user's: what stands there may be anything. */
static void
test_nonsense(void **state)
{
	struct {
		char prefix[7];
		uint8_t toolchain[DIGEST_LEN];
	} key = {"home 1", {1}};
	struct home h,
	        odd = {.at = {{.permille = 5, .count = 99}, {.permille = UINT32_MAX, .count = 3}}};
	struct graph *g = NULL;

	(void)state;
	assert_int_equal(graph_open(&g, rig_memory(GRAPH_FILE_MIN)), 0);
	assert_int_equal(graph_add(g, &key, sizeof key, &odd, sizeof odd), 0);
	home_find(&h, g, &one);
	assert_int_equal(h.at[HOME_HERE].count, 0);
	assert_int_equal(h.at[HOME_THERE].count, 0);
	graph_free(g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_faster),
	        cmocka_unit_test(test_mean), cmocka_unit_test(test_again),
	        cmocka_unit_test(test_kept), cmocka_unit_test(test_nonsense)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
