#include "exec/incbin.h"

#include <string.h>
#include <strings.h>

static bool
begins(const struct text *t, const char *p, const char *with)
{
	size_t len = strlen(with);

	return (size_t)(t->end - p) >= len && memcmp(p, with, len) == 0;
}

/* True when the point at p, behind a letter, stands behind an escape in a string: "\n.incbin". */
static bool
behind_escape(struct text *t, const char *p)
{
	const char *q = p;

	while (q > t->at && p - q < 4 && text_letter(q[-1]))
		q--;
	return q > t->at && q[-1] == '\\';
}

/* True when the string whose closing quote is at p is not the end of the text that the assembler
 * gets. */
static bool
is_continued(struct text *t, const char *p)
{
	p = text_gap(t, p + 1);
	while (p < t->end && text_newline(*p))
		p = text_gap(t, p + 1);
	return p < t->end && (text_letter(*p) || strchr("\"#\\", *p));
}

/* p is behind .incbin or .include and blanks, in what is perhaps a string. */
static bool
is_computed(struct text *t, const char *word, const char *p)
{
	if (p == t->end)
		return false;
	switch (text_state(t, word)) {
	case TEXT_COMMENT:
		return false;
	case TEXT_CODE:
		return text_begins_line(t, word) && (text_letter(*p) || *p == '%' || *p == '\\');
	case TEXT_STRING:
		if (*p ==
		        '\\') /* an escaped quote, or \\name in the assembler's macro; "\n" only ends the line */
			return p + 1 == t->end || !strchr("nrfvab", p[1]);
		return *p == '"' ? is_continued(t, p) : *p == '%' || *p == '{';
	case TEXT_UNSURE:
		return text_letter(*p) || *p == '"' || *p == '%' || *p == '\\' || *p == '{';
	}
	return true;
}

/* The name behind the quote that ends at p, up to the next one: plain, or \" inside of a string.
 * False when it is computed. */
static bool
take_name(struct text *t, const char *p, bool escaped, struct operands *found)
{
	const char *end = p;

	while (end < t->end && !text_newline(*end) && *end != '"' && *end != '\\')
		end++;
	if (escaped ? !begins(t, end, "\\\"") : !begins(t, end, "\""))
		return false;
	operands_add(found, INCLUDE_BINARY, p, (size_t)(end - p));
	return true;
}

bool
incbin_at(struct text *t, const char *p, struct operands *found)
{
	size_t len = t->end - p < 7 ? 0 : strncasecmp(p, ".incbin", 7) == 0 ? 7 : 8;
	const char *next;

	if (len == 0 || (size_t)(t->end - p) < len ||
	        (len == 8 && strncasecmp(p, ".include", 8) != 0))
		return false;
	if (p + len < t->end && text_letter(p[len]))
		return false;
	if (!text_begins_word(t, p) && !behind_escape(t, p))
		return false;
	next = text_gap(t, p + len);
	while (begins(t, next, "\\t"))
		next = text_gap(t, next + 2);
	if (begins(t, next, "\\\""))
		return !take_name(t, next + 2, true, found);
	if (begins(t, next, "\"") && text_state(t, p) <= TEXT_COMMENT)
		return !take_name(t, next + 1, false, found);
	return is_computed(t, p, next);
}
