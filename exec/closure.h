/*
 * The closure of files that a program needs at run time: itself, its shared libraries, and the symbolic links on the way to each.
 *
 * Everything is found by asking: the program interpreter lists the libraries.  Folders are implied by what stands in them, but for those that a
 * path enters and leaves again through "..".
 */
#ifndef EXEC_CLOSURE_H
#define EXEC_CLOSURE_H

#include "exec/elf.h"
#include "exec/manifest.h"

#define CLOSURE_FILES_MAX 512 /* each has its entry in the witness */

struct closure {
	struct manifest_entry entries
	        [CLOSURE_FILES_MAX]; /* path and target owned; size and digest not filled in */
	uint32_t n;
	char libraries
	        [MANIFEST_LIBRARIES_SIZE]; /* folders that only the loader's cache or environment names; colon-separated */
	char *why;                         /* the caller's 256 bytes */
};

void closure_init(struct closure *c, char *why);
void closure_fini(struct closure *c);
/* Adds the file at the absolute path and the links on the way. IM_ERR_ABSENT (not there, no regular file), IM_ERR_LIMIT, IM_ERR_MEMORY, IM_ERR_SYSTEM. */
int closure_add_file(struct closure *c, const char *path) IM_MUST;
/* The same for each regular file directly in the folder; none when it is not there. */
int closure_add_folder(struct closure *c, const char *path) IM_MUST;
/* Adds an ELF program, its interpreter and all its shared libraries; elf receives what it is. Also IM_ERR_FORMAT, IM_ERR_REFUSED, IM_ERR_UNSUPPORTED. */
int closure_add_program(struct closure *c, const char *path, struct elf *elf) IM_MUST;
/* Sorts by path. */
void closure_sort(struct closure *c);

#endif
