#include "exec/command.h"
#include "exec/specs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "exec/args.h"
#include "tests/unit/words.h"

struct arriving {
	struct job job;
	struct job_input input;
	const char *output;
	const char *env[2];
	struct words words;
};

/* A job as it would arrive: the line's words, /w/src/a.c to /w/obj/a.o in /w. */
static void
arrive(struct arriving *r, const char *line)
{
	memset(r, 0, sizeof(*r));
	words_split(&r->words, line);
	r->input.path = "/w/src/a.c";
	r->output = "/w/obj/a.o";
	r->env[0] = "LANG=C";
	r->job = (struct job){.cwd = "/w",
	        .argv = (const char **)r->words.argv,
	        .argc = (uint32_t)r->words.argc,
	        .env = r->env,
	        .nenv = 1,
	        .inputs = &r->input,
	        .ninputs = 1,
	        .outputs = &r->output,
	        .noutputs = 1,
	        .mode = JOB_PREPROCESSED};
}

static void
check(const char *line, const char *want)
{
	struct arriving r;
	char why[256] = "";
	int err;

	arrive(&r, line);
	err = args_check(&r.job, why, sizeof(why));
	if (!want && err)
		fail_msg("%s refused: %s", line, why);
	if (want && (err != IM_ERR_REFUSED || !strstr(why, want)))
		fail_msg("%s: %d, %s", line, err, why);
}

static void
test_preprocessed(void **state)
{
	(void)state;
	check("gcc -fpreprocessed -fdirectives-only -O2 -g -c src/a.c -o obj/a.o", NULL);
	check("gcc -fpreprocessed -c /w/src/a.c -o /w/obj/a.o", NULL);
	check("gcc -fpreprocessed -c src/../src/./a.c -o obj//a.o", NULL);
	check("gcc -fpreprocessed -x c -c src/a.c -oobj/a.o", NULL);
	check("clang -Qunused-arguments -c -x cpp-output src/a.c -o obj/a.o", NULL);
	check("clang -Qunused-arguments -c -x objective-c-cpp-output src/a.c -o obj/a.o", NULL);
	check("gcc -c src/a.c -o obj/a.o", "preprocessed");
	check("gcc", "preprocessed");
	check("gcc -fpreprocessed", "no-source");
	check("gcc -fpreprocessed -c src/a.c", "not the command");
	check("gcc -fpreprocessed -DX -c src/a.c -o obj/a.o", "not the command");
	check("gcc -fpreprocessed -MD -c src/a.c -o obj/a.o", "not the command");
	check("gcc -fpreprocessed -Wl,x -c src/a.c -o obj/a.o", "not the command");
	check("gcc -fpreprocessed -fdirectives-only -Wunused-macros -c src/a.c -o obj/a.o",
	        "not the");
	check("clang -Qunused-arguments -c src/a.c -o obj/a.o", "not the command");
	check("clang -Qunused-arguments -x c -c src/a.c -o obj/a.o", "not the command");
	check("clang -Qunused-arguments -c -x cuda src/a.c -o obj/a.o", "language");
}

static void
check_source(const char *line, const char *want)
{
	struct arriving r;
	char why[256] = "";
	int err;

	arrive(&r, line);
	r.job.mode = JOB_SOURCE;
	r.job.ninputs = 0;
	err = args_check(&r.job, why, sizeof(why));
	if (!want && err)
		fail_msg("%s refused: %s", line, why);
	if (want && (err != IM_ERR_REFUSED || !strstr(why, want)))
		fail_msg("%s: %d, %s", line, err, why);
}

static void
test_attacks(void **state)
{
	static const char *const words[] = {"-fplugin=/x.so", "-wrapper=sh", "-B/x", "-specs=x",
	        "@x", "-fdump-tree-all", "-fpreprocessed", "-Wa,-a=/x", "-Xassembler", "-o", "-E",
	        "-v", "-fxyz=/etc/passwd", "-aux-info", "b.c", "-", "--"};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(line, sizeof(line), "gcc -fpreprocessed -c src/a.c -o obj/a.o %s",
		        words[i]);
		check(line, "may not run");
	}
	check("gcc -fpreprocessed -c src/a.c -o obj/a.o --coverage", "from its sources only");
	check("gcc -fpreprocessed -c src/a.c -o obj/a.o -save-temps", "from its sources only");
	check("gcc -fpreprocessed -c src/a.S -o obj/a.o", "from its sources only");
	check("clang -Qunused-arguments -Xclang -load -Xclang x -c -x cpp-output src/a.c -o "
	      "obj/a.o",
	        "-Xclang");
}

