/*
 * Which toolchain stands for a compiler: asks the daemon, looks whether the compiler is still the
 * one that was packed, and packs it (or takes the tarball that the user named) when the daemon
 * lacks it.
 */
#ifndef CLIENT_PACKING_H
#define CLIENT_PACKING_H

#include "client/daemon.h"

#define PACKING_WAIT_MS \
	30000 /* for each of the daemon's answers; another wrapper may be packing meanwhile */
#define PACKING_WORD_SIZE 64

struct packing {
	struct daemon *daemon;
	const char *compiler;    /* absolute, as found */
	const char *tarball;     /* the setting `toolchain`; NULL or empty: pack the compiler */
	const char *helper;      /* the program that packs; NULL: icemesh-exec */
	struct digest toolchain; /* the result */
	int graph_fd; /* with it: the user's include graph (client/graph.h), the caller's; -1: none */
	char reason[REASON_SIZE], text[512]; /* why not */
};

/* Fills in toolchain and graph_fd. On error graph_fd is -1, reason and text are set: compile
 * locally.  Blocks for the time that packing takes. */
int packing_find(struct packing *p) IM_MUST;
/* The tarball for this machine in the setting's text: "FILE", or from "PLATFORM:FILE,...".
 * IM_ERR_ABSENT, IM_ERR_LIMIT. */
int packing_tarball(const char *setting, char *out, size_t size) IM_MUST;

#endif
