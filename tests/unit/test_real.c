#include "client/real.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

struct fixture {
	char cwd[PATH_MAX];
	char path[6 * PATH_MAX];
	struct stat self;
};

/* bin/icemesh-cc is the wrapper; masq/ holds links to it; real/ has gcc, g++, cc, c++ and
 * clang-14; late/ another gcc. */
static int
enter(void **state)
{
	static const char *const programs[] = {"bin/icemesh-cc", "real/gcc-12", "real/g++",
	        "real/cc", "real/c++", "real/clang-14", "late/gcc", "real/ccache"};
	static const char *const folders[] = {"bin", "masq", "real", "late", "real/dir", "noexec"};
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	if (!f || scratch_enter(f->cwd))
		return -1;
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		if (mkdir(folders[i], 0755))
			return -1;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		if (scratch_write(programs[i], "#!/bin/sh\n", 10, 0755))
			return -1;
	if (scratch_text("noexec/gcc", "x") || symlink("gcc-12", "real/gcc") ||
	        symlink("../bin/icemesh-cc", "masq/gcc") || symlink("gcc", "masq/g++") ||
	        symlink("icemesh-cc", "bin/icemesh-c++") ||
	        link("bin/icemesh-cc", "masq/clang-14") ||
	        symlink("../bin/icemesh-cc", "masq/only-here"))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/masq:%s/noexec:%s/masq:%s/real:%s/late", f->cwd,
	        f->cwd, f->cwd, f->cwd, f->cwd);
	return stat("bin/icemesh-cc", &f->self);
}

static int
leave(void **state)
{
	struct fixture *f = *state;
	int r = scratch_leave(f->cwd);

	free(f);
	return r;
}

static int
find(struct fixture *f, const char *line, struct real *r, const char *path, const char *guard)
{
	struct words w;
	struct real_request q;

	words_split(&w, line);
	q = (struct real_request){.argc = w.argc,
	        .argv = w.argv,
	        .path = path,
	        .cwd = f->cwd,
	        .cc = "cc",
	        .cxx = "c++",
	        .guard = guard,
	        .self = f->self};
	return real_find(r, &q);
}

/* Expects the program (below the folder) and the index of its first argument. */
static void
finds(struct fixture *f, const char *line, const char *program, int first)
{
	char want[2 * PATH_MAX];
	struct real r;
	int err = find(f, line, &r, f->path, NULL);

	snprintf(want, sizeof(want), "%s/%s", f->cwd, program);
	if (err || strcmp(r.path, want) != 0 || r.first != first)
		fail_msg("%s: %d, %s, %d", line, err, r.path, r.first);
}

static void
test_direct(void **state)
{
	struct fixture *f = *state;

	finds(f, "icemesh-cc gcc -c a.c", "real/gcc", 2);
	finds(f, "/x/icemesh-cc -c a.c", "real/cc", 1);
	finds(f, "icemesh-c++ -c a.c", "real/c++", 1);
	finds(f, "icemesh-cc a.c", "real/cc", 1);
	finds(f, "icemesh-cc a.o b.o", "real/cc", 1);
	finds(f, "icemesh-cc x/liba.so", "real/cc", 1);
	finds(f, "icemesh-cc @args", "real/cc", 1);
	finds(f, "icemesh-cc", "real/cc", 1);
	finds(f, "icemesh-cc clang-14 -c a.c", "real/clang-14", 2);
	finds(f, "icemesh-cc g++ -c a.c", "real/g++", 2);
	finds(f, "icemesh-cc real/gcc -c a.c", "real/gcc", 2);
	finds(f, "icemesh-cc ./real//gcc -c a.c", "real/gcc", 2);
	finds(f, "icemesh-cc real/dir/../../late/./gcc -c a.c", "late/gcc", 2);
	finds(f, "icemesh-cc ccache gcc -c a.c", "real/ccache", 2);
}

static void
test_resolved(void **state)
{
	struct fixture *f = *state;
	char want[2 * PATH_MAX];
	struct real r;

	assert_int_equal(find(f, "icemesh-cc gcc", &r, f->path, NULL), 0);
	snprintf(want, sizeof(want), "%s/real/gcc-12", f->cwd);
	assert_string_equal(r.resolved, want);
	assert_string_equal(r.name, "gcc");
	assert_int_equal(r.depth, 0);
}

