/*
 * The answer to TOOLCHAINS (mesh/control.h) as a table for people and as a JSON array.
 */
#ifndef CLIENT_TOOLCHAINS_H
#define CLIENT_TOOLCHAINS_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/packet.h"

#define TOOLCHAINS_MAX 4096

/* root: the packet's map. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION, IM_ERR_ABSENT; out is then unusable. */
int toolchains_table(const struct item *root, unsigned width, bool colour, struct buf *out) IM_MUST;
int toolchains_json(const struct item *root, struct buf *out) IM_MUST;

#endif
