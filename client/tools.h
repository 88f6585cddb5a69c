/*
 * Finding the real compiler behind a name: the first one in PATH that is not icemesh-cc under another name.  Our own programs
 * are found by mesh/programs.h.
 */
#ifndef CLIENT_TOOLS_H
#define CLIENT_TOOLS_H

#include <stdbool.h>
#include <stddef.h>
#include "crypto/err.h"

#define TOOLS_PATH_SIZE 4096

/* The absolute path of a compiler as found in `path` (a PATH value, NULL: the environment's), links not resolved.  A name with a slash is
 * taken as it is, made absolute.  Skips links to icemesh-cc and folders of PATH that are not absolute.
 * IM_ERR_ABSENT, IM_ERR_LIMIT, IM_ERR_REFUSED (a name with a slash that is icemesh-cc itself). */
int tools_compiler(const char *name, const char *path, char *out, size_t size) IM_MUST;
/* True when the environment's PATH and `path` lead to the same program of that name, or neither leads to one. */
bool tools_same(const char *name, const char *path);
/* True for icemesh-cc and every link to it. */
bool tools_is_wrapper(const char *path);

#endif
