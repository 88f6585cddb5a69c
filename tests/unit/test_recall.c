/* client/recall, client/answers behind it: a set is recalled exactly as long as finding it anew would give the same. Arguments: the seed,
 * then how many trees. */
#include "client/recall.h"

#include <inttypes.h>
#include "tests/unit/include_tree.h"
#include "tests/unit/inputs_case.h"

#define TREES 400
#define SETTLED_NS 1000000000LL  /* later: files are old, folders are not */
#define TRUSTED_NS 10000000000LL /* folders' times can be believed */
#define OLD_NS 200000000000000LL /* no build works in them */

static uint64_t seed;
static unsigned trees = TREES;

static struct inputs_request
request(void)
{
	return (struct inputs_request){
	        .cwd = rig->cwd, .source = "src/a.c", .search = &rig->search, .graph = rig->graph};
}

static struct digest
key(void)
{
	struct inputs_request q = request();
	struct digest d;

	assert_int_equal(recall_key(&d, &q, NULL, 0), 0);
	return d;
}

/* The set found anew, as what is to be recalled, with an own tree that stands by itself. */
static int
find_now(struct recall *r)
{
	int e = rig_find(rig, rig->cwd, "src/a.c");
	struct forest made, *f = &made;
	struct buf b;

	if (e == 0)
		e = forest_make(f, &rig->in, rig->graph);
	if (e != 0)
		return e;
	*r = (struct recall){.ntrees = f->ntrees, .nfiles = rig->in.nfiles, .flags = rig->in.flags};
	memcpy(r->trees, f->trees, sizeof(r->trees));
	buf_init(&b, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&f->own, &b), 0);
	assert_int_equal(tree_decode(&r->own, b.data, b.len), 0);
	buf_fini(&b);
	forest_fini(f);
	return 0;
}

static void
keep(const struct recall *r, const char *const *outputs, uint32_t n)
{
	struct digest d = key();

	inputs_keep(&rig->in);
	recall_keep(r, rig->graph, &d, &rig->in, outputs, n);
}

static int
recalled(struct recall *r)
{
	struct digest d = key();

	return recall_find(r, rig->graph, &d);
}

static bool
same(const struct recall *a, const struct recall *b)
{
	bool equal = a->ntrees == b->ntrees && a->nfiles == b->nfiles && a->flags == b->flags;
	struct buf x, y;

	for (uint32_t i = 0; equal && i < a->ntrees; i++)
		equal = digest_equal(&a->trees[i], &b->trees[i]);
	buf_init(&x, TREE_LEN_MAX);
	buf_init(&y, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&a->own, &x), 0);
	assert_int_equal(tree_encode(&b->own, &y), 0);
	equal = equal && x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
	buf_fini(&x);
	buf_fini(&y);
	return equal;
}

/* Until whatever is changed now gets other times than what was changed before: the kernel's clock for files ticks. */
static void
tick(void)
{
	struct timespec was, is;

	clock_gettime(CLOCK_REALTIME_COARSE, &was);
	do
		clock_gettime(CLOCK_REALTIME_COARSE, &is);
	while (is.tv_nsec == was.tv_nsec && is.tv_sec == was.tv_sec);
}

/* A name of a header or of a folder, there or not. */
static const char *
some_path(struct include_tree *t)
{
	static char path[2][128];
	static unsigned next;
	char *at = path[next++ % 2];
	const char *folder = tree_folders[tree_pick(t, TREE_COUNT(tree_folders))];

	if (tree_pick(t, 8) == 0)
		snprintf(at, sizeof(path[0]), "%s", folder);
	else
		snprintf(at, sizeof(path[0]), "%s/h%u.h", folder, tree_pick(t, TREE_HEADERS));
	return at;
}

static void
append(const char *path, const char *line)
{
	FILE *f = fopen(path, "a");

	if (f) {
		fputs(line, f);
		fclose(f);
	}
}

/* Something happens to the tree, of use or not. */
static void
change(struct include_tree *t)
{
	const char *path = some_path(t), *other = some_path(t);
	struct stat st;
	struct timespec times[2];
	bool there = lstat(path, &st) == 0;
	char link_text[PATH_MAX + 160];

	switch (tree_pick(t, 10)) {
	case 0:
		append(path, "#include \"h1.h\"\n");
		break;
	case 1:
		append(there ? path : "src/a.c", "int x;\n");
		break;
	case 2:
		(void)!unlink(path);
		break;
	case 3:
		if (there && !S_ISDIR(st.st_mode))
			(void)!unlink(path);
		snprintf(link_text, sizeof(link_text), "%s/%s", rig->cwd, other);
		(void)!symlink(link_text, path);
		break;
	case 4:
		(void)!mkdir(path, 0755);
		break;
	case 5:
		(void)!chmod(path, 0755);
		break;
	case 6:
		(void)!link(path, other);
		break;
	case 7: /* other bytes, the same size and modification time */
		if (there && S_ISREG(st.st_mode) && st.st_size > 0) {
			FILE *f = fopen(path, "r+");

			if (f) {
				fputc('/', f);
				fclose(f);
			}
			times[0] = st.st_atim;
			times[1] = st.st_mtim;
			(void)!utimensat(AT_FDCWD, path, times, 0);
		}
		break;
	case 8:
		(void)!rename(path, other);
		break;
	default: /* what no include names */
		text("src/unrelated", "x");
		break;
	}
}

