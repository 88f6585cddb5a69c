/*
 * Commands of people (mesh/control.h): init, invite, join, leave, and the questions about peers and state.
 *
 * What changes the mesh is for root and for the user the daemon runs as; questions are for everybody.
 */
#ifndef MESH_COMMANDS_H
#define MESH_COMMANDS_H

#include "crypto/packet.h"
#include "mesh/clients.h"

/* Carries one out; its answer goes by client_answer(), at once or later. IM_ERR_FORMAT for a malformed one. */
int command_dispatch(struct client *c, uint8_t type, const struct item *m) IM_MUST;
/* Everything that depends on the mesh starts over: after init, join and leave. */
void mesh_changed(struct node *n);

#endif
