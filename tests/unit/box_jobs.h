/*
 * What tests of the sandbox share: jobs that their "compiler" does in it, telling on stdout the errno of what was tried (0: it
 * worked), and how long a job takes.
 */
#ifndef TESTS_UNIT_BOX_JOBS_H
#define TESTS_UNIT_BOX_JOBS_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define JOBS_FOR_MEDIAN 200

static inline int
tried(int failed)
{
	return printf("%d\n", failed ? errno : 0) < 0;
}

static inline int
job_write(const char *path)
{
	FILE *f = fopen(path, "w");

	if (f == NULL)
		return tried(1);
	fputs("written", f);
	return tried(fclose(f) != 0);
}

static inline int
by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Runs a job again and again.  The times are printed, not judged: other work on the machine would fail a test. */
static inline void
tell_median(void (*run)(void), const char *what)
{
	double ms[JOBS_FOR_MEDIAN];

	for (int i = 0; i < JOBS_FOR_MEDIAN; i++) {
		struct timespec a, b;

		clock_gettime(CLOCK_MONOTONIC, &a);
		run();
		clock_gettime(CLOCK_MONOTONIC, &b);
		ms[i] = (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
	}
	qsort(ms, JOBS_FOR_MEDIAN, sizeof(ms[0]), by_size);
	printf("# median %.2f ms, p90 %.2f ms for %s\n", ms[JOBS_FOR_MEDIAN / 2],
	        ms[JOBS_FOR_MEDIAN * 9 / 10], what);
}

#endif