static void
test_files(void **state)
{
	struct arriving r;
	char why[256] = "";

	(void)state;
	check("gcc -fpreprocessed -c src/b.c -o obj/a.o", "source");
	check("gcc -fpreprocessed -c ../src/a.c -o obj/a.o", "source");
	check("gcc -fpreprocessed -c src/a.c -o obj/b.o", "output");
	check("gcc -fpreprocessed -c src/a.c -o ../../w/obj/a.o", NULL);
	check("gcc -fpreprocessed -c src/a.c -o ../etc/a.o", "output");
	arrive(&r, "gcc -fpreprocessed -c src/a.c -o obj/a.o");
	r.env[0] = "LD_PRELOAD=/x\n.so";
	assert_int_equal(args_check(&r.job, why, sizeof(why)), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "LD_PRELOAD=/x?.so"));
	arrive(&r, "gcc -fpreprocessed -c src/a.c -o obj/a.o");
	r.job.argc = 0;
	assert_int_equal(args_check(&r.job, why, sizeof(why)), IM_ERR_REFUSED);
}

static void
test_source_mode(void **state)
{
	(void)state;
	check_source("/bin/gcc -DX -Iinc -c src/a.c -o obj/a.o", NULL);
	check_source("/bin/gcc -c ../anywhere/b.c -o link/a.o -g3 -MD -save-temps", NULL);
	check_source("/bin/gcc -Wall -c src/a.S -o obj/a.o", NULL);
	check_source("/bin/gcc -Wall -c src/a.i -o obj/a.o", NULL);
	check_source("/bin/clang -c src/a.c -o obj/a.o -fcolor-diagnostics", NULL);
	check_source("/bin/gcc -c src/a.c -o obj/a.o -fdiagnostics-color=always "
	             "-fdiagnostics-urls=always",
	        NULL);
	check_source("/bin/gcc -c src/a.c -o obj/a.o -fdiagnostics-urls=never", NULL);
	check_source("gcc -c src/a.c -o obj/a.o", "absolute");
	check_source("bin/gcc -c src/a.c -o obj/a.o", "absolute");
	check_source("/bin/gcc -c src/a.c -o obj/b.o", "does not make");
	check_source("/bin/gcc -c src/b.c", "does not make");
	check_source("/bin/gcc src/a.c -o obj/a.o", "linking");
	check_source("/bin/gcc", "no-source");
}

/* Words that mean the processor only with what they stand for. */
static void
test_native(void **state)
{
	(void)state;
	check_source("/bin/gcc " SPECS_WORD " -march=native -c src/a.c -o obj/a.o", NULL);
	check_source("/bin/gcc -march=native -c src/a.c -o obj/a.o", "nobody resolved");
	check_source("/bin/gcc " SPECS_WORD " -c src/a.c -o obj/a.o", "nobody resolved");
	check_source("/bin/gcc -march=native " SPECS_WORD " -c src/a.c -o obj/a.o", "may not run");
	check_source("/bin/gcc " SPECS_WORD "x -march=native -c src/a.c -o obj/a.o", "may not run");
	check_source(
	        "/bin/clang " SPECS_WORD " -march=native -c src/a.c -o obj/a.o", "may not run");
	check_source("/bin/clang -mtune=native -c src/a.c -o obj/a.o", "nobody resolved");
	check_source("/bin/clang -Xclang -target-feature -Xclang -avx -march=k8 -c src/a.c -o "
	             "obj/a.o",
	        NULL);
	check("gcc -fpreprocessed -march=native -c src/a.c -o obj/a.o", "nobody resolved");
}

