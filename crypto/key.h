/*
 * Keys: a node's identity and a mesh's root.
 *
 * Each is kept as one 32-byte seed in a file of mode 0600, created once and never overwritten.  The
 * Ed25519 key pair (RFC 8032) for signatures and the X25519 key pair (RFC 7748) for the handshake
 * come out of the seed by crypto_kdf (BLAKE2b), contexts "imsign01" and "imnoise1".
 */
#ifndef CRYPTO_KEY_H
#define CRYPTO_KEY_H

#include "crypto/err.h"
#include "crypto/digest.h"

#define SIGN_PK_LEN 32
#define SIGN_SK_LEN 64
#define SIGNATURE_LEN 64
#define SIGN_MESSAGE_MAX \
	16384 /* domain, NUL and bytes together; longer content is signed by its digest */
#define DH_LEN 32
#define MESH_ID_LEN 16
#define NODE_ID_LEN 16
#define NODE_ID_TEXT_SIZE 33 /* 32 hex digits and NUL */

struct node_id { /* first 16 bytes of BLAKE2b-256 of the Ed25519 public key */
	uint8_t bytes[NODE_ID_LEN];
};
struct mesh_id { /* the same, of the mesh root's public key */
	uint8_t bytes[MESH_ID_LEN];
};

struct key {
	uint8_t sign_pk[SIGN_PK_LEN], sign_sk[SIGN_SK_LEN];
	uint8_t dh_pk[DH_LEN], dh_sk[DH_LEN];
};

/* Must run once in a process before anything else of crypto/ is used (libsodium's set-up).
 * IM_ERR_UNSUPPORTED. */
int crypto_start(void) IM_MUST;
/* Makes a key from a seed of 32 bytes (tests), or from the system's random numbers when seed is
 * NULL. */
void key_make(struct key *k, const uint8_t *seed);
/* Reads `path`; when it does not exist, makes a key and creates the file (0600, O_EXCL, fsync,
 * never overwritten). IM_ERR_FORMAT for a file of the wrong size, IM_ERR_REFUSED for one that
 * others can read or that is not ours, IM_ERR_SYSTEM. */
int key_load_or_create(struct key *k, const char *path) IM_MUST;
/* Reads only. IM_ERR_ABSENT when there is none. */
int key_load(struct key *k, const char *path) IM_MUST;
/* Creates only. IM_ERR_EXISTS when the file is there. */
int key_create(struct key *k, const char *path) IM_MUST;
void key_wipe(struct key *k);

void node_id_of(struct node_id *id, const uint8_t sign_pk[SIGN_PK_LEN]);
void mesh_id_of(struct mesh_id *id, const uint8_t root_pk[SIGN_PK_LEN]);
void node_id_text(const struct node_id *id, char out[NODE_ID_TEXT_SIZE]);
int node_id_from_text(struct node_id *id, const char *text) IM_MUST;
int node_id_cmp(const struct node_id *a, const struct node_id *b);

/* Ed25519 over domain || 0x00 || bytes, so that a signature made for one purpose is none for
 * another.  Signing more than SIGN_MESSAGE_MAX is the caller's mistake (asserted); verifying it is
 * IM_ERR_LIMIT, since a peer may have sent it. */
void key_sign(const struct key *k, const char *domain, const void *bytes, size_t len,
        uint8_t sig[SIGNATURE_LEN]);
int key_verify(const uint8_t sign_pk[SIGN_PK_LEN], const char *domain, const void *bytes,
        size_t len, const uint8_t sig[SIGNATURE_LEN]) IM_MUST; /* IM_ERR_SIGNATURE, IM_ERR_LIMIT */

/* n unpredictable bytes. */
void random_bytes(void *out, size_t n);

#endif
