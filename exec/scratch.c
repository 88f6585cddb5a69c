#include "exec/scratch.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PATH_SIZE 4096
#define REMOVE_DEPTH_MAX 256

static int
open_how(int dir_fd, const char *path, uint64_t flags, unsigned mode)
{
	struct open_how how = {.flags = flags | O_CLOEXEC,
	        .mode = mode,
	        .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS |
	                   RESOLVE_NO_XDEV};

	return (int)syscall(SYS_openat2, dir_fd, path[0] == '\0' ? "." : path, &how, sizeof(how));
}

static int
open_beneath(int dir_fd, const char *path, uint64_t flags, unsigned mode)
{
	return open_how(dir_fd, path, flags | O_NOFOLLOW, mode);
}

/* Opens the folder that path stands in, which exists; *name is the rest. The descriptor or IM_ERR_SYSTEM. */
static int
open_parent(int dir_fd, const char *path, const char **name)
{
	char parent[PATH_SIZE];
	const char *slash = strrchr(path, '/');
	int fd;

	if (scratch_folder_of(path, parent, sizeof(parent)) != 0)
		return IM_ERR_SYSTEM;
	fd = open_beneath(dir_fd, parent, O_PATH | O_DIRECTORY, 0);
	*name = slash == NULL ? path : slash + 1;
	return fd < 0 ? IM_ERR_SYSTEM : fd;
}

/* One folder whose parent exists. */
static int
make_folder(int dir_fd, const char *path)
{
	const char *name;
	int r = 0, fd = open_parent(dir_fd, path, &name);

	if (fd < 0)
		return fd;
	if (mkdirat(fd, name, 0755) != 0 && errno != EEXIST)
		r = IM_ERR_SYSTEM;
	close(fd);
	return r;
}

int
scratch_folder(int dir_fd, const char *path)
{
	char part[PATH_SIZE];
	size_t len = strlen(path);
	int fd = open_beneath(dir_fd, path, O_PATH | O_DIRECTORY, 0);

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (errno != ENOENT || len >= sizeof(part))
		return IM_ERR_SYSTEM;
	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (make_folder(dir_fd, part) != 0)
			return IM_ERR_SYSTEM;
	}
	return 0;
}

int
scratch_folder_of(const char *path, char *out, unsigned size)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);

	if (len >= size)
		return IM_ERR_LIMIT;
	memcpy(out, path, len);
	out[len] = '\0';
	return 0;
}

int
scratch_parent(int dir_fd, const char *path)
{
	char parent[PATH_SIZE];
	int r = scratch_folder_of(path, parent, sizeof(parent));

	return r != 0 ? r : scratch_folder(dir_fd, parent);
}

int
scratch_create(int dir_fd, const char *path, unsigned mode)
{
	int fd, r = scratch_parent(dir_fd, path);

	if (r != 0)
		return r;
	fd = open_beneath(dir_fd, path, O_WRONLY | O_CREAT | O_EXCL, mode);
	return fd < 0 ? IM_ERR_SYSTEM : fd;
}

int
scratch_copy(int dir_fd, const char *path, unsigned mode, int from_fd, uint64_t max)
{
	struct stat st;
	off_t at = 0;
	int fd, r = 0;

	if (fstat(from_fd, &st) != 0)
		return IM_ERR_SYSTEM;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > max)
		return IM_ERR_LIMIT;
	fd = scratch_create(dir_fd, path, mode);
	if (fd < 0)
		return fd;
	while (at < st.st_size) {
		ssize_t n = sendfile(fd, from_fd, &at, (size_t)(st.st_size - at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			r = IM_ERR_SYSTEM;
			break;
		}
	}
	if (r == 0 && fchmod(fd, mode) != 0)
		r = IM_ERR_SYSTEM;
	close(fd);
	return r;
}

int
scratch_link(int dir_fd, const char *path, const char *target)
{
	const char *name;
	int fd, r = scratch_parent(dir_fd, path);

	if (r != 0)
		return r;
	fd = open_parent(dir_fd, path, &name);
	if (fd < 0)
		return fd;
	if (symlinkat(target, fd, name) != 0)
		r = IM_ERR_SYSTEM;
	close(fd);
	return r;
}

