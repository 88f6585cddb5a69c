/*
 * A question to a compiler: run it with words of our own, take what it writes.
 *
 * In the working directory and environment of the compile, but with messages in the C locale; a compiler that does not answer in time is
 * killed with all that it started.
 */
#ifndef CLIENT_QUESTION_H
#define CLIENT_QUESTION_H

#include "crypto/buf.h"

#define QUESTION_TIME_MS 10000

struct question {
	char *const *argv; /* argv[0] is an absolute path */
	char *const *environment;
	int input;  /* its standard input, at its present offset; -1: /dev/null */
	int stream; /* 1 or 2: what is taken; the other one goes nowhere */
};

/* Appends the answer; blocks for at most QUESTION_TIME_MS. IM_ERR_SYSTEM (it failed, too), IM_ERR_TIMEOUT, IM_ERR_LIMIT (more than out takes),
 * IM_ERR_MEMORY. */
int question_ask(const struct question *q, struct buf *out) IM_MUST;

#endif
