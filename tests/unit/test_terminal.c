/* client/terminal: what is said in options is what the real compilers do at a terminal, and what fits is what they leave whole there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include "client/terminal.h"
#include "tests/unit/scratch.h"

#define OUT_MAX 65536
#define WORDS_MAX 16
#define GCC 12

struct shown {
	char text[OUT_MAX];
	size_t len;
	int width; /* of the terminals */
	struct terminal terminal;
};

static char cwd[PATH_MAX];
static struct shown there, here;

static int
start(void **state)
{
	static const char *const unset[] = {
	        "COLUMNS", "COLORTERM", "GCC_URLS", "TERM_URLS", "GCC_COLORS", "NO_COLOR"};

	(void)state;
	for (size_t i = 0; i < sizeof unset / sizeof unset[0]; i++)
		unsetenv(unset[i]);
	setenv("TERM", "xterm-256color", 1);
	setenv("LC_ALL", "C.UTF-8", 1);
	return scratch_enter(cwd);
}

static int
stop(void **state)
{
	(void)state;
	return scratch_leave(cwd);
}

/* --- looking, in a process at a terminal --- */

static int
terminal_pair(int width, int *far)
{
	struct winsize w = {.ws_row = 24, .ws_col = (unsigned short)width};
	struct termios raw;
	int near;

	assert_int_equal(openpty(&near, far, NULL, NULL, NULL), 0);
	assert_int_equal(tcgetattr(*far, &raw), 0);
	cfmakeraw(&raw);
	assert_int_equal(tcsetattr(*far, TCSANOW, &raw), 0);
	assert_int_equal(ioctl(*far, TIOCSWINSZ, &w), 0);
	return near;
}

/* Words that stand in the answer by their text, since they come from another process. */
struct answer {
	char words[256];
	unsigned width;
	bool wraps, wants_more;
};

