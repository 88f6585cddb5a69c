/*
 * What comes in: the checks that a beacon must pass, and what an accepted one changes.
 *
 * The order of the checks is from cheap to dear: form, mesh, replay, room, signature,
 * certificate.  A certificate is checked once and remembered by its digest until it ends.
 */
#ifndef GOSSIP_INBOX_H
#define GOSSIP_INBOX_H

#include "gossip/state.h"

struct arrival {
	const uint8_t *bytes;
	size_t len;
	const struct endpoint *from;
	bool via_multicast;
	uint64_t now_ms;
};

/* As gossip_receive(). */
int inbox_receive(struct gossip *g, const struct arrival *a) IM_MUST;

#endif
