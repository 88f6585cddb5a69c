/*
 * The little that packing wants to know of an executable: for which machine it is and which program interpreter it asks for.
 *
 * Reads headers only, every offset checked against the file's size; the file may be anything.
 */
#ifndef EXEC_ELF_H
#define EXEC_ELF_H

#include "crypto/err.h"

#define ELF_INTERPRETER_SIZE 256

struct elf {
	const char *platform;                   /* as uname -m says it; static storage */
	char interpreter[ELF_INTERPRETER_SIZE]; /* "" for a static program */
};

/* Looks at the file behind fd. IM_ERR_FORMAT (not ELF), IM_ERR_REFUSED (a script: "#!"), IM_ERR_UNSUPPORTED (another byte order or an unknown
 * machine), IM_ERR_SYSTEM. */
int elf_look(int fd, struct elf *out) IM_MUST;

#endif
