#include "mesh/files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

/* Not in every linux/magic.h. */
#define BCACHEFS_MAGIC 0xca451a4eUL
#define ZFS_MAGIC 0x2fc12fc1UL

int
files_path(char out[FILES_PATH_SIZE], const char *dir, const char *name)
{
	int n = snprintf(out, FILES_PATH_SIZE, "%s/%s", dir, name);
	return n < 0 || n >= FILES_PATH_SIZE ? IM_ERR_LIMIT : 0;
}

int
files_read(const char *path, struct buf *out)
{
	/* without waiting for the other end of something that is no file */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY), err = 0;
	if (fd < 0)
		return errno == ENOENT ? IM_ERR_ABSENT : IM_ERR_SYSTEM;
	for (;;) {
		uint8_t chunk[16384];
		ssize_t n = read(fd, chunk, sizeof chunk);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			err = IM_ERR_SYSTEM;
		if (n <= 0)
			break;
		buf_put(out, chunk, (size_t)n);
		if ((err = buf_err(out)) < 0)
			break;
	}
	close(fd);
	return err;
}

int
files_write_all(int fd, const void *bytes, size_t len)
{
	const char *p = bytes;
	while (len) {
		ssize_t n = write(fd, p, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return IM_ERR_SYSTEM;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

int
files_write(const char *path, const void *bytes, size_t len, mode_t mode)
{
	char temporary[FILES_PATH_SIZE + 16];
	int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return IM_ERR_LIMIT;
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return IM_ERR_SYSTEM;
	int err = files_write_all(fd, bytes, len);
	if (err == 0 && fsync(fd) < 0)
		err = IM_ERR_SYSTEM;
	if (close(fd) < 0 && err == 0)
		err = IM_ERR_SYSTEM;
	if (err == 0 && rename(temporary, path) < 0)
		err = IM_ERR_SYSTEM;
	if (err < 0)
		unlink(temporary);
	return err;
}

int
files_mkdir(const char *path, mode_t mode)
{
	char part[FILES_PATH_SIZE];
	size_t len = strlen(path);
	if (len == 0 || len >= sizeof part)
		return IM_ERR_LIMIT;
	memcpy(part, path, len + 1);
	while (len > 1 && part[len - 1] == '/')
		part[--len] = 0; /* else the last folder would count as one of those above */
	for (char *p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = 0;
		if (mkdir(part, 0755) < 0 && errno != EEXIST)
			return IM_ERR_SYSTEM;
		*p = '/';
	}
	if (mkdir(part, mode) == 0)
		return 0;
	struct stat st;
	if (errno != EEXIST || stat(part, &st) < 0)
		return IM_ERR_SYSTEM;
	errno = ENOTDIR;
	return S_ISDIR(st.st_mode) ? 0 : IM_ERR_SYSTEM;
}

bool
files_prompt(int fd)
{
	static const unsigned long roots_own[] = {EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC,
	        BTRFS_SUPER_MAGIC, F2FS_SUPER_MAGIC, BCACHEFS_MAGIC, ZFS_MAGIC};
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	if (fcntl(fd, F_GET_SEALS) >= 0)
		return true;
	if (fstatfs(fd, &fs) < 0)
		return false;
	for (size_t i = 0; i < sizeof roots_own / sizeof roots_own[0]; i++)
		if ((unsigned long)fs.f_type == roots_own[i])
			return true;
	return false;
}

int
files_memory(const char *label, const void *bytes, size_t len)
{
	int fd = memfd_create(label, MFD_CLOEXEC);
	if (fd < 0)
		return -1;
	if (files_write_all(fd, bytes, len) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}