struct counts {
	unsigned kept, changed, held, stale;
};

static void
check_tree(struct include_tree *t, struct counts *c)
{
	struct recall was = {0}, is = {0}, back = {0};
	int r;

	rig->search = tree_search(t);
	if (graph_filled(rig->graph) > 40)
		assert_int_equal(rig_graph(rig, 4u << 20), 0);
	if (find_now(&was) != 0)
		return;
	if (tree_pick(t, 2) == 0) { /* now with absent names that the graph knows */
		recall_fini(&was);
		assert_int_equal(find_now(&was), 0);
	}
	tick();
	keep(&was, NULL, 0);
	assert_int_equal(recalled(&back), 0);
	assert_true(same(&was, &back));
	recall_fini(&back);
	c->kept++;
	for (unsigned i = tree_pick(t, 2); i < 2; i++)
		change(t);
	r = find_now(&is);
	if (recalled(&back) == 0) {
		c->held++;
		assert_int_equal(r, 0);
		assert_true(same(&is, &back));
		recall_fini(&back);
	} else if (r == 0 && same(&is, &was)) {
		c->stale++; /* more careful than needed */
	}
	c->changed += r != 0 || !same(&is, &was);
	recall_fini(&was);
	recall_fini(&is);
}

/* The oracle is the search itself. */
static void
holds_as_long_as_a_search_says_the_same(void **state)
{
	static const int64_t later[] = {SETTLED_NS, TRUSTED_NS, OLD_NS};
	struct include_tree *t = calloc(1, sizeof(*t));
	struct counts c = {0};

	(void)state;
	assert_non_null(t);
	t->rng.state = rng_mix(seed);
	for (unsigned i = 0; i < trees; i++) {
		assert_int_equal(system("rm -rf ./*"), 0); /* what the changes left is no tree */
		t->fresh = true;
		assert_int_equal(tree_make(t), 0);
		rig->later_ns = later[i % 3];
		check_tree(t, &c);
	}
	printf("# seed %" PRIu64 ": %u trees, %u kept, %u changed, %u held after a change, "
	       "%u of no use\n",
	        seed, trees, c.kept, c.changed, c.held, c.stale);
	free(t);
	assert_true(c.kept > trees / 2);
	assert_true(c.changed > c.kept / 4);
	assert_true(c.held > c.kept / 20);
}

/* Whatever a set depends on besides the disk. */
static void
each_request_has_its_key(void **state)
{
	static const char *const one[] = {"one"}, *const two[] = {"o", "ne"};
	struct search searches[] = {{.nfolders = 0},
	        {.folders = (const char **)(uintptr_t)one, .nfolders = 1},
	        {.forced = (const char **)(uintptr_t)one, .nforced = 1},
	        {.macros = (const char **)(uintptr_t)one, .nmacros = 1},
	        {.macros = (const char **)(uintptr_t)two, .nmacros = 2}};
	struct inputs_request q[12];
	struct digest keys[12];
	uint32_t n = 0;

	(void)state;
	for (; n < 12; n++)
		q[n] = (struct inputs_request){
		        .cwd = "/w", .source = "a.c", .search = &searches[n < 5 ? n : 0]};
	q[5].cwd = "/v";
	q[6].source = "b.c";
	q[7].also = one;
	q[7].nalso = 1;
	q[8].also = two;
	q[8].nalso = 2;
	for (uint32_t i = 0; i < n; i++)
		assert_int_equal(recall_key(&keys[i], &q[i], i == 9 ? one : two,
		                         i == 9    ? 1
		                         : i == 10 ? 2
		                                   : 0),
		        0);
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t k = 0; k < i; k++)
			assert_int_equal(digest_equal(&keys[i], &keys[k]), i == 11 && k == 0);
}

static void
project(void)
{
	assert_int_equal(mkdir("src", 0755), 0);
	assert_int_equal(mkdir("inc", 0755), 0);
	text("src/a.c", "#include \"a.h\"\n#include <b.h>\n");
	text("src/a.h", "");
	text("inc/b.h", "");
	rig_search(rig, "inc");
}

