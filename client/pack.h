/*
 * Packing a compiler: runs `icemesh-exec pack` with the caller's rights and keeps the tarball in an unlinked file.
 *
 * The helper is a process of its own so that the wrapper stays small; what it writes on standard error becomes the cause.
 */
#ifndef CLIENT_PACK_H
#define CLIENT_PACK_H

#include "crypto/buf.h"

#define PACK_WHY_SIZE 512

struct pack {
	int fd;             /* the tar.lz4, at offset 0; no name, gone when closed */
	struct buf witness; /* exec/witness.h */
};

/* Packs the compiler at an absolute path. On error why receives the cause. Blocks for some seconds; a signal that kills this process
 * kills the helper, too. IM_ERR_ABSENT (no icemesh-exec), IM_ERR_SYSTEM, IM_ERR_REFUSED (the helper failed), IM_ERR_LIMIT. */
int pack_compiler(struct pack *out, const char *compiler, char why[PACK_WHY_SIZE]) IM_MUST;
/* The same with a given helper program: for tests. */
int pack_with(struct pack *out, const char *helper, const char *compiler,
        char why[PACK_WHY_SIZE]) IM_MUST;
void pack_fini(struct pack *p);

#endif
