/*
 * What a compiler does differently because its messages go to a terminal, said in options, since on a peer they go to a file.
 *
 * gcc and clang then colour their messages, gcc adds links, and both cut long source lines to the terminal's width.  Colours can be said in
 * an option.  Links can, too, but gcc writes that option into debug information; clang writes any into what records its command line.  Then,
 * where lines are too long for the terminal, and where it cannot be told whether clang would colour, messages are exact only here.
 */
#ifndef CLIENT_TERMINAL_H
#define CLIENT_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include "exec/args.h"

#define TERMINAL_WORDS_MAX 4

struct terminal {
	const char *words[TERMINAL_WORDS_MAX +
	                  1]; /* to be added to the command line, NULL-terminated */
	unsigned width;       /* columns; 0: lines are not cut */
	bool wraps;           /* clang: messages are cut as source lines are */
	bool wants_more;      /* no option says what messages look like here */
};

/* Looks at standard error, standard input and the environment. gcc_major: 0 when it is no gcc. */
void terminal_look(struct terminal *t, const struct args *a, int gcc_major);
/* True when messages made without a width stand there as they would with this one. */
bool terminal_fits(const struct terminal *t, const char *text, size_t len);

#endif
