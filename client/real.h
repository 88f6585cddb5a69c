/*
 * Finding the real compiler behind the wrapper: which word of the command line names it, and
 * which file that is.
 *
 * Called as icemesh-cc, the first word is the compiler when it looks like one, else the
 * configured one is meant.  Called through a link with another name (gcc, clang++...), the next
 * program of that name behind the link in PATH is meant, or one before it. The wrapper is never
 * found for the compiler, whatever links lead to it, nor is that of another installation; a loop through scripts is cut by a counting
 * variable.
 *
 * A ccache that is found for the compiler is let through: the compile is then that of the wrapper behind it, which passes ccache over.
 * What ccache starts is the first such compiler in PATH that is not ccache; where that is not the wrapper, it must be told to.
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
	char path
	        [PATH_MAX]; /* absolute, as found, without "." and ".."; a link to it not resolved */
	const char *
	        called; /* the compiler's argv[0]: as written (the request's) where that would have led to it, else path */
	char resolved[PATH_MAX]; /* its realpath */
	char name[NAME_MAX + 1]; /* base name looked for, also when it was not found */
	int first;               /* index in argv of the compiler's first argument */
	bool cache;              /* it is a ccache: to be run at once, and nothing else */
	bool comes_back;         /* ... that starts the wrapper of itself */
	bool cached;             /* behind such a one */
	bool skipped;            /* the wrapper stands in its way */
	unsigned depth;          /* 0: not inside another icemesh-cc; else compile locally */
};

/* Looks at the file system only (stat, access, realpath).  IM_ERR_ABSENT: no such program
 * (r->name says which); IM_ERR_REFUSED: the wrapper was called by itself REAL_DEPTH_MAX times;
 * IM_ERR_LIMIT: a name is too long. r->name and r->first are set on error too. */
int real_find(struct real *r, const struct real_request *q) IM_MUST;
/* "ICEMESH_SAFEGUARD=<depth + 1>" for the environment of what the wrapper starts; before ccache the depth stays, and "+" follows. */
void real_guard(const struct real *r, char *text, size_t size);

#endif
