/*
 * A node as the daemon describes it (mesh/control.h, PEERS and STATUS), decoded and formatted.
 *
 * Missing optional members are empty or 0; text is cleaned where it is printed, not here.
 */
#ifndef CLIENT_PEER_H
#define CLIENT_PEER_H

#include <stdbool.h>
#include "client/json.h"
#include "client/grid.h"
#include "crypto/cert.h"
#include "crypto/packet.h"
#include "gossip/beacon.h"

#define PEERS_MAX 8192
#define PEER_WORD_SIZE 16
#define PEER_ADDRESS_SIZE 80

struct peer {
	char id[NODE_ID_TEXT_SIZE], name[NAME_SIZE], address[PEER_ADDRESS_SIZE],
	        platform[PLATFORM_SIZE], version[24];
	char trust[PEER_WORD_SIZE], state[PEER_WORD_SIZE];
	bool self, has_rtt;
	uint64_t slots, used, queued, speed, permille, sandbox, age_ms, rtt_us;
	uint32_t tags[BEACON_TAGS_MAX], ntags;
};

/* Decodes one peer. IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION. */
int peer_decode(struct peer *out, const struct item *map) IM_MUST;
/* Decodes {1: array of peers} into one allocation for free(), this node first, then by name and id. */
int peers_decode(struct peer **out, uint32_t *n, const struct item *root) IM_MUST;
/* The columns of `icemesh peers`, and a row of them. */
extern const struct grid_column peer_columns[];
#define PEER_NCOLUMNS 15
void peer_row(const struct peer *p, struct grid *t);
/* The peer as one JSON object. */
void peer_json(const struct peer *p, struct json *j);

/* "0.3s", "12s", "5m", "3h", "2d": a time in at most four columns. */
void age_text(uint64_t ms, char out[16]);

#endif
