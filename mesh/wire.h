/*
 * The wire protocol between nodes: preamble, handshake payloads and the messages inside the sealed channel.
 *
 * TCP.  The initiator sends the preamble "IMX1" | mesh id 16; then come the three Noise messages (crypto/handshake.h), each
 * behind a u16 length, prologue = "icemesh/1" | mesh id.  Instead of the second message, or of the header of its stream, the
 * responder may send u16 0 | u8 enum wire_refusal and close.  Payloads of messages 2 and 3: {1: certificate, absent for a spare
 * or a joiner}; its dh_pk must be the handshake's static key.  Then each side sends the 24-byte header of its stream
 * (crypto/channel.h), then frames.
 *
 * A channel carries one job at a time:
 *     client                              peer
 *     RESERVE {job, toolchain}      ->
 *                                   <-    GRANT {lease, load} | NACK {reason, load} | QUEUED {before, load}, later GRANT or NACK
 *     JOB, DATA*, END for each streamed input ->
 *                                   <-    NEED {digests}          source mode: trees and files that it lacks, as often as
 *     BLOB, DATA*, END for each of them ->                          it takes (files are known only when their trees are here)
 *                                   <-    PING each second, STARTED
 *                                   <-    RESULT, OUT*, DONE | ERROR
 * and is idle again after DONE, ERROR, NACK.  CANCEL (or closing) at any time ends the job; CANCEL is answered by ERROR.
 * A peer need not ask the client for all of it: a worker asks another member, which the job names as one that has had the same
 * trees, over a channel of their own: FETCH {digests} -> BLOB, DATA*, END for each that it has, DONE | ERROR.  What does not come from
 * there is in the next NEED.
 * A daemon brings a toolchain on an idle channel: TOOLCHAIN, TDATA*, TEND -> TOK | ERROR.
 * A joiner: JOIN -> JOINED | ERROR.  A member past half of its certificate's lifetime: RENEW -> JOINED | ERROR.
 * A stranger, who knows no mesh yet and wants to be a spare, sends a preamble with an all-zero mesh id (prologue likewise); it may
 * only say STRANGER and is told the mesh's root key: MESH | ERROR.  It takes that on trust; a spare is trusted with nothing itself.
 */
#ifndef MESH_WIRE_H
#define MESH_WIRE_H

#include <stdbool.h>
#include "crypto/buf.h"
#include "crypto/cert.h"
#include "crypto/digest.h"
#include "crypto/key.h"
#include "crypto/sign.h"
#include "crypto/token.h"

#define WIRE_MAGIC "IMX1"
#define WIRE_PREAMBLE_LEN (4 + MESH_ID_LEN)
#define WIRE_PROLOGUE "icemesh/1"
#define WIRE_BLOCK_MAX (128 * 1024) /* raw bytes in one DATA or OUT block, before compression */
#define WIRE_PING_MS 1000           /* a peer with a job says PING this often */
#define WIRE_SILENCE_MS 4000        /* silence after which a peer counts as lost */
#define WIRE_LEASE_MS 20000         /* a granted slot waits this long for the whole job */
#define WIRE_TEXT_SIZE 256
#define WIRE_NEED_MAX 4096 /* digests in one NEED */

enum wire_refusal { REFUSE_MESH = 1, REFUSE_VERSION = 2, REFUSE_BUSY = 3, REFUSE_CERT = 4 };

enum wire_type {
	WIRE_RESERVE =
	        1, /* {1: job id, 2: toolchain digest, 3: predicted ms, 4: 1 to be QUEUED rather than NACKed while all is busy} */
	WIRE_GRANT = 2, /* {1: lease ms, 2: slots, 3: used, 4: queued} */
	WIRE_NACK = 3,  /* {1: enum nack, 2: slots, 3: used, 4: queued} */
	WIRE_JOB = 4,   /* exec/job.h */
	WIRE_DATA = 5,  /* a block of the current streamed input: u32 raw length | LZ4 block */
	WIRE_END =
	        6, /* {1: digest, 2: size}: end of the current streamed input; the next one begins */
	WIRE_PING = 7,    /* empty body */
	WIRE_STARTED = 8, /* {1: ms it waited for a slot} */
	WIRE_RESULT =
	        9, /* exec/job.h, then the outputs that are present follow, in order, each cut into OUT blocks */
	WIRE_OUT = 10,       /* u32 raw length | LZ4 block */
	WIRE_DONE = 11,      /* empty body */
	WIRE_CANCEL = 12,    /* empty body */
	WIRE_ERROR = 13,     /* {1: enum wire_error, 2: text} */
	WIRE_TOOLCHAIN = 14, /* {1: digest, 2: size, 3: signature text (crypto/sign.h)} */
	WIRE_TDATA = 15,     /* bytes of the tarball as they are */
	WIRE_TEND = 16,      /* empty body */
	WIRE_TOK = 17,       /* empty body: unpacked and ready */
	WIRE_JOIN =
	        20, /* {1: token id, 2: secret, 3: sign_pk, 4: dh_pk, 5: name, 6: signature by sign_pk over the handshake hash
	                     (domain "icemesh join 1")} */
	WIRE_JOINED =
	        21, /* {1: certificate, 2: mesh name, 3: array of "host:port" of live peers} */
	WIRE_STRANGER = 22, /* empty body */
	WIRE_MESH = 23,     /* {1: root public key, 2: mesh name} */
	WIRE_RENEW = 24,    /* empty body: the handshake's certificate with a new lifetime */
	WIRE_NEED = 25,     /* {1: digests, concatenated; at most WIRE_NEED_MAX} */
	WIRE_BLOB =
	        26, /* {1: digest, 2: size}: one of what NEED named follows as DATA*, END; each NEED is answered whole */
	WIRE_FETCH = 27, /* as NEED; between members */
	WIRE_QUEUED =
	        28 /* {1: RESERVEs before it, 2: slots, 3: used, 4: queued}: GRANT or NACK follows; CANCEL leaves the queue */
};

