/*
 * Where a user's files are: the home directory, the XDG folders and the user's control socket.
 * Reads the environment at every call and makes nothing; variables that hold a relative path
 * count as unset.
 */
#ifndef MESH_PLACES_H
#define MESH_PLACES_H

#include <stdbool.h>

#define PLACE_SIZE 512
#define PLACE_SOCKET_SIZE 108 /* of the path in struct sockaddr_un, with NUL */

/* The machine's pool of local slots (client/local.h): root's, so that no user can alter it; every user may lock its files. */
#define PLACE_SLOTS "/run/lock/icemesh-slots"

/* $HOME, else what /etc/passwd says, else "/"; static storage or the environment's. */
const char *place_home(void);
/* $variable/icemesh, or HOME/fallback/icemesh; empty when it does not fit. */
void place_user_dir(char out[PLACE_SIZE], const char *variable, const char *fallback);
/* $XDG_RUNTIME_DIR/icemesh.sock or, without it, /tmp/icemesh-UID/icemesh.sock. True when nobody
 * else can have put a socket there: a folder in /tmp counts only while it is ours and closed to
 * the writes of others. */
bool place_user_socket(char out[PLACE_SIZE]);

#endif
