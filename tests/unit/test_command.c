/* With the real gcc and clang of this machine (a compiler that is not there is skipped): a
 * compile in two steps leaves the same dependency file and the same object as the compile in
 * one. */
#include "exec/command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdbool.h>
#include <spawn.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "exec/args.h"
#include "tests/unit/scratch.h"
#include "tests/unit/words.h"

extern char **environ;

static int
enter(void **state)
{
	static const char source[] = "#include \"h.h\"\n#include <stddef.h>\n"
	                             "const char *file = __FILE__, *raw = \"/*x\\n\";\n"
	                             "int counted = __COUNTER__;\n"
	                             "size_t f(size_t x) { return TWICE(x) + __LINE__; }\n";
	char *cwd = malloc(PATH_MAX);

	*state = cwd;
	if (!cwd || scratch_enter(cwd) || mkdir("src", 0755) || mkdir("obj", 0755))
		return -1;
	if (scratch_text("src/h.h", "#define TWICE(a) ((a) + (a))\n") ||
	        scratch_text("src/a.c", source) || scratch_text("src/a.b.cc", source) ||
	        scratch_text("src/text", source))
		return -1;
	return 0;
}

static int
leave(void **state)
{
	int r = scratch_leave(*state);

	free(*state);
	return r;
}

/* Runs it with stdout into a file; the exit status. */
static int
run(char *const *argv, const char *out)
{
	posix_spawn_file_actions_t files;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (posix_spawnp(&pid, argv[0], &files, NULL, argv, environ) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&files);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static bool
have(const char *compiler)
{
	char *argv[] = {(char *)(uintptr_t)compiler, "--version", NULL};

	return run(argv, "/dev/null") == 0;
}

static void
same_file(const char *line, const char *a, const char *b)
{
	size_t an = 0, bn = 0;
	char *at = scratch_read(a, &an), *bt = scratch_read(b, &bn);

	if (!at || !bt || an != bn || memcmp(at, bt, an) != 0)
		fail_msg("%s: %s is not the local compile's", line, b);
	free(at);
	free(bt);
}

/* The compile in two steps, the text standing in the source's place. */
static void
two_steps(const char *line, const struct args *a, const char *compiler, bool directives)
{
	char **cpp = NULL, **remote = NULL;

	assert_int_equal(args_preprocess(a, compiler, directives, &cpp), 0);
	assert_int_equal(args_remote(a, compiler, directives, &remote), 0);
	if (run(cpp, "text"))
		fail_msg("%s: preprocessing failed", line);
	assert_int_equal(rename(a->source, "kept"), 0);
	assert_int_equal(rename("text", a->source), 0);
	if (run(remote, "/dev/null"))
		fail_msg("%s: the remote command failed", line);
	assert_int_equal(rename("kept", a->source), 0);
	free(cpp);
	free(remote);
}

static void
one_line(const char *compiler, const char *options, bool directives)
{
	char line[1024];
	struct words w;
	struct args a;

	snprintf(line, sizeof(line), "%s %s", compiler, options);
	words_split(&w, line);
	if (run(w.argv, "/dev/null"))
		fail_msg("%s: the local compile failed", line);
	args_analyse(&a, w.argc, w.argv, args_compiler(compiler));
	if (a.verdict != ARGS_REMOTE)
		fail_msg("%s: %s", line, a.reason);
	assert_int_equal(rename(a.output, "local.out"), 0);
	if (a.deps && rename(a.deps, "local.d"))
		fail_msg("%s: no file %s", line, a.deps);
	two_steps(line, &a, compiler, directives);
	same_file(line, "local.out", a.output);
	if (a.deps)
		same_file(line, "local.d", a.deps);
	unlink(a.output);
	if (a.deps)
		unlink(a.deps);
	args_fini(&a);
}

static const char *const common[] = {
        "-c src/a.c",
        "-c src/a.c -o obj/a.o",
        "-O2 -c src/a.c -o obj/a.o -DX -Isrc",
        "-O3 -fPIC -DNDEBUG -c src/a.b.cc -o obj/a.o",
        "-S src/a.c -o obj/a.s",
        "-MD -c src/a.c -o obj/a.o",
        "-MMD -c src/a.c",
        "-MD -c src/a.b.cc",
        "-MD -S src/a.c",
        "-MD -S src/a.c -o obj/a.x.s",
        "-MMD -MP -c src/a.c -o obj/a",
        "-MD -c src/a.c -o obj/a.lo",
        "-MD -c src/a.c -o obj/.o",
        "-MD -c src/a.c -o obj/a#$b.o",
        "-MD -MF obj/q.d -c src/a.c -o obj/a.o",
        "-MMD -MFobj/q.d -MTt -c src/a.c -o obj/a.o",
        "-MD -MT a -MT b -MQ c$ -c src/a.c -o obj/a.o",
        "-MD -MF obj/r.d -MF obj/q.d -c src/a.c -o obj/a.o",
        "-Wp,-MD,obj/.a.d -c src/a.c -o obj/a.o",
        "-Wp,-MMD,obj/.a.d -c src/a.c",
        "-Wp,-MMD,obj/.a.d -MT t -c src/a.c -o obj/a.o",
        "-Wp,-MMD,obj/.a.d -MP -c src/a.c -o obj/a.o",
        "-x c -MD -c src/text -o obj/a.o",
        "-x c++ -MD -c src/a.c -o obj/a.o",
        "-MD -xc -c src/text",
        "-pedantic -std=c11 -c src/a.c -o obj/a.o",
        "-march=x86-64 -Wa,--noexecstack -pipe -w -c src/a.c -o obj/a.o",
        "-static -pthread -c src/a.c -o obj/a.o",
        "-ffile-prefix-map=src=x -c src/a.c -o obj/a.o",
};

static void
every_line(const char *compiler, bool directives)
{
	if (!have(compiler)) {
		print_message("%s is not installed, skipped\n", compiler);
		skip();
	}
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		one_line(compiler, common[i], directives);
}

static void
test_gcc_directives(void **state)
{
	(void)state;
	every_line("gcc", true);
	one_line("gcc", "-Wp,-MMD,obj/.a.d,-MT,tt -c src/a.c -o obj/a.o", true);
	one_line("gcc", "-no-pie -lfoo -Wl,-x -c src/a.c -o obj/a.o", true);
	one_line("gcc", "-flto -frandom-seed=1 -c src/a.c -o obj/a.o", true);
	one_line("gcc", "-Wunused-macros -c src/a.c -o obj/a.o", true);
}

static void
test_gcc_plain(void **state)
{
	(void)state;
	every_line("gcc", false);
}

static void
test_clang(void **state)
{
	(void)state;
	every_line("clang", true);
	one_line("clang",
	        "-Werror -fPIC -stdlib=libc++ -Qunused-arguments -c src/a.b.cc -o obj/a.o", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_gcc_directives),
	        cmocka_unit_test(test_gcc_plain),
	        cmocka_unit_test(test_clang),
	};
	return cmocka_run_group_tests(tests, enter, leave);
}
