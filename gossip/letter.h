/*
 * Letters: the datagrams that relays exchange beside beacons.
 *
 * Packets of at most LETTER_LEN_MAX bytes, told from a beacon by their first key:
 *   digest   {8: 1, 9: mesh id, 10: token, 11: node id of the sender, 12: bytes}, 12 being up to
 *            LETTER_NEWS_MAX times node id (16), boot id (8), sequence (4, big-endian, at most
 *            2^32 - 1): the beacons that the sender holds
 *   request  {8: 2, 9: mesh id, 10: the digest's token, 12: bytes}, 12 being up to
 *            LETTER_NEWS_MAX node ids: the beacons that the receiver of a digest wants
 *   carry    {8: 3, 12: array of up to LETTER_BEACONS_MAX beacons, verbatim}
 * A digest is answered by a request that is shorter.  The token is a keyed hash of the address to
 * which the digest went: whoever shows it receives there, so a request with a false source makes
 * nobody send.  Beacons are signed by their own nodes; whoever carries them can only keep them
 * back.
 */
#ifndef GOSSIP_LETTER_H
#define GOSSIP_LETTER_H

#include "gossip/beacon.h"

/* A beacon of full length in an envelope still fits IPv6's least MTU (1280 - 40 - 8). */
#define LETTER_LEN_MAX 1232
#define LETTER_FULL 1200 /* beyond one beacon, nothing is added that would pass this */
#define LETTER_NEWS_MAX 40
#define LETTER_BEACONS_MAX 8
#define LETTER_TOKEN_LEN 8

enum letter_kind { LETTER_DIGEST = 1, LETTER_REQUEST = 2, LETTER_CARRY = 3 };

/* How far a node's beacons have counted. */
struct news {
	struct node_id node;
	uint64_t boot, seq; /* 0 in a request */
};

struct letter {
	enum letter_kind kind;
	struct mesh_id mesh;
	struct node_id from; /* digest */
	uint8_t token[LETTER_TOKEN_LEN];
	struct news news[LETTER_NEWS_MAX]; /* digest, request */
	uint32_t nnews;
	struct {
		const uint8_t *bytes; /* decoded: into the datagram */
		size_t len;
	} beacons[LETTER_BEACONS_MAX]; /* carry */
	uint32_t nbeacons;
};

/* True for what is no beacon but may be a letter. */
bool letter_is(const void *bytes, size_t len);
/* Appends the datagram. IM_ERR_LIMIT when it would pass LETTER_LEN_MAX. */
int letter_encode(const struct letter *l, struct buf *out) IM_MUST;
/* IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION. */
int letter_decode(struct letter *out, const void *bytes, size_t len) IM_MUST;

#endif
