/*
 * The beacon: the signed datagram with which a node tells the others that it is there and how
 * loaded it is.
 *
 * Encoded as a packet, at most BEACON_LEN_MAX bytes so that it fits one datagram on any link:
 *   outer {1: body, 2: Ed25519 by the node key over body (domain "icemesh beacon 1"),
 *          3: certificate, absent for a spare, 4: sign_pk, only without a certificate}
 *   body  {1: version 1, 2: mesh id, 3: node id, 4: boot id, 5: sequence, 6: kind, 7: name,
 *          8: TCP port, 9: platform, 10: slots, 11: used, 12: queued, 13: load permille,
 *          14: sandbox level, 15: state bits,
 *          64: array of toolchain tags (first 4 bytes of the digest, as integers),
 *          65: version text, 66: speed, 67: array of addresses (4 or 16 bytes each),
 *          68: how the node reaches others (enum beacon_reach bits)}
 * Keys stand in ascending order, so that who sends, and how often it did, lies at the front and a
 * flood of forgeries is sorted out without decoding them.
 * A beacon is a hint: nothing is believed that a lease does not confirm.
 */
#ifndef GOSSIP_BEACON_H
#define GOSSIP_BEACON_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/cert.h"

#define BEACON_LEN_MAX 1200
#define BEACON_TAGS_MAX 16
#define BEACON_ADDRS_MAX 8
#define PLATFORM_SIZE 32 /* `uname -m` style, e.g. "x86_64" */

enum beacon_kind { BEACON_ALIVE = 0, BEACON_HELLO = 1 /* please answer soon */, BEACON_BYE = 2 };
enum beacon_state {
	STATE_DRAINING = 1,
	STATE_PAUSED = 2,
	STATE_OWNER_BUSY = 4,
	STATE_ON_BATTERY = 8,
};

enum beacon_reach {
	REACH_KNOWN = 1,     /* always set by a node that sends this field */
	REACH_MULTICAST = 2, /* it sends by multicast too */
	REACH_RELAY = 4,     /* it passes on between its segment and others */
	REACH_IPV4 = 8,      /* all of its segment reach it by IPv4 multicast */
};

/* What changes from beacon to beacon. */
struct load {
	uint32_t slots, used, queued;
	uint32_t permille;                     /* of the machine's CPU, 0 to 1000 */
	uint32_t state;                        /* enum beacon_state bits */
	uint32_t tags[BEACON_TAGS_MAX], ntags; /* toolchains that can run here at once */
};

struct beacon_addr {
	uint8_t len; /* 4 or 16 */
	uint8_t bytes[16];
};

struct beacon {
	struct mesh_id mesh;
	struct node_id node;
	/* boot: time of start in ms, larger after each restart; the pair only grows */
	uint64_t boot, seq;
	enum beacon_kind kind;
	char name[NAME_SIZE], platform[PLATFORM_SIZE], version[24];
	uint16_t port;
	uint32_t sandbox; /* level: 0 none, 1 to 3 */
	uint32_t speed;   /* hint, percent of a nominal core; shown, never trusted */
	uint32_t reach;   /* enum beacon_reach bits; 0 when the node does not say */
	struct load load;
	struct beacon_addr addrs[BEACON_ADDRS_MAX];
	uint32_t naddrs;
	/* filled in by beacon_decode */
	uint8_t sign_pk[SIGN_PK_LEN];
	const uint8_t *cert; /* into the datagram, NULL for a spare */
	size_t cert_len;
};

/* Appends the signed datagram; cert may be NULL (a spare). IM_ERR_LIMIT when it would pass
 * BEACON_LEN_MAX. */
int beacon_encode(const struct beacon *b, const struct key *k, const void *cert, size_t cert_len,
        struct buf *out) IM_MUST;
/* Decodes without checking the signature or the certificate; text fields are printable, counts
 * within their limits, and the node id is that of the signing key (the certificate's key when
 * there is one). IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION. */
int beacon_decode(struct beacon *out, const void *bytes, size_t len) IM_MUST;
/* What lies at the front of a datagram, unchecked; reading it allocates nothing and costs less than a
 * hundredth of a signature. */
struct beacon_front {
	struct mesh_id mesh;
	struct node_id node;
	uint64_t boot, seq;
	enum beacon_kind kind;
	const uint8_t *cert; /* into the datagram, NULL for a spare */
	size_t cert_len;
};

/* IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION. */
int beacon_peek(struct beacon_front *out, const void *bytes, size_t len) IM_MUST;
/* Checks the signature of a datagram that beacon_decode accepted. IM_ERR_SIGNATURE. */
int beacon_verify(const struct beacon *b, const void *bytes, size_t len) IM_MUST;

#endif