static struct answer
look_at(enum option_compiler compiler, int gcc_major, int width, bool input,
        const char *const *argv)
{
	struct args a = {.compiler = compiler, .argv = (const char **)argv};
	struct answer got = {.width = 9999};
	int fds[2], far, near = terminal_pair(width, &far), status;
	pid_t pid;

	while (argv[a.argc] != NULL)
		a.argc++;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		struct terminal t;

		dup2(input ? far : open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(far, STDERR_FILENO);
		terminal_look(&t, &a, gcc_major);
		got = (struct answer){
		        .width = t.width, .wraps = t.wraps, .wants_more = t.wants_more};
		for (int i = 0; t.words[i] != NULL; i++) {
			strcat(got.words, t.words[i]);
			strcat(got.words, " ");
		}
		_exit(write(fds[1], &got, sizeof got) == sizeof got ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(fds[0], &got, sizeof got), sizeof got);
	close(fds[0]);
	close(fds[1]);
	close(near);
	close(far);
	return got;
}

#define ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})
#define LOOK_GCC(...) look_at(FOR_GCC, GCC, 80, true, ARGV(__VA_ARGS__))
#define LOOK_CLANG(...) look_at(FOR_CLANG, 0, 80, true, ARGV(__VA_ARGS__))
#define COLOR "-fdiagnostics-color=always "
#define LINKS "-fdiagnostics-urls=always "

static void
test_gcc_words(void **state)
{
	(void)state;
	assert_string_equal(LOOK_GCC("-c", "a.c").words, COLOR LINKS);
	assert_string_equal(LOOK_GCC("-c", "-fdiagnostics-color=never").words, LINKS);
	assert_string_equal(LOOK_GCC("-c", "-fno-diagnostics-color").words, LINKS);
	assert_string_equal(LOOK_GCC("-c", "-fdiagnostics-color").words, LINKS);
	assert_string_equal(LOOK_GCC("-c", "-fdiagnostics-urls=never").words, COLOR);
	assert_string_equal(
	        LOOK_GCC("-fdiagnostics-color=never", "-fdiagnostics-urls=auto").words, LINKS);
	assert_string_equal(LOOK_GCC("-fdiagnostics-plain-output").words, "");
	/* the terminal decides */
	assert_string_equal(LOOK_GCC("-c", "-fdiagnostics-color=auto").words, COLOR LINKS);
	assert_string_equal(LOOK_GCC("-fdiagnostics-color=never", "-fdiagnostics-color=auto").words,
	        COLOR LINKS);
	assert_string_equal(
	        LOOK_GCC("-fdiagnostics-color=auto", "-fdiagnostics-color=never").words, LINKS);
	/* no options at all */
	assert_string_equal(
	        LOOK_GCC("-DX=-fdiagnostics-color", "-Idiagnostics-urls").words, COLOR LINKS);
}

static void
test_old_and_unknown_gcc(void **state)
{
	(void)state;
	assert_string_equal(look_at(FOR_GCC, 9, 80, true, ARGV("-g")).words, COLOR);
	assert_false(look_at(FOR_GCC, 9, 80, true, ARGV("-g")).wants_more);
	assert_string_equal(look_at(FOR_GCC, 10, 80, true, ARGV("-c")).words, COLOR LINKS);
	assert_string_equal(look_at(FOR_GCC, 0, 80, true, ARGV("-c")).words, "");
	assert_true(look_at(FOR_GCC, 0, 80, true, ARGV("-c")).wants_more);
}

static void
test_recorded_options(void **state)
{
	static const char *const recording[] = {
	        "-g", "-ggdb3", "-frecord-gcc-switches", "-fverbose-asm"};

	(void)state;
	for (size_t i = 0; i < sizeof recording / sizeof recording[0]; i++) {
		assert_true(LOOK_GCC(recording[i]).wants_more);
		assert_string_equal(LOOK_GCC(recording[i]).words, "");
		assert_false(LOOK_GCC(recording[i], "-fdiagnostics-urls=never").wants_more);
		assert_string_equal(
		        LOOK_GCC(recording[i], "-fdiagnostics-urls=never").words, COLOR);
	}
	assert_false(LOOK_CLANG("-g").wants_more);
	assert_true(LOOK_CLANG("-g", "-grecord-command-line").wants_more);
	assert_true(LOOK_CLANG("-frecord-command-line").wants_more);
	assert_string_equal(LOOK_CLANG("-frecord-command-line").words, "");
}

static void
test_clang_words(void **state)
{
	(void)state;
	assert_string_equal(LOOK_CLANG("-c").words, "-fcolor-diagnostics ");
	assert_true(LOOK_CLANG("-c").wraps);
	assert_string_equal(LOOK_CLANG("-fno-color-diagnostics").words, "");
	assert_false(LOOK_CLANG("-fno-color-diagnostics").wants_more);
	setenv("NO_COLOR", "1", 1);
	assert_true(LOOK_CLANG("-c").wants_more);
	unsetenv("NO_COLOR");
	setenv("TERM", "strange", 1);
	assert_true(LOOK_CLANG("-c").wants_more);
	assert_string_equal(LOOK_CLANG("-c").words, "");
}

static void
test_terminals_without_colours(void **state)
{
	(void)state;
	setenv("TERM", "dumb", 1);
	assert_string_equal(LOOK_GCC("-c").words, "");
	assert_int_equal(LOOK_GCC("-c").width, 80);
	assert_string_equal(LOOK_CLANG("-c").words, "");
	assert_false(LOOK_CLANG("-c").wants_more);
	unsetenv("TERM");
	assert_string_equal(LOOK_GCC("-c").words, "");
}

static void
test_terminals_without_links(void **state)
{
	(void)state;
	setenv("TERM", "xterm", 1);
	assert_string_equal(LOOK_GCC("-g").words, COLOR);
	setenv("TERM_URLS", "", 1);
	assert_string_equal(LOOK_GCC("-c").words, COLOR LINKS);
	setenv("COLORTERM", "gnome-terminal", 1);
	assert_string_equal(LOOK_GCC("-c").words, COLOR);
	unsetenv("TERM_URLS");
	setenv("COLORTERM", "truecolor", 1);
	assert_string_equal(LOOK_GCC("-c").words, COLOR LINKS);
	setenv("TERM", "linux", 1);
	unsetenv("COLORTERM");
	assert_string_equal(LOOK_GCC("-c").words, COLOR);
}

static void
test_widths(void **state)
{
	(void)state;
	assert_int_equal(look_at(FOR_GCC, GCC, 132, true, ARGV("-c")).width, 132);
	assert_int_equal(look_at(FOR_GCC, GCC, 132, false, ARGV("-c")).width, 0);
	assert_int_equal(look_at(FOR_CLANG, 0, 132, true, ARGV("-c")).width, 0);
	setenv("COLUMNS", "60", 1);
	assert_int_equal(look_at(FOR_GCC, GCC, 132, true, ARGV("-c")).width, 60);
	assert_int_equal(look_at(FOR_CLANG, 0, 132, false, ARGV("-c")).width, 60);
	setenv("COLUMNS", "4294967300", 1);
	assert_int_equal(look_at(FOR_CLANG, 0, 132, false, ARGV("-c")).width, 0);
	setenv("COLUMNS", "-3", 1);
	assert_int_equal(look_at(FOR_GCC, GCC, 132, true, ARGV("-c")).width, 132);
}

static void
test_no_terminal(void **state)
{
	struct args a = {.compiler = FOR_GCC};
	int saved = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY);
	struct terminal t;

	(void)state;
	dup2(null, STDERR_FILENO);
	terminal_look(&t, &a, GCC);
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(null);
	assert_null(t.words[0]);
	assert_int_equal(t.width, 0);
	assert_true(terminal_fits(&t, "any", 3));
}

