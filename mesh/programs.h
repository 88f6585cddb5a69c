/*
 * Finding our own programs (icemesh-exec, icemeshd), which are never looked for in PATH: beside this program (build tree), else
 * where an installation puts them relative to it, else in the folder that was set when icemesh was built.
 */
#ifndef MESH_PROGRAMS_H
#define MESH_PROGRAMS_H

#include <stddef.h>
#include "crypto/err.h"

#define PROGRAM_PATH_SIZE 4096

/* The absolute path of our program `name`. IM_ERR_ABSENT, IM_ERR_LIMIT. */
int program_find(const char *name, char *out, size_t size) IM_MUST;
/* The same as seen from the program at `self` (absolute), with `fallback` as the folder tried last: for tests. */
int program_find_from(
        const char *self, const char *fallback, const char *name, char *out, size_t size) IM_MUST;

#endif
