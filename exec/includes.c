#include "exec/includes.h"

#include <string.h>
#include <strings.h>
#include "exec/incbin.h"
#include "exec/operands.h"
#include "exec/text.h"

/* One reading of a file's text. */
struct scan {
	struct text text;
	struct includes *out;
	struct operands *found;
};

static void
undecided(struct scan *s, const char *why)
{
	s->out->flags |= INCLUDES_UNDECIDED;
	if (!s->out->why)
		s->out->why = why;
}

/* --- directives --- */

/* What follows #include when it is neither "name" nor <name>. */
static void
computed(struct scan *s, const char *p)
{
	const char *end = text_word(&s->text, p), *rest;

	if (p == s->text.end || text_newline(*p))
		return; /* nothing: an error in every compiler */
	rest = text_gap(&s->text, end);
	if (!operand_is_name(p, end) || (rest < s->text.end && !text_newline(*rest)))
		undecided(s, "computed include");
	else
		operands_add(s->found, INCLUDE_MACRO, p, (size_t)(end - p));
}

static void
include(struct scan *s, const char *hash, const char *p)
{
	switch (operands_literal(s->found, &s->text, p)) {
	case OPERAND_TAKEN:
		break;
	case OPERAND_ODD:
		if (text_directive(&s->text, hash))
			undecided(s, "unusual file name");
		break;
	case OPERAND_NONE:
		if (text_directive(&s->text, hash))
			computed(s, p);
		break;
	}
}

/* #line 7 "name": compilers open the file when they show a line of it in a message. */
static void
line(struct scan *s, const char *hash, const char *p)
{
	const char *end = text_word(&s->text, p);

	if (end == p)
		return;
	p = text_gap(&s->text, end);
	if (p == s->text.end || *p != '"' || !text_directive(&s->text, hash))
		return;
	end = ++p;
	while (end < s->text.end && !text_newline(*end) && *end != '"')
		end++;
	if (end > p && *p != '<')
		operands_add(s->found, INCLUDE_BINARY, p, (size_t)(end - p));
}

/* Whatever stands behind a # or %: that ends at p. */
static void
directive(struct scan *s, const char *hash, const char *p)
{
	const char *word = text_gap(&s->text, p), *end;

	if (word == s->text.end || (*word != 'i' && *word != 'e' && *word != 'l'))
		return;
	end = text_word(&s->text, word);
	if (text_is(word, end, "include") || text_is(word, end, "include_next") ||
	        text_is(word, end, "embed"))
		include(s, hash, text_gap(&s->text, end));
	else if (text_is(word, end, "import")) {
		s->out->flags |= INCLUDES_ONCE;
		include(s, hash, text_gap(&s->text, end));
	} else if (text_is(word, end, "line"))
		line(s, hash, text_gap(&s->text, end));
}

static void
at_hash(struct scan *s, const char *p)
{
	directive(s, p, p + 1);
}

static void
at_percent(struct scan *s, const char *p)
{
	if (s->text.end - p >= 2 && p[1] == ':')
		directive(s, p, p + 2);
}

/* --- words --- */

/* True when the word may be __has_include under another name, as several libraries have it:
 * FMT_HAS_INCLUDE. */
static bool
asks_for_file(const char *p, const char *end)
{
	for (; end - p >= 11; p++)
		if (strncasecmp(p, "has_include", 11) == 0)
			return true;
	return false;
}

/* True when the line is "#define NAME __has_include" or "#define NAME(x) __has_include(x)", with
 * `word` for the latter and such a name: where it is used, its operands are found like the
 * compiler's own. */
static bool
is_alias(struct text *t, const char *word)
{
	const char *p = text_gap(t, text_line_begin(t, word)), *end, *param = NULL,
	           *param_end = NULL;

	if (p == t->end || (*p != '#' && *p != '%'))
		return false;
	p = text_gap(t, p + (*p == '#' ? 1 : 2));
	end = text_word(t, p);
	if (!text_is(p, end, "define"))
		return false;
	p = text_gap(t, end);
	end = text_word(t, p);
	if (!asks_for_file(p, end))
		return false;
	if (end < t->end && *end == '(') {
		param = text_gap(t, end + 1);
		param_end = text_word(t, param);
		end = text_gap(t, param_end);
		end += end < t->end && *end == ')';
	}
	if (text_gap(t, end) != word)
		return false;
	end = text_gap(t, text_word(t, word));
	if (param && end < t->end && *end == '(') {
		p = text_gap(t, end + 1);
		end = text_word(t, p);
		if (end == p || end - p != param_end - param ||
		        memcmp(p, param, (size_t)(end - p)) != 0)
			return false;
		end = text_gap(t, end);
		end = end < t->end && *end == ')' ? text_gap(t, end + 1) : end;
	}
	return end == t->end || text_newline(*end);
}