static void
test_source_attacks(void **state)
{
	static const char *const words[] = {"-fplugin=/x.so", "-wrapper=sh", "-B/x", "-specs=x",
	        "--specs=x", "@x", "-fdump-tree-all", "-Wa,-a=/x", "-o", "-E", "-v", "b.c", "-",
	        "--", "-fxyz=/etc/passwd", "-aux-info /dev/fd/3", "-fopt-info=x", "-Xassembler -a",
	        "-Xpreprocessor -include", "-fprofile-use=-", "-fpreprocessed", "-no-such"};
	char line[256];

	(void)state;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(line, sizeof(line), "/bin/gcc -c src/a.c -o obj/a.o %s", words[i]);
		check_source(line, "may not run");
	}
	check_source("/bin/clang -Xclang -load -Xclang x -c src/a.c -o obj/a.o", "-Xclang");
	check_source("/bin/clang -fpass-plugin=x -c src/a.c -o obj/a.o", "-fpass-plugin");
}

/* Declared outputs: the main one, and what else the command makes. */
static void
test_source_outputs(void **state)
{
	const char *outputs[] = {"/w/obj/a.o", "/w/obj/a.d", "/real/a.su"};
	struct arriving r;
	char why[256] = "";

	(void)state;
	arrive(&r, "/bin/gcc -MD -fstack-usage -c src/a.c -o obj/a.o");
	r.job.mode = JOB_SOURCE;
	r.job.outputs = outputs;
	r.job.noutputs = 3;
	assert_int_equal(args_check(&r.job, why, sizeof(why)), 0);
	outputs[2] = "/w/obj/a.dwo";
	assert_int_equal(args_check(&r.job, why, sizeof(why)), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "/w/obj/a.dwo"));
	outputs[2] = "/w/obj/a.su";
	outputs[0] = "/w/obj/a.d";
	assert_int_equal(args_check(&r.job, why, sizeof(why)), IM_ERR_REFUSED);
	assert_non_null(strstr(why, "not declared"));
}

/* What args_remote() makes must pass, whatever options were there. */
static void
test_own_commands_pass(void **state)
{
	static const char *const lines[] = {"gcc -DX -MD -c src/a.c -o obj/a.o -lfoo",
	        "clang -x c++ -DX -Wp,-MD,x -c src/a.c -o obj/a.o -g",
	        "g++ -O3 -c src/a.c -oobj/a.o", "gcc -Wunused-macros -c src/a.c -o obj/a.o",
	        "clang++ -c src/a.c -o obj/a.o", "clang -Qunused-arguments -c src/a.c -o obj/a.o",
	        "gcc -S src/a.c -o obj/a.o", "gcc -traditional-cpp -c src/a.c -o obj/a.o",
	        "clang -x objective-c -c src/a.c -o obj/a.o"};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		char text[4096], **argv = NULL;
		struct words w;
		struct args a;

		words_split(&w, lines[i]);
		args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
		assert_int_equal(args_remote(&a, w.argv[0], true, &argv), 0);
		check(words_join(argv, text, sizeof(text)), NULL);
		free(argv);
		args_fini(&a);
	}
}

static void
test_path(void **state)
{
	char out[JOB_PATH_MAX + 1], longest[JOB_PATH_MAX + 10];

	(void)state;
	assert_int_equal(args_path("/a/b", "c/../d//e/.", out), 0);
	assert_string_equal(out, "/a/b/d/e");
	assert_int_equal(args_path("/a/b", "../../../..", out), 0);
	assert_string_equal(out, "/");
	assert_int_equal(args_path("/a/b", "/x/", out), 0);
	assert_string_equal(out, "/x");
	assert_int_equal(args_path("/a/b", "...", out), 0);
	assert_string_equal(out, "/a/b/...");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	assert_int_equal(args_path("/", longest, out), IM_ERR_LIMIT);
	longest[JOB_PATH_MAX - 1] = 0;
	assert_int_equal(args_path("/", longest, out), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_preprocessed),
	        cmocka_unit_test(test_attacks),
	        cmocka_unit_test(test_files),
	        cmocka_unit_test(test_source_mode),
	        cmocka_unit_test(test_native),
	        cmocka_unit_test(test_source_attacks),
	        cmocka_unit_test(test_source_outputs),
	        cmocka_unit_test(test_own_commands_pass),
	        cmocka_unit_test(test_path),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
