/* With the real gcc and clang (a compiler that is not there is skipped): every file that a compile
 * makes is its output or one of the products that its words name. */
#include "exec/products.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <spawn.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

extern char **environ;

static char folder[PATH_MAX];

static const char *const sources[] = {"a.c", "a.x.cc", "bare", ".c", "s.s", "s.S", "p.i"};

static int
enter(void **state)
{
	(void)state;
	return scratch_enter(folder);
}

static int
leave(void **state)
{
	(void)state;
	return scratch_leave(folder);
}

static void
make_sources(void)
{
	static const char text[] =
	        "static int twice(int x) { return x + x; }\n"
	        "int f(int n) { int s = 0; while (n--) s += twice(n); return s; }\n";

	assert_int_equal(chdir(folder), 0);
	assert_int_equal(mkdir("t", 0755), 0);
	assert_int_equal(chdir("t"), 0);
	assert_int_equal(mkdir("src", 0755), 0);
	assert_int_equal(mkdir("out", 0755), 0);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "src/%s", sources[i]);
		assert_int_equal(scratch_text(path, sources[i][0] == 's' ? "f: nop\n" : text), 0);
	}
}

static void
remove_all(void)
{
	char path[PATH_MAX + 8];

	snprintf(path, sizeof(path), "%s/t", folder);
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(nftw(path, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static int
run(char *const *argv)
{
	posix_spawn_file_actions_t files;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&files);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool
have(const char *compiler)
{
	char *argv[] = {(char *)(uintptr_t)compiler, "--version", NULL};

	return run(argv) == 0;
}

static bool
is_named(const struct args *a, const char *file)
{
	char got[JOB_PATH_MAX + 1], want[JOB_PATH_MAX + 1], cwd[PATH_MAX];

	assert_non_null(getcwd(cwd, sizeof(cwd)));
	assert_int_equal(args_path(cwd, file, got), 0);
	assert_int_equal(args_path(cwd, a->output, want), 0);
	for (uint32_t i = 0; i < a->nproducts && strcmp(got, want) != 0; i++)
		assert_int_equal(args_path(cwd, a->products[i], want), 0);
	return strcmp(got, want) == 0;
}

/* How many of the files in there nobody named. */
static int
unnamed_in(const struct args *a, const char *line, const char *where, unsigned *made)
{
	DIR *d = opendir(where);
	const struct dirent *e;
	int bad = 0;

	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		char path[PATH_MAX];

		if (e->d_type != DT_REG)
			continue;
		snprintf(path, sizeof(path), "%s/%s", where, e->d_name);
		(*made)++;
		if (is_named(a, path))
			continue;
		bad++;
		print_error("%s: makes %s\n", line, path);
	}
	closedir(d);
	return bad;
}

/* made: how many files the line makes, 0 for any number; so that a test whose compile fails is
 * seen. */
static int
one(const char *compiler, const char *options, unsigned made)
{
	char line[1024];
	unsigned n = 0;
	struct words w;
	struct args a;
	int bad;

	make_sources();
	snprintf(line, sizeof(line), "%s %s", compiler, options);
	words_split(&w, line);
	if (run(w.argv))
		fail_msg("%s: failed", line);
	args_analyse(&a, w.argc, w.argv, args_compiler(compiler));
	if (a.verdict != ARGS_REMOTE)
		fail_msg("%s: %s", line, a.reason);
	bad = unnamed_in(&a, line, ".", &n) + unnamed_in(&a, line, "out", &n);
	if (n < made)
		fail_msg("%s: made only %u files", line, n);
	args_fini(&a);
	remove_all();
	return bad;
}

struct line {
	const char *line;
	unsigned made;
};

#define ALL "-O2 -g -gsplit-dwarf -fstack-usage --coverage -fsave-optimization-record -MD "

static const struct line both[] = {
        {ALL "-c src/a.c", 6},
        {ALL "-c src/a.c -o out/x.o", 6},
        {ALL "-c src/a.c -o out/x.y.o", 6},
        {ALL "-c src/a.c -o out/x", 6},
        {ALL "-c src/a.c -o out/x.lo", 6},
        {ALL "-c src/a.c -o out/x.", 6},
        {ALL "-c src/a.c -o out/.o", 6},
        {ALL "-c src/a.c -o out/.x.o", 6},
        {ALL "-c src/a.c -o ./x.o", 6},
        {ALL "-c src/a.c -o out/../x.o", 6},
        {ALL "-S src/a.c", 5},
        {ALL "-S src/a.c -o out/x.s", 5},
        {ALL "-S src/a.c -o out/x", 5},
        {ALL "-c src/a.x.cc", 6},
        {ALL "-c src/a.x.cc -o out/x.y.o", 6},
        {ALL "-c -x c src/bare", 6},
        {ALL "-c -x c src/bare -o out/x.o", 6},
        {ALL "-c src/.c", 6},
        {ALL "-c src/.c -o out/.c", 6},
        {ALL "-save-temps -c src/a.c", 8},
        {ALL "-save-temps -c src/a.c -o out/x.y.o", 8},
        {ALL "-save-temps=obj -c src/a.x.cc", 8},
        {ALL "-save-temps=obj -c src/a.c -o out/x.o", 8},
        {ALL "-save-temps=cwd -c src/a.c -o out/x.o", 8},
        {ALL "-save-temps -S src/a.c -o out/x.s", 6},
        {ALL "-save-temps=obj -S src/a.c -o out/x.s", 6},
        {ALL "-save-temps -save-temps=obj -S src/a.c", 6},
        {"-save-temps -c src/p.i -o out/x.o", 2},
        {"-save-temps -g -gsplit-dwarf -MD -c src/s.S -o out/x.o", 4},
        {"-save-temps -c src/s.s -o out/x.o", 1},
        {"-MD -c src/s.S", 2},
        {"-flto -save-temps=obj -c src/a.c -o out/x.o", 3},
        {"-MMD -MF out/q.d -c src/a.c", 2},
        {"-Wp,-MD,out/.q.d -c src/a.c -o out/x.o", 2},
        {"-MD -x c++ -c src/a.c -save-temps", 4},
};

static const struct line gcc[] = {
        {ALL "-fcallgraph-info=su,da -save-temps -c src/a.c -o out/x.o", 9},
        {"-fcallgraph-info -save-temps=cwd -c src/a.x.cc -o out/x.o", 4},
        {"-aux-info out/aux -c src/a.c", 2},
        {"--coverage -fprofile-note=out/n -c src/a.c", 2},
        {"-fprofile-arcs -c src/a.c", 1},
        {"-fopt-info -O3 -c src/a.c", 1},
};

static const struct line clang[] = {
        {ALL "-ftime-trace -c src/a.c", 7},
        {ALL "-ftime-trace -c src/a.c -o out/x.y.o", 7},
        {ALL "-ftime-trace -save-temps=obj -c src/a.c -o out/x.o", 9},
        {ALL "-ftime-trace -save-temps -c src/a.x.cc -o out/x.o", 9},
        {ALL "-ftime-trace -save-temps -S src/a.c -o out/x.s", 8},
        {ALL "-ftime-trace -S src/a.x.cc", 6},
        {"-emit-llvm -c src/a.c", 1},
        {"-emit-llvm -S src/a.x.cc", 1},
        {"-emit-llvm -save-temps -c src/a.c", 3},
        {"-emit-llvm -save-temps=obj -S src/a.c -o out/x", 3},
        {"-foptimization-record-file=out/r -O2 -c src/a.c", 2},
        {"-foptimization-record-passes=inline -O2 -c src/a.x.cc", 2},
        {"-fsave-optimization-record=yaml -O2 -c src/a.c -o out/x", 2},
        {"--serialize-diagnostics out/d -c src/a.c", 2},
        {"-serialize-diagnostics out/d -c src/a.c", 2},
        {"-no-integrated-as -g -gsplit-dwarf -save-temps=obj -c src/a.c -o out/x.o", 4},
};

static int
every(const char *compiler, const struct line *lines, size_t n)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += one(compiler, lines[i].line, lines[i].made);
	return bad;
}

#define EVERY(compiler, lines) every(compiler, lines, sizeof(lines) / sizeof((lines)[0]))

static void
test_gcc(void **state)
{
	(void)state;
	if (!have("gcc"))
		skip();
	assert_int_equal(EVERY("gcc", both) + EVERY("gcc", gcc), 0);
}

static void
test_clang(void **state)
{
	(void)state;
	if (!have("clang"))
		skip();
	assert_int_equal(EVERY("clang", both) + EVERY("clang", clang), 0);
}

static void
names(const char *line, const char *want)
{
	char got[4096] = "";
	struct words w;
	struct args a;

	words_split(&w, line);
	args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
	if (a.products)
		words_join((char *const *)(uintptr_t)a.products, got, sizeof(got));
	if (strcmp(got, want) != 0)
		fail_msg("%s: %s; wanted %s", line, got, want);
	args_fini(&a);
}

static void
test_names(void **state)
{
	(void)state;
	names("gcc -c a.c", "");
	names("gcc -E -MD a.c", "");
	names("gcc -MD -c a.c -o b/x.o", "b/x.d");
	names("gcc -MD -MF ./b/../x.o -c a.c -o x.o", "");
	names("gcc -MD -MF ../x.o -c a.c -o x.o", "../x.o");
	names("gcc -aux-info a.c -c ./a.c", "");
	names("gcc -gsplit-dwarf -fstack-usage --coverage -c a.c -o /b/x.o",
	        "/b/x.dwo /b/x.su /b/x.gcno");
	names("gcc -fsave-optimization-record -c d/a.c -o b/x.o",
	        "b/x.c.opt-record.json.gz b/a.c.opt-record.json.gz");
	names("gcc -save-temps -c a.cc -o b/x.o", "b/x.ii b/x.s a.ii a.s");
	names("gcc -save-temps=obj -S a.c -o b/x.s", "b/x.i");
	names("gcc -save-temps=cwd -S a.m -o b/x.s", "x.mi x.s a.mi a.s");
	names("clang -save-temps -c a.mm -o b/x.o", "a.mii a.s a.bc");
	names("clang -ftime-trace=t -c a.c -o b/x.o", "b/x.json t t/x.json");
	names("clang -fsave-optimization-record=bitstream -c a.c -o b/x.o", "b/x.opt.bitstream");
}

static void
test_too_many(void **state)
{
	char line[2048] = "clang -c a.c";
	struct words w;
	struct args a;

	(void)state;
	for (int i = 0; i <= PRODUCTS_MAX; i++)
		snprintf(line + strlen(line), sizeof(line) - strlen(line),
		        " -foptimization-record-file=%d", i);
	words_split(&w, line);
	args_analyse(&a, w.argc, w.argv, FOR_CLANG);
	assert_int_equal(a.verdict, ARGS_LOCAL);
	assert_string_equal(a.reason, "option");
	assert_null(a.products);
	args_fini(&a);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_gcc),
	        cmocka_unit_test(test_clang),
	        cmocka_unit_test(test_names),
	        cmocka_unit_test(test_too_many),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
