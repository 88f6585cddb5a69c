/*
 * What a compiler looks for on this machine by itself, whatever it compiles: installations of gcc, the time zone, folders of /opt.
 *
 * A peer's sandbox must show it the same.  Nobody can list these names beforehand, so they are learned: what a compile on a peer looked
 * for in vain outside of the folders of its sources, and this machine has, is noted for its toolchain in the graph, and the compile is
 * sent once more with it.
 */
#ifndef CLIENT_PROBES_H
#define CLIENT_PROBES_H

#include <stdbool.h>
#include "client/graph.h"
#include "crypto/buf.h"
#include "crypto/digest.h"

#define PROBES_MAX 256
#define PROBES_FILE_MAX (1u << 20) /* larger files are not shown; they are programs and libraries */

struct probes {
	struct buf
	        texts; /* paths, each with a NUL behind it; those that are not to be shown begin with '!' */
	unsigned n;
	unsigned fresh; /* learned, not recalled */
};

void probes_init(struct probes *p);
void probes_fini(struct probes *p);
/* Adds what the graph knows of this toolchain. */
void probes_recall(struct probes *p, const struct graph *graph, const struct digest *toolchain);
/* True when the path is among them; *shown tells whether a view has it. */
bool probes_know(const struct probes *p, const char *path, bool *shown);
/* Notes one more, absolute as the compiler spelled it. IM_ERR_LIMIT: there are too many. */
int probes_learn(struct probes *p, const char *path) IM_MUST;
/* Keeps all of them for the toolchain. */
void probes_keep(const struct probes *p, struct graph *graph, const struct digest *toolchain);
/* Points to those that are to be shown: at most PROBES_MAX. */
unsigned probes_shown(const struct probes *p, const char **out);

#endif
