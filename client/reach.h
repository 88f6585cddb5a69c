/*
 * The closure of a source over its includes, while it grows: files, which of them leads to
 * which, and what is still to be looked at.
 *
 * A file is taken once for each folder through which it is reached, since that is where the
 * compiler looks first for what it includes in quotes; a symbolic link to a file is a node of
 * its own in front of its target.
 */
#ifndef CLIENT_REACH_H
#define CLIENT_REACH_H

#include "client/facts.h"
#include "client/folder.h"
#include "client/inputs.h"

#define REACH_EDGES_MAX (4u << 20)

/* A file or a link to one. */
struct node {
	struct name *name;
	const char *path;
	struct facts facts;    /* of a file */
	struct place *reached; /* the folders it was reached through */
	uint32_t index;
};

struct place {
	struct folder *folder;
	struct place *next;
};

struct edge {
	uint32_t from, to;
};

struct task {
	struct node *node;
	struct folder *folder;
};

/* A folder's spelling, and what it is; for inputs_lacks(). */
struct seen {
	const char *path; /* len bytes, not terminated */
	size_t len;
	struct folder *folder; /* NULL: nothing is there */
};

#define REACH_SEEN 64

/* Which search folders lack everything below a name: half of a C++ library begins with "bits/". */
struct first {
	uint64_t hash;    /* of the name; 0: free */
	uint64_t lacking; /* a bit for each of the first 64 folders */
};

#define REACH_FIRSTS 64

struct reach {
	struct folders folders;
	struct folder *cwd;
	struct folder **bases; /* the search folders that are there */
	uint32_t nbases;
	struct node **nodes;
	struct edge *edges;
	struct task *tasks;
	uint32_t nnodes, nodes_cap, nedges, edges_cap, ntasks, tasks_cap, tasks_done;
	struct operand **operands; /* hash table: what names lead to in the search folders */
	uint64_t bytes;
	struct seen seen[REACH_SEEN];
	struct first firsts[REACH_FIRSTS];
	/* Its precompiled headers are data; it has modules only by options that stay here. */
	bool gcc;
	struct name **precompiled; /* files, to be taken last */
	uint32_t nprecompiled, precompiled_cap;
	struct macro *macros; /* client/computed.h */
	bool data;            /* new files are data: nothing is read but their digests */
	uint32_t changes;     /* grows with everything new that macros might bring */
};

/* Finds the working directory and the search folders. Errors as of inputs_find(), here and below;
 * reach_fini() is due after one too. */
int reach_init(struct reach *r, const struct inputs_request *q, char *why) IM_MUST;
void reach_fini(struct reach *r);
/* Takes the file at the path from the working directory as a source; *out is the file, behind any
 * links. */
int reach_source(struct reach *r, const char *path, struct node **out) IM_MUST;
/* Takes what an operand in the file leads to, seen from the folder. */
int reach_operand(struct reach *r, struct task from, enum include_kind kind, const char *name,
        size_t len) IM_MUST;
/* Takes the precompiled headers that were noted, as data. */
int reach_take_precompiled(struct reach *r, struct node *source) IM_MUST;
/* Takes the file that an option of the source names, from the working directory, as data.  Once
 * this was called, no other operand may follow. */
int reach_data(struct reach *r, struct node *source, const char *name) IM_MUST;
/* When a precompiled header (name and suffix) stands where the operand is looked for: notes it for reach_data(), or IM_ERR_EXISTS, when it cannot travel
 * (clang's, a folder of them, one without its header). */
int reach_precompiled(struct reach *r, struct folder *from, const char *name, size_t len,
        const char *suffix) IM_MUST;
/* Goes on until every file was looked at. */
int reach_run(struct reach *r) IM_MUST;

#endif
