/*
 * Dropping rights: a daemon that root starts makes the system folders, gives them to its user, and becomes that user before it
 * opens a socket.
 */
#ifndef MESH_DROP_H
#define MESH_DROP_H

#include "mesh/config.h"

#define DROP_USER "icemesh"

/* Does nothing for an ordinary user.  The user is `icemesh`, or nobody where there is none.  why (256 bytes). */
int drop_rights(const struct config *c, char *why) IM_MUST;

#endif
