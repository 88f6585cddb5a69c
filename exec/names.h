/*
 * System calls that look a file name up: where each has its folder, its name and its flags.
 *
 * The guard's filter (exec/seccomp.h) stops them, the guard (exec/guard.h) reads them.  Left out are those that only follow what
 * another one found: exec, chdir, and readlink (gcc asks it for each part of each system header's path, more than half of all calls).
 */
#ifndef EXEC_NAMES_H
#define EXEC_NAMES_H

enum names_flags {
	NAMES_FOLLOW,   /* no flags: symbolic links are followed */
	NAMES_NOFOLLOW, /* no flags: they are not */
	NAMES_OPEN,     /* O_* */
	NAMES_OPEN_HOW, /* a pointer to struct open_how */
	NAMES_AT        /* AT_* */
};

/* Arguments by number, -1: none. */
struct names_call {
	int nr; /* negative: this machine has no such call */
	int dir, name, flags;
	enum names_flags kind;
};

/* The table; *n entries. */
const struct names_call *names_calls(unsigned *n);
/* The one with that number; NULL: none. */
const struct names_call *names_find(int nr);

#endif
