#include "crypto/cert.h"

#include <string.h>
#include "crypto/packet.h"

#define CERT_DOMAIN "icemesh cert 1"
#define CERT_VERSION 1

enum outer_key { OUTER_BODY = 1, OUTER_SIGNATURE = 2 };
enum body_key {
	BODY_VERSION = 1,
	BODY_MESH,
	BODY_SERIAL,
	BODY_SIGN_PK,
	BODY_DH_PK,
	BODY_NAME,
	BODY_OWNER,
	BODY_ROLES,
	BODY_NOT_BEFORE,
	BODY_NOT_AFTER,
	BODY_END
};

#define OUTER_KNOWN (1u << OUTER_BODY | 1u << OUTER_SIGNATURE)
#define BODY_KNOWN ((1u << BODY_END) - (1u << BODY_VERSION))

/* Printable ASCII: names are shown on terminals and must not look like one another by Unicode's
 * tricks. */
static bool
name_ok(const char name[NAME_SIZE])
{
	size_t i, len = strnlen(name, NAME_SIZE);

	if (len == NAME_SIZE)
		return false;
	for (i = 0; i < len; i++)
		if (name[i] < 0x20 || name[i] > 0x7e)
			return false;
	return true;
}

static int
check_fields(const struct cert *c)
{
	if (!name_ok(c->name) || !name_ok(c->owner) || (c->roles & ~(uint32_t)ROLES_ALL) != 0 ||
	        c->not_after < c->not_before)
		return IM_ERR_FORMAT;
	return 0;
}

static void
encode_body(const struct cert *c, struct buf *b)
{
	pack_map(b, BODY_END - BODY_VERSION);
	pack_kuint(b, BODY_VERSION, CERT_VERSION);
	pack_kbytes(b, BODY_MESH, c->mesh.bytes, MESH_ID_LEN);
	pack_kbytes(b, BODY_SERIAL, c->serial, sizeof c->serial);
	pack_kbytes(b, BODY_SIGN_PK, c->sign_pk, SIGN_PK_LEN);
	pack_kbytes(b, BODY_DH_PK, c->dh_pk, DH_LEN);
	pack_ktext(b, BODY_NAME, c->name);
	pack_ktext(b, BODY_OWNER, c->owner);
	pack_kuint(b, BODY_ROLES, c->roles);
	pack_kuint(b, BODY_NOT_BEFORE, c->not_before);
	pack_kuint(b, BODY_NOT_AFTER, c->not_after);
}

int
cert_issue(struct cert *c, const struct key *root, struct buf *out)
{
	struct buf body, whole;
	struct cert made = *c;
	uint8_t sig[SIGNATURE_LEN];
	int err = check_fields(c);

	if (err != 0)
		return err;
	buf_init(&body, CERT_LEN_MAX);
	buf_init(&whole, CERT_LEN_MAX);
	mesh_id_of(&made.mesh, root->sign_pk);
	node_id_of(&made.node, made.sign_pk);
	random_bytes(made.serial, sizeof made.serial);
	encode_body(&made, &body);
	err = buf_err(&body);
	if (err != 0)
		goto out;
	key_sign(root, CERT_DOMAIN, body.data, body.len, sig);
	pack_map(&whole, 2);
	pack_kbytes(&whole, OUTER_BODY, body.data, body.len);
	pack_kbytes(&whole, OUTER_SIGNATURE, sig, sizeof sig);
	err = buf_err(&whole);
	if (err != 0)
		goto out;
	buf_put(out, whole.data, whole.len);
	err = buf_err(out);
	if (err == 0)
		*c = made;
out:
	buf_fini(&whole);
	buf_fini(&body);
	return err;
}

static int
decode_fields(const struct item *m, struct cert *c)
{
	uint64_t roles;
	int err;

	if ((err = item_fixed(m, BODY_MESH, c->mesh.bytes, MESH_ID_LEN)) != 0 ||
	        (err = item_fixed(m, BODY_SERIAL, c->serial, sizeof c->serial)) != 0 ||
	        (err = item_fixed(m, BODY_SIGN_PK, c->sign_pk, SIGN_PK_LEN)) != 0 ||
	        (err = item_fixed(m, BODY_DH_PK, c->dh_pk, DH_LEN)) != 0 ||
	        (err = item_text(m, BODY_NAME, c->name, NAME_SIZE)) != 0 ||
	        (err = item_text(m, BODY_OWNER, c->owner, NAME_SIZE)) != 0 ||
	        (err = item_uint(m, BODY_ROLES, UINT32_MAX, &roles)) != 0 ||
	        (err = item_uint(m, BODY_NOT_BEFORE, UINT64_MAX, &c->not_before)) != 0 ||
	        (err = item_uint(m, BODY_NOT_AFTER, UINT64_MAX, &c->not_after)) != 0)
		return err;
	c->roles = (uint32_t)roles;
	return 0;
}

/* The version comes before everything else, so that a certificate of a later kind is called that
 * and not malformed. */
static int
decode_body(const uint8_t *bytes, size_t len, struct cert *c)
{
	struct packet *p;
	const struct item *m;
	uint64_t version;
	int err = packet_open(&p, bytes, len);

	if (err != 0)
		return err;
	m = packet_root(p);
	err = item_uint(m, BODY_VERSION, UINT64_MAX, &version);
	if (err == 0 && version != CERT_VERSION)
		err = IM_ERR_VERSION;
	if (err == 0)
		err = item_known(m, BODY_KNOWN);
	if (err == 0)
		err = decode_fields(m, c);
	packet_free(p);
	return err;
}

/* The mesh is looked at before the signature: "of another mesh" tells people more than "does not
 * verify". */
static int
check_body(struct cert *c, const uint8_t *body, size_t len, const uint8_t *sig,
        const uint8_t root_pk[SIGN_PK_LEN])
{
	struct mesh_id mesh;
	int err = decode_body(body, len, c);

	if (err != 0)
		return err;
	mesh_id_of(&mesh, root_pk);
	if (memcmp(mesh.bytes, c->mesh.bytes, MESH_ID_LEN) != 0)
		return IM_ERR_OTHER_MESH;
	err = key_verify(root_pk, CERT_DOMAIN, body, len, sig);
	return err != 0 ? err : check_fields(c);
}

int
cert_check(struct cert *out, const void *bytes, size_t len, const uint8_t root_pk[SIGN_PK_LEN],
        uint64_t now)
{
	struct cert c = {0};
	struct packet *p = NULL;
	const uint8_t *body;
	uint8_t sig[SIGNATURE_LEN];
	size_t body_len;
	int err = len > CERT_LEN_MAX ? IM_ERR_LIMIT : packet_open(&p, bytes, len);

	if (err == 0)
		err = item_known(packet_root(p), OUTER_KNOWN);
	if (err == 0)
		err = item_bytes(packet_root(p), OUTER_BODY, CERT_LEN_MAX, &body, &body_len);
	if (err == 0)
		err = item_fixed(packet_root(p), OUTER_SIGNATURE, sig, sizeof sig);
	if (err == 0)
		err = check_body(&c, body, body_len, sig, root_pk);
	if (err == 0 && (now < c.not_before || now > c.not_after))
		err = IM_ERR_EXPIRED;
	packet_free(p);
	if (err == IM_ERR_ABSENT || err == IM_ERR_LIMIT || err == IM_ERR_TRUNCATED)
		return IM_ERR_FORMAT;
	if (err != 0)
		return err;
	node_id_of(&c.node, c.sign_pk);
	*out = c;
	return 0;
}
