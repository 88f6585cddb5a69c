/*
 * The folders in which a compiler searches for headers by itself, and those of its environment: it
 * is asked, by a run of its preprocessor that says them ("-E -v" on an empty input).
 *
 * Folders that it ignores, since they do not exist or stand in its list twice, are named too.
 */
#ifndef CLIENT_BUILTIN_H
#define CLIENT_BUILTIN_H

#include "crypto/buf.h"

#define BUILTIN_TEXT_MAX (256 * 1024) /* bytes that it may say */

#define BUILTIN_FILE 1

struct builtin {
	int gcc_major; /* 0 when it is no gcc */
	struct buf
	        folders; /* as it spells them, a NUL behind each; files that it looks for itself begin with BUILTIN_FILE */
	/* a NUL-terminated path, or empty: when this folder changes, the answer may be another one
	 * (clang takes the newest of several gccs for its C++ library) */
	struct buf watch;
};

void builtin_init(struct builtin *b);
void builtin_fini(struct builtin *b);
/* Takes the answer from what the compiler wrote to stderr in the C locale. IM_ERR_FORMAT (no list),
 * IM_ERR_REFUSED (a framework folder or a header map is in it), IM_ERR_MEMORY, IM_ERR_LIMIT. */
int builtin_parse(struct builtin *b, const char *text, size_t len) IM_MUST;
/* Runs argv, whose argv[0] is an absolute path, and takes its answer; blocks as question_ask() does
 * (client/question.h).  Also IM_ERR_SYSTEM (it failed), IM_ERR_TIMEOUT. */
int builtin_ask(struct builtin *b, char *const *argv, char *const *environment) IM_MUST;

#endif
