#include "exec/names.h"

#include <stddef.h>
#include <sys/syscall.h>

/* The older ones, which not every machine has. */
#ifndef SYS_open
#define SYS_open (-1)
#endif
#ifndef SYS_stat
#define SYS_stat (-1)
#endif
#ifndef SYS_lstat
#define SYS_lstat (-1)
#endif
#ifndef SYS_stat64
#define SYS_stat64 (-1)
#endif
#ifndef SYS_lstat64
#define SYS_lstat64 (-1)
#endif
#ifndef SYS_newfstatat
#define SYS_newfstatat (-1)
#endif
#ifndef SYS_fstatat64
#define SYS_fstatat64 (-1)
#endif
#ifndef SYS_access
#define SYS_access (-1)
#endif

static const struct names_call calls[] = {{SYS_open, -1, 0, 1, NAMES_OPEN},
        {SYS_openat, 0, 1, 2, NAMES_OPEN}, {SYS_openat2, 0, 1, 2, NAMES_OPEN_HOW},
        {SYS_stat, -1, 0, -1, NAMES_FOLLOW}, {SYS_stat64, -1, 0, -1, NAMES_FOLLOW},
        {SYS_lstat, -1, 0, -1, NAMES_NOFOLLOW}, {SYS_lstat64, -1, 0, -1, NAMES_NOFOLLOW},
        {SYS_newfstatat, 0, 1, 3, NAMES_AT}, {SYS_fstatat64, 0, 1, 3, NAMES_AT},
        {SYS_statx, 0, 1, 2, NAMES_AT}, {SYS_access, -1, 0, -1, NAMES_FOLLOW},
        {SYS_faccessat, 0, 1, -1, NAMES_FOLLOW}, {SYS_faccessat2, 0, 1, 3, NAMES_AT}};

#define NCALLS (sizeof(calls) / sizeof(calls[0]))

const struct names_call *
names_calls(unsigned *n)
{
	*n = NCALLS;
	return calls;
}

const struct names_call *
names_find(int nr)
{
	for (size_t i = 0; i < NCALLS; i++) {
		if (calls[i].nr == nr)
			return &calls[i];
	}
	return NULL;
}
