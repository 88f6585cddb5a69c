/*
 * How two nodes greet each other before their channel opens: the preamble, the three handshake messages with the certificates
 * in them, the headers of the streams (mesh/wire.h).
 *
 * Bytes in, bytes out: mesh/conn.h moves them.  A refusal is three bytes in clear, because nothing else can be said yet; whoever
 * reads one takes it as a hint for people, nothing more.
 */
#ifndef MESH_GREET_H
#define MESH_GREET_H

#include <stdbool.h>
#include "crypto/cert.h"
#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "mesh/wire.h"

/* This side of every connection; must outlive them. */
struct conn_identity {
	const struct key *key;
	struct mesh_id mesh;
	uint8_t root_pk[SIGN_PK_LEN];
	uint8_t cert[CERT_LEN_MAX];
	size_t cert_len;          /* 0: a spare or a joiner */
	uint64_t (*wall_s)(void); /* seconds since 1970, for certificate lifetimes */
	uint32_t handshake_ms;    /* 0: CONN_HANDSHAKE_MS */
};

enum greet_step { GREET_PREAMBLE, GREET_MESSAGES, GREET_HEADER, GREET_DONE };

struct greeting {
	const struct conn_identity *id;
	enum greet_step step; /* what comes in next */
	bool initiator;
	bool stranger; /* the initiator knows no mesh yet */
	bool has_cert; /* the peer's certificate holds and is the handshake's key's */
	struct cert cert;
	uint8_t hash[NOISE_HASH_LEN];
	struct handshake *noise;
	uint8_t recv_key[32];
};

/* An initiator without a mesh is a stranger. */
void greet_init(struct greeting *g, const struct conn_identity *id, bool initiator);
/* Frees and wipes what is secret; the certificate and the hash stay. */
void greet_fini(struct greeting *g);
/* The initiator's preamble and first message. IM_ERR_MEMORY. */
int greet_begin(struct greeting *g, struct buf *out) IM_MUST;
/* Takes one element from the front of `in` and appends what it is answered with to `out` (after an error: the refusal to send
 * before closing, if any).  1: taken, 0: more bytes are needed, else IM_ERR_* with a line that names the cause. */
int greet_take(struct greeting *g, struct channel *ch, struct buf *in, struct buf *out,
        const char **why) IM_MUST;
/* What it means that the stream ended here, with `in` left over: always IM_ERR_*, and the line for it. */
int greet_ended(const struct greeting *g, const struct buf *in, const char **why) IM_MUST;

#endif