/* --- what fits --- */

static bool
fits(unsigned width, bool wraps, const char *text)
{
	struct terminal t = {.width = width, .wraps = wraps};

	return terminal_fits(&t, text, strlen(text));
}

static void
test_fits(void **state)
{
	struct terminal more = {.wants_more = true};

	(void)state;
	assert_true(fits(10, true, ""));
	assert_true(fits(10, true, "12345678\n12345678"));
	assert_false(fits(10, true, "12345678\n123456789"));
	assert_false(fits(10, true, "123456789\n1"));
	assert_false(fits(10, true, "\t1"));
	assert_true(fits(0, true, "1234567890123456789012345678901234567890"));
	/* sequences take no columns, what only looks like one does */
	assert_true(fits(10, false, " \033[01;31m\033[K1234567\033[m\033[K\n"));
	assert_true(fits(10, false, " \033]8;;https://a.example/b\033\\1234567\033]8;;\033\\"));
	assert_true(fits(10, false, " \033]8;;https://a.example/b\0071234567\033]8;;\007"));
	assert_false(fits(10, false, " \033[1;2x123"));
	assert_false(fits(10, false, " \033]8;;123456"));
	assert_false(fits(10, false, " \033]9;123456\007"));
	assert_false(fits(10, true, "\033[1m123456\033[m"));
	/* gcc's messages are whole, its lines of source not */
	assert_true(fits(10, false, "a.c:1:2: error: no\n"));
	assert_true(fits(10, false, "\033[01m\033[Ka.c:1:2:\033[m error: no\n"));
	assert_false(fits(10, false, "    1 | int a;\n"));
	assert_false(fits(10, false, "12345 | int a;\n"));
	assert_false(fits(10, false, "\033[m 1234567890\n"));
	/* a wide character: two columns, three bytes */
	assert_false(fits(10, false, " \xe5\xad\x97\xe5\xad\x97\xe5\xad\x97\xe5\xad\x97 "));
	assert_true(terminal_fits(&more, "", 0));
	assert_false(terminal_fits(&more, "a", 1));
}

/* --- the real compilers --- */

/* Runs it with stderr at a terminal, or (NULL: pipe) as on a peer. */
static void
run(struct shown *s, bool at_terminal, char *const *argv)
{
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	if (at_terminal)
		fds[0] = terminal_pair(s->width, &fds[1]);
	else
		assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		dup2(at_terminal ? fds[1] : open("/dev/null", O_RDONLY), STDIN_FILENO);
		dup2(fds[1], STDOUT_FILENO);
		dup2(fds[1], STDERR_FILENO);
		close(fds[0]);
		execvp(argv[0], argv);
		_exit(127);
	}
	close(fds[1]);
	s->len = 0;
	/* a terminal whose other side has gone reads as EIO */
	while (s->len < OUT_MAX && (n = read(fds[0], s->text + s->len, OUT_MAX - s->len)) > 0)
		s->len += (size_t)n;
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 127);
}

/* What a source line of that many columns brings, here at a terminal and there in a file; true when terminal_fits() says that they are
 * equal, which must then be so. */
