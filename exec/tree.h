/*
 * A tree: files, folders and links at a client's own absolute paths; part of a job's input set.
 *
 * Trees that many jobs share are blobs, named by the digest of their encoding: a peer lays each out on its disk once and puts it under
 * the root of every job that names it.  What only one job needs is that job's own tree and travels inside the job.
 *
 * Encoded as a packet {1: version 1, 2: array of entries, sorted by path in byte order, each path once}
 *   entry {1: path, 2: kind, 3: mode (files), 4: digest, 5: size (files), 6: target (links, twins), 7: mtime s (files, absent: 0)}
 * Folders above an entry are implied, and so is "/".  A path below a file, link or twin is refused, as is a twin whose target is no file before or
 * behind it in the same tree.
 */
#ifndef EXEC_TREE_H
#define EXEC_TREE_H

#include "crypto/buf.h"
#include "crypto/digest.h"

#define TREE_ENTRIES_MAX 16384
#define TREE_LEN_MAX (2u << 20)      /* encoded */
#define TREE_TARGET_MAX 4096         /* bytes of a link's target */
#define TREE_FILE_MAX (256ULL << 20) /* bytes of one file */

enum tree_kind {
	TREE_FOLDER = 0,
	TREE_FILE = 1,
	TREE_LINK =
	        2, /* symbolic; the target is any text without control characters and is never followed outside a sandbox */
	TREE_TWIN = 3 /* a hard link: the same file as the entry whose path is `target` */
};

struct tree_entry {
	const char *path; /* job_path_ok() (exec/job.h), but not "/" */
	const char *target;
	struct digest digest;
	uint64_t size;
	int64_t mtime_s; /* 0: does not matter; never negative */
	uint32_t mode;   /* 0644 or 0755 */
	uint8_t kind;    /* enum tree_kind */
};

struct tree {
	struct tree_entry *entries;
	uint32_t n;
	void *memory; /* what tree_fini frees; NULL when the entries are the caller's */
};

/* Sorts the entries by path; for makers of trees. */
void tree_sort(struct tree *t);
/* Appends the encoding of sorted entries: one tree has one encoding. IM_ERR_FORMAT (not sorted, or a negative time), IM_ERR_LIMIT,
 * IM_ERR_MEMORY; what was appended is then of no use. */
int tree_encode(const struct tree *t, struct buf *out) IM_MUST;
/* Decodes and checks everything said above. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION, IM_ERR_MEMORY. */
int tree_decode(struct tree *t, const void *bytes, size_t len) IM_MUST;
void tree_fini(struct tree *t);

#endif
