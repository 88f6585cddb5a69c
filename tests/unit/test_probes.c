/* client/probes: what is learned stands in the graph for this toolchain, and nothing that it cannot hold breaks it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "client/probes.h"
#include "tests/unit/inputs_rig.h"

static const struct digest gcc = {{1}}, clang = {{2}};

static struct rig *rig;
static struct probes p;

static int
start(void **state)
{
	if (rig_enter(state) != 0)
		return -1;
	rig = *state;
	probes_init(&p);
	return 0;
}

static int
stop(void **state)
{
	probes_fini(&p);
	return rig_leave(state);
}

/* The texts of a fresh set that recalls what the graph has, joined. */
static void
assert_kept(const struct digest *toolchain, unsigned n, const char *shown)
{
	const char *paths[PROBES_MAX];
	struct probes again;
	char text[4096] = "";
	unsigned count;

	probes_init(&again);
	probes_recall(&again, rig->graph, toolchain);
	assert_int_equal(again.n, n);
	assert_int_equal(again.fresh, 0);
	count = probes_shown(&again, paths);
	for (unsigned i = 0; i < count; i++) {
		strcat(text, paths[i]);
		strcat(text, " ");
	}
	assert_string_equal(text, shown);
	probes_fini(&again);
}

static void
test_learns_and_keeps(void **state)
{
	char file[PATH_MAX + 8], both[2 * PATH_MAX + 16];
	bool shown;

	(void)state;
	snprintf(file, sizeof file, "%s/specs", rig->cwd);
	assert_int_equal(scratch_text(file, "*asm:\n"), 0);
	assert_false(probes_know(&p, file, &shown));
	assert_int_equal(probes_learn(&p, file), 0);
	assert_int_equal(probes_learn(&p, rig->cwd), 0);
	assert_true(probes_know(&p, file, &shown));
	assert_true(shown);
	assert_false(probes_know(&p, "/spec", &shown));
	assert_int_equal(p.fresh, 2);
	probes_keep(&p, rig->graph, &gcc);
	snprintf(both, sizeof both, "%s %s ", file, rig->cwd);
	assert_kept(&gcc, 2, both);
	assert_kept(&clang, 0, "");
}

static void
test_hides_what_is_large_or_odd(void **state)
{
	char file[PATH_MAX + 8], fifo[PATH_MAX + 8], edge[PATH_MAX + 8], want[PATH_MAX + 16];
	bool shown = true;

	(void)state;
	snprintf(file, sizeof file, "%s/large", rig->cwd);
	snprintf(fifo, sizeof fifo, "%s/fifo", rig->cwd);
	snprintf(edge, sizeof edge, "%s/edge", rig->cwd);
	assert_int_equal(scratch_text(file, ""), 0);
	assert_int_equal(truncate(file, PROBES_FILE_MAX + 1), 0);
	assert_int_equal(scratch_text(edge, ""), 0);
	assert_int_equal(truncate(edge, PROBES_FILE_MAX), 0);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(probes_learn(&p, file), 0);
	assert_int_equal(probes_learn(&p, fifo), 0);
	assert_int_equal(probes_learn(&p, "/nothing/here"), 0);
	assert_int_equal(probes_learn(&p, edge), 0);
	assert_true(probes_know(&p, file, &shown));
	assert_false(shown);
	assert_true(probes_know(&p, fifo, &shown));
	assert_false(shown);
	probes_keep(&p, rig->graph, &gcc);
	snprintf(want, sizeof want, "%s ", edge);
	assert_kept(&gcc, 4, want);
}

/* What was learned meanwhile stays, what is known comes once. */
static void
test_recalls_beside_what_it_has(void **state)
{
	struct probes other;
	bool shown;

	(void)state;
	probes_init(&other);
	assert_int_equal(probes_learn(&other, "/"), 0);
	assert_int_equal(probes_learn(&other, "/nothing"), 0);
	probes_keep(&other, rig->graph, &gcc);
	probes_fini(&other);
	assert_int_equal(probes_learn(&p, "/nothing"), 0);
	assert_int_equal(probes_learn(&p, "/proc"), 0);
	for (int i = 0; i < 2; i++)
		probes_recall(&p, rig->graph, &gcc);
	assert_int_equal(p.n, 3);
	assert_int_equal(p.fresh, 2);
	assert_true(probes_know(&p, "/", &shown));
	assert_true(shown);
}

static void
test_too_many(void **state)
{
	static char long_path[200 * 1024];
	const char *paths[PROBES_MAX];
	char path[32];

	(void)state;
	for (unsigned i = 0; i < PROBES_MAX; i++) {
		snprintf(path, sizeof path, "/./proc/%u/..", i);
		assert_int_equal(probes_learn(&p, path), 0);
	}
	assert_int_equal(probes_learn(&p, "/one/more"), IM_ERR_LIMIT);
	assert_int_equal(p.n, PROBES_MAX);
	assert_true(probes_shown(&p, paths) <= PROBES_MAX);
	probes_fini(&p);
	probes_init(&p);
	memset(long_path, 'x', sizeof long_path - 1);
	long_path[0] = '/';
	assert_int_equal(probes_learn(&p, long_path), 0);
	assert_int_equal(probes_learn(&p, long_path), IM_ERR_LIMIT);
	assert_int_equal(probes_learn(&p, "/short"), 0);
	/* full but for one byte */
	long_path[256 * 1024 - p.texts.len - 3] = 0;
	assert_int_equal(probes_learn(&p, long_path), 0);
	assert_int_equal(p.texts.len, 256 * 1024 - 1);
	assert_int_equal(probes_learn(&p, "/"), IM_ERR_LIMIT);
	assert_int_equal(p.n, 3);
}

/* Bytes of the graph that are no probes: whatever they are, nothing but absolute paths comes of them. */
static void
test_damaged(void **state)
{
	static const char good[] = "/\0!/large\0relative\0!\0\0/proc\0/open";
	static char many[PROBES_MAX * 8 + 80];
	struct {
		char prefix[sizeof "probes 1"];
		struct digest toolchain;
	} key = {"probes 1", gcc};

	(void)state;
	assert_int_equal(graph_add(rig->graph, &key, sizeof key, good, sizeof good - 1), 0);
	assert_kept(&gcc, 3, "/ /proc ");
	for (unsigned i = 0; i < PROBES_MAX + 10; i++)
		snprintf(many + 8 * i, 8, "/%06u", i);
	assert_int_equal(graph_add(rig->graph, &key, sizeof key, many, sizeof many), 0);
	probes_recall(&p, rig->graph, &gcc);
	assert_int_equal(p.n, PROBES_MAX);
}

static void
test_without_a_graph(void **state)
{
	(void)state;
	probes_recall(&p, NULL, &gcc);
	assert_int_equal(p.n, 0);
	assert_int_equal(probes_learn(&p, "/"), 0);
	probes_keep(&p, NULL, &gcc);
	assert_int_equal(p.n, 1);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_learns_and_keeps),
	        TEST(test_hides_what_is_large_or_odd), TEST(test_recalls_beside_what_it_has),
	        TEST(test_too_many), TEST(test_damaged), TEST(test_without_a_graph)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
