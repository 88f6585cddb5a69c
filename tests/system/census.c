/*
 * Counts the compilers that run at one time, without a gap: preloaded into every program of a host (/etc/ld.so.preload), it notes the begin
 * and the end of those that are compiler drivers, and of lto1.  A driver that another one started (for link-time optimisation) is part of it.
 *
 * CENSUS is the file, of numbers: the most that ran at one time of each kind, then how many began.  Who was killed is found dead by the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#define RUNNING_MAX 4096

enum kind { DRIVER, LTO, KINDS };

struct census {
	int most[KINDS], began[KINDS], running[KINDS];
	pid_t pid[KINDS][RUNNING_MAX];
};

static struct census *census;
static enum kind kind = KINDS;
static int lock_fd = -1;

static enum kind
kind_of(const char *name)
{
	static const char *const drivers[] = {"gcc", "cc", "g++", "c++"};

	if (strcmp(name, "lto1") == 0)
		return LTO;
	for (size_t i = 0; i < sizeof drivers / sizeof drivers[0]; i++)
		if (strcmp(name, drivers[i]) == 0 && getenv("COLLECT_GCC") == NULL)
			return DRIVER;
	return KINDS;
}

static int
runs(pid_t pid)
{
	char path[64], state = 'Z';
	FILE *f;

	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	f = fopen(path, "re");
	if (f == NULL)
		return 0;
	if (fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'Z';
	fclose(f);
	return state != 'Z' && state != 'X';
}

static void
drop(enum kind k, pid_t gone)
{
	int n = 0;

	for (int i = 0; i < census->running[k]; i++)
		if (census->pid[k][i] != gone && (gone != 0 || runs(census->pid[k][i])))
			census->pid[k][n++] = census->pid[k][i];
	census->running[k] = n;
}

__attribute__((constructor)) static void
begin(void)
{
	kind = kind_of(program_invocation_short_name);
	if (kind == KINDS)
		return;
	lock_fd = open(CENSUS, O_RDWR | O_CLOEXEC);
	census = lock_fd < 0 ? MAP_FAILED
	                     : mmap(NULL, sizeof *census, PROT_READ | PROT_WRITE, MAP_SHARED,
	                               lock_fd, 0);
	if (census == MAP_FAILED || flock(lock_fd, LOCK_EX) != 0)
		abort();
	drop(kind, 0);
	census->began[kind]++;
	if (census->running[kind] < RUNNING_MAX)
		census->pid[kind][census->running[kind]++] = getpid();
	if (census->running[kind] > census->most[kind])
		census->most[kind] = census->running[kind];
	flock(lock_fd, LOCK_UN);
}

__attribute__((destructor)) static void
end(void)
{
	if (kind == KINDS || flock(lock_fd, LOCK_EX) != 0)
		return;
	drop(kind, getpid());
	flock(lock_fd, LOCK_UN);
}
