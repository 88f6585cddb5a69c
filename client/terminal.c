#include "client/terminal.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define COLOR "-fdiagnostics-color"
#define URLS "-fdiagnostics-urls"
#define GCC_WITH_COLOR 5 /* the first ones that take these options; 4.9 did already */
#define GCC_WITH_URLS 10

#define ESCAPE '\033'
#define BELL '\007'

static bool
begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

static bool
is_any(const char *text, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(text, list[i]) == 0)
			return true;
	return false;
}

/* The command line says it, and does not leave it to the terminal; the last word counts. */
static bool
decided(const struct args *a, const char *option)
{
	static const char *const colors[] = {
	        "-fno-diagnostics-color", "-fcolor-diagnostics", "-fno-color-diagnostics"};
	size_t len = strlen(option);
	bool said = false;

	for (uint32_t i = 0; i < a->argc; i++) {
		const char *word = a->argv[i];

		if (strcmp(word, "-fdiagnostics-plain-output") == 0)
			said = true;
		else if (strncmp(word, option, len) == 0 && (word[len] == 0 || word[len] == '='))
			said = strcmp(word + len, "=auto") != 0;
		else if (strcmp(option, COLOR) == 0)
			said |= is_any(word, colors, sizeof colors / sizeof colors[0]);
	}
	return said;
}

/* gcc's own rule for links in messages to a terminal. */
static bool
gcc_links(void)
{
	const char *color = getenv("COLORTERM"), *term = getenv("TERM");

	if (color != NULL &&
	        (strcmp(color, "xfce4-terminal") == 0 || strcmp(color, "gnome-terminal") == 0))
		return false;
	if (getenv("GCC_URLS") != NULL || getenv("TERM_URLS") != NULL)
		return true;
	return color != NULL || (strcmp(term, "xterm") != 0 && strcmp(term, "linux") != 0);
}

/* Some word may make the compiler write its command line into what it makes. gcc leaves the option for colours out of it. */
static bool
records_options(const struct args *a)
{
	for (uint32_t i = 0; i < a->argc; i++) {
		const char *word = a->argv[i];

		if (begins(word, "-frecord-") || begins(word, "-grecord-"))
			return true;
		if (a->compiler == FOR_GCC &&
		        (begins(word, "-g") || strcmp(word, "-fverbose-asm") == 0))
			return true;
	}
	return false;
}

/* 0: messages are as wide as they like. */
static unsigned
width_for(enum option_compiler compiler)
{
	const char *columns = getenv("COLUMNS");
	long n = columns != NULL ? strtol(columns, NULL, 10) : 0;
	struct winsize w;

	if (n > 0)
		return n < INT_MAX ? (unsigned)n : 0;
	/* gcc asks for the size of standard input, wherever its messages go; clang asks nobody */
	return compiler == FOR_GCC && ioctl(STDIN_FILENO, TIOCGWINSZ, &w) == 0 ? w.ws_col : 0;
}

static void
look_gcc(struct terminal *t, const struct args *a, int gcc_major)
{
	bool links = gcc_major >= GCC_WITH_URLS && !decided(a, URLS) && gcc_links();
	unsigned n = 0;

	t->wants_more = gcc_major < GCC_WITH_COLOR || (links && records_options(a));
	if (t->wants_more)
		return;
	if (!decided(a, COLOR))
		t->words[n++] = COLOR "=always";
	if (links)
		t->words[n++] = URLS "=always";
}

/* clang asks the terminal's description for colours; only of these can it be told what it says. */
static void
look_clang(struct terminal *t, const struct args *a, const char *term)
{
	static const char *const colored[] = {"xterm", "xterm-256color", "xterm-color", "screen",
	        "screen-256color", "tmux-256color", "linux", "rxvt"};

	if (decided(a, COLOR))
		return;
	t->wants_more = !is_any(term, colored, sizeof colored / sizeof colored[0]) ||
	                getenv("NO_COLOR") != NULL || records_options(a);
	if (!t->wants_more)
		t->words[0] = "-fcolor-diagnostics";
}

void
terminal_look(struct terminal *t, const struct args *a, int gcc_major)
{
	const char *term = getenv("TERM");

	memset(t, 0, sizeof *t);
	if (!isatty(STDERR_FILENO))
		return;
	t->width = width_for(a->compiler);
	t->wraps = a->compiler == FOR_CLANG;
	if (term == NULL || strcmp(term, "dumb") == 0)
		return;
	if (a->compiler == FOR_CLANG)
		look_clang(t, a, term);
	else
		look_gcc(t, a, gcc_major);
}

/* The bytes of the colour, or of a link's beginning or end, that stand at `at`; 0: none does. */
static size_t
control_sequence(const char *line, size_t len, size_t at)
{
	size_t end = at + 2;

	if (len - at < 3 || line[at] != ESCAPE)
		return 0;
	if (line[at + 1] == '[') {
		while (end < len && (line[end] == ';' || (line[end] >= '0' && line[end] <= '9')))
			end++;
		return end < len && (line[end] == 'm' || line[end] == 'K') ? end + 1 - at : 0;
	}
	if (line[at + 1] != ']' || line[end] != '8')
		return 0;
	for (; end < len; end++)
		if (line[end] == BELL || (line[end] == '\\' && line[end - 1] == ESCAPE))
			return end + 1 - at;
	return 0;
}

/* The columns of one line as it is shown, at most: a character takes no more of them than it has bytes.  clang counts the bytes of its
 * colours, too. */
static size_t
columns(const struct terminal *t, const char *line, size_t len)
{
	size_t n = 0, skip;

	for (size_t i = 0; i<len; i += skip> 0 ? skip : 1) {
		skip = t->wraps ? 0 : control_sequence(line, len, i);
		if (skip == 0)
			n += line[i] == '\t' ? 8 : 1;
	}
	return n;
}

/* gcc cuts nothing but lines of the source, and those stand behind a margin: blanks, or the line's number. */
static bool
may_be_cut(const struct terminal *t, const char *line, size_t len)
{
	size_t at = 0, skip;

	while (at < len && (skip = control_sequence(line, len, at)) > 0)
		at += skip;
	return t->wraps || (at < len && strchr(" 0123456789", line[at]) != NULL);
}

bool
terminal_fits(const struct terminal *t, const char *text, size_t len)
{
	size_t at = 0;

	if (t->wants_more && len > 0)
		return false;
	while (t->width > 0 && at < len) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line = end != NULL ? (size_t)(end - text) - at : len - at;

		if (may_be_cut(t, text + at, line) && columns(t, text + at, line) + 1 >= t->width)
			return false;
		at += line + 1;
	}
	return true;
}