static void
test_masquerade(void **state)
{
	struct fixture *f = *state;
	char line[2 * PATH_MAX];
	struct real r;

	finds(f, "gcc -c a.c", "real/gcc", 1);
	finds(f, "masq/g++ -c a.c", "real/g++", 1);
	finds(f, "clang-14 -c a.c", "real/clang-14", 1);
	finds(f, "gcc", "real/gcc", 1);
	snprintf(line, sizeof(line), "icemesh-cc %s/masq/gcc -c a.c", f->cwd);
	finds(f, line, "real/gcc", 2);
	assert_int_equal(find(f, "only-here -c a.c", &r, f->path, NULL), IM_ERR_ABSENT);
	assert_string_equal(r.name, "only-here");
	assert_int_equal(find(f, "icemesh-cc only-here -c a.c", &r, f->path, NULL), IM_ERR_ABSENT);
	assert_int_equal(r.first, 2);
}

static void
test_itself(void **state)
{
	struct fixture *f = *state;
	struct real_request q;
	struct real r;
	char *argv[] = {"icemesh-cc", "-c", NULL};

	finds(f, "icemesh-cc icemesh-cc gcc -c a.c", "real/gcc", 3);
	finds(f, "icemesh-cc /x/icemesh-cc icemesh-c++ -c a.c", "real/c++", 3);
	finds(f, "icemesh-cc icemesh-cc", "real/cc", 2);
	q = (struct real_request){.argc = 2,
	        .argv = argv,
	        .path = f->path,
	        .cwd = f->cwd,
	        .cc = "icemesh-cc",
	        .cxx = "c++",
	        .self = f->self};
	assert_int_equal(real_find(&r, &q), IM_ERR_ABSENT);
	q.cc = "";
	assert_int_equal(real_find(&r, &q), IM_ERR_ABSENT);
}

