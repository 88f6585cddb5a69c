/*
 * Why a compile ran where it ran: the fixed list of reasons, and what the user can do about
 * each.
 *
 * A reason text begins with a word of this list; "option" and "environment" are followed by a
 * blank and the name that decided.  Traces, `icemesh status` and `icemesh why` share the list;
 * words are never renamed, since scripts count them.
 */
#ifndef EXEC_REASON_H
#define EXEC_REASON_H

#define REASON_SIZE 96 /* a reason text with its NUL */

struct reason {
	const char *word;
	const char *advice; /* one sentence: what it means and what can be done */
};

/* The row whose word the text begins with (up to its end or a blank), or NULL. */
const struct reason *reason_find(const char *text);
/* Row i in order of words, NULL at the end. */
const struct reason *reason_row(unsigned i);
/* Writes "WORD" or, with a detail, "WORD DETAIL"; cuts what does not fit, and replaces control
 * characters. */
void reason_set(char reason[REASON_SIZE], const char *word, const char *detail);

#endif
