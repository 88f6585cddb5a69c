/* Which files make trees: closures of what the source includes, large ones first. */
#include "client/grove.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>

#define FILES_MAX 128

/* A set of files with what they follow. */
struct set {
	struct inputs in;
	struct inputs_file files[FILES_MAX];
	uint32_t follows[FILES_MAX][FILES_MAX];
};

static uint32_t
add(struct set *s, const char *path)
{
	s->files[s->in.nfiles].path = path;
	s->files[s->in.nfiles].follows = s->follows[s->in.nfiles];
	s->in.files = s->files;
	return s->in.nfiles++;
}

static void
link_to(struct set *s, uint32_t from, uint32_t to)
{
	s->follows[from][s->files[from].nfollows++] = to;
}

static void
made(struct grove *g, const struct set *s)
{
	assert_int_equal(grove_make(g, &s->in), 0);
}

/* a.c -> a.h, big.h -> x.h, y.h -> big.h again; a.h -> x.h */
static void
closures_become_trees(void **state)
{
	struct set s = {.in = {0}};
	uint32_t source = add(&s, "/p/a.c"), own = add(&s, "/p/a.h"), big = add(&s, "/p/big.h");
	uint32_t x = add(&s, "/p/x.h"), y = add(&s, "/p/y.h");
	struct grove g;

	(void)state;
	link_to(&s, source, own);
	link_to(&s, source, big);
	link_to(&s, own, x);
	link_to(&s, big, x);
	link_to(&s, big, y);
	link_to(&s, y, big);
	made(&g, &s);
	assert_int_equal(g.ntrees, 1);
	assert_int_equal(g.trees[0], big);
	assert_int_equal(g.marks[source] & (GROVE_ROOT | GROVE_TREE), GROVE_ROOT);
	assert_int_equal(g.marks[own] & (GROVE_ROOT | GROVE_TREE), GROVE_ROOT);
	assert_true(g.marks[x] & GROVE_TREE);
	assert_true(g.marks[y] & GROVE_TREE);
	grove_fini(&g);
}

static void
little_ones_stay(void **state)
{
	struct set s = {.in = {0}};
	uint32_t source = add(&s, "/p/a.c"), one = add(&s, "/p/one.h"), two = add(&s, "/p/two.h");
	struct grove g;

	(void)state;
	link_to(&s, source, one);
	link_to(&s, one, two);
	made(&g, &s);
	assert_int_equal(g.ntrees, 0);
	assert_true(g.marks[one] & GROVE_OWN);
	assert_true(g.marks[two] & GROVE_OWN);
	grove_fini(&g);
}

/* What a larger candidate holds makes no tree of its own, whatever the order of the includes. */
static void
part_of_another(void **state)
{
	struct set s = {.in = {0}};
	uint32_t source = add(&s, "/p/a.c"), small = add(&s, "/p/b.h"), large = add(&s, "/p/c.h");
	struct grove g;

	(void)state;
	for (uint32_t i = 0; i < 4; i++)
		link_to(&s, small, add(&s, (const char *const[]){"/1", "/2", "/3", "/4"}[i]));
	link_to(&s, source, small);
	link_to(&s, source, large);
	link_to(&s, large, small);
	made(&g, &s);
	assert_int_equal(g.ntrees, 1);
	assert_int_equal(g.trees[0], large);
	grove_fini(&g);
}

/* A forced file is reached from nowhere; the source may be a link; a cycle ends. */
static void
roots(void **state)
{
	struct set s = {.in = {0}};
	uint32_t source = add(&s, "/p/a.c"), forced = add(&s, "/p/config.h");
	uint32_t real = add(&s, "/q/real.c"), own = add(&s, "/q/real.h"), x = add(&s, "/q/x.h");
	struct grove g;

	(void)state;
	s.files[source].target = "../q/real.c";
	link_to(&s, source, real);
	link_to(&s, real, own);
	link_to(&s, own, real);
	link_to(&s, forced, x);
	made(&g, &s);
	assert_true(g.marks[source] & GROVE_ROOT);
	assert_true(g.marks[forced] & GROVE_ROOT);
	assert_true(g.marks[real] & GROVE_ROOT);
	assert_true(g.marks[own] & GROVE_ROOT);
	assert_false(g.marks[x] & GROVE_ROOT);
	assert_true(g.marks[x] & GROVE_OWN);
	grove_fini(&g);
}

/* Never more than a job may name; what is left stays with the job. */
static void
many_trees(void **state)
{
	static char names[(GROVE_TREES_MAX + 4) * 3][16];
	static struct set s;
	uint32_t source = add(&s, "/p/a.c"), header = 0, own = 0;
	struct grove g;

	(void)state;
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		uint32_t file;

		snprintf(names[i], sizeof(names[i]), "/p/h%03u.h", i);
		file = add(&s, names[i]);
		if (i % 3 == 0)
			header = file;
		link_to(&s, i % 3 == 0 ? source : header, file);
	}
	made(&g, &s);
	assert_int_equal(g.ntrees, GROVE_TREES_MAX);
	for (uint32_t i = 0; i < s.in.nfiles; i++)
		own += (g.marks[i] & (GROVE_OWN | GROVE_TREE)) == GROVE_OWN;
	assert_int_equal(own, 4 * 3);
	grove_fini(&g);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(closures_become_trees),
	        cmocka_unit_test(little_ones_stay),
	        cmocka_unit_test(part_of_another),
	        cmocka_unit_test(roots),
	        cmocka_unit_test(many_trees),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
