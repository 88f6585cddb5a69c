/*
 * Small files of the state folder: read whole with a bound, written whole and atomically.
 */
#ifndef MESH_FILES_H
#define MESH_FILES_H

#include <stdbool.h>
#include <sys/types.h>
#include "crypto/buf.h"

#define FILES_PATH_SIZE 1024

/* "dir/name" into out. IM_ERR_LIMIT when it does not fit. */
int files_path(char out[FILES_PATH_SIZE], const char *dir, const char *name) IM_MUST;
/* Appends the file's bytes to out (whose maximum bounds them). IM_ERR_ABSENT, IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int files_read(const char *path, struct buf *out) IM_MUST;
/* Temporary name, fsync, rename: after a crash there is the old content or the new one. IM_ERR_LIMIT (path), IM_ERR_SYSTEM. */
int files_write(const char *path, const void *bytes, size_t len, mode_t mode) IM_MUST;
/* Makes a folder and those above it; fine when there. IM_ERR_LIMIT, IM_ERR_SYSTEM (also when something else has that name). */
int files_mkdir(const char *path, mode_t mode) IM_MUST;
/* An unlinked file with this content in memory, offset 0; -1 without. */
int files_memory(const char *label, const void *bytes, size_t len);
/* True for a regular file of which no user decides how long a read takes: in memory, or on a file system that only root mounts. */
bool files_prompt(int fd);
/* Writes all bytes, whatever it takes. */
int files_write_all(int fd, const void *bytes, size_t len) IM_MUST;

#endif
