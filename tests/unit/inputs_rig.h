/* What tests of input sets share: a graph of their own, a search path, and a look into what was
 * found. */
#ifndef TESTS_INPUTS_RIG_H
#define TESTS_INPUTS_RIG_H

#include <sys/mman.h>
#include <time.h>
#include "client/inputs.h"
#include "tests/unit/scratch.h"

#define RIG_FOLDERS 16

struct rig {
	char cwd[PATH_MAX];
	int fd; /* of the graph's memory */
	struct graph *graph;
	const char *folders[RIG_FOLDERS];
	struct search search;
	struct inputs in;
	char why[256];
	int64_t later_ns; /* added to the clock: what the test made is old then */
};

/* A graph's memory as the daemon makes it; -1 on error. */
static inline int
rig_memory(size_t size)
{
	int fd = memfd_create("graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd >= 0 && (ftruncate(fd, (off_t)size) != 0 ||
	                       fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) != 0)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

static inline int
rig_graph(struct rig *rig, size_t size)
{
	graph_free(rig->graph);
	rig->graph = NULL;
	if (rig->fd > 0)
		close(rig->fd);
	rig->fd = rig_memory(size);
	return rig->fd < 0 ? -1 : graph_open(&rig->graph, fcntl(rig->fd, F_DUPFD_CLOEXEC, 0));
}

static inline void
rig_search(struct rig *rig, const char *folder)
{
	if (rig->search.nfolders < RIG_FOLDERS)
		rig->folders[rig->search.nfolders++] = folder;
	rig->search.folders = rig->folders;
}

static inline int
rig_enter(void **state)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	*state = rig;
	return !rig || scratch_enter(rig->cwd) || rig_graph(rig, 4u << 20);
}

static inline int
rig_leave(void **state)
{
	struct rig *rig = *state;
	int r = scratch_leave(rig->cwd);

	inputs_fini(&rig->in);
	graph_free(rig->graph);
	close(rig->fd);
	free(rig);
	return r;
}

static inline int
rig_find(struct rig *rig, const char *cwd, const char *source)
{
	struct inputs_request q = {
	        .cwd = cwd, .source = source, .search = &rig->search, .graph = rig->graph};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (rig->later_ns)
		q.now_ns = now.tv_sec * 1000000000LL + now.tv_nsec + rig->later_ns;
	inputs_fini(&rig->in);
	return inputs_find(&rig->in, &q, rig->why);
}

/* The absolute path of one below the rig's folder; valid until four more were asked for. */
static inline const char *
rig_path(const struct rig *rig, const char *path)
{
	static char text[4][3 * PATH_MAX];
	static unsigned next;
	char *at = text[next++ % 4];

	if (path[0] == '/')
		snprintf(at, sizeof(text[0]), "%s", path);
	else
		snprintf(at, sizeof(text[0]), "%s/%s", rig->cwd, path);
	return at;
}

static inline const struct inputs_file *
rig_file(const struct rig *rig, const char *path)
{
	const char *want = rig_path(rig, path);

	for (uint32_t i = 0; i < rig->in.nfiles; i++)
		if (strcmp(rig->in.files[i].path, want) == 0)
			return &rig->in.files[i];
	return NULL;
}

static inline const struct inputs_place *
rig_place(const struct rig *rig, const char *path)
{
	const char *want = rig_path(rig, path);

	for (uint32_t i = 0; i < rig->in.nplaces; i++)
		if (strcmp(rig->in.places[i].path, want) == 0)
			return &rig->in.places[i];
	return NULL;
}

/* True when the one file leads to the other. */
static inline bool
rig_follows(const struct rig *rig, const char *from, const char *to)
{
	const struct inputs_file *a = rig_file(rig, from), *b = rig_file(rig, to);

	for (uint32_t i = 0; a && b && i < a->nfollows; i++)
		if (&rig->in.files[a->follows[i]] == b)
			return true;
	return false;
}

/* Bytes of the graph's memory that are in use. */
static inline uint64_t
rig_used(const struct rig *rig)
{
	uint64_t used = 0;

	return pread(rig->fd, &used, sizeof(used), 8) == sizeof(used) ? used : 0;
}

#endif
