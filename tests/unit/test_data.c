#include "client/data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include "tests/unit/inputs_rig.h"
#include "tests/unit/words.h"

struct row {
	const char *line, *names;
};

/* As strace shows gcc 12 and clang 14 to look for them; more names are fine. */
static const struct row rows[] = {
        {"gcc -c a.c", ""},
        {"gcc -fprofile-generate=p -fprofile-dir=q -c a.c", ""},
        {"gcc -fprofile-use -c s/a.c", "a.gcda"},
        {"gcc -fbranch-probabilities -c a.c -o o/b.x.o", "o/b.x.gcda"},
        {"gcc -fprofile-use -c a.c -o /o/b.o", "/o/b.gcda"},
        {"gcc -fprofile-use=p -c a.c", "p/#w#d#a.gcda p/a.gcda"},
        {"gcc -fprofile-use=p -c a.c -o ../o/./b.o", "p/#w#d#^#o#.#b.gcda p/../o/./b.gcda"},
        {"gcc -fprofile-use=p -c a.c -o o//..x", "p/#w#d#o##..gcda p/o//..gcda"},
        {"gcc -fprofile-use=/p/ -c a.c -o /o/b.o", "/p///o/b.gcda"},
        {"gcc -fprofile-use=p -fprofile-dir=q -c a.c", "q/#w#d#a.gcda q/a.gcda"},
        {"gcc -fprofile-generate=q -fprofile-use -c a.c", "q/#w#d#a.gcda q/a.gcda"},
        {"gcc -fprofile-use=p -fprofile-prefix-path=/w -c a.c", "p/d#a.gcda p/a.gcda"},
        {"gcc -fprofile-use=p -fprofile-prefix-path=/v -c a.c", "p/#w#d#a.gcda p/a.gcda"},
        {"gcc -fauto-profile -c a.c", "fbdata.afdo"},
        {"gcc -fauto-profile=x -c a.c", "x"},
        {"gcc -fsanitize-ignorelist=x -c a.c", ""},
        {"clang -c a.c", ""},
        {"clang -fprofile-use -c a.c", "default.profdata"},
        {"clang -fprofile-use=p -c a.c", "p p/default.profdata"},
        {"clang -fprofile-instr-use=p -c a.c", "p p/default.profdata"},
        {"clang -fprofile-sample-use=p -fprofile-sample-use -c a.c", "p"},
        {"clang -fbasic-block-sections=list=x -fbasic-block-sections=all -c a.c", "x"},
        {"clang -fsanitize-ignorelist=/x -fxray-attr-list=y -c a.c", "/x y"},
};

static void
names_by_the_compilers_rules(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct words w;
		struct args a;
		struct data d = {.n = 0};
		char *list[8] = {NULL}, have[512];

		words_split(&w, rows[i].line);
		args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
		assert_int_equal(data_find(&d, &a, "/w/d"), 0);
		assert_true(d.n < 8);
		for (unsigned k = 0; k < d.n; k++)
			list[k] = (char *)(uintptr_t)d.names[k];
		assert_string_equal(words_join(list, have, sizeof(have)), rows[i].names);
		data_fini(&d);
		args_fini(&a);
	}
}

static void
only_from_sources(void **state)
{
	static const struct row lines[] = {{"gcc -fprofile-use=p -c a.c", "option -fprofile-use="},
	        {"clang -fsanitize-ignorelist=x -c a.c", "option -fsanitize-ignorelist="},
	        {"clang -fbasic-block-sections=list=x -c a.c", "option -fbasic-block-sections="}};
	static const char *const local[] = {"clang -fprofile-instr-use=- -c a.c",
	        "clang -fprofile-sample-use=/dev/stdin -c a.c", "clang -fprofile-list= -c a.c",
	        "clang -fbasic-block-sections=list=- -c a.c"};
	struct words w;
	struct args a;

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		words_split(&w, lines[i].line);
		args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
		assert_int_equal(a.verdict, ARGS_REMOTE);
		assert_true(a.source_only);
		assert_string_equal(a.reason, lines[i].names);
		args_fini(&a);
	}
	for (size_t i = 0; i < sizeof(local) / sizeof(local[0]); i++) {
		words_split(&w, local[i]);
		args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
		assert_int_equal(a.verdict, ARGS_LOCAL);
		args_fini(&a);
	}
}

static int
find(struct rig *rig, const char *const *data, unsigned n)
{
	struct timespec now;
	struct inputs_request q = {.cwd = rig->cwd,
	        .source = "a.c",
	        .search = &rig->search,
	        .graph = rig->graph,
	        .data = data,
	        .ndata = n};

	clock_gettime(CLOCK_REALTIME, &now);
	q.now_ns = (now.tv_sec + 60) * 1000000000LL;
	inputs_fini(&rig->in);
	return inputs_find(&rig->in, &q, rig->why);
}

/* Its text is not looked at, unless it is a header as well; twice, since the second time the graph knows it. */
static void
no_text_is_read(void **state)
{
	static const char *const data[] = {"p/list", "gone", "p/link", "h.h", "p", "none/x"};
	struct rig *rig = *state;

	assert_int_equal(mkdir("p", 0755), 0);
	assert_int_equal(scratch_text("a.c", "#include \"h.h\"\n"), 0);
	assert_int_equal(scratch_text("h.h", "#include \"i.h\"\n"), 0);
	assert_int_equal(scratch_text("i.h", ""), 0);
	assert_int_equal(scratch_text("p/list", "#include MACRO\n__TIMESTAMP__\n"), 0);
	assert_int_equal(symlink("list", "p/link"), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(find(rig, data, 6), 0);
		assert_int_equal(rig->in.nfiles, 5);
		assert_int_equal(rig->in.flags, 0);
		assert_true(rig_follows(rig, "a.c", "p/list"));
		assert_true(rig_follows(rig, "p/link", "p/list"));
		assert_true(rig_follows(rig, "h.h", "i.h"));
	}
	/* as a header it is another matter */
	assert_int_equal(scratch_text("a.c", "#include \"p/list\"\n#define MACRO \"h.h\"\n"), 0);
	assert_int_equal(find(rig, data, 6), 0);
	assert_true(rig->in.flags & INCLUDES_TIMESTAMP);
	assert_int_equal(find(rig, data, 6), 0);
	assert_true(rig->in.flags & INCLUDES_TIMESTAMP);
}

static void
what_is_no_file(void **state)
{
	static const char *const data[] = {"fifo"};
	struct rig *rig = *state;

	assert_int_equal(scratch_text("a.c", ""), 0);
	assert_int_equal(mkfifo("fifo", 0644), 0);
	assert_int_equal(find(rig, data, 1), IM_ERR_REFUSED);
	assert_non_null(strstr(rig->why, "neither file nor folder"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(names_by_the_compilers_rules),
	        cmocka_unit_test(only_from_sources),
	        cmocka_unit_test_setup_teardown(no_text_is_read, rig_enter, rig_leave),
	        cmocka_unit_test_setup_teardown(what_is_no_file, rig_enter, rig_leave)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
