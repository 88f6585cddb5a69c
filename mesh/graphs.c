#include "mesh/graphs.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "mesh/loop.h"

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

struct graph_of {
	uid_t uid;
	int fd;
	uint64_t made_ms, asked; /* asked: number of the last question */
};

struct graphs {
	struct graph_of list[GRAPHS_MAX];
	unsigned n;
	uint64_t questions;
};

struct graphs *
graphs_new(void)
{
	return calloc(1, sizeof(struct graphs));
}

static void
drop(struct graphs *g, unsigned i)
{
	close(g->list[i].fd);
	g->list[i] = g->list[--g->n];
}

void
graphs_free(struct graphs *g)
{
	if (!g)
		return;
	while (g->n)
		drop(g, 0);
	free(g);
}

static struct graph_of *
find(struct graphs *g, uid_t uid)
{
	for (unsigned i = 0; i < g->n; i++)
		if (g->list[i].uid == uid)
			return &g->list[i];
	return NULL;
}

static unsigned
longest_ago(const struct graphs *g)
{
	unsigned oldest = 0;
	for (unsigned i = 1; i < g->n; i++)
		if (g->list[i].asked < g->list[oldest].asked)
			oldest = i;
	return oldest;
}

static int
make_file(void)
{
	int fd = memfd_create("icemesh-graph", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)GRAPHS_SIZE) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
graphs_fd(struct graphs *g, uid_t uid)
{
	struct graph_of *one = find(g, uid);
	if (!one) {
		int fd = make_file();
		if (fd < 0)
			return -1;
		if (g->n == GRAPHS_MAX)
			drop(g, longest_ago(g));
		one = &g->list[g->n++];
		*one = (struct graph_of){.uid = uid, .fd = fd, .made_ms = loop_now_ms()};
	}
	one->asked = ++g->questions;
	return one->fd;
}

void
graphs_forget(struct graphs *g, uid_t uid)
{
	struct graph_of *one = find(g, uid);
	if (one && loop_now_ms() - one->made_ms >= GRAPHS_AGE_MS)
		drop(g, (unsigned)(one - g->list));
}