/* "has_" in any word, or "HAS_INCLUDE". */
static void
at_has(struct scan *s, const char *p)
{
	static const char *const names[] = {"__has_include", "__has_include_next", "__has_embed",
	        "__has_include__", "__has_include_next__", "__has_embed__", NULL};
	static const char *const harmless[] = {
	        "defined", "ifdef", "ifndef", "undef", "define", "elifdef", "elifndef", NULL};
	struct text *t = &s->text;
	const char *word = text_word_begin(t, p), *end = text_word(t, p), *next, *before,
	           *before_end;
	bool own = text_is_one(word, end, names), called;

	if (!own && !asks_for_file(word, end))
		return;
	next = text_gap(t, end);
	called = next < t->end && *next == '(';
	if (called)
		next = text_gap(t, next + 1);
	if ((own || called) && operands_literal(s->found, t, next) == OPERAND_TAKEN)
		return;
	before = text_word_before(t, word, &before_end);
	if (text_is_one(before, before_end, harmless) || is_alias(t, word) || !text_live(t, word))
		return;
	next = text_gap(t, text_line_begin(t, word));
	if (own || (called && next < t->end && (*next == '#' || *next == '%')))
		undecided(s, "computed __has_include");
}

static void
at_date(struct scan *s, const char *p)
{
	static const char *const clocks[] = {"__DATE__", "__TIME__", NULL};
	const char *end = text_word(&s->text, p);
	uint32_t flag = text_is_one(p, end, clocks)        ? INCLUDES_DATE
	                : text_is(p, end, "__TIMESTAMP__") ? INCLUDES_TIMESTAMP
	                                                   : 0;

	if (flag && !(s->out->flags & flag) && text_begins_word(&s->text, p) &&
	        text_live(&s->text, p))
		s->out->flags |= flag;
}

/* "ragma" at p: #pragma, _Pragma or __pragma. */
static void
at_pragma(struct scan *s, const char *p)
{
	static const char *const bad_gcc[] = {"pch_preprocess", "dependency", NULL};
	static const char *const bad_clang[] = {"module", "include_instead", NULL};
	const char *word = text_gap(&s->text, text_word(&s->text, p)), *end;
	bool bad;

	while (word < s->text.end && (*word == '(' || *word == '"' || *word == '\\'))
		word = text_gap(&s->text, word + 1);
	end = text_word(&s->text, word);
	if (text_is(word, end, "once"))
		s->out->flags |= INCLUDES_ONCE;
	bad = text_is(word, end, "include_alias");
	if (text_is(word, end, "GCC") || text_is(word, end, "clang")) {
		const char *next = text_gap(&s->text, end), *next_end = text_word(&s->text, next);
		bad = text_is_one(next, next_end, *word == 'G' ? bad_gcc : bad_clang);
	}
	if (bad && text_live(&s->text, p))
		undecided(s, "pragma that names files");
}

/* "GCC dependency" without a pragma before it: the argument of a macro that makes one. */
static void
at_dependency(struct scan *s, const char *p)
{
	const char *end, *word = text_word_before(&s->text, p, &end);

	if (text_is(word, end, "GCC") && text_state(&s->text, p) != TEXT_COMMENT)
		undecided(s, "pragma that names files");
}

/* --- modules --- */

/* True when `export` or nothing stands before p in its line. */
static bool
begins_declaration(struct scan *s, const char *p)
{
	const char *end, *word;

	if (text_begins_line(&s->text, p))
		return true;
	word = text_word_before(&s->text, p, &end);
	return text_is(word, end, "export") && text_begins_line(&s->text, word);
}

