/*
 * Reservations: RESERVEs that this node has under way at peers, over channels that are kept or opened for them.
 *
 * Each has the id that its owner gave it.  It ends with a refusal, when it is lost, when it is withdrawn, or when the channel of a granted one is
 * taken out.  Callbacks may begin, withdraw and take reservations.
 */
#ifndef MESH_RESERVATION_H
#define MESH_RESERVATION_H

#include "gossip/member.h"
#include "mesh/channels.h"

#define RESERVATION_WITHDRAW_MS 3000 /* for a peer to say that it has cancelled */

struct reservations;

struct reservation_ops {
	/* type: WIRE_GRANT, WIRE_QUEUED (one of the others follows) or WIRE_NACK; number: as in the message. */
	void (*answered)(void *arg, uint64_t id, const struct node_id *node,
	        const struct wire_reserve *what, uint8_t type, uint32_t number,
	        const struct wire_load *load, uint32_t rtt_us);
	void (*alive)(void *arg, uint64_t id); /* a sign of life while it is queued */
	void (*lost)(void *arg, uint64_t id, const char *name, const char *why);
};

/* What a granted one gives out. */
struct reservation_taken {
	char name[NAME_SIZE]; /* of the peer */
	uint32_t lease_ms;
	int fd;
	uint8_t state[CHANNEL_STATE_LEN];
};

/* NULL without memory. */
struct reservations *reservations_new(
        struct node *n, struct channels *channels, const struct reservation_ops *ops, void *arg);
void reservations_free(struct reservations *rs);
/* id is not 0. IM_ERR_MEMORY. What fails later is `lost`. */
int reservation_begin(struct reservations *rs, uint64_t id, uid_t uid, const struct member *m,
        const struct wire_reserve *what) IM_MUST;
/* No callback for it any more; its channel is kept if the peer cancels in time. */
void reservation_withdraw(struct reservations *rs, uint64_t id);
/* The channel of a granted one is the caller's. IM_ERR_ABSENT; IM_ERR_REFUSED when bytes came behind the GRANT. It has ended in any case. */
int reservation_take(struct reservations *rs, uint64_t id, struct reservation_taken *out) IM_MUST;
/* All end, without callbacks. */
void reservations_reset(struct reservations *rs);

#endif
