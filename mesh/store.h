/*
 * The store: toolchains by digest, and which compiler of which user was packed into which toolchain.
 *
 *   store_dir/tarballs/<hex>.tar.lz4 and .minisig   what was packed here or came from a peer, digest and signature checked
 *   store_dir/toolchains/<hex>/                     unpacked by the helper (its rename makes it count)
 *   store_dir/tmp/                                  in transit; emptied at start
 *   state_dir/compilers                             packet {1: array of {1: uid, 2: path, 3: digest, 4: witness}}
 *
 * A compiler entry is only ever used for the user who packed it: one user must not choose another's compiler.
 */
#ifndef MESH_STORE_H
#define MESH_STORE_H

#include <sys/types.h>
#include "crypto/digest.h"
#include "mesh/node.h"

#define STORE_TOOLCHAINS_MAX 256
#define STORE_COMPILERS_MAX 512

struct store;

struct toolchain {
	struct digest digest;
	uint64_t size; /* of the tarball; 0 when only the unpacked tree is here */
	uint64_t tree; /* bytes of the unpacked tree, by its manifest; 0 without one */
	bool tarball, unpacked;
	bool unpacking; /* the helper is at it */
	bool dropping;  /* the helper removes the tree; the entry goes with it */
	bool failed;    /* could not be unpacked here; not tried again until restart */
	char signer[NAME_SIZE];
	struct node_id signer_id;
	uint64_t used_ms; /* monotonic; 0: not since start */
};

struct compiler {
	uid_t uid;
	char *path;
	struct digest digest;
	uint8_t *witness;
	size_t witness_len;
};

/* Makes the folders and reads what is there. why: 256 bytes. */
struct store *store_open(struct node *n, char *why);
void store_free(struct store *s);

struct toolchain *store_find(struct store *s, const struct digest *d);
struct toolchain *store_add(
        struct store *s, const struct digest *d); /* existing or new; NULL when the store is full */
struct toolchain *store_at(struct store *s, unsigned i); /* NULL at the end */
/* How many, and bytes in tarballs and trees; what is being removed does not count any more. */
void store_usage(const struct store *s, uint64_t *bytes, unsigned *toolchains);
/* Bytes that the files in transit may still come to. */
uint64_t store_transit(const struct store *s);
/* Removes the tarball, its signature and the compilers that were packed into it; they are packed anew when they are used. */
void store_drop_tarball(struct store *s, struct toolchain *t);
/* Forgets a toolchain of which nothing is left. */
void store_remove(struct store *s, const struct digest *d);
/* Notes that the tree is here, and its size. */
void store_unpacked(struct store *s, struct toolchain *t);
/* Opens the tarball for reading. */
int store_tarball(struct store *s, const struct digest *d, int *fd) IM_MUST;
/* Appends the signature file's text. */
int store_signature(struct store *s, const struct digest *d, struct buf *text) IM_MUST;

/* A file in transit: content is added in pieces, then kept under its name or thrown away.  The name counts only after
 * everything has been checked and written through. */
struct store_file;
struct store_file *store_file_new(
        struct store *s, uint64_t max); /* NULL: no room, errno says why */
int store_file_add(struct store_file *f, const void *bytes,
        size_t len) IM_MUST; /* IM_ERR_LIMIT, IM_ERR_SYSTEM */
/* Digest, size and prehash of all that was added. */
void store_file_sum(struct store_file *f, struct digest *d, uint64_t *size, uint8_t *prehash);
/* Keeps it as the tarball `d` with its signature text; frees f. */
int store_file_keep(struct store_file *f, const struct digest *d, const char *sig) IM_MUST;
void store_file_drop(struct store_file *f); /* NULL is allowed */

const struct compiler *store_compiler(struct store *s, uid_t uid, const char *path);
int store_set_compiler(struct store *s, uid_t uid, const char *path, const struct digest *d,
        const void *witness, size_t len) IM_MUST;
/* Some compiler that was packed into d, for lists; NULL when none. */
const struct compiler *store_compiler_of(struct store *s, const struct digest *d);

#endif
