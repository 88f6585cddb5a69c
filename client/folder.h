/*
 * Folders, and what stands under names in them, as one job meets them.
 *
 * Names are walked as the kernel does: component by component, through symbolic links, ".." to
 * the physical parent.  Each name of each folder is looked at once in a job.  That a name is
 * not there is remembered in the graph for later jobs when the folder's times tell whether one
 * was added since: on a file system whose folders keep them, and not changed in the last two
 * seconds.
 */
#ifndef CLIENT_FOLDER_H
#define CLIENT_FOLDER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>
#include "client/absent.h"
#include "client/graph.h"
#include "client/pool.h"

#define FOLDER_WHY_SIZE 256
#define FOLDER_LINKS_MAX 40 /* one behind the other, as the kernel's limit */
#define FOLDER_HANDLE_FROM \
	6 /* names in a folder from which on a descriptor pays: shorter walks in the kernel */

/* What tells whether a file is still the one it was. */
struct identity {
	uint64_t dev, ino, size;
	int64_t mtime_ns, ctime_ns;
};

void identity_of(struct identity *id, const struct stat *st);
bool identity_equal(const struct identity *a, const struct identity *b);

enum name_kind { NAME_ABSENT, NAME_FOLDER, NAME_FILE, NAME_LINK, NAME_OTHER };

/* A name in a folder. */
struct name {
	struct folder *in;
	struct folder *folder; /* NAME_FOLDER: itself */
	const char *text;      /* "" for the root */
	const char *target;    /* NAME_LINK */
	struct name *end;      /* NAME_LINK: where the last link leads, once known */
	struct name *next;     /* in the table of names, or of its folder's */
	struct identity id;    /* NAME_FILE, NAME_LINK, NAME_OTHER */
	uint64_t hash;
	uint32_t len;
	uint32_t mode; /* permissions */
	uint32_t node; /* for the table's owner; 0 at first */
	uint8_t kind;  /* enum name_kind */
	bool noted;    /* a link or folder that the view must have */
	bool known;    /* NAME_ABSENT: by the graph */
	bool late;     /* looked for after the first folders_save() */
};

struct folder {
	struct folder *parent; /* of the root: itself */
	struct folder *next;   /* in order of discovery */
	struct name *self;
	const char *path; /* physical */
	struct absent absent;
	struct identity id;
	struct name *names; /* looked at in it before the last folders_save(), the newest first */
	uint32_t path_len;  /* 0 for the root: what stands before "/name" */
	uint32_t new_count; /* absent ones among those looked at since */
	int handle;         /* O_PATH, while many names are looked at in it; -1: none */
	uint8_t probes;     /* names looked at without it */
	bool trusted;       /* its times tell when a name was added */
	bool young;         /* builds work in it, and its times tell nothing to the next one */
	bool relied;        /* some name counts as absent because of its times */
	bool steady; /* its file system is one whose attributes are known without opening a file */
};

struct folders {
	struct pool pool;
	struct graph *graph;
	struct name **names; /* hash table */
	size_t names_mask, nnames;
	struct folder *root, **tail;
	struct name **noted; /* links and folders, in order */
	uint32_t nnoted, noted_cap;
	int64_t now_ns;      /* when the job began */
	uint64_t steady_dev; /* the last device asked about */
	int steady_known;    /* -1: none yet */
	unsigned depth;
	unsigned handles; /* open ones */
	bool saved;       /* folders_save() was called */
	char *why;        /* the caller's, FOLDER_WHY_SIZE */
};

/* graph and why are borrowed; now_ns: CLOCK_REALTIME. IM_ERR_SYSTEM, IM_ERR_MEMORY. */
int folders_init(struct folders *t, struct graph *g, int64_t now_ns, char *why) IM_MUST;
void folders_fini(struct folders *t);
/* What stands at the path `text` from the folder; its last component is not followed. *out is
 * NULL when nothing does. Links and folders that the path needs are noted. IM_ERR_REFUSED (why:
 * cannot be told), IM_ERR_UNSUPPORTED (why: it leads through /proc), IM_ERR_MEMORY. */
int folders_walk(struct folders *t, struct folder *from, const char *text, size_t len,
        struct name **out) IM_MUST;
/* The hash of the path's first component, for folders_lacks(); 0 when the path is empty or begins
 * with '/' or '.'. */
uint64_t folders_first(const char *text, size_t len);
/* True when it is already known that a path with this first component leads nowhere from the
 * folder; says so without looking at the disk, and never of a young folder. */
bool folders_lacks(struct folder *from, uint64_t first);
/* The next thing behind a link, not followed further; NULL when nothing stands there. */
int folders_follow(struct folders *t, struct name *link, struct name **out) IM_MUST;
/* What stands behind the last of the links; NULL when nothing does, or only behind too many
 * links. */
int folders_end(struct folders *t, struct name *link, struct name **out) IM_MUST;
/* Notes a link or folder as one that the view must have. */
int folders_note(struct folders *t, struct name *n) IM_MUST;
/* Writes the name's path; IM_ERR_REFUSED when it is none for a view (too long, control
 * characters). */
int folders_path(struct folders *t, const struct name *n, char **out) IM_MUST;
/* Closes the descriptors of folders, which would keep their file systems busy; more names may be looked at later. */
void folders_release(struct folders *t);
/* Puts into the graph which names turned out to be absent.  What is looked for after that is looked for on the disk again, except for
 * these. */
int folders_save(struct folders *t) IM_MUST;

#endif
