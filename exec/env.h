/*
 * The environment of a compile: what may travel, and what keeps a compile here.
 *
 * By allow-list: a variable that is not named here does not exist on the peer.
 */
#ifndef EXEC_ENV_H
#define EXEC_ENV_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/err.h"
#include "exec/reason.h"

#define ENV_VALUE_MAX 256  /* bytes of a value that travels... */
#define ENV_PATHS_MAX 4096 /* ...and of one that lists folders (CPATH...) */

/* 0 when a compile in it can be remote; IM_ERR_REFUSED with "environment NAME" in reason when a
 * variable changes what the compiler does in a way that cannot travel (GCC_EXEC_PREFIX,
 * COMPILER_PATH, DEPENDENCIES_OUTPUT...). */
int env_check(char *const *environment, char reason[REASON_SIZE]) IM_MUST;
/* 0 when every variable that a compile of sources may look at can go along as it is;
 * IM_ERR_REFUSED with "environment NAME" in reason: too long, or with control characters. */
int env_source(char *const *environment, char reason[REASON_SIZE]) IM_MUST;
/* The variables that go along (LANG, LC_*, SOURCE_DATE_EPOCH, CPATH, ...): pointers into
 * environment, at most max; returns how many. */
uint32_t env_select(char *const *environment, const char **out, uint32_t max);
/* The peer's check of one variable that arrived. */
bool env_allowed(const char *name_and_value);

#endif
