/*
 * The witness of a packed toolchain: which files of this machine went into it, so that an upgraded compiler, assembler or
 * library is noticed before the next compile.
 *
 * Encoded as a packet {1: version 1, 2: array of {1: path, 2: size, 3: mtime ns, 4: inode, 5: 1 for a symbolic link (lstat)}}.
 */
#ifndef EXEC_WITNESS_H
#define EXEC_WITNESS_H

#include "crypto/buf.h"

#define WITNESS_LEN_MAX (96 * 1024)
#define WITNESS_FILES_MAX 1024

struct witness_file {
	const char *path;
	int link;
};

/* Looks at each file and appends the encoding. IM_ERR_SYSTEM when one is not there. */
int witness_make(const struct witness_file *files, uint32_t n, struct buf *out) IM_MUST;
/* 0 when every file is as it was; IM_ERR_ABSENT when one changed or went (changed receives its path); IM_ERR_FORMAT. */
int witness_check(const void *bytes, size_t len, char *changed, size_t size) IM_MUST;

#endif
