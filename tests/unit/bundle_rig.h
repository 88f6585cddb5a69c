/* A small project in a private folder, and bundles made of it with the real gcc. */
#ifndef TESTS_BUNDLE_RIG_H
#define TESTS_BUNDLE_RIG_H

#include "client/bundle.h"
#include "tests/unit/inputs_rig.h"

#define BUNDLE_RIG_GCC "/usr/bin/gcc"
#define BUNDLE_RIG_ENV 16

struct bundle_rig {
	char cwd[PATH_MAX];
	int fd;
	struct graph *graph;
	struct args args;
	struct probes probes;
	struct bundle bundle;
	char reason[REASON_SIZE], why[256];
	const char *env[BUNDLE_RIG_ENV];
	const char *compiler; /* NULL: BUNDLE_RIG_GCC */
};

/* The folder has a.c, which includes h.h, inc/i.h and stdio.h. */
static inline int
bundle_rig_enter(struct bundle_rig *g)
{
	memset(g, 0, sizeof(*g));
	g->env[0] = "LC_ALL=C";
	g->env[1] = "HOME=/root";
	probes_init(&g->probes);
	g->fd = rig_memory(4u << 20);
	if (scratch_enter(g->cwd) != 0 || g->fd < 0 ||
	        graph_open(&g->graph, fcntl(g->fd, F_DUPFD_CLOEXEC, 0)) != 0)
		return -1;
	/* messages of this process do not matter to its bundles */
	return setenv("PWD", g->cwd, 1) || setenv("TERM", "dumb", 1) || mkdir("inc", 0755) ||
	       scratch_text("a.c", "#include <stdio.h>\n#include \"h.h\"\n#include "
	                           "\"inc/i.h\"\nint a = H + I;\n") ||
	       scratch_text("h.h", "#define H 1\n") || scratch_text("inc/i.h", "#define I 2\n");
}

static inline int
bundle_rig_leave(struct bundle_rig *g)
{
	bundle_fini(&g->bundle);
	args_fini(&g->args);
	probes_fini(&g->probes);
	graph_free(g->graph);
	close(g->fd);
	return scratch_leave(g->cwd);
}

/* A new bundle; argv[0] is the compiler's name. What bundle_make() says, or IM_ERR_UNSUPPORTED for what may not travel. */
static inline int
bundle_rig_make(struct bundle_rig *g, char *const *argv)
{
	struct bundle_request q = {.args = &g->args,
	        .compiler = g->compiler != NULL ? g->compiler : BUNDLE_RIG_GCC,
	        .toolchain = {{7}},
	        .graph = g->graph,
	        .probes = &g->probes,
	        .environment = (char *const *)g->env};
	int argc = 0;

	while (argv[argc] != NULL)
		argc++;
	bundle_fini(&g->bundle);
	args_fini(&g->args);
	args_analyse(&g->args, argc, argv, args_compiler(q.compiler));
	if (g->args.verdict != ARGS_REMOTE)
		return IM_ERR_UNSUPPORTED;
	return bundle_make(&g->bundle, &q, g->reason, g->why);
}

#define BUNDLE_ARGV(...) ((char *[]){(char *)"gcc", __VA_ARGS__, NULL})

#endif
