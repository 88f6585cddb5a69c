/*
 * The input set of one compile: every file that it may open, with digests; the closure of the
 * source over its includes.
 *
 * Follows every operand that the scanner (exec/includes.h) finds in any file, whatever #if it
 * stands under, and takes the name from every folder of the search path, not only from the
 * first: it may hold files that the compile never opens, but not lack one it would open.  Names
 * are resolved as the kernel does, through symbolic links and "..", and noted under their
 * physical path; links and folders on the way are noted too.  What is known of files (by size,
 * mtime, ctime, inode, device) and of names that are not there (by the folder's mtime and
 * ctime) comes from the graph when it still holds, with one lstat for each file and folder.
 */
#ifndef CLIENT_INPUTS_H
#define CLIENT_INPUTS_H

#include <sys/types.h>
#include "client/graph.h"
#include "client/search.h"
#include "crypto/digest.h"
#include "exec/includes.h"

#define INPUTS_FILES_MAX 12000
#define INPUTS_BYTES_MAX (512ULL << 20)

struct inputs_file {
	const char *path; /* physical: no link in its folders */
	/* It is a symbolic link with this text; then it has one follower, and no digest. */
	const char *target;
	struct digest digest;
	uint64_t size;
	int64_t mtime_s;
	dev_t dev;
	ino_t ino;
	uint32_t mode;           /* 0644 or 0755 */
	uint32_t flags;          /* enum include_flag */
	const uint32_t *follows; /* indices of the files that its operands, or its link, lead to */
	uint32_t nfollows;
};

/* A symbolic link to a folder, or a folder that must exist: met on the way. */
struct inputs_place {
	const char *path;
	const char *target; /* NULL: a folder */
};

struct inputs {
	const struct inputs_file *files; /* files[0] is the source, then the forced ones */
	uint32_t nfiles;
	const struct inputs_place *places;
	uint32_t nplaces;
	uint32_t flags; /* enum include_flag of all files together */
	void *memory;
};

struct inputs_request {
	const char *cwd;    /* logical, absolute: $PWD or getcwd(); its links are noted too */
	const char *source; /* as written */
	const struct search *search;
	struct graph *graph;
	/* Further folders, as spelled, whose links and places are noted: those of the outputs. */
	const char *const *also;
	unsigned nalso;
	/* Files that options name, as spelled, which are read as data; they need not be there. */
	const char *const *data;
	unsigned ndata;
	int64_t now_ns; /* CLOCK_REALTIME; 0: asked for */
};

/* IM_ERR_REFUSED: undecided, or something that cannot stand in a view (why, 256 bytes, which live as long as the set: file and
 * cause); IM_ERR_EXISTS: a precompiled header that cannot travel would be
 * taken; IM_ERR_UNSUPPORTED: it reads standard input or /proc; IM_ERR_ABSENT: the source is not there; IM_ERR_LIMIT; IM_ERR_SYSTEM; IM_ERR_MEMORY. */
int inputs_find(struct inputs *in, const struct inputs_request *q, char *why) IM_MUST;
void inputs_fini(struct inputs *in);
/* True when `path` (absolute, as the compile spelled it) lies below the working directory or a search folder: what stands there is
 * an input, elsewhere it is the compiler's own affair (client/probes.h). */
bool inputs_cover(const struct inputs *in, const char *path);
/* True when something stands at `path` (absolute, as the compile spelled it) on this disk, now,
 * and it is not of the few names that do not matter (dynamic loader, locales, what a driver asks
 * for in case it has to link): then the peer should have had it. */
bool inputs_lacks(struct inputs *in, const char *path);
/* Puts into the graph what inputs_lacks() found out. */
void inputs_keep(struct inputs *in);

#endif
