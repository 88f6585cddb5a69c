#include "mesh/machine.h"

#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

void
machine_platform(char out[PLATFORM_SIZE])
{
	struct utsname u;
	snprintf(out, PLATFORM_SIZE, "%.*s", PLATFORM_SIZE - 1,
	        uname(&u) == 0 ? u.machine : "unknown");
}

uint32_t
machine_load_from(struct machine *m, const char *path)
{
	unsigned long long v[8] = {0};
	FILE *f = fopen(path, "re");
	if (!f)
		return m->permille;
	int n = fscanf(f, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3],
	        &v[4], &v[5], &v[6], &v[7]);
	fclose(f);
	if (n < 4)
		return m->permille;
	uint64_t total = 0, idle = v[3] + v[4];
	for (int i = 0; i < n; i++)
		total += v[i];
	uint64_t busy = total - idle;
	if (total > m->total + 10) {
		/* the kernel's idle counters may step back, so busy may seem to grow by more than everything */
		uint64_t permille =
		        busy < m->busy ? 0 : (busy - m->busy) * 1000 / (total - m->total);
		m->permille = permille > 1000 ? 1000 : (uint32_t)permille;
		m->busy = busy;
		m->total = total;
	}
	return m->permille;
}

uint32_t
machine_load(struct machine *m)
{
	return machine_load_from(m, "/proc/stat");
}
