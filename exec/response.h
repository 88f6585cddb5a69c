/*
 * Response files: @file words of a command line, replaced by the words in the file as gcc and
 * clang read them.
 *
 * White space separates; single and double quotes group; a backslash takes the next character as
 * it is, inside quotes too.  Files may name further ones.  Only regular files are read, so that
 * a pipe stays unread for the compiler itself.
 */
#ifndef EXEC_RESPONSE_H
#define EXEC_RESPONSE_H

#include "crypto/err.h"

#define RESPONSE_FILES_MAX 64
#define RESPONSE_BYTES_MAX (1024 * 1024) /* of all files together */
#define RESPONSE_WORDS_MAX 65536

/* Replaces @file words; *out is one allocation for free(), NULL-terminated and independent of
 * argv.  When there is none, *out is NULL and *out_argc is argc.  IM_ERR_LIMIT, IM_ERR_SYSTEM
 * (also for what is no regular file), IM_ERR_FORMAT (an unclosed quote, a NUL), IM_ERR_MEMORY:
 * then compile locally. */
int args_expand(int argc, char *const *argv, int *out_argc, char ***out) IM_MUST;

#endif
