#include "mesh/programs.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* out = folder/name when that is a program. */
static int
try_folder(const char *folder, const char *name, char *out, size_t size)
{
	char path[PROGRAM_PATH_SIZE];
	struct stat st;
	int n = snprintf(path, sizeof path, "%s/%s", folder, name);
	if (n < 0 || (size_t)n >= sizeof path || (size_t)n >= size)
		return IM_ERR_LIMIT;
	if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || access(path, X_OK) < 0)
		return IM_ERR_ABSENT;
	memcpy(out, path, (size_t)n + 1);
	return 0;
}

int
program_find_from(const char *self, const char *fallback, const char *name, char *out, size_t size)
{
	static const char *const places[] = {"", "/../libexec/icemesh", "/../sbin", "/../../sbin"};
	const char *slash = strrchr(self, '/');
	char folder[PROGRAM_PATH_SIZE];
	for (size_t i = 0; slash && i < sizeof places / sizeof *places; i++) {
		int n = snprintf(
		        folder, sizeof folder, "%.*s%s", (int)(slash - self), self, places[i]);
		if (n >= 0 && (size_t)n < sizeof folder && try_folder(folder, name, out, size) == 0)
			return 0;
	}
	return try_folder(fallback, name, out, size);
}

int
program_find(const char *name, char *out, size_t size)
{
	char self[PROGRAM_PATH_SIZE];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	self[n > 0 ? n : 0] = 0;
	return program_find_from(self, IM_LIBEXECDIR, name, out, size);
}
