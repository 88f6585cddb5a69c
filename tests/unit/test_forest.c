/* The trees and the own tree of a job: what stands where, equal bytes for equal sets, the bytes of
 * each blob. */
#include "client/forest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"

#define FILES_MAX 32

struct set {
	struct inputs in;
	struct inputs_file files[FILES_MAX];
	struct inputs_place places[8];
	uint32_t follows[FILES_MAX][FILES_MAX];
};

/* A file whose content is its path. */
static uint32_t
add(struct set *s, const char *path)
{
	struct inputs_file *f = &s->files[s->in.nfiles];

	f->path = path;
	f->size = strlen(path);
	digest_of(&f->digest, path, f->size);
	f->mtime_s = 1000 + s->in.nfiles;
	f->dev = 7;
	f->ino = 100 + s->in.nfiles;
	f->mode = 0644;
	f->follows = s->follows[s->in.nfiles];
	s->in.files = s->files;
	s->in.places = s->places;
	return s->in.nfiles++;
}

static void
link_to(struct set *s, uint32_t from, uint32_t to)
{
	s->follows[from][s->files[from].nfollows++] = to;
}

static void
place(struct set *s, const char *path, const char *target)
{
	s->places[s->in.nplaces++] = (struct inputs_place){path, target};
}

/* a.c -> big.h -> x.h, y.h; a.c -> z.h */
static void
usual(struct set *s)
{
	uint32_t source = add(s, "/p/a.c"), big = add(s, "/p/big.h");

	link_to(s, source, big);
	link_to(s, big, add(s, "/p/x.h"));
	link_to(s, big, add(s, "/p/y.h"));
	link_to(s, source, add(s, "/q/z.h"));
}

static const struct tree_entry *
find(const struct tree *t, const char *path)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (strcmp(t->entries[i].path, path) == 0)
			return &t->entries[i];
	return NULL;
}

/* The peer's own look at a tree of the forest. */
static void
decoded(const struct forest *f, uint32_t i, struct tree *out)
{
	struct buf bytes;

	buf_init(&bytes, TREE_LEN_MAX);
	assert_int_equal(forest_blob(f, &f->trees[i], &bytes), 0);
	assert_int_equal(tree_decode(out, bytes.data, bytes.len), 0);
	buf_fini(&bytes);
}

/* As it travels in the job. */
static void
own_decodes(const struct forest *f)
{
	struct tree out;
	struct buf bytes;

	buf_init(&bytes, TREE_LEN_MAX);
	assert_int_equal(tree_encode(&f->own, &bytes), 0);
	assert_true(bytes.len < FOREST_OWN_MAX);
	assert_int_equal(tree_decode(&out, bytes.data, bytes.len), 0);
	assert_int_equal(out.n, f->own.n);
	tree_fini(&out);
	buf_fini(&bytes);
}

static void
made(struct forest *f, const struct set *s)
{
	assert_int_equal(forest_make(f, &s->in, NULL), 0);
	own_decodes(f);
}

static void
shared_and_own(void **state)
{
	struct set s = {.in = {0}};
	struct forest f;
	struct tree t;

	(void)state;
	usual(&s);
	s.in.flags = INCLUDES_ONCE;
	made(&f, &s);
	assert_int_equal(f.ntrees, 1);
	decoded(&f, 0, &t);
	assert_int_equal(t.n, 3);
	assert_non_null(find(&t, "/p/big.h"));
	assert_non_null(find(&t, "/p/x.h"));
	assert_non_null(find(&t, "/p/y.h"));
	assert_int_equal(find(&t, "/p/y.h")->mtime_s, 0);
	tree_fini(&t);
	assert_int_equal(f.own.n, 2);
	assert_int_equal(find(&f.own, "/p/a.c")->mtime_s, 0);
	assert_int_equal(find(&f.own, "/p/a.c")->mode, 0644);
	assert_int_equal(find(&f.own, "/q/z.h")->size, 6);
	forest_fini(&f);
}