static void
test_path_entries(void **state)
{
	struct fixture *f = *state;
	struct real r;
	char want[2 * PATH_MAX], here[] = "real/../late//";

	snprintf(want, sizeof(want), "%s/late/gcc", f->cwd);
	assert_int_equal(find(f, "gcc", &r, here, NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(scratch_write("tool", "#!/bin/sh\n", 10, 0755), 0);
	snprintf(want, sizeof(want), "%s/tool", f->cwd);
	assert_int_equal(find(f, "icemesh-cc tool", &r, "masq::late", NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(find(f, "icemesh-cc tool", &r, "masq:late:", NULL), 0);
	assert_int_equal(find(f, "icemesh-cc tool", &r, "masq:late", NULL), IM_ERR_ABSENT);
	assert_int_equal(find(f, "icemesh-cc dir", &r, "real", NULL), IM_ERR_ABSENT);
	assert_int_equal(find(f, "icemesh-cc gcc", &r, "noexec", NULL), IM_ERR_ABSENT);
	assert_int_equal(find(f, "icemesh-cc sh", &r, NULL, NULL), 0);
	assert_int_equal(find(f, "icemesh-cc sh", &r, "", NULL), 0);
	assert_int_equal(find(f, "icemesh-cc real/absent", &r, f->path, NULL), IM_ERR_ABSENT);
}

/* Behind the link's own place, then before it. */
static void
test_behind(void **state)
{
	struct fixture *f = *state;
	struct real r;
	char want[2 * PATH_MAX];

	snprintf(want, sizeof(want), "%s/late/gcc", f->cwd);
	assert_int_equal(find(f, "gcc -c a.c", &r, "real:masq:late", NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(find(f, "icemesh-cc masq/gcc", &r, "real:masq:late", NULL), 0);
	assert_string_equal(r.path, want);
	snprintf(want, sizeof(want), "%s/real/gcc", f->cwd);
	assert_int_equal(find(f, "gcc -c a.c", &r, "real:masq", NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(find(f, "icemesh-cc gcc", &r, "real:masq:late", NULL), 0);
	assert_string_equal(r.path, want);
}

/* Another installation's wrapper is another file, but of the same name. */
static void
test_other_installation(void **state)
{
	struct fixture *f = *state;
	struct real r;
	char want[2 * PATH_MAX];

	assert_int_equal(mkdir("other", 0755), 0);
	assert_int_equal(scratch_write("other/icemesh-cc", "#!/bin/sh\n", 10, 0755), 0);
	assert_int_equal(symlink("icemesh-cc", "other/gcc"), 0);
	snprintf(want, sizeof(want), "%s/real/gcc", f->cwd);
	assert_int_equal(find(f, "gcc -c a.c", &r, "masq:other:real", NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(find(f, "icemesh-cc other/gcc -c a.c", &r, "other:real", NULL), 0);
	assert_string_equal(r.path, want);
	assert_int_equal(find(f, "gcc", &r, "masq:other", NULL), IM_ERR_ABSENT);
}

/* ccache is run once, where it comes back to the wrapper. */
static void
test_cache(void **state)
{
	struct fixture *f = *state;
	struct real r;
	char text[64];

	assert_int_equal(mkdir("cache", 0755), 0);
	assert_int_equal(symlink("../real/ccache", "cache/gcc"), 0);
	assert_int_equal(find(f, "gcc -c a.c", &r, "masq:cache:real", NULL), 0);
	assert_true(r.cache && r.comes_back && strstr(r.path, "/cache/gcc") != NULL);
	real_guard(&r, text, sizeof(text));
	assert_string_equal(text, "ICEMESH_SAFEGUARD=0+");
	assert_int_equal(find(f, "gcc -c a.c", &r, "masq:cache:real", "0+"), 0);
	assert_true(!r.cache && r.depth == 0 && strstr(r.path, "/real/gcc") != NULL);
	real_guard(&r, text, sizeof(text));
	assert_string_equal(text, "ICEMESH_SAFEGUARD=1+");
	assert_int_equal(find(f, "gcc -c a.c", &r, "cache:masq:real", NULL), 0);
	assert_true(!r.cache && strstr(r.path, "/real/gcc") != NULL);
	assert_int_equal(find(f, "icemesh-cc gcc", &r, "cache:masq:real", NULL), 0);
	assert_true(r.cache && r.comes_back);
	assert_int_equal(find(f, "icemesh-cc gcc", &r, "cache:real:masq", NULL), 0);
	assert_true(r.cache && !r.comes_back);
	assert_int_equal(find(f, "icemesh-cc ccache gcc", &r, f->path, NULL), 0);
	assert_true(r.cache && !r.comes_back);
	assert_int_equal(find(f, "icemesh-cc real/ccache gcc", &r, f->path, NULL), 0);
	assert_true(r.cache && !r.comes_back);
	assert_int_equal(find(f, "icemesh-cc ccache gcc", &r, f->path, "0+"), 0);
	assert_false(r.cache);
	assert_int_equal(find(f, "gcc", &r, "masq:cache", "0+"), IM_ERR_ABSENT);
}

/* argv[0] is what the user wrote, where that leads to the compiler. */
static void
test_called(void **state)
{
	struct fixture *f = *state;
	struct real r;

	assert_int_equal(find(f, "icemesh-cc gcc", &r, "real:masq", NULL), 0);
	assert_string_equal(r.called, "gcc");
	assert_int_equal(find(f, "icemesh-cc real/gcc", &r, f->path, NULL), 0);
	assert_string_equal(r.called, "real/gcc");
	assert_int_equal(find(f, "icemesh-cc gcc", &r, "masq:real", NULL), 0);
	assert_string_equal(r.called, r.path);
	assert_int_equal(find(f, "gcc", &r, "real:masq", NULL), 0);
	assert_string_equal(r.called, r.path);
	assert_int_equal(find(f, "icemesh-cc masq/gcc", &r, "real", NULL), 0);
	assert_string_equal(r.called, r.path);
}

static void
test_guard(void **state)
{
	struct fixture *f = *state;
	struct real r;
	char text[64];

	assert_int_equal(find(f, "gcc", &r, f->path, "1"), 0);
	assert_int_equal(r.depth, 1);
	real_guard(&r, text, sizeof(text));
	assert_string_equal(text, "ICEMESH_SAFEGUARD=2");
	assert_int_equal(find(f, "gcc", &r, f->path, "odd"), 0);
	assert_int_equal(r.depth, 1);
	assert_int_equal(find(f, "gcc", &r, f->path, ""), 0);
	assert_int_equal(r.depth, 0);
	assert_int_equal(find(f, "gcc", &r, f->path, "4"), IM_ERR_REFUSED);
	assert_string_equal(r.name, "gcc");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_direct),
	        cmocka_unit_test(test_resolved),
	        cmocka_unit_test(test_masquerade),
	        cmocka_unit_test(test_itself),
	        cmocka_unit_test(test_path_entries),
	        cmocka_unit_test(test_behind),
	        cmocka_unit_test(test_other_installation),
	        cmocka_unit_test(test_cache),
	        cmocka_unit_test(test_called),
	        cmocka_unit_test(test_guard),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
