/*
 * The answer to STATUS (mesh/control.h) as text for people and as the JSON document of INTERFACE.
 *
 * Members that the daemon leaves out count as 0 or empty; an answer with the wrong types is refused whole.
 */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include "client/peer.h"
#include "crypto/packet.h"

#define STATUS_LIST_MAX 4096 /* reasons, peers or problems */
#define STATUS_TEXT_SIZE 256

struct status_count {
	char what[STATUS_TEXT_SIZE];
	uint64_t n;
};

struct status_problem {
	char what[STATUS_TEXT_SIZE], remedy[STATUS_TEXT_SIZE];
};

struct status {
	struct peer node;
	char mesh_name[NAME_SIZE], mesh_id[NODE_ID_TEXT_SIZE];
	uint64_t nodes, slots, free;
	uint64_t remote, local, fallback, retried, hedged, failed;
	uint64_t done, running, refused, killed;
	uint64_t fetched, lent; /* bytes of inputs, from and to other members */
	uint64_t received_x100, sent_x100, bad, bytes_per_s;
	uint64_t store_bytes, store_limit, blobs, toolchains;
	struct status_count *reasons, *served; /* owned */
	uint32_t nreasons, nserved;
	struct status_problem *problems; /* owned */
	uint32_t nproblems;
};

/* On success the caller owes status_fini(). IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION, IM_ERR_MEMORY. */
int status_decode(struct status *out, const struct item *root) IM_MUST;
void status_fini(struct status *s);
void status_json(const struct status *s, struct buf *out);
/* Short sections; problems with their remedies last. */
void status_text(const struct status *s, struct buf *out);

#endif