/* Behind the names at p: a;  a.b:c;  a [[attribute]]; */
static bool
names_module(struct scan *s, const char *p)
{
	const char *end = s->text.end, *q = p;

	while (q < end &&
	        (text_letter(*q) || *q == '.' || (*q == ':' && (q + 1 == end || q[1] != ':'))))
		q++;
	p = text_gap(&s->text, q);
	return p < end && (*p == ';' || *p == '[');
}

static void
at_module(struct scan *s, const char *p)
{
	const char *end = text_word(&s->text, p), *next;
	bool import = text_is(p, end, "import"), header;

	if (!import && !text_is(p, end, "module"))
		return;
	if (import && p > s->text.at && p[-1] == '@')
		p--;
	if (!text_begins_word(&s->text, p) || !begins_declaration(s, p))
		return;
	next = text_gap(&s->text, end);
	header = import && next < s->text.end && (*next == '<' || *next == '"');
	if ((header || names_module(s, next)) && text_live(&s->text, p))
		s->out->flags |= INCLUDES_MODULES;
}

static void
at_point(struct scan *s, const char *p)
{
	if (incbin_at(&s->text, p, s->found))
		undecided(s, "computed .incbin");
}

/* --- all of it --- */

static void
each_byte(struct scan *s, char c, void (*look)(struct scan *, const char *))
{
	const char *p = s->text.at;

	while (p < s->text.end && (p = memchr(p, c, (size_t)(s->text.end - p))) != NULL)
		look(s, p++);
}

/* Once for each identifier that holds the word. */
static void
each_word(struct scan *s, const char *word, void (*look)(struct scan *, const char *))
{
	const char *p = s->text.at;
	size_t len = strlen(word);

	while (p < s->text.end && (p = memmem(p, (size_t)(s->text.end - p), word, len)) != NULL) {
		look(s, p);
		p = text_word(&s->text, p + len);
	}
}

/* One reading of the text. */
static int
read_text(struct scan *s, const char *bytes, size_t len, bool trigraphs)
{
	int r = text_init(&s->text, bytes, len, trigraphs);

	if (r != 0)
		return r;
	each_byte(s, '#', at_hash);
	each_byte(s, '%', at_percent);
	each_byte(s, '.', at_point);
	each_word(s, "has_", at_has);
	each_word(s, "HAS_INCLUDE", at_has);
	each_word(s, "__DATE", at_date);
	each_word(s, "__TIME", at_date);
	each_word(s, "ragma", at_pragma);
	each_word(s, "dependency", at_dependency);
	each_word(s, "import", at_module);
	each_word(s, "module", at_module);
	if (s->text.odd)
		undecided(s, "unusual line ends");
	if (text_tired(&s->text))
		undecided(s, "too involved");
	text_fini(&s->text);
	return 0;
}

int
includes_scan(struct includes *out, const char *text, size_t len, struct buf *list)
{
	struct includes got = {0};
	struct operands found;
	struct scan s = {.out = &got, .found = &found};
	int r = 0;

	operands_init(&found, list);
	if (len > INCLUDES_TEXT_MAX)
		undecided(&s, "too large");
	else
		r = read_text(&s, text, len, false);
	if (r == 0 && len <= INCLUDES_TEXT_MAX && text_has_trigraphs(text, len))
		r = read_text(&s, text, len, true);
	if (r == 0)
		r = operands_end(&found);
	if (r == IM_ERR_LIMIT) {
		undecided(&s, "too many names");
		r = 0;
	}
	if (r == 0)
		*out = got;
	return r;
}

/* --- definitions --- */

/* A search for every definition of one macro. */
struct search {
	struct text text;
	struct operands *found;
	const char *name;
	bool undecided;
};

/* The end of the one token, or of the <name>, at p; NULL when it is nothing that can be a file's
 * name. */
static const char *
body_end(const struct text *t, const char *p)
{
	/* Macros of gcc and clang themselves, unless told -std=c...: they would be replaced
	 * between the angles too. */
	static const char *const replaced[] = {"linux", "unix", "i386", NULL};
	const char *end = p + 1, *word_end;

	if (*p == '"') {
		while (end < t->end && *end != '"' && *end != '\\' && !text_newline(*end))
			end++;
		return end < t->end && *end == '"' ? end + 1 : NULL;
	}
	if (*p != '<') {
		end = text_word(t, p);
		return operand_is_name(p, end) ? end : NULL;
	}
	for (; end < t->end && *end != '>'; end = word_end) {
		word_end = text_word(t, end);
		if (text_is_one(end, word_end, replaced) ||
		        (end == word_end && !memchr("/.-+", *word_end++, 4)))
			return NULL;
	}
	return end < t->end ? end + 1 : NULL;
}

