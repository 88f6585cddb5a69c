#include "exec/limits.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/resource.h>

#define TIME_MAX (7u * 24 * 3600)
#define CPU_SLACK_S 5 /* the wall clock is to speak first */
#define UNPACK_CPU_S 600
#if defined(__SANITIZE_ADDRESS__)
#define UNPACK_MEMORY (1ULL << 46) /* its shadow is address space too */
#else
#define UNPACK_MEMORY (1ULL << 30)
#endif
#define UNPACK_FILES 64

static int
parse_number(const char *word, uint64_t max, uint64_t *out)
{
	char *end;
	unsigned long long v;

	if (word[0] < '0' || word[0] > '9')
		return IM_ERR_FORMAT;
	errno = 0;
	v = strtoull(word, &end, 10);
	if (*end != '\0')
		return IM_ERR_FORMAT;
	if (errno != 0 || v > max)
		return IM_ERR_LIMIT;
	*out = v;
	return 0;
}

int
limits_parse(struct limits *l, char *const words[4])
{
	struct limits parsed;
	int minus = words[0][0] == '-';
	uint64_t nice = 0;
	int r = parse_number(words[0] + minus, minus ? 20 : 19, &nice);

	if (r == 0)
		r = parse_number(words[1], INT64_MAX, &parsed.memory);
	if (r == 0)
		r = parse_number(words[2], TIME_MAX, &parsed.time_s);
	if (r == 0)
		r = parse_number(words[3], INT64_MAX / 4, &parsed.output);
	if (r == 0 && (parsed.memory == 0 || parsed.time_s == 0 || parsed.output == 0))
		r = IM_ERR_LIMIT;
	if (r != 0)
		return r;
	parsed.nice = minus ? -(int)nice : (int)nice;
	*l = parsed;
	return 0;
}

void
limits_nice(const struct limits *l)
{
	/* Refused when it would lower the niceness the daemon was started with: that stays, then. */
	if (setpriority(PRIO_PROCESS, 0, l->nice) != 0)
		errno = 0;
}

/* Lowers a limit; one that is lower already stays. */
static int
lower(int what, uint64_t to)
{
	struct rlimit r;

	if (getrlimit((__rlimit_resource_t)what, &r) != 0)
		return IM_ERR_SYSTEM;
	if (r.rlim_max > to)
		r.rlim_max = to;
	if (r.rlim_cur > to)
		r.rlim_cur = to;
	return setrlimit((__rlimit_resource_t)what, &r) == 0 ? 0 : IM_ERR_SYSTEM;
}

int
limits_apply(const struct limits *l)
{
	if (lower(RLIMIT_CORE, 0) != 0 || lower(RLIMIT_FSIZE, l->output) != 0 ||
	        lower(RLIMIT_AS, l->memory) != 0)
		return IM_ERR_SYSTEM;
	if (lower(RLIMIT_CPU, l->time_s + CPU_SLACK_S) != 0 ||
	        lower(RLIMIT_NPROC, LIMITS_PROCESSES) != 0)
		return IM_ERR_SYSTEM;
	if (lower(RLIMIT_NOFILE, LIMITS_FILES) != 0 || lower(RLIMIT_MEMLOCK, 0) != 0)
		return IM_ERR_SYSTEM;
	return lower(RLIMIT_MSGQUEUE, 0);
}

int
limits_unpack(uint64_t bytes)
{
	if (lower(RLIMIT_CORE, 0) != 0 || lower(RLIMIT_FSIZE, bytes) != 0 ||
	        lower(RLIMIT_AS, UNPACK_MEMORY) != 0)
		return IM_ERR_SYSTEM;
	return lower(RLIMIT_CPU, UNPACK_CPU_S) != 0 ? IM_ERR_SYSTEM
	                                            : lower(RLIMIT_NOFILE, UNPACK_FILES);
}
