/* A private folder for one test, removed with all that is in it; the test's working directory
 * while it lives. */
#ifndef TESTS_SCRATCH_H
#define TESTS_SCRATCH_H

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static inline int
scratch_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

/* Makes the folder and enters it; cwd receives its absolute path without links. */
static inline int
scratch_enter(char cwd[PATH_MAX])
{
	char name[] = "/tmp/icemesh-test-XXXXXX";

	if (!mkdtemp(name) || chdir(name) < 0 || !getcwd(cwd, PATH_MAX))
		return -1;
	return 0;
}

static inline int
scratch_leave(const char *cwd)
{
	return chdir("/") < 0 ? -1 : nftw(cwd, scratch_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static inline int
scratch_write(const char *path, const void *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	int r = fd < 0 || write(fd, bytes, len) != (ssize_t)len ? -1 : 0;

	if (fd >= 0)
		close(fd);
	return r;
}

static inline int
scratch_text(const char *path, const char *text)
{
	return scratch_write(path, text, strlen(text), 0644);
}

/* The file's bytes, for free(); NULL when it is not there. */
static inline char *
scratch_read(const char *path, size_t *len)
{
	FILE *f = fopen(path, "re");
	char *bytes = NULL;
	long size;

	if (!f)
		return NULL;
	if (fseek(f, 0, SEEK_END) == 0 && (size = ftell(f)) >= 0 &&
	        (bytes = malloc((size_t)size + 1))) {
		rewind(f);
		*len = fread(bytes, 1, (size_t)size, f);
		bytes[*len] = 0;
	}
	fclose(f);
	return bytes;
}

#endif
