#include "client/memory.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEXT_SIZE 8192 /* memory.stat is the longest, and what is wanted of it is not at its end */

/* One kind of cgroups: where its folders are, how a limit and what counts against it are called. */
struct kind {
	const char *mount, *limit, *usage;
	const char *cache[2]; /* lines of memory.stat */
};

static const struct kind unified = {
        "/sys/fs/cgroup", "memory.max", "memory.current", {"active_file ", "inactive_file "}};
static const struct kind legacy = {"/sys/fs/cgroup/memory", "memory.limit_in_bytes",
        "memory.usage_in_bytes", {"total_active_file ", "total_inactive_file "}};

/* The file's first bytes as text, whatever they are. False when there are none. */
static bool
read_text(char text[TEXT_SIZE], const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, TEXT_SIZE - 1);
	close(fd);
	text[n > 0 ? n : 0] = 0;
	return n > 0;
}

/* The number behind a name that begins a line. */
static bool
find_number(const char *text, const char *name, uint64_t *value)
{
	size_t len = strlen(name);
	char *end;

	while (strncmp(text, name, len) != 0) {
		text = strchr(text, '\n');
		if (text == NULL)
			return false;
		text++;
	}
	*value = strtoull(text + len, &end, 10);
	return end != text + len;
}

/* False also for the "max" of no limit. */
static bool
read_number(const char *folder, const char *name, uint64_t *value)
{
	char path[PATH_MAX + 64], text[TEXT_SIZE];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return read_text(text, path) && find_number(text, "", value);
}

void
memory_narrow(struct memory *m, uint64_t limit, uint64_t used)
{
	uint64_t left = used < limit ? limit - used : 0;

	/* a limit above the machine's memory is none; in floating point, since products could overflow */
	if (limit == 0 || limit >= m->total ||
	        (double)left * (double)m->total >= (double)m->available * (double)limit)
		return;
	m->total = limit;
	m->available = left;
}

static void
look_at_group(struct memory *m, const struct kind *k, const char *folder)
{
	char path[PATH_MAX + 64], text[TEXT_SIZE];
	uint64_t limit, used, cache;

	if (!read_number(folder, k->limit, &limit) || limit >= m->total ||
	        !read_number(folder, k->usage, &used))
		return;
	snprintf(path, sizeof path, "%s/memory.stat", folder);
	if (read_text(text, path))
		for (int i = 0; i < 2; i++)
			if (find_number(text, k->cache[i], &cache))
				used -= cache < used ? cache : used;
	memory_narrow(m, limit, used);
}

/* The group and those around it.  In a container the name may be one of outside, and the mount's top is the own group. */
static void
look_at_groups(
        struct memory *m, const struct kind *k, const char *root, const char *group, size_t len)
{
	char folder[PATH_MAX];
	size_t top;
	int n = snprintf(folder, sizeof folder, "%s%s", root, k->mount);

	if (n < 0 || (size_t)n + len >= sizeof folder || memmem(group, len, "/..", 3) != NULL)
		return;
	top = (size_t)n;
	memcpy(folder + top, group, len);
	folder[top + len] = 0;
	for (char *slash;; *(slash != NULL ? slash : folder + top) = 0) {
		look_at_group(m, k, folder);
		if (folder[top] == 0)
			return;
		slash = strrchr(folder + top, '/');
	}
}

/* A line of /proc/self/cgroup: "0::/group", or "4:memory:/group" where the controllers are listed. */
static void
look_at_line(struct memory *m, const char *root, const char *line, size_t len)
{
	const char *list = memchr(line, ':', len),
	           *group = list ? memchr(list + 1, ':', len - (size_t)(list + 1 - line)) : NULL;
	size_t list_len;

	if (group == NULL)
		return;
	list_len = (size_t)(group - list - 1);
	group++;
	len -= (size_t)(group - line);
	if (list_len == 0)
		look_at_groups(m, &unified, root, group, len);
	else if (list_len >= 6 && memmem(list + 1, list_len, "memory", 6) != NULL)
		look_at_groups(m, &legacy, root, group, len);
}

void
memory_look(struct memory *m, const char *root)
{
	char path[PATH_MAX], text[TEXT_SIZE];
	uint64_t total, available;

	*m = (struct memory){0, 0};
	snprintf(path, sizeof path, "%s/proc/meminfo", root);
	if (!read_text(text, path) || !find_number(text, "MemTotal:", &total) ||
	        !find_number(text, "MemAvailable:", &available))
		return;
	*m = (struct memory){total << 10, available << 10};
	snprintf(path, sizeof path, "%s/proc/self/cgroup", root);
	if (memory_short(m) || !read_text(text, path))
		return;
	for (char *line = text, *end; *line != 0; line = end + (*end != 0)) {
		end = strchrnul(line, '\n');
		look_at_line(m, root, line, (size_t)(end - line));
	}
}

bool
memory_short(const struct memory *m)
{
	return m->total != 0 && m->available < m->total / 100 * MEMORY_SPARED_PERCENT;
}
