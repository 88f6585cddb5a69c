/*
 * Signals while a peer has the compile: those that would end the compiler, and SIGCHLD, come as events, so that nothing temporary stays; a file
 * over the limit is an error of write(), since the compiler can meet its own.
 */
#ifndef CLIENT_SIGNALS_H
#define CLIENT_SIGNALS_H

#include <signal.h>

struct signals {
	int fd; /* readable when one has come; -1: none could be made */
	/* the caller's */
	sigset_t mask;
	struct sigaction too_large;
};

/* Takes them. What the caller ignores or blocks would not end the compiler either, and does not count. */
void signals_take(struct signals *s);
/* The first of those that came and would end the compiler, 0 when there is none; those behind it are forgotten. */
int signals_next(const struct signals *s);
/* Closes and gives all back as it was. */
void signals_give_back(struct signals *s);

#endif