static bool
compare(const char *compiler, int width, int filler, const char *letter)
{
	const bool clang = strcmp(compiler, "clang") == 0;
	const char *argv[WORDS_MAX] = {compiler, "-c", "-Wall", "a.c", "-o", "a.o"};
	struct answer look = look_at(clang ? FOR_CLANG : FOR_GCC, GCC, width, true, argv + 1);
	struct terminal t = {
	        .width = look.width, .wraps = look.wraps, .wants_more = look.wants_more};
	FILE *f = fopen("a.c", "w");
	size_t n = 6;
	bool equal;

	assert_non_null(f);
	fputs("int f(void)\n{\n\tint unused = ", f);
	for (int i = 0; i < filler; i++)
		fprintf(f, "%s%s%s", i == 0 ? "\"" : "", letter, i == filler - 1 ? "\"[0] + " : "");
	fputs("1;\n\treturn 0;\n}\n", f);
	assert_int_equal(fclose(f), 0);
	here.width = width;
	run(&here, true, (char *const *)argv);
	for (char *word = strtok(look.words, " "); word != NULL; word = strtok(NULL, " "))
		argv[n++] = word;
	run(&there, false, (char *const *)argv);
	equal = here.len == there.len && memcmp(here.text, there.text, here.len) == 0;
	if (!terminal_fits(&t, there.text, there.len))
		return false;
	if (!equal)
		print_message("%s, %d: %.*s\nnot %.*s\n", compiler, filler, (int)here.len,
		        here.text, (int)there.len, there.text);
	assert_true(equal);
	return true;
}

static bool
has(const char *compiler)
{
	char command[64];

	snprintf(command, sizeof command, "command -v %s >/dev/null 2>&1", compiler);
	return system(command) == 0;
}

static void
test_gcc_at_a_terminal(void **state)
{
	(void)state;
	if (!has("gcc"))
		skip();
	setenv("COLORTERM", "truecolor", 1);
	assert_true(compare("gcc", 80, 0, "a"));
	assert_non_null(memmem(here.text, here.len, "\033]8;;http", 9));
	for (int filler = 36; filler < 48; filler++)
		(void)!compare("gcc", 80, filler, "a");
	assert_true(compare("gcc", 80, 36, "a"));
	assert_false(compare("gcc", 80, 60, "a"));
	assert_false(compare("gcc", 80, 30, "\xe5\xad\x97"));
}

static void
test_clang_at_a_terminal(void **state)
{
	(void)state;
	if (!has("clang"))
		skip();
	assert_true(compare("clang", 40, 60, "a"));
	assert_non_null(memmem(here.text, here.len, "\033[", 2));
	setenv("COLUMNS", "110", 1);
	for (int filler = 60; filler < 90; filler += 6)
		(void)!compare("clang", 40, filler, "a");
	assert_true(compare("clang", 40, 30, "a"));
	assert_false(compare("clang", 40, 100, "a"));
}

/* Colours in the command line leave no trace in what is made; where links would, they are not said. */
static void
test_objects_do_not_change(void **state)
{
	const char *const one[] = {"-O2", "-g", "-frecord-gcc-switches", "-flto"};

	(void)state;
	if (!has("gcc"))
		skip();
	assert_int_equal(scratch_text("a.c", "int f(int a) { return a; }\n"), 0);
	for (size_t i = 0; i < sizeof one / sizeof one[0]; i++) {
		const char *words = LOOK_GCC(one[i]).words;
		char command[512];

		snprintf(command, sizeof command,
		        "gcc -frandom-seed=1 %s -c a.c -o 1.o && mv 1.o 2.o && gcc -frandom-seed=1 "
		        "%s -c a.c -o 1.o %s%s && cmp 1.o 2.o",
		        one[i], one[i], words, words[0] == 0 ? COLOR : "");
		assert_int_equal(system(command), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, start, stop)

int
main(void)
{
	const struct CMUnitTest tests[] = {TEST(test_gcc_words), TEST(test_old_and_unknown_gcc),
	        TEST(test_recorded_options), TEST(test_clang_words),
	        TEST(test_terminals_without_colours), TEST(test_terminals_without_links),
	        TEST(test_widths), TEST(test_no_terminal), TEST(test_fits),
	        TEST(test_gcc_at_a_terminal), TEST(test_clang_at_a_terminal),
	        TEST(test_objects_do_not_change)};

	alarm(100);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
