/*
 * Open channels to peers that no job uses: kept for a while, since opening one costs a handshake.
 *
 * A channel is only ever used again for the user who held it, since that user's processes know its keys.
 */
#ifndef MESH_CHANNELS_H
#define MESH_CHANNELS_H

#include <sys/types.h>
#include "mesh/node.h"

#define CHANNELS_MAX 256
#define CHANNELS_IDLE_MS 60000 /* how long one is kept */

struct channels;

struct channels *channels_new(struct node *n); /* NULL without memory */
void channels_free(struct channels *all);
/* Takes an open channel without a job; it is closed when there are too many. */
void channels_keep(struct channels *all, uid_t uid, const struct node_id *node, struct conn *c);
/* The same for one that comes from a process; fd is taken. */
void channels_return(struct channels *all, uid_t uid, const struct node_id *node, int fd,
        const uint8_t state[CHANNEL_STATE_LEN]);
/* The most recently used one, which its peer least likely has closed; NULL when there is none.  The caller gives it callbacks at once. */
struct conn *channels_take(struct channels *all, uid_t uid, const struct node_id *node);
/* All are closed. */
void channels_reset(struct channels *all);

#endif
