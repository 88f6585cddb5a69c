/*
 * Paths below a folder that hostile bytes name: the files of a job's scratch, the files of a toolchain.
 *
 * Every look-up is beneath the folder and follows no symbolic link (openat2), so nothing that stands there can lead out.
 * Paths here are relative: a client's path without its leading '/'.
 */
#ifndef EXEC_SCRATCH_H
#define EXEC_SCRATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "crypto/err.h"

/* Makes folder `path` and those above it (0755); those that exist are fine. "" is the folder itself. IM_ERR_SYSTEM. */
int scratch_folder(int dir_fd, const char *path) IM_MUST;
/* Makes the folders above `path`. IM_ERR_SYSTEM. */
int scratch_parent(int dir_fd, const char *path) IM_MUST;
/* A new empty file there, which must not exist, for writing; the folders above are made. The descriptor, or IM_ERR_SYSTEM. */
int scratch_create(int dir_fd, const char *path, unsigned mode) IM_MUST;
/* A new file with the content of from_fd (from offset 0 to its end, at most max bytes). IM_ERR_LIMIT, IM_ERR_SYSTEM. */
int scratch_copy(int dir_fd, const char *path, unsigned mode, int from_fd, uint64_t max) IM_MUST;
/* A new symbolic link there; the folders above are made. IM_ERR_SYSTEM. */
int scratch_link(int dir_fd, const char *path, const char *target) IM_MUST;
/* A second name `path` for the file at `of`; the folders above are made. IM_ERR_SYSTEM. */
int scratch_twin(int dir_fd, const char *path, const char *of) IM_MUST;
/* Sets the modification time, to the second, of what stands there. IM_ERR_SYSTEM. */
int scratch_date(int dir_fd, const char *path, int64_t mtime_s) IM_MUST;
/* lstat of what stands there. IM_ERR_ABSENT, IM_ERR_REFUSED (a link is on the way), IM_ERR_SYSTEM. */
int scratch_stat(int dir_fd, const char *path, struct stat *st) IM_MUST;
/* True when a symbolic link stands on the way to path, or there. */
bool scratch_crosses(int dir_fd, const char *path);
/* True when a symbolic link to target stands there, and none on the way. */
bool scratch_links_to(int dir_fd, const char *path, const char *target);
/* Opens for reading what a job left at `path`: *out_fd and *size only for a regular file with one link. IM_ERR_ABSENT when there is
 * nothing, IM_ERR_REFUSED for anything else (link, folder, FIFO), IM_ERR_SYSTEM. */
int scratch_collect(int dir_fd, const char *path, int *out_fd, uint64_t *size) IM_MUST;
/* Removes the folder `name` in dir_fd with all below it, following no link. IM_ERR_SYSTEM. */
int scratch_remove(int dir_fd, const char *name) IM_MUST;
/* The part of path before its last '/', into out (size bytes); "" when there is none. IM_ERR_LIMIT. */
int scratch_folder_of(const char *path, char *out, unsigned size) IM_MUST;

#endif
