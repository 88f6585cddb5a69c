#include "client/builtin.h"

#include <stdbool.h>
#include <string.h>
#include "client/question.h"

#define QUOTE_BEGIN "#include \"...\" search starts here:"
#define ANGLE_BEGIN "#include <...> search starts here:"
#define LIST_END "End of search list."
#define ABSENT_BEGIN "ignoring nonexistent directory \""
#define TWICE_BEGIN "ignoring duplicate directory \""
#define GCC_BEGIN "gcc version "
#define CHOSEN_BEGIN "Selected GCC installation: "
#define FOUND_BEGIN "Found candidate GCC installation: "
#define LENGTH(text) (sizeof(text) - 1)

void
builtin_init(struct builtin *b)
{
	b->gcc_major = 0;
	buf_init(&b->folders, BUILTIN_TEXT_MAX);
	buf_init(&b->watch, BUILTIN_TEXT_MAX);
}

void
builtin_fini(struct builtin *b)
{
	buf_fini(&b->folders);
	buf_fini(&b->watch);
}

struct line {
	const char *at;
	size_t len;
};

static bool
begins(const struct line *l, const char *text, size_t len)
{
	return l->len >= len && memcmp(l->at, text, len) == 0;
}

static bool
ends(const struct line *l, const char *text)
{
	size_t len = strlen(text);

	return l->len >= len && memcmp(l->at + l->len - len, text, len) == 0;
}

static void
add_folder(struct builtin *b, const char *at, size_t len)
{
	buf_put(&b->folders, at, len);
	buf_put_u8(&b->folders, 0);
}

/* The folder that holds all gccs, of the path of one. */
static void
take_chosen(struct builtin *b, const char *at, size_t len)
{
	while (len > 1 && at[len - 1] != '/')
		len--;
	buf_reset(&b->watch);
	buf_put(&b->watch, at, len);
	buf_put_u8(&b->watch, 0);
}

/* By these files clang tells that a gcc is complete, and which word sizes it has: without them it would see no C++ library there. */
static void
take_found(struct builtin *b, const char *at, size_t len)
{
	static const char *const names[] = {
	        "/crtbegin.o", "/32/crtbegin.o", "/64/crtbegin.o", "/x32/crtbegin.o"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		buf_put_u8(&b->folders, BUILTIN_FILE);
		buf_put(&b->folders, at, len);
		add_folder(b, names[i], strlen(names[i]));
	}
}

static int
leading_number(const char *at, size_t len)
{
	int n = 0;

	for (size_t i = 0; i < len && i < 4 && at[i] >= '0' && at[i] <= '9'; i++)
		n = n * 10 + (at[i] - '0');
	return n;
}

/* A line outside of the list. */
static void
take_remark(struct builtin *b, const struct line *l)
{
	static const char *const quoted[] = {ABSENT_BEGIN, TWICE_BEGIN};

	for (size_t i = 0; i < 2; i++) {
		size_t len = strlen(quoted[i]);

		if (begins(l, quoted[i], len) && l->len > len + 1 && ends(l, "\""))
			add_folder(b, l->at + len, l->len - len - 1);
	}
	if (begins(l, GCC_BEGIN, LENGTH(GCC_BEGIN)))
		b->gcc_major =
		        leading_number(l->at + LENGTH(GCC_BEGIN), l->len - LENGTH(GCC_BEGIN));
	if (begins(l, FOUND_BEGIN, LENGTH(FOUND_BEGIN)))
		take_found(b, l->at + LENGTH(FOUND_BEGIN), l->len - LENGTH(FOUND_BEGIN));
	if (begins(l, CHOSEN_BEGIN, LENGTH(CHOSEN_BEGIN)) && l->len > LENGTH(CHOSEN_BEGIN))
		take_chosen(b, l->at + LENGTH(CHOSEN_BEGIN), l->len - LENGTH(CHOSEN_BEGIN));
}

int
builtin_parse(struct builtin *b, const char *text, size_t len)
{
	const char *end = text + len;
	bool inside = false, complete = false;

	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		struct line l = {text, (size_t)((newline ? newline : end) - text)};

		text += l.len + 1;
		if (begins(&l, QUOTE_BEGIN, LENGTH(QUOTE_BEGIN)) ||
		        begins(&l, ANGLE_BEGIN, LENGTH(ANGLE_BEGIN))) {
			inside = true;
		} else if (begins(&l, LIST_END, LENGTH(LIST_END))) {
			complete = complete || inside;
			inside = false;
		} else if (inside && l.len > 1 && l.at[0] == ' ') {
			if (ends(&l, " (framework directory)") || ends(&l, " (headermap)"))
				return IM_ERR_REFUSED;
			add_folder(b, l.at + 1, l.len - 1);
		} else {
			take_remark(b, &l);
		}
	}
	if (buf_err(&b->folders) != 0 || buf_err(&b->watch) != 0)
		return buf_err(&b->folders) != 0 ? buf_err(&b->folders) : buf_err(&b->watch);
	return complete ? 0 : IM_ERR_FORMAT;
}

int
builtin_ask(struct builtin *b, char *const *argv, char *const *environment)
{
	struct question q = {.argv = argv, .environment = environment, .input = -1, .stream = 2};
	struct buf said;
	int r;

	buf_init(&said, BUILTIN_TEXT_MAX);
	r = question_ask(&q, &said);
	if (r == 0)
		r = builtin_parse(b, (const char *)said.data, said.len);
	buf_fini(&said);
	return r;
}