int
scratch_twin(int dir_fd, const char *path, const char *of)
{
	const char *name, *of_name;
	int fd, from = -1, r = scratch_parent(dir_fd, path);

	if (r != 0)
		return r;
	fd = open_parent(dir_fd, path, &name);
	if (fd >= 0)
		from = open_parent(dir_fd, of, &of_name);
	if (from < 0 || linkat(from, of_name, fd, name, 0) != 0)
		r = IM_ERR_SYSTEM;
	if (from >= 0)
		close(from);
	if (fd >= 0)
		close(fd);
	return r;
}

int
scratch_date(int dir_fd, const char *path, int64_t mtime_s)
{
	struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)mtime_s}};
	const char *name;
	int r = 0, fd = open_parent(dir_fd, path, &name);

	if (fd < 0)
		return fd;
	if (utimensat(fd, name, times, AT_SYMLINK_NOFOLLOW) != 0)
		r = IM_ERR_SYSTEM;
	close(fd);
	return r;
}

int
scratch_stat(int dir_fd, const char *path, struct stat *st)
{
	int r, fd = open_beneath(dir_fd, path, O_PATH, 0);

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return IM_ERR_ABSENT;
		return errno == ELOOP ? IM_ERR_REFUSED : IM_ERR_SYSTEM;
	}
	r = fstat(fd, st) == 0 ? 0 : IM_ERR_SYSTEM;
	close(fd);
	return r;
}

bool
scratch_crosses(int dir_fd, const char *path)
{
	int fd = open_how(dir_fd, path, O_PATH, 0);

	if (fd < 0)
		return errno == ELOOP;
	close(fd);
	return false;
}

bool
scratch_links_to(int dir_fd, const char *path, const char *target)
{
	char is[PATH_SIZE];
	size_t len = strlen(target);
	int fd = open_beneath(dir_fd, path, O_PATH, 0);
	ssize_t n;

	if (fd < 0)
		return false;
	n = readlinkat(fd, "", is, sizeof(is));
	close(fd);
	return n >= 0 && (size_t)n == len && memcmp(is, target, len) == 0;
}

int
scratch_collect(int dir_fd, const char *path, int *out_fd, uint64_t *size)
{
	struct stat st;
	int fd = open_beneath(dir_fd, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);

	if (fd < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return IM_ERR_ABSENT;
		return errno == ELOOP || errno == EXDEV || errno == EACCES || errno == ENXIO
		               ? IM_ERR_REFUSED
		               : IM_ERR_SYSTEM;
	}
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		close(fd);
		return IM_ERR_REFUSED;
	}
	*out_fd = fd;
	*size = (uint64_t)st.st_size;
	return 0;
}

/* Empties the folder behind fd, which it takes over. */
static int
empty_folder(int fd, int depth)
{
	DIR *d = fdopendir(fd);
	struct dirent *e;
	int r = 0;

	if (d == NULL) {
		close(fd);
		return IM_ERR_SYSTEM;
	}
	while (r == 0 && (e = readdir(d)) != NULL) {
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(d), e->d_name, 0) == 0)
			continue;
		if (errno != EISDIR && errno != EPERM)
			r = IM_ERR_SYSTEM;
		else if (depth >= REMOVE_DEPTH_MAX)
			r = IM_ERR_LIMIT;
		else {
			int below = openat(dirfd(d), e->d_name,
			        O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

			r = below < 0 ? IM_ERR_SYSTEM : empty_folder(below, depth + 1);
			if (r == 0 && unlinkat(dirfd(d), e->d_name, AT_REMOVEDIR) != 0)
				r = IM_ERR_SYSTEM;
		}
	}
	closedir(d);
	return r;
}

int
scratch_remove(int dir_fd, const char *name)
{
	int r, fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : IM_ERR_SYSTEM;
	r = empty_folder(fd, 0);
	if (r == 0 && unlinkat(dir_fd, name, AT_REMOVEDIR) != 0)
		r = IM_ERR_SYSTEM;
	return r;
}
