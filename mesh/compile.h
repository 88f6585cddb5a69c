/*
 * A compile: what a wrapper asks of the daemon (mesh/control.h, COMPILER to REPORT).
 *
 * clients.c holds the socket and the clients' lives, this is what they have open; the structs are
 * for these two files alone.  A compiler is packed by one wrapper of its user while the others
 * wait; one that fails or dies is followed by the next, at most PACKERS_MAX in a minute.
 */
#ifndef MESH_COMPILE_H
#define MESH_COMPILE_H

#include "crypto/packet.h"
#include "mesh/clients.h"
#include "mesh/history.h"
#include "mesh/import.h"
#include "mesh/want.h"

#define GRANTED_MAX 8 /* channels one wrapper may hold at a time */
#define UNPACKABLE_MAX 64
#define UNPACKABLE_MS 60000 /* how long a compiler that could not be packed is left alone */
#define PACKERS_MAX 2       /* wrappers that may die over a compiler before it is */

/* A channel that this client holds. */
struct granted {
	uint64_t inode, lease; /* lease: of want_ended() */
	struct node_id node;
};

/* A compiler whose packing failed. */
struct unpackable {
	uid_t uid;
	char path[512];
	uint64_t until_ms;
	unsigned deaths; /* of its packers */
};

struct client {
	struct clients *all;
	struct client *next;
	int fd;
	uid_t uid;
	struct watch *watch;
	bool gone;
	char *packing; /* path of the compiler this wrapper packs now */
	char *awaits;  /* path of one that another wrapper packs */
	struct want *want;
	uint32_t predicted_ms; /* of its last WANT; 0: not said */
	struct granted granted[GRANTED_MAX];
	unsigned ngranted;
	struct node_id met[GRANTED_MAX]; /* peers it got a channel to, for its reports */
	unsigned nmet;
	bool has_graph; /* it was given the user's include graph */
	struct import *import;
	struct buf import_witness;
	void (*cancel)(void *);
	void *cancel_arg;
};

struct clients {
	struct node *node;
	int fd;
	struct watch *watch;
	struct client *list, *dead;
	unsigned count;
	struct timer *bury;
	struct unpackable unpackable[UNPACKABLE_MAX];
	unsigned next_unpackable;
	struct buf message;
	struct history *history; /* for WHY */
};

/* Carries out one message; *fd is what came along, -1 when taken.  IM_ERR_FORMAT and others for a
 * malformed one. */
int compile_dispatch(struct client *c, uint8_t type, const struct item *m, int *fd) IM_MUST;
/* The client is gone (its `gone` is set, it is out of the list): everything open is withdrawn. */
void compile_gone(struct client *c);

#endif
