/*
 * Computed includes (#include MACRO): what the macro may stand for, by every definition of it
 * in any file of the set or on the command line.  The definitions' own conditions are not
 * looked at; one that is no plain header name is refused.  A macro without any is an error of
 * the source, on a peer too: the compiler's own names (__FILE__) are undecided by the scanner
 * already.
 */
#ifndef CLIENT_COMPUTED_H
#define CLIENT_COMPUTED_H

#include "client/reach.h"

/* Notes that the file includes what the macro says. */
int computed_note(struct reach *r, struct task from, const char *name, size_t len) IM_MUST;
/* Looks for definitions in the files that came since the last call, and takes what they lead to.
 * Until r->changes stays the same. IM_ERR_REFUSED. */
int computed_step(struct reach *r, const struct search *s) IM_MUST;

#endif