/* What is defined behind the # or %: at hash that ends at p. */
static void
definition(struct search *d, const char *hash, const char *p)
{
	struct text *t = &d->text;
	const char *word = text_gap(t, p), *end = text_word(t, word), *rest;

	if (!text_is(word, end, "define"))
		return;
	word = text_gap(t, end);
	end = text_word(t, word);
	if (!text_is(word, end, d->name))
		return;
	word = text_gap(t, end);
	if (word == t->end || text_newline(*word))
		return; /* an empty one: to include it is an error */
	end = *end == '(' ? NULL : body_end(t, word);
	rest = end ? text_gap(t, end) : NULL;
	if (!end || (rest < t->end && !text_newline(*rest)))
		d->undecided |= text_directive(t, hash);
	else if (*word != '"' && *word != '<')
		operands_add(d->found, INCLUDE_MACRO, word, (size_t)(end - word));
	else
		(void)operands_literal(d->found, t, word);
}

/* A pop_macro() of the name, or of one that is not plain to see, gives it a body that was saved
 * anywhere. */
static void
look_for_pops(struct search *d)
{
	struct text *t = &d->text;
	const char *p = t->at, *word;

	while ((p = memmem(p, (size_t)(t->end - p), "pop_macro", 9)) != NULL) {
		word = p += 9;
		while (word < t->end && (text_blank(*word) || strchr("(\\\"", *word)))
			word++;
		if (word == text_word(t, word) || text_is(word, text_word(t, word), d->name))
			d->undecided |= text_state(t, p) != TEXT_COMMENT;
	}
}

static int
search_text(struct search *d, const char *bytes, size_t len, bool trigraphs)
{
	int r = text_init(&d->text, bytes, len, trigraphs);
	struct text *t = &d->text;
	const char *p;

	if (r != 0)
		return r;
	if (memmem(t->at, (size_t)(t->end - t->at), d->name, strlen(d->name))) {
		for (p = t->at; p < t->end && (p = memchr(p, '#', (size_t)(t->end - p))) != NULL;
		        p++)
			definition(d, p, p + 1);
		for (p = t->at;
		        p < t->end && (p = memmem(p, (size_t)(t->end - p), "%:", 2)) != NULL; p++)
			definition(d, p, p + 2);
		look_for_pops(d);
	}
	d->undecided |= t->odd || text_tired(t);
	text_fini(t);
	return 0;
}

int
includes_define(
        const char *text, size_t len, const char *name, struct buf *list, bool *is_undecided)
{
	struct operands found;
	struct search d = {.found = &found, .name = name};
	int r;

	operands_init(&found, list);
	if (len > INCLUDES_TEXT_MAX) {
		*is_undecided = true;
		return 0;
	}
	r = search_text(&d, text, len, false);
	if (r == 0 && text_has_trigraphs(text, len))
		r = search_text(&d, text, len, true);
	if (r == 0)
		r = operands_end(&found);
	if (r == IM_ERR_LIMIT) {
		d.undecided = true;
		r = 0;
	}
	*is_undecided |= r == 0 && d.undecided;
	return r;
}

bool
includes_next(const void *list, size_t len, size_t *at, enum include_kind *kind, const char **name,
        size_t *name_len)
{
	const uint8_t *entry = (const uint8_t *)list + *at;
	size_t n;

	if (*at > len || len - *at < OPERAND_HEAD_LEN)
		return false;
	n = get_u16(entry + 1);
	if (entry[0] < INCLUDE_QUOTE || entry[0] > INCLUDE_MACRO || n == 0 ||
	        n > len - *at - OPERAND_HEAD_LEN)
		return false;
	*kind = (enum include_kind)entry[0];
	*name = (const char *)entry + OPERAND_HEAD_LEN;
	*name_len = n;
	*at += OPERAND_HEAD_LEN + n;
	return true;
}
