/*
 * Who this node is: its key, the mesh it belongs to, its certificate, and on the node that made the mesh the root key and the open
 * enrolment tokens.  All of it lives in the state folder:
 *   node.key, root.key (crypto/key.h), mesh (packet {1: root public key, 2: mesh name}), cert, tokens (issuer only)
 */
#ifndef MESH_IDENTITY_H
#define MESH_IDENTITY_H

#include "mesh/node.h"

#define IDENTITY_TOKENS_MAX 256
#define IDENTITY_CERT_DAYS 30

struct identity;

/* Reads what is there, makes the node key when there is none.  why (256 bytes) says what is wrong with which file. */
struct identity *identity_open(struct node *n, char *why);
void identity_free(struct identity *id);

/* For connections and beacons; stays at the same address, changes when the mesh does. */
const struct conn_identity *identity_conn(const struct identity *id);
const struct node_id *identity_node(const struct identity *id);
bool identity_in_mesh(const struct identity *id); /* knows a mesh, as member or as spare */
const struct cert *identity_cert(const struct identity *id); /* NULL: no valid certificate */
bool identity_is_issuer(const struct identity *id);          /* holds the root key */
const char *identity_mesh_name(const struct identity *id);

/* Makes a mesh with this node as its root. IM_ERR_EXISTS when it is in one already. */
int identity_init(struct identity *id, const char *mesh_name) IM_MUST;
/* A token for `uses` joins within `seconds`. hosts: comma-separated host:port. Appends its text. IM_ERR_REFUSED when this node holds no root key. */
int identity_invite(struct identity *id, uint32_t roles, unsigned uses, unsigned seconds,
        const char *hosts, struct buf *text) IM_MUST;
/* The issuer's side of a join: checks the token and the proof over the handshake hash, burns a use, issues the certificate.
 * why (256 bytes): the cause in words. IM_ERR_REFUSED, IM_ERR_EXPIRED, IM_ERR_SIGNATURE. */
int identity_enrol(struct identity *id, const struct wire_join *j, const uint8_t *hash,
        struct buf *cert, char *why) IM_MUST;
/* A member's certificate once more with a lifetime that begins now; same key, name, owner and roles. IM_ERR_REFUSED when this node
 * holds no root key. */
int identity_renew(struct identity *id, const struct cert *old, struct buf *cert) IM_MUST;
/* Takes a renewed certificate of this node for good; on error the present one stays. */
int identity_take_cert(struct identity *id, const void *cert, size_t len) IM_MUST;
/* The joiner's side: what to send, and taking the answer for good. */
void identity_join_request(const struct identity *id, const struct token *t, const uint8_t *hash,
        struct wire_join *out);
int identity_joined(struct identity *id, const uint8_t root_pk[SIGN_PK_LEN],
        const struct wire_joined *j) IM_MUST;
/* A spare: knows the mesh, has no certificate. */
int identity_adopt_mesh(
        struct identity *id, const uint8_t root_pk[SIGN_PK_LEN], const char *mesh_name) IM_MUST;
/* Forgets certificate and mesh (not the node key, not a root key file). */
int identity_leave(struct identity *id) IM_MUST;

#endif
