#include "client/tools.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

_Static_assert(TOOLS_PATH_SIZE >= PATH_MAX, "realpath's result fits");

/* *st: what stands there, when it is one. */
static bool
is_program(const char *path, struct stat *st)
{
	return stat(path, st) == 0 && S_ISREG(st->st_mode) && access(path, X_OK) == 0;
}

/* out = folder/name when that is a program. */
static int
try_folder(const char *folder, size_t folder_len, const char *name, char *out, size_t size)
{
	char path[TOOLS_PATH_SIZE];
	int n = snprintf(path, sizeof path, "%.*s/%s", (int)folder_len, folder, name);
	struct stat st;

	if (n < 0 || (size_t)n >= sizeof path || (size_t)n >= size)
		return IM_ERR_LIMIT;
	if (!is_program(path, &st))
		return IM_ERR_ABSENT;
	memcpy(out, path, (size_t)n + 1);
	return 0;
}

bool
tools_is_wrapper(const char *path)
{
	char *real = realpath(path, NULL);
	const char *base = real != NULL ? strrchr(real, '/') : NULL;
	bool ours = base != NULL &&
	            (strcmp(base, "/icemesh-cc") == 0 || strcmp(base, "/icemesh-c++") == 0);

	free(real);
	return ours;
}

static int
take_as_written(const char *name, char *out, size_t size)
{
	char folder[PATH_MAX] = "";
	struct stat st;
	int n;

	if (!is_program(name, &st))
		return IM_ERR_ABSENT;
	if (tools_is_wrapper(name))
		return IM_ERR_REFUSED;
	if (name[0] != '/' && getcwd(folder, sizeof folder) == NULL)
		return errno == ERANGE ? IM_ERR_LIMIT : IM_ERR_ABSENT;
	n = snprintf(out, size, "%s%s%s", folder, folder[0] != 0 ? "/" : "", name);
	return n > 0 && (size_t)n < size ? 0 : IM_ERR_LIMIT;
}

int
tools_compiler(const char *name, const char *path, char *out, size_t size)
{
	char found[TOOLS_PATH_SIZE];
	const char *next;
	size_t len;

	if (strchr(name, '/') != NULL)
		return take_as_written(name, out, size);
	if (path == NULL)
		path = getenv("PATH");
	if (path == NULL || name[0] == 0)
		return IM_ERR_ABSENT;
	for (; path != NULL; path = next) {
		next = strchr(path, ':');
		len = next != NULL ? (size_t)(next - path) : strlen(path);
		next = next != NULL ? next + 1 : NULL;
		/* a relative folder would name another compiler in each working directory */
		if (path[0] != '/' || try_folder(path, len, name, found, sizeof found) != 0)
			continue;
		if (tools_is_wrapper(found))
			continue;
		len = strlen(found);
		if (len >= size)
			return IM_ERR_LIMIT;
		memcpy(out, found, len + 1);
		return 0;
	}
	return IM_ERR_ABSENT;
}

/* The first program of that name in PATH, as the C library would start it: relative and empty elements count. */
static bool
find_first(const char *name, const char *path, struct stat *st)
{
	char file[TOOLS_PATH_SIZE];

	for (;; path++) {
		size_t len = strcspn(path, ":");
		int n = snprintf(
		        file, sizeof file, "%.*s%s%s", (int)len, path, len > 0 ? "/" : "", name);

		if (n > 0 && (size_t)n < sizeof file && is_program(file, st))
			return true;
		path += len;
		if (*path == '\0')
			return false;
	}
}

bool
tools_same(const char *name, const char *path)
{
	const char *own = getenv("PATH");
	struct stat here = {0}, there = {0};
	bool found = find_first(name, own != NULL ? own : path, &here);

	if (find_first(name, path, &there) != found)
		return false;
	return !found || (here.st_dev == there.st_dev && here.st_ino == there.st_ino);
}
