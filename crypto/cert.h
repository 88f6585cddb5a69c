/*
 * Certificates: the mesh root's statement that a node key belongs to its mesh, with a name, an
 * owner, roles and a lifetime.
 *
 * Encoded as a packet; the signed bytes are kept verbatim, so that verification never depends on
 * re-encoding.
 *   outer {1: body bytes, 2: signature by the root over body (domain "icemesh cert 1")}
 *   body  {1: version 1, 2: mesh id, 3: serial (8 random bytes), 4: sign_pk, 5: dh_pk, 6: name,
 *          7: owner, 8: roles, 9: not before, 10: not after (seconds since 1970)}
 */
#ifndef CRYPTO_CERT_H
#define CRYPTO_CERT_H

#include "crypto/buf.h"
#include "crypto/key.h"

#define CERT_LEN_MAX 512
#define NAME_SIZE 64 /* node, owner and mesh names, with NUL */

enum cert_role { ROLE_WORKER = 1, ROLE_SIGNER = 2, ROLE_ISSUER = 4 };
#define ROLES_ALL (ROLE_WORKER | ROLE_SIGNER | ROLE_ISSUER)

struct cert {
	struct mesh_id mesh;
	struct node_id node; /* derived from sign_pk */
	uint8_t serial[8];
	uint8_t sign_pk[SIGN_PK_LEN], dh_pk[DH_LEN];
	char name[NAME_SIZE], owner[NAME_SIZE];
	uint32_t roles;
	uint64_t not_before, not_after;
};

/* Signs c (its mesh, node and serial are filled in) with the root key and appends the encoding to
 * out. IM_ERR_FORMAT when a name is not printable ASCII, a role is unknown or the lifetime ends
 * before it begins. */
int cert_issue(struct cert *c, const struct key *root, struct buf *out) IM_MUST;
/* Decodes and checks: signature by root_pk, mesh id, names are printable ASCII, `now` (seconds)
 * within the lifetime. IM_ERR_FORMAT, IM_ERR_SIGNATURE, IM_ERR_OTHER_MESH (mesh id differs from
 * root_pk's), IM_ERR_EXPIRED, IM_ERR_VERSION, IM_ERR_MEMORY. */
int cert_check(struct cert *out, const void *bytes, size_t len, const uint8_t root_pk[SIGN_PK_LEN],
        uint64_t now) IM_MUST;

#endif
