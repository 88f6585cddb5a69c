/*
 * Finding the real compiler behind the wrapper: which word of the command line names it, and
 * which file that is.
 *
 * Called as icemesh-cc, the first word is the compiler when it looks like one, else the
 * configured one is meant.  Called through a link with another name (gcc, clang++...), the next
 * program of that name in PATH that is not the wrapper itself is meant. The wrapper is never
 * found for the compiler, whatever links lead to it; a loop through scripts is cut by a counting
 * variable.
 */
#ifndef CLIENT_REAL_H
#define CLIENT_REAL_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include "crypto/err.h"

#define REAL_GUARD \
	"ICEMESH_SAFEGUARD" /* environment: how deep the wrapper is in itself, a number */
#define REAL_DEPTH_MAX 4

struct real_request {
	int argc;
	char *const *argv;
	const char *path; /* PATH; NULL: the system's default */
	/* absolute; where relative names and relative PATH entries begin */
	const char *cwd;
	const char *cc, *cxx; /* the configured compilers, names or paths */
	const char *guard;    /* value of REAL_GUARD or NULL */
	struct stat self;     /* of /proc/self/exe: st_dev and st_ino are looked at */
};

struct real {
	char path[PATH_MAX];     /* absolute, as found; links not resolved */
	char resolved[PATH_MAX]; /* its realpath */
	char name[NAME_MAX + 1]; /* base name looked for, also when it was not found */
	int first;               /* index in argv of the compiler's first argument */
	unsigned depth;          /* 0: not inside another icemesh-cc; else compile locally */
};

/* Looks at the file system only (stat, access, realpath).  IM_ERR_ABSENT: no such program
 * (r->name says which); IM_ERR_REFUSED: the wrapper was called by itself REAL_DEPTH_MAX times;
 * IM_ERR_LIMIT: a name is too long. r->name and r->first are set on error too. */
int real_find(struct real *r, const struct real_request *q) IM_MUST;
/* "ICEMESH_SAFEGUARD=<depth + 1>" for the environment of what the wrapper starts. */
void real_guard(const struct real *r, char *text, size_t size);

#endif
