/*
 * Toolchains: compiler, assembler and what they need as one deterministic, content-addressed tar.lz4.
 *
 * Layout: an ustar/pax archive, entries sorted, times and owners zero, modes 0755/0644; the first entry is .icemesh/manifest
 * (exec/manifest.h), then the files at their own absolute paths (without the leading '/'), symbolic links as they are on the
 * packing machine as far as they lie on the way to a packed file.  Same packages give the same bytes on any machine.
 * Packing runs with the caller's rights (icemesh-exec pack); unpacking runs in the helper, inside hard limits.
 */
#ifndef EXEC_TOOLCHAIN_H
#define EXEC_TOOLCHAIN_H

#include "crypto/buf.h"
#include "crypto/digest.h"

#define TOOLCHAIN_FILES_MAX 20000         /* and as many folders */
#define TOOLCHAIN_DEPTH_MAX 48            /* folders in one another */
#define TOOLCHAIN_BYTES_MAX (3ULL << 30)  /* unpacked */
#define TOOLCHAIN_PACKED_MAX (1ULL << 30) /* the tar.lz4 */
#define TOOLCHAIN_RATIO_MAX 50            /* unpacked to packed */

/* Packs the compiler at `compiler` (absolute path, as found in PATH, links not resolved) into out_fd, and appends its witness
 * (exec/witness.h).  why (256 bytes) says what went wrong. */
int toolchain_pack(const char *compiler, int out_fd, struct buf *witness, char *why) IM_MUST;
/* Unpacks the archive in fd below the directory dir_fd, checking every entry against the manifest and the limits; leaves nothing that
 * counts on error (the caller removes the folder).  why (256 bytes) names the entry and the cause. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_DIGEST, IM_ERR_SYSTEM. */
int toolchain_unpack(int fd, int dir_fd, char *why) IM_MUST;

#endif
