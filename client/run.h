/*
 * Running the real compiler here: in the place of the wrapper, or beside it when somebody wants to
 * know how it ended.
 */
#ifndef CLIENT_RUN_H
#define CLIENT_RUN_H

#include "crypto/err.h"

/* Becomes the compiler; returns only on failure, with errno. */
int run_instead(char *const *argv, char *const *env) IM_MUST;
/* Starts the compiler, waits for its end, hands signals on to it; *status is waitpid's.
 * IM_ERR_SYSTEM. */
int run_beside(char *const *argv, char *const *env, int *status) IM_MUST;
/* Ends this process by the signal, as if it had never been caught; returns 128 + sig when that does
 * not work. */
int run_die(int sig);

#endif
