/*
 * Asks every compiler in PATH (cc, gcc, gcc-N, clang, clang-N) for its options: one whose help says
 * that it takes a file or a folder has a row of its own in the option table.
 */
#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <cmocka.h>
#include "exec/args.h"
#include "exec/query.h"

#define HELP_MAX (4 * 1024 * 1024)
#define NAME_SIZE 128
#define COMPILERS_MAX 32
#define LINES_MIN 500 /* of any compiler's help; fewer are a sign that the question went wrong */

struct asked {
	enum option_compiler compiler;
	const char *program;               /* NULL: nothing is printed */
	unsigned operands, missing, lines; /* options that take a file; without a row; lines read */
};

static bool
is_word(const char *at, size_t len)
{
	static const char *const words[] = {"file", "files", "filename", "path", "paths",
	        "pathname", "dir", "dirs", "directory", "directories", "folder", "dsopath"};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strlen(words[i]) == len && strncasecmp(at, words[i], len) == 0)
			return true;
	return false;
}

/* Some word of the text says file, path, folder... */
static bool
says_file(const char *text)
{
	while (*text) {
		size_t len = 0;

		while (isalpha((unsigned char)text[len]))
			len++;
		if (is_word(text, len))
			return true;
		text += len ? len : 1;
	}
	return false;
}

/* "-name=<file> what it does": the name; true when an operand belongs to it. */
static bool
read_name(const char *text, char name[NAME_SIZE])
{
	size_t len = strcspn(text, "=<[ \t\n");

	snprintf(name, NAME_SIZE, "%.*s", (int)len, text);
	return text[len] == '=' || text[len] == '<' || strncmp(text + len, "[=", 2) == 0 ||
	       strncmp(text + len, " <", 2) == 0;
}

static bool
has_row(enum option_compiler compiler, const char *name)
{
	for (unsigned i = 0; option_row(i); i++)
		if (strcmp(option_row(i)->name, name) == 0 && option_row(i)->compilers & compiler)
			return true;
	return false;
}

static void
take_entry(struct asked *a, const char *text)
{
	char name[NAME_SIZE];

	if (!read_name(text, name) || !says_file(text + strlen(name)))
		return;
	a->operands++;
	if (has_row(a->compiler, name))
		return;
	a->missing++;
	if (a->program)
		print_error("%s: no row of its own: %s\n", a->program, text);
}

/* An entry begins with few blanks and a hyphen; deeper lines go on with its text. */
static void
read_help(struct asked *a, char *help)
{
	char entry[4096] = "", *save = NULL;

	for (char *line = strtok_r(help, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		size_t blanks = strspn(line, " "), len = strlen(entry);

		a->lines++;
		if (blanks > 8 && line[blanks] != '-') {
			snprintf(entry + len, sizeof(entry) - len, " %s", line + blanks);
			continue;
		}
		if (entry[0] == '-')
			take_entry(a, entry);
		snprintf(entry, sizeof(entry), "%s", line + blanks);
	}
	if (entry[0] == '-')
		take_entry(a, entry);
}

static void
ask(struct asked *a, const char *path, const char *question)
{
	const char *const words[] = {path, question, NULL};
	struct buf answer;

	buf_init(&answer, HELP_MAX);
	assert_int_equal(query_run(words, 0, &answer), 0);
	buf_put_u8(&answer, 0);
	assert_int_equal(buf_err(&answer), 0);
	read_help(a, (char *)answer.data);
	buf_fini(&answer);
}

/* Returns how many rows lack. */
static unsigned
ask_compiler(const char *path)
{
	static const char *const gcc[] = {"--help", "--help=common", "--help=c", "--help=c++",
	        "--help=objc", "--help=objc++", "--help=target", NULL};
	static const char *const clang[] = {"--help-hidden", "--autocomplete=-", NULL};
	struct asked a = {.program = path, .compiler = args_compiler(path)};

	for (const char *const *q = a.compiler == FOR_CLANG ? clang : gcc; *q; q++)
		ask(&a, path, *q);
	if (a.lines < LINES_MIN || a.operands < 20)
		fail_msg("%s says too little: %u lines, %u options with files", path, a.lines,
		        a.operands);
	print_message("# %s: %u options take files, %u have no row\n", path, a.operands, a.missing);
	return a.missing;
}

static bool
is_compiler(const char *name)
{
	static const char *const names[] = {"cc", "gcc", "clang"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t len = strlen(names[i]);

		if (strncmp(name, names[i], len) != 0)
			continue;
		if (!name[len])
			return true;
		if (name[len] == '-' && name[len + 1] &&
		        !name[len + 1 + strspn(name + len + 1, "0123456789")])
			return true;
	}
	return false;
}

/* Not something that stands before a compiler. */
static bool
is_real(const char *path)
{
	const char *name = strrchr(path, '/');

	return name && (strstr(name, "gcc") || strstr(name, "clang"));
}

/* Each program once, whatever its names; the texts are the caller's. */
static unsigned
find_compilers(char *found[COMPILERS_MAX])
{
	char path[4096], *save = NULL;
	unsigned n = 0;

	snprintf(path, sizeof(path), "%s", getenv("PATH"));
	for (char *dir = strtok_r(path, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		DIR *d = opendir(dir);

		for (struct dirent *e; d && (e = readdir(d));) {
			char name[PATH_MAX], *real;
			bool known = false;

			snprintf(name, sizeof(name), "%s/%s", dir, e->d_name);
			if (!is_compiler(e->d_name) || access(name, X_OK) != 0)
				continue;
			real = realpath(name, NULL);
			for (unsigned i = 0; i < n; i++)
				known = known || strcmp(found[i], real) == 0;
			if (known || n == COMPILERS_MAX || !is_real(real))
				free(real);
			else
				found[n++] = real;
		}
		if (d)
			closedir(d);
	}
	return n;
}

static void
test_installed(void **state)
{
	char *found[COMPILERS_MAX];
	unsigned n = find_compilers(found), missing = 0;

	(void)state;
	assert_true(n > 0);
	for (unsigned i = 0; i < n; i++) {
		missing += ask_compiler(found[i]);
		free(found[i]);
	}
	assert_int_equal(missing, 0);
}

static void
reads(const char *text, unsigned operands, unsigned missing)
{
	struct asked a = {.compiler = FOR_CLANG};
	char help[512];

	snprintf(help, sizeof(help), "%s", text);
	read_help(&a, help);
	assert_int_equal(a.operands, operands);
	assert_int_equal(a.missing, missing);
}

static void
test_reading(void **state)
{
	(void)state;
	reads("  -fprofile-list=<value>  Filename of something\n", 1, 0);
	reads("  -fprofile-list=<value>\n            Filename of something\n", 1, 0);
	reads("  -fno-such-thing=<file>  Something\n", 1, 1);
	reads("  -fno-such-thing <dir>\n  -fno-such-flag Write a file\n", 1, 1);
	reads("-fno-such-thing=\tThe folder\n-fno-other=\tA profile\n", 1, 1);
	reads("  --no-such=<a>,<b>  A value\n  -l<library>  A library\n", 0, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(test_reading),
	        cmocka_unit_test(test_installed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
