/*
 * Clients: the control socket, and what wrappers ask of it (mesh/control.h, "A compile").  Commands of people are in commands.h.
 *
 * Everything here comes from local users, who are not trusted with each other's work: a compiler entry and a returned channel
 * count only for the uid that made or held it, and a channel comes back only if this very connection was granted it.
 */
#ifndef MESH_CLIENTS_H
#define MESH_CLIENTS_H

#include <sys/types.h>
#include "mesh/node.h"

#define CLIENTS_MAX 4096
#define CLIENTS_PER_USER (CLIENTS_MAX / 4)

struct clients;
struct client;
struct history;

/* Binds the control socket at n->config.socket. why: 256 bytes. */
struct clients *clients_open(struct node *n, char *why);
void clients_close(struct clients *c);

/* For commands.c: who asks, and the one answer. fd -1: none. */
uid_t client_uid(const struct client *c);
struct node *client_node(const struct client *c);
/* What was told of the last compiles. */
const struct history *client_history(const struct client *c);
void client_answer(struct client *c, uint8_t type, const struct buf *body, int fd);
void client_error(struct client *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A command that answers later keeps its own state here; cancel() is called when the client goes first,
 * or gives another such command. */
void client_defer(struct client *c, void (*cancel)(void *arg), void *arg);
void client_deferred_done(struct client *c);

#endif
