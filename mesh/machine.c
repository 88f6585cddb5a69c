#include "mesh/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

void
machine_platform(char out[PLATFORM_SIZE])
{
	struct utsname u;
	snprintf(out, PLATFORM_SIZE, "%.*s", PLATFORM_SIZE - 1, uname(&u) == 0 ? u.machine : "unknown");
}

uint32_t
machine_load(struct machine *m)
{
	unsigned long long v[8] = {0};
	FILE *f = fopen("/proc/stat", "re");
	if (!f)
		return m->permille;
	int n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7]);
	fclose(f);
	if (n < 4)
		return m->permille;
	uint64_t total = 0, idle = v[3] + v[4];
	for (int i = 0; i < n; i++)
		total += v[i];
	uint64_t busy = total - idle;
	if (total > m->total + 10) {
		m->permille = busy < m->busy ? 0 : (uint32_t)((busy - m->busy) * 1000 / (total - m->total));
		m->busy = busy;
		m->total = total;
	}
	return m->permille;
}