/* The same tree from another source, whose set lists the files in another order. */
static void
same_everywhere(void **state)
{
	struct set s = {.in = {0}}, other = {.in = {0}};
	struct forest f, g, again;
	uint32_t source, big, y;

	(void)state;
	usual(&s);
	source = add(&other, "/r/other.c");
	y = add(&other, "/p/y.h");
	add(&other, "/p/x.h");
	big = add(&other, "/p/big.h");
	link_to(&other, source, big);
	link_to(&other, big, y + 1);
	link_to(&other, big, y);
	made(&f, &s);
	made(&g, &other);
	made(&again, &s);
	assert_int_equal(g.ntrees, 1);
	assert_memory_equal(&f.trees[0], &g.trees[0], sizeof(f.trees[0]));
	assert_memory_equal(&f.trees[0], &again.trees[0], sizeof(f.trees[0]));
	forest_fini(&f);
	forest_fini(&g);
	forest_fini(&again);
}

/* Equal contents must not become one file on the peer, and stay as old as they are here: they stand
 * above the trees, which keep their digests. */
static void
equal_contents(void **state)
{
	struct set s = {.in = {0}}, plain = {.in = {0}};
	struct forest f, g;

	(void)state;
	usual(&s);
	usual(&plain);
	s.files[2].digest = s.files[4].digest;
	s.files[2].size = s.files[4].size;
	plain.files[2] = s.files[2];
	plain.files[2].follows = plain.follows[2];
	plain.in.nfiles = 4; /* the twin is not in this job */
	plain.files[0].nfollows = 1;
	made(&f, &s);
	made(&g, &plain);
	assert_memory_equal(&f.trees[0], &g.trees[0], sizeof(f.trees[0]));
	assert_int_equal(find(&f.own, "/p/x.h")->kind, TREE_FILE);
	assert_int_equal(find(&f.own, "/q/z.h")->kind, TREE_FILE);
	assert_int_equal(find(&f.own, "/p/x.h")->mtime_s, 0);
	assert_null(find(&g.own, "/p/x.h"));
	forest_fini(&f);
	forest_fini(&g);
	s.in.flags = INCLUDES_ONCE;
	made(&f, &s);
	assert_int_equal(find(&f.own, "/p/x.h")->mtime_s, 1002);
	assert_int_equal(find(&f.own, "/q/z.h")->mtime_s, 1004);
	assert_int_equal(find(&f.own, "/p/a.c")->mtime_s, 0);
	forest_fini(&f);
}

static void
hard_links(void **state)
{
	struct set s = {.in = {0}};
	struct forest f;

	(void)state;
	usual(&s);
	s.files[4].digest = s.files[2].digest;
	s.files[4].ino = s.files[2].ino;
	made(&f, &s);
	assert_int_equal(find(&f.own, "/p/x.h")->kind, TREE_FILE);
	assert_int_equal(find(&f.own, "/q/z.h")->kind, TREE_TWIN);
	assert_string_equal(find(&f.own, "/q/z.h")->target, "/p/x.h");
	forest_fini(&f);
	s.files[4].dev = 8; /* another file system */
	made(&f, &s);
	assert_int_equal(find(&f.own, "/q/z.h")->kind, TREE_FILE);
	forest_fini(&f);
}

static void
links_and_places(void **state)
{
	struct set s = {.in = {0}};
	uint32_t link;
	struct forest f;
	struct tree t;

	(void)state;
	usual(&s);
	link = add(&s, "/p/l.h");
	s.files[link].target = "../q/w.h";
	link_to(&s, 1, link);
	link_to(&s, link, add(&s, "/q/w.h"));
	place(&s, "/p", NULL);     /* implied by its files */
	place(&s, "/empty", NULL); /* by nothing */
	place(&s, "/empty", NULL);
	place(&s, "/p/include", "../q");
	place(&s, "/p-x", NULL); /* sorts between /p and /p/a.c */
	place(&s, "/p/obj", NULL);
	assert_int_equal(forest_make(&f, &s.in, NULL), 0);
	own_decodes(&f);
	decoded(&f, 0, &t);
	assert_int_equal(find(&t, "/p/l.h")->kind, TREE_LINK);
	assert_string_equal(find(&t, "/p/l.h")->target, "../q/w.h");
	assert_non_null(find(&t, "/q/w.h"));
	tree_fini(&t);
	assert_null(find(&f.own, "/p"));
	assert_int_equal(find(&f.own, "/empty")->kind, TREE_FOLDER);
	assert_int_equal(find(&f.own, "/p-x")->kind, TREE_FOLDER);
	assert_int_equal(find(&f.own, "/p/obj")->kind, TREE_FOLDER);
	assert_string_equal(find(&f.own, "/p/include")->target, "../q");
	assert_int_equal(f.own.n, 6);
	forest_fini(&f);
}

