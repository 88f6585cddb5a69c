#include "mesh/node.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

void
tally_add(struct tally *list, unsigned *n, unsigned max, const char *name)
{
	for (unsigned i = 0; i < *n; i++) {
		if (strncmp(list[i].name, name, sizeof list[i].name - 1) == 0) {
			list[i].count++;
			return;
		}
	}
	if (*n == max) {
		list[max - 1].count++;
		return;
	}
	struct tally *t = &list[(*n)++];
	snprintf(t->name, sizeof t->name, "%s", *n == max ? "others" : name);
	t->count = 1;
}

uint64_t
wall_milliseconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_REALTIME, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

uint64_t
wall_seconds(void)
{
	return wall_milliseconds() / 1000;
}