/* What a compile writes must not make its own set look like another. */
static void
outputs_do_not_matter(void **state)
{
	static const char *const also[] = {"src"};
	struct inputs_request q = request();
	struct recall r = {0};
	struct forest f;
	struct digest d, other;
	char output[PATH_MAX + 16];
	const char *outputs[] = {output};
	struct timespec now;
	char why[256];

	(void)state;
	project();
	q.also = also;
	q.nalso = 1;
	clock_gettime(CLOCK_REALTIME, &now);
	q.now_ns = now.tv_sec * 1000000000LL + TRUSTED_NS;
	snprintf(output, sizeof(output), "%s/src/a.o", rig->cwd);
	assert_int_equal(recall_key(&d, &q, outputs, 1), 0);
	assert_int_equal(recall_key(&other, &q, NULL, 0), 0);
	assert_false(digest_equal(&d, &other));
	assert_int_equal(inputs_find(&rig->in, &q, why), 0);
	assert_int_equal(forest_make(&f, &rig->in, rig->graph), 0);
	r.own = f.own;
	assert_false(inputs_lacks(&rig->in, output)); /* the compiler looks for it */
	inputs_keep(&rig->in);
	recall_keep(&r, rig->graph, &d, &rig->in, outputs, 1);
	tick();
	text("src/a.o", "made");
	assert_int_equal(recall_find(&r, rig->graph, &d), 0);
	recall_fini(&r);
	text("src/b.h", ""); /* nobody asked for it there */
	assert_int_equal(recall_find(&r, rig->graph, &d), 0);
	recall_fini(&r);
	text("src/a.h", "int a;");
	assert_int_equal(recall_find(&r, rig->graph, &d), IM_ERR_ABSENT);
	forest_fini(&f);
}

/* A file changed so lately that its times might stay as they are when it is changed again. */
static void
fresh_files_are_not_kept(void **state)
{
	struct recall r = {0};

	(void)state;
	project();
	rig->later_ns = 1;
	assert_int_equal(find_now(&r), 0);
	keep(&r, NULL, 0);
	recall_fini(&r);
	assert_int_equal(recalled(&r), IM_ERR_ABSENT);
}

/* Bytes that are no record, in the place of one. */
static void
damage_is_absence(void **state)
{
	char name[sizeof("recall 2") + DIGEST_LEN];
	struct recall r = {0};
	struct digest d;
	size_t len = 0;
	const void *at;
	uint8_t *copy;

	(void)state;
	project();
	rig->later_ns = TRUSTED_NS;
	assert_int_equal(find_now(&r), 0);
	keep(&r, NULL, 0);
	recall_fini(&r);
	d = key();
	memcpy(name, "recall 2", sizeof("recall 2"));
	memcpy(name + sizeof("recall 2"), d.bytes, DIGEST_LEN);
	at = graph_find(rig->graph, name, sizeof(name), &len);
	assert_non_null(at);
	copy = malloc(len);
	assert_non_null(copy);
	for (size_t cut = 0; cut < len; cut += 1 + cut / 64) {
		memcpy(copy, at, len);
		assert_int_equal(graph_add(rig->graph, name, sizeof(name), copy, cut), 0);
		assert_int_equal(recalled(&r), IM_ERR_ABSENT);
	}
	/* the counts in front: trees, files (believed), flags (believed), length of the own tree */
	for (size_t i = 0; i < 16; i += 12) {
		memcpy(copy, at, len);
		memset(copy + DIGEST_LEN + i, 0xff, 4);
		assert_int_equal(graph_add(rig->graph, name, sizeof(name), copy, len), 0);
		assert_int_equal(recalled(&r), IM_ERR_ABSENT);
	}
	assert_int_equal(graph_add(rig->graph, name, sizeof(name), at, len), 0);
	assert_int_equal(recalled(&r), 0);
	recall_fini(&r);
	free(copy);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test_setup_teardown(
	                holds_as_long_as_a_search_says_the_same, begin, stop),
	        cmocka_unit_test(each_request_has_its_key),
	        cmocka_unit_test_setup_teardown(outputs_do_not_matter, begin, stop),
	        cmocka_unit_test_setup_teardown(fresh_files_are_not_kept, begin, stop),
	        cmocka_unit_test_setup_teardown(damage_is_absence, begin, stop),
	};

	seed = argc > 1 ? strtoull(argv[1], NULL, 10) : (uint64_t)time(NULL);
	if (argc > 2)
		trees = (unsigned)strtoul(argv[2], NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
