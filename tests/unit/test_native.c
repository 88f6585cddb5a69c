/* What compilers say of "native", as texts, and the real ones of this machine (one that is not there is skipped). */
#include "client/native.h"
#include "exec/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"
#include "tests/unit/words.h"

extern char **environ;

struct between {
	const char *line, *other, *words; /* NULL: refused */
};

static const struct between lines[] = {
        {" cc1 a -m1 \"-m=2\" -c", " cc1 a M -c", "-m1 -m=2"},
        {" cc1 a \"-m=2\" -c", " cc1 a \"M\" -c", "-m=2"},
        {" cc1 a -c", " cc1 a M -c", ""},
        {" cc1 a -m1", " cc1 a M", "-m1"},
        {" cc1 a --param \"x=1\" -c -d", " cc1 a M -c -d", "--param x=1"},
        {" cc1 a -m1 -c", " cc1 a -c", NULL},
        {" cc1 a -m1 -c -e", " cc1 a M -c -d", NULL},
        {" cc1 b -m1 -c", " cc1 a M -c", NULL},
        {" cc1 a", " cc1 a M -c", NULL},
        {" cc1 a %{x} -c", " cc1 a M -c", NULL},
        {" cc1 a -m\\1 -c", " cc1 a M -c", NULL},
};

static void
between_two_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const struct between *b = &lines[i];
		struct buf out;
		int r;

		buf_init(&out, 1000);
		r = native_between(&out, b->line, b->other, "M");
		assert_int_equal(r, b->words ? 0 : IM_ERR_FORMAT);
		if (b->words)
			assert_string_equal((const char *)out.data, b->words);
		buf_fini(&out);
	}
}

static void
features_of_a_line(void **state)
{
	static const char line[] = " \"-cc1\" \"-triple\" \"i386-pc\" \"-target-cpu\" \"k8\" "
	                           "\"-target-feature\" \"+a.1\" \"x\" \"-target-feature\" \"-b\"";
	static const char want[] = "-march=k8\0\0+a.1\0-b";
	static const char *const bad[] = {"", "\"-cc1\"",
	        " \"-triple\" \"aarch64-linux\" \"-target-cpu\" \"k8\"",
	        " \"-triple\" \"x86_64-linux\"",
	        " \"-triple\" \"x86_64-linux\" \"-target-cpu\" \"k\\\"8\""};
	struct buf out;

	(void)state;
	buf_init(&out, 1000);
	assert_int_equal(native_features(&out, line), 0);
	assert_int_equal(out.len, sizeof(want));
	assert_memory_equal(out.data, want, sizeof(want));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(native_features(&out, bad[i]), IM_ERR_FORMAT);
	buf_fini(&out);
}

/* A compiler that notes each of its runs; NULL when there is none of that name. */
static const char *
compiler(const struct rig *rig, const char *name)
{
	char path[64], text[2 * PATH_MAX];

	snprintf(path, sizeof(path), "/usr/bin/%s", name);
	if (access(path, X_OK) != 0)
		return NULL;
	snprintf(text, sizeof(text), "#!/bin/sh\necho >>%s/runs\nexec %s \"$@\"\n", rig->cwd, path);
	assert_int_equal(scratch_text(name, text), 0);
	assert_int_equal(chmod(name, 0755), 0);
	return rig_path(rig, name);
}

static long
runs(void)
{
	struct stat st;

	return stat("runs", &st) == 0 ? (long)st.st_size : 0;
}

/* What is found for the command; its words as one text, which holds until the next. */
static int
find(struct rig *rig, struct native *n, const char *line, const char **words)
{
	static char text[64 * 1024];
	struct digest toolchain = {{1}};
	struct words w;
	struct args a;
	struct native_request q = {
	        .args = &a, .toolchain = &toolchain, .graph = rig->graph, .environment = environ};
	char **argv = NULL;
	int r;

	words_split(&w, line);
	q.compiler = rig_path(rig, w.argv[0]);
	args_analyse(&a, w.argc, w.argv, args_compiler(q.compiler));
	assert_int_equal(a.verdict, ARGS_REMOTE);
	r = native_find(n, &q, rig->why);
	if (r == 0) {
		assert_int_equal(args_source(&a, "/cc", &n->words, &argv), 0);
		*words = words_join(argv, text, sizeof(text));
		free(argv);
	}
	args_fini(&a);
	return r;
}

