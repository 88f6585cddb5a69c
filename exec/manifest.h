/*
 * The manifest of a toolchain: what it is, and every path in it with mode, size and digest.
 *
 * Text, the archive's first entry.  Header lines "name value", an empty line, then one line for each entry, sorted by path:
 *   icemesh-toolchain 1 / platform x86_64 / target x86_64-linux-gnu / driver /usr/bin/gcc / version gcc (...) 12.2.0 / library-path /opt/lib
 *   f 0755 1203 <64 hex digits> /usr/bin/gcc-12        l 0777 0 - /usr/bin/gcc gcc-12        d 0755 0 - /usr/lib/some
 * In paths and targets every byte but printable ASCII, and '%' and space, stands as %XX.  Text from a peer is hostile: the parser accepts
 * only what manifest_print writes, no entry lies beneath a file or a link, and no relative link leads above the root.
 */
#ifndef EXEC_MANIFEST_H
#define EXEC_MANIFEST_H

#include "crypto/buf.h"
#include "crypto/digest.h"

#define MANIFEST_NAME ".icemesh/manifest"
#define MANIFEST_LEN_MAX (8u << 20)
#define MANIFEST_PATH_MAX 1024 /* escaped */
#define MANIFEST_WORD_SIZE 64
#define MANIFEST_VERSION_SIZE 160
#define MANIFEST_LIBRARIES_SIZE 1024 /* colon-separated folders */

enum manifest_kind { MANIFEST_FILE = 'f', MANIFEST_LINK = 'l', MANIFEST_FOLDER = 'd' };

struct manifest_entry {
	enum manifest_kind kind;
	unsigned mode; /* 0755 or 0644; links 0777 */
	uint64_t size;
	struct digest digest; /* of a file */
	const char *path;     /* absolute */
	const char *target;   /* of a link, otherwise NULL */
};

struct manifest {
	char platform[MANIFEST_WORD_SIZE];       /* uname -m of the machines that can run it */
	char target[MANIFEST_WORD_SIZE];         /* what it compiles for; "" unknown */
	char driver[MANIFEST_PATH_MAX];          /* the compiler's path */
	char version[MANIFEST_VERSION_SIZE];     /* its first line of --version; "" unknown */
	char libraries[MANIFEST_LIBRARIES_SIZE]; /* LD_LIBRARY_PATH it needs; "" none */
	struct manifest_entry *entries;
	uint32_t n;
	uint64_t bytes; /* of all files */
	void *memory;   /* what manifest_fini frees besides entries */
};

/* Appends the text.  The entries must be sorted (strcmp of paths). */
int manifest_print(const struct manifest *m, struct buf *out) IM_MUST;
/* Parses exactly len bytes. IM_ERR_FORMAT, IM_ERR_VERSION, IM_ERR_LIMIT, IM_ERR_MEMORY; why (256 bytes) names the line. */
int manifest_parse(struct manifest *m, const void *text, size_t len, char *why) IM_MUST;
/* Frees what manifest_parse allocated. */
void manifest_fini(struct manifest *m);

#endif
