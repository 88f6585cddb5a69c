#include "exec/text.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_BACK_MAX 256 /* bytes of a line, or of a number, that are looked at again */

/* The end of the splice that begins with the backslash at p; NULL when it is none. */
static const char *
splice_end(struct text *t, const char *p)
{
	bool nul = false;

	for (p++; p < t->end && text_blank(*p); p++)
		nul |= *p == 0;
	if (p == t->end || !text_newline(*p))
		return NULL;
	p++;
	if (p < t->end && p[-1] == '\r' && *p == '\n')
		return p + 1;
	/* clang takes \n\r for one end of a line, gcc for two; gcc alone takes a NUL for a blank
	 * here. */
	t->odd |= nul || (p < t->end && p[-1] == '\n' && *p == '\r');
	return p;
}

/* The first splice at or behind p, and its end; NULL when there is none. */
static const char *
splice_find(struct text *t, const char *p, const char **after)
{
	while (p < t->end && (p = memchr(p, '\\', (size_t)(t->end - p))) != NULL) {
		*after = splice_end(t, p);
		if (*after)
			return p;
		p++;
	}
	return NULL;
}

/* Moves the text without its splices to `to`, which may be the text itself. */
static void
remove_splices(struct text *t, char *to, const char *splice, const char *after)
{
	const char *from = t->at;
	char *out = to;

	for (; splice; splice = splice_find(t, from, &after)) {
		memmove(out, from, (size_t)(splice - from));
		out += splice - from;
		from = after;
	}
	memmove(out, from, (size_t)(t->end - from));
	t->end = out + (t->end - from);
	t->at = to;
}

/* What the trigraph of this last byte stands for; 0 when it is none. */
static char
trigraph(char c)
{
	static const char last[] = "=/'()!<>-", stands[] = "#\\^[]|{}~";
	const char *found = c ? strchr(last, c) : NULL;

	return found ? stands[found - last] : 0;
}

bool
text_has_trigraphs(const char *bytes, size_t len)
{
	const char *end = bytes + len, *p = bytes;

	while (len > 0 && (p = memchr(p, '?', (size_t)(end - p))) != NULL) {
		if (end - p < 3)
			return false;
		if (p[1] == '?' && trigraph(p[2]))
			return true;
		p++;
	}
	return false;
}

static void
replace_trigraphs(struct text *t, char *out)
{
	const char *p = t->at;

	t->at = out;
	while (p < t->end) {
		char c = t->end - p >= 3 && p[0] == '?' && p[1] == '?' ? trigraph(p[2]) : 0;

		*out++ = c ? c : *p;
		p += c ? 3 : 1;
	}
	t->end = out;
}

int
text_init(struct text *t, const char *bytes, size_t len, bool trigraphs)
{
	const char *splice, *after = NULL;

	*t = (struct text){.at = len ? bytes : "", .patience = len * 8 + 65536};
	t->end = t->at + len;
	splice = splice_find(t, t->at, &after);
	if (splice || trigraphs) {
		t->own = malloc(len + 1);
		if (!t->own)
			return IM_ERR_MEMORY;
	}
	if (trigraphs) {
		replace_trigraphs(t, t->own);
		splice = splice_find(t, t->at, &after);
	}
	if (splice)
		remove_splices(t, t->own, splice, after);
	t->from = t->to = t->line_end = t->at;
	return 0;
}

void
text_fini(struct text *t)
{
	free(t->own);
	t->own = NULL;
}

const char *
text_line_end(const struct text *t, const char *p)
{
	while (p < t->end && !text_newline(*p))
		p++;
	return p;
}

/* The end of the comment whose inside begins at p; the end of the text when it has none. */
static const char *
comment_end(struct text *t, const char *p)
{
	const char *q = p;

	/* The last answer often holds again; without this, many unclosed comments would take
	 * forever. */
	if (t->asked && t->asked <= p && (p + 2 <= t->close || t->close == t->end))
		return t->close;
	t->asked = p;
	t->close = t->end;
	while (t->end - q >= 2 && (q = memchr(q, '*', (size_t)(t->end - q - 1))) != NULL) {
		if (q[1] == '/')
			return t->close = q + 2;
		q++;
	}
	return t->end;
}

static bool
pair_at(const struct text *t, const char *p, const char *pair)
{
	return t->end - p >= 2 && p[0] == pair[0] && p[1] == pair[1];
}

const char *
text_gap(struct text *t, const char *p)
{
	const char *from = p;
	size_t comments = 0, walked;

	while (t->patience) {
		if (p < t->end && text_blank(*p))
			p++;
		else if (pair_at(t, p, "/*")) {
			const char *after = comment_end(t, p + 2);
			from += after - p;
			p = after;
			comments++;
		} else
			break;
	}
	if (t->patience && pair_at(t, p, "//"))
		p = text_line_end(t, p);
	walked = (size_t)(p - from) + comments;
	t->patience -= walked < t->patience ? walked : t->patience;
	return t->patience ? p : t->end;
}

const char *
text_line_begin(struct text *t, const char *p)
{
	while (p > t->at && !text_newline(p[-1]) && t->patience)
		p--, t->patience--;
	return p;
}

bool
text_tired(const struct text *t)
{
	return t->patience == 0;
}

const char *
text_word(const struct text *t, const char *p)
{
	while (p < t->end && text_letter(*p))
		p++;
	return p;
}

const char *
text_word_begin(const struct text *t, const char *p)
{
	const char *from = p;

	while (p > t->at && from - p < LOOK_BACK_MAX && text_letter(p[-1]))
		p--;
	return p;
}

