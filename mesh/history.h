/*
 * The history: accounts of the last compiles of this machine's users, for `icemesh why`.
 *
 * Pure memory, gone with the daemon.  At most HISTORY_MAX accounts with HISTORY_BYTES_MAX bytes in all; what there is no room for any more is
 * the oldest of the user who has the most, so that nobody drives out what others did.  A user sees his own compiles, root sees all.
 */
#ifndef MESH_HISTORY_H
#define MESH_HISTORY_H

#include <sys/types.h>
#include "mesh/account.h"

#define HISTORY_MAX 1024
#define HISTORY_BYTES_MAX (1u << 20)

struct history;

/* NULL when memory lacks. */
struct history *history_new(void);
void history_free(struct history *h); /* NULL is allowed */
/* Keeps a copy of the account, told by this user at this time (milliseconds since 1970); without memory it is forgotten. */
void history_add(struct history *h, uid_t uid, uint64_t told_ms, const struct account *a);
unsigned history_count(const struct history *h);
/* Appends what this user may see, oldest first, as {1: array of {1: told ms, 2: uid, 3: the account's packet}}. Errors stay in the buffer. */
void history_encode(const struct history *h, uid_t asker, struct buf *out);

#endif