enum nack {
	NACK_BUSY = 1,
	NACK_TOOLCHAIN = 2 /* not here: bring it */,
	NACK_POLICY = 3,
	NACK_TRUST = 4,
	NACK_SANDBOX = 5,
	NACK_INSTALLING = 6
};

enum wire_error {
	WERR_PROTOCOL = 1,
	WERR_REFUSED = 2 /* argv or job not allowed here */,
	WERR_SANDBOX = 3,
	WERR_CANCELLED = 4,
	WERR_DIGEST = 5,
	WERR_SIGNATURE = 6,
	WERR_KEY = 7,
	WERR_LIMIT = 8,
	WERR_DISK = 9,
	WERR_TOKEN = 10,
	WERR_LEASE = 11
};

struct wire_load {
	uint32_t slots, used, queued;
};

struct wire_reserve {
	uint64_t job;
	struct digest toolchain;
	uint32_t predicted_ms; /* on a machine of ordinary speed; 0: not known */
	bool wait;             /* for a slot, in the peer's queue */
};
void wire_reserve_encode(struct buf *out, const struct wire_reserve *r);
int wire_reserve_decode(const void *p, size_t len, struct wire_reserve *r) IM_MUST;
/* GRANT, NACK and QUEUED: the number is the lease in ms, the enum nack, or how many wait before it. */
void wire_answer_encode(struct buf *out, uint32_t number, const struct wire_load *l);
int wire_answer_decode(const void *p, size_t len, uint32_t *number, struct wire_load *l) IM_MUST;
void wire_end_encode(struct buf *out, const struct digest *d, uint64_t size);
int wire_end_decode(const void *p, size_t len, struct digest *d, uint64_t *size) IM_MUST;
/* NEED and FETCH. Digests: out has room for WIRE_NEED_MAX. An empty NEED is refused, one that names a digest twice is not. */
void wire_need_encode(struct buf *out, const struct digest *d, uint32_t n);
int wire_need_decode(const void *p, size_t len, struct digest *out, uint32_t *n) IM_MUST;
/* At most TREE_FILE_MAX bytes (exec/tree.h). */
void wire_blob_encode(struct buf *out, const struct digest *d, uint64_t size);
int wire_blob_decode(const void *p, size_t len, struct digest *d, uint64_t *size) IM_MUST;
void wire_started_encode(struct buf *out, uint32_t ms);
int wire_started_decode(const void *p, size_t len, uint32_t *ms) IM_MUST;
void wire_error_encode(struct buf *out, enum wire_error code, const char *text);
int wire_error_decode(const void *p, size_t len, uint32_t *code, char text[WIRE_TEXT_SIZE]) IM_MUST;
void wire_toolchain_encode(struct buf *out, const struct digest *d, uint64_t size, const char *sig);
int wire_toolchain_decode(const void *p, size_t len, struct digest *d, uint64_t *size,
        char sig[SIGN_TEXT_MAX]) IM_MUST;

struct wire_join {
	uint8_t token_id[TOKEN_ID_LEN], secret[TOKEN_SECRET_LEN];
	uint8_t sign_pk[SIGN_PK_LEN], dh_pk[DH_LEN], proof[SIGNATURE_LEN];
	char name[NAME_SIZE];
};
void wire_join_encode(struct buf *out, const struct wire_join *j);
int wire_join_decode(const void *p, size_t len, struct wire_join *j) IM_MUST;

struct wire_joined {
	uint8_t cert[CERT_LEN_MAX];
	size_t cert_len;
	char mesh[NAME_SIZE];
	char peers[16][64];
	uint32_t npeers;
};
void wire_joined_encode(struct buf *out, const struct wire_joined *j);
int wire_joined_decode(const void *p, size_t len, struct wire_joined *j) IM_MUST;

struct wire_mesh {
	uint8_t root_pk[SIGN_PK_LEN];
	char name[NAME_SIZE];
};
void wire_mesh_encode(struct buf *out, const struct wire_mesh *m);
int wire_mesh_decode(const void *p, size_t len, struct wire_mesh *m) IM_MUST;

/* Handshake payload {1: certificate}; len 0 for none. */
void wire_payload_encode(struct buf *out, const void *cert, size_t len);
int wire_payload_decode(const void *p, size_t len, const uint8_t **cert, size_t *cert_len) IM_MUST;

/* One block of DATA or OUT: raw bytes (at most WIRE_BLOCK_MAX) to u32 length | LZ4, and back (out has WIRE_BLOCK_MAX bytes). */
int wire_block_encode(struct buf *out, const void *raw, size_t len) IM_MUST;
int wire_block_decode(const void *p, size_t len, void *out, size_t *out_len) IM_MUST;

const char *wire_nack_name(uint32_t n);

#endif