static void
blobs(void **state)
{
	char path[PATH_MAX + 16], text[] = "int x;\n";
	struct set s = {.in = {0}};
	struct digest other = {{1}};
	struct forest f;
	struct buf out;

	snprintf(path, sizeof(path), "%s/a.c", (const char *)*state);
	assert_int_equal(scratch_text("a.c", text), 0);
	add(&s, path);
	s.files[0].size = strlen(text);
	digest_of(&s.files[0].digest, text, strlen(text));
	made(&f, &s);
	buf_init(&out, 1000);
	buf_put_u8(&out, 'x');
	assert_int_equal(forest_blob(&f, &s.files[0].digest, &out), 0);
	assert_int_equal(out.len, 1 + strlen(text));
	assert_memory_equal(out.data + 1, text, strlen(text));
	assert_int_equal(forest_blob(&f, &other, &out), IM_ERR_ABSENT);
	assert_int_equal(scratch_text("a.c", "int y;\n"), 0);
	assert_int_equal(forest_blob(&f, &s.files[0].digest, &out), IM_ERR_DIGEST);
	assert_int_equal(scratch_text("a.c", "int x;\n "), 0);
	assert_int_equal(forest_blob(&f, &s.files[0].digest, &out), IM_ERR_DIGEST);
	assert_int_equal(scratch_text("a.c", "int"), 0);
	assert_int_equal(forest_blob(&f, &s.files[0].digest, &out), IM_ERR_DIGEST);
	assert_int_equal(out.len, 1 + strlen(text));
	assert_int_equal(scratch_text("b.c", text), 0);
	assert_int_equal(unlink("a.c"), 0);
	assert_int_equal(symlink("b.c", "a.c"), 0);
	assert_int_equal(forest_blob(&f, &s.files[0].digest, &out), IM_ERR_SYSTEM);
	buf_fini(&out);
	forest_fini(&f);
}

static void
refusals(void **state)
{
	static struct inputs_file many[4000];
	static char names[4000][64];
	struct inputs big = {.files = many, .nfiles = 4000};
	struct set s = {.in = {0}};
	struct forest f = {.ntrees = 77};

	(void)state;
	assert_int_equal(forest_make(&f, &s.in, NULL), IM_ERR_LIMIT);
	usual(&s);
	s.files[4].path = "/q/../z.h";
	assert_int_equal(forest_make(&f, &s.in, NULL), IM_ERR_FORMAT);
	s.files[4].path = "/q/\n";
	assert_int_equal(forest_make(&f, &s.in, NULL), IM_ERR_FORMAT);
	s.files[4].path = "/q/z.h";
	place(&s, "/p/a.c/obj", NULL);
	assert_int_equal(forest_make(&f, &s.in, NULL), IM_ERR_FORMAT);
	s.in.nplaces = 0;
	s.files[4].size = TREE_FILE_MAX + 1;
	assert_int_equal(forest_make(&f, &s.in, NULL), IM_ERR_LIMIT);
	for (unsigned i = 0; i < big.nfiles; i++) {
		snprintf(names[i], sizeof(names[i]), "/a/folder/of/this/project/%u.h", i);
		many[i].path = names[i];
		many[i].mode = 0644;
		digest_of(&many[i].digest, &i, sizeof(i));
	}
	assert_int_equal(forest_make(&f, &big, NULL), IM_ERR_LIMIT);
	assert_int_equal(f.ntrees, 77);
}

static int
enter(void **state)
{
	*state = malloc(PATH_MAX);
	return *state ? scratch_enter(*state) : -1;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(shared_and_own),
	        cmocka_unit_test(same_everywhere),
	        cmocka_unit_test(equal_contents),
	        cmocka_unit_test(hard_links),
	        cmocka_unit_test(links_and_places),
	        cmocka_unit_test_setup_teardown(blobs, enter, leave),
	        cmocka_unit_test(refusals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