bool
text_begins_word(const struct text *t, const char *p)
{
	return p == t->at || !text_letter(p[-1]);
}

bool
text_is(const char *p, const char *end, const char *word)
{
	size_t len = strlen(word);

	return (size_t)(end - p) == len && memcmp(p, word, len) == 0;
}

bool
text_is_one(const char *p, const char *end, const char *const *words)
{
	for (; *words; words++)
		if (text_is(p, end, *words))
			return true;
	return false;
}

const char *
text_word_before(const struct text *t, const char *p, const char **end)
{
	const char *q = p;

	while (q > t->at && text_blank(q[-1]))
		q--;
	if (q > t->at && q[-1] == '(')
		q--;
	while (q > t->at && text_blank(q[-1]))
		q--;
	*end = q;
	return text_word_begin(t, q);
}

bool
text_begins_line(const struct text *t, const char *p)
{
	while (p > t->at && text_blank(p[-1]))
		p--;
	if (p == t->at || text_newline(p[-1]))
		return true;
	if (p - t->at == 3 && memcmp(t->at, "\xef\xbb\xbf", 3) == 0)
		return true; /* a byte order mark */
	return p - t->at >= 2 && p[-2] == '*' && p[-1] == '/';
}

/* True when the slash and star at p may belong to a name between angles in a directive. */
static bool
in_header_name(const struct text *t, const char *p)
{
	const char *begin = p;
	bool angle = false;

	while (begin > t->at && !text_newline(begin[-1]) && p - begin < LOOK_BACK_MAX)
		angle |= *--begin == '<';
	if (!angle)
		return false;
	while (begin < p && text_blank(*begin))
		begin++;
	return *begin == '#' || *begin == '%';
}

/* True when the apostrophe at p stands between digits: 1'000. */
static bool
separates_digits(const struct text *t, const char *p)
{
	const char *begin = p;

	if (p + 1 == t->end || !text_letter(p[1]))
		return false;
	while (begin > t->from && p - begin < LOOK_BACK_MAX &&
	        (text_letter(begin[-1]) || begin[-1] == '\'' || begin[-1] == '.'))
		begin--;
	if (begin < p && *begin == '.')
		begin++;
	return begin < p && *begin >= '0' && *begin <= '9';
}

/* True when the quote at p, in code, begins a raw string. */
static bool
begins_raw(const struct text *t, const char *p)
{
	static const char *const prefixes[] = {"R", "LR", "uR", "UR", "u8R"};
	const char *begin = p;

	while (begin > t->from && p - begin < 4 && text_letter(begin[-1]))
		begin--;
	for (size_t i = 0; i < sizeof prefixes / sizeof prefixes[0]; i++)
		if (text_is(begin, p, prefixes[i]))
			return true;
	return false;
}

/* True when the apostrophe at p hides the begin of a comment from dialects where it does not
 * separate digits but begins a constant, which ends with the line. */
static bool
hides_comment(struct text *t, const char *p)
{
	const char *open;

	if (p < t->line_end)
		return false; /* looked at already */
	t->line_end = text_line_end(t, p);
	for (open = t->line_end; open > p && !pair_at(t, open, "/*"); open--)
		;
	return open > p && !memmem(open + 2, (size_t)(t->line_end - open) - 2, "*/", 2);
}

/* The end of the code that begins at p: where a comment, a string or a character constant begins,
 * or doubt. */
static const char *
code_end(struct text *t, const char *p)
{
	for (; p < t->end; p++) {
		if (*p == '"') {
			if (begins_raw(t, p))
				t->doubt = p;
			break;
		}
		if (*p == '\'') {
			if (!separates_digits(t, p))
				break;
			if (hides_comment(t, p)) {
				t->doubt = p;
				break;
			}
		}
		if (*p == '/' && (pair_at(t, p, "/*") || pair_at(t, p, "//"))) {
			if (p[1] == '*' && in_header_name(t, p))
				t->doubt = p;
			break;
		}
	}
	return p;
}

/* The end of the string or character constant whose quote is at p; both end with the line at the
 * latest. */
static const char *
string_end(const struct text *t, const char *p)
{
	char quote = *p++;

	while (p < t->end && !text_newline(*p) && *p != quote)
		p += *p == '\\' && t->end - p >= 2 && !text_newline(p[1]) ? 2 : 1;
	return p < t->end && *p == quote ? p + 1 : p;
}

/* Reads what begins at t->to. */
static void
lex(struct text *t)
{
	const char *p = t->from = t->to;

	if (t->doubt && p >= t->doubt) {
		t->state = TEXT_UNSURE;
		t->to = t->end;
	} else if (pair_at(t, p, "/*")) {
		t->state = TEXT_COMMENT;
		t->to = comment_end(t, p + 2);
	} else if (pair_at(t, p, "//")) {
		t->state = TEXT_COMMENT;
		t->to = text_line_end(t, p);
	} else if (p < t->end && (*p == '"' || *p == '\'')) {
		t->state = TEXT_STRING;
		t->to = string_end(t, p);
	} else {
		t->state = TEXT_CODE;
		t->to = code_end(t, p);
	}
}

enum text_state
text_state(struct text *t, const char *p)
{
	if (p < t->from)
		t->to = t->line_end = t->at;
	while (t->to <= p && t->to < t->end)
		lex(t);
	return p < t->to ? t->state : TEXT_CODE;
}

bool
text_live(struct text *t, const char *p)
{
	enum text_state state = text_state(t, p);

	return state == TEXT_CODE || state == TEXT_UNSURE;
}

bool
text_directive(struct text *t, const char *p)
{
	return text_begins_line(t, p) && text_live(t, p);
}