static void
words_of_gcc(void **state)
{
	static const char begin[] = "*cc1_cpu:\n%{march=native:%>march=native} "
	                            "%{mtune=native:%>mtune=native} ";
	struct rig *rig = *state;
	const char *words;
	struct native n;
	long before;

	if (!compiler(rig, "gcc"))
		skip();
#ifndef __x86_64__
	skip();
#endif
	assert_int_equal(find(rig, &n, "gcc -O2 -c a.c", &words), 0);
	assert_string_equal(words, "/cc -O2 -c a.c");
	assert_int_equal(n.specs.len, 0);
	assert_int_equal(runs(), 0);
	native_fini(&n);
	assert_int_equal(find(rig, &n, "gcc -O2 -march=native -c a.c", &words), 0);
	assert_string_equal(words, "/cc " SPECS_WORD " -O2 -march=native -c a.c");
	buf_put_u8(&n.specs, 0);
	assert_memory_equal(n.specs.data, begin, strlen(begin));
	assert_non_null(strstr((char *)n.specs.data + strlen(begin), "-march="));
	assert_null(strstr((char *)n.specs.data + strlen(begin), "native"));
	native_fini(&n);
	before = runs();
	assert_true(before > 0);
	assert_int_equal(find(rig, &n, "gcc -O3 -g -march=native -c b.c", &words), 0);
	assert_int_equal(runs(), before);
	native_fini(&n);
	assert_int_equal(find(rig, &n, "gcc -O3 -march=native -m32 -c b.c", &words), 0);
	assert_true(runs() > before);
	native_fini(&n);
}

static void
words_of_clang(void **state)
{
	struct rig *rig = *state;
	const char *words;
	struct native n;
	long before;

	if (!compiler(rig, "clang"))
		skip();
#ifndef __x86_64__
	skip();
#endif
	assert_int_equal(find(rig, &n, "clang -mtune=native -c a.c", &words), 0);
	assert_non_null(strstr(words, "/cc -mtune="));
	assert_null(strstr(words, "native"));
	assert_null(strstr(words, "-Xclang"));
	native_fini(&n);
	assert_int_equal(find(rig, &n, "clang -march=native -c a.c", &words), 0);
	assert_non_null(strstr(words, "/cc -Xclang -target-feature -Xclang "));
	assert_non_null(strstr(words, " -march="));
	assert_null(strstr(words, "native"));
	native_fini(&n);
	before = runs();
	assert_int_equal(find(rig, &n, "clang -g -march=native -c b.c", &words), 0);
	assert_int_equal(runs(), before);
	native_fini(&n);
	assert_int_equal(find(rig, &n, "clang -march=native -march=x86-64 -c b.c", &words), 0);
	assert_string_equal(words, "/cc -march=x86-64 -march=x86-64 -c b.c");
	native_fini(&n);
	assert_int_equal(find(rig, &n, "clang -march=native -c b.S", &words), IM_ERR_REFUSED);
	native_fini(&n);
}

/* One that takes no notice of specs, as where the driver resolves "native" otherwise; one that fails. */
static void
compilers_that_do_not_tell(void **state)
{
	struct rig *rig = *state;
	const char *words;
	struct native n;
	long before;

	assert_int_equal(
	        scratch_text("gcc", "#!/bin/sh\necho >>runs\necho ' cc1 -march=k8' >&2\n"), 0);
	assert_int_equal(chmod("gcc", 0755), 0);
	assert_int_equal(find(rig, &n, "gcc -march=native -c a.c", &words), IM_ERR_REFUSED);
	native_fini(&n);
	before = runs();
	assert_int_equal(find(rig, &n, "gcc -march=native -c a.c", &words), IM_ERR_REFUSED);
	assert_int_equal(runs(), before);
	native_fini(&n);
	assert_int_equal(scratch_text("gcc", "#!/bin/sh\nexit 1\n"), 0);
	assert_int_equal(find(rig, &n, "gcc -mtune=native -c a.c", &words), IM_ERR_REFUSED);
	native_fini(&n);
	assert_int_equal(scratch_text("clang", "#!/bin/sh\necho '\"-cc1\" \"-triple\" \"x86_64-\" "
	                                       "\"-target-cpu\" \"k8\"' >&2; cat; echo $*\n"),
	        0);
	assert_int_equal(chmod("clang", 0755), 0);
	assert_int_equal(find(rig, &n, "clang -march=native -c a.c", &words), IM_ERR_REFUSED);
	native_fini(&n);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_enter, rig_leave)

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(between_two_lines),
	        cmocka_unit_test(features_of_a_line), TEST(words_of_gcc), TEST(words_of_clang),
	        TEST(compilers_that_do_not_tell)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
