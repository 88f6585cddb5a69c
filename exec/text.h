/*
 * A source text as the preprocessor's lexer gets it: lines spliced, trigraphs replaced or not,
 * comments and strings told apart.
 *
 * Pure.  Dialects differ, so the lexer says when it cannot know: behind the first raw string
 * (only some have these), or number with apostrophes and a comment that begins in its line,
 * everything is TEXT_UNSURE.  A "//" begins a comment, also for C90: there it would be code,
 * but no directive begins in such a line.
 */
#ifndef EXEC_TEXT_H
#define EXEC_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "crypto/err.h"

enum text_state {
	TEXT_CODE,
	TEXT_COMMENT,
	TEXT_STRING, /* or a character constant */
	TEXT_UNSURE
};

struct text {
	const char *at, *end;
	bool odd; /* holds a splice that compilers read in different ways */

	/* Not for users. */
	char *own;                 /* the spliced copy, if one was needed */
	const char *asked, *close; /* the first end of a comment behind asked */
	const char *from, *to;     /* what the lexer read last */
	const char *doubt;         /* where it begins to be unsure; NULL: nowhere yet */
	enum text_state state;     /* of from..to */
	const char *line_end;      /* up to where apostrophes were looked at */
	size_t patience;           /* bytes that text_gap() may still walk over */
};

/* Takes the text, which must stay; with trigraphs it is read as by -trigraphs. IM_ERR_MEMORY. */
int text_init(struct text *t, const char *bytes, size_t len, bool trigraphs) IM_MUST;
void text_fini(struct text *t);
/* True when a reading with trigraphs differs from one without. */
bool text_has_trigraphs(const char *bytes, size_t len);

/* The first byte at or behind p that is neither a blank nor in a comment, perhaps the end of the
 * line or of the text. */
const char *text_gap(struct text *t, const char *p);
/* The end of the identifier or number at p; p when there is none. Bytes above 127 belong to
 * identifiers. */
const char *text_word(const struct text *t, const char *p);
/* True when the byte before p belongs to no word. */
bool text_begins_word(const struct text *t, const char *p);
/* True when the word from p to end is this one. */
bool text_is(const char *p, const char *end, const char *word);
/* True when it is one of a NULL-terminated list. */
bool text_is_one(const char *p, const char *end, const char *const *words);
/* The word before p, blanks and an opening parenthesis between them left out; *end is its end. */
const char *text_word_before(const struct text *t, const char *p, const char **end);
/* The begin of the word that p is in or behind. */
const char *text_word_begin(const struct text *t, const char *p);
/* The begin of the line that p is in; costs patience. */
const char *text_line_begin(struct text *t, const char *p);
/* The end of the line that p is in. */
const char *text_line_end(const struct text *t, const char *p);
/* True when only blanks, or a comment's end, stand before p in its line. */
bool text_begins_line(const struct text *t, const char *p);
/* What the byte at p belongs to; fast when the questions go forward. */
enum text_state text_state(struct text *t, const char *p);
/* True when compilers may see code at p. */
bool text_live(struct text *t, const char *p);
/* True when the # at p may begin a directive. */
bool text_directive(struct text *t, const char *p);
/* True when text_gap() has given up, on a text made to keep it busy; what it said then is not to
 * be trusted. */
bool text_tired(const struct text *t);

static inline bool
text_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r' && c != '\n' && c != '\r') || c == 0;
}

static inline bool
text_newline(char c)
{
	return c == '\n' || c == '\r';
}

static inline bool
text_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c > 127;
}

#endif
