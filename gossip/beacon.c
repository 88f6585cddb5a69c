#include "gossip/beacon.h"

#include <string.h>
#include "crypto/packet.h"

#define DOMAIN "icemesh beacon 1"
#define VERSION_NOW 1
#define SLOTS_MAX 65535
#define SPEED_MAX 1000000
#define BITS(from, to) (((UINT64_C(2) << (to)) - 1) & ~((UINT64_C(1) << (from)) - 1))

static uint64_t
at_most(uint64_t v, uint64_t max)
{
	return v < max ? v : max;
}

static void
pack_lists(const struct beacon *b, struct buf *out)
{
	uint32_t ntags = (uint32_t)at_most(b->load.ntags, BEACON_TAGS_MAX);
	uint32_t naddrs = (uint32_t)at_most(b->naddrs, BEACON_ADDRS_MAX);

	pack_uint(out, 64);
	pack_array(out, ntags);
	for (uint32_t i = 0; i < ntags; i++)
		pack_uint(out, b->load.tags[i]);
	pack_ktext(out, 65, b->version);
	pack_kuint(out, 66, at_most(b->speed, SPEED_MAX));
	pack_uint(out, 67);
	pack_array(out, naddrs);
	for (uint32_t i = 0; i < naddrs; i++)
		pack_bytes(out, b->addrs[i].bytes, b->addrs[i].len);
	pack_kuint(out, 68, b->reach);
}

static void
pack_body(const struct beacon *b, struct buf *out)
{
	pack_map(out, 20);
	pack_kuint(out, 1, VERSION_NOW);
	pack_kbytes(out, 2, b->mesh.bytes, MESH_ID_LEN);
	pack_kbytes(out, 3, b->node.bytes, NODE_ID_LEN);
	pack_kuint(out, 4, b->boot);
	pack_kuint(out, 5, b->seq);
	pack_kuint(out, 6, b->kind);
	pack_ktext(out, 7, b->name);
	pack_kuint(out, 8, b->port);
	pack_ktext(out, 9, b->platform);
	pack_kuint(out, 10, at_most(b->load.slots, SLOTS_MAX));
	pack_kuint(out, 11, at_most(b->load.used, SLOTS_MAX));
	pack_kuint(out, 12, at_most(b->load.queued, SLOTS_MAX));
	pack_kuint(out, 13, at_most(b->load.permille, 1000));
	pack_kuint(out, 14, at_most(b->sandbox, 3));
	pack_kuint(out, 15, b->load.state);
	pack_lists(b, out);
}

int
beacon_encode(const struct beacon *b, const struct key *k, const void *cert, size_t cert_len,
        struct buf *out)
{
	uint8_t sig[SIGNATURE_LEN];
	struct buf body, whole;
	int err;

	buf_init(&body, BEACON_LEN_MAX);
	buf_init(&whole, BEACON_LEN_MAX);
	pack_body(b, &body);
	err = buf_err(&body);
	if (err)
		goto out;
	key_sign(k, DOMAIN, body.data, body.len, sig);
	pack_map(&whole, 3);
	pack_kbytes(&whole, 1, body.data, body.len);
	pack_kbytes(&whole, 2, sig, sizeof(sig));
	if (cert)
		pack_kbytes(&whole, 3, cert, cert_len);
	else
		pack_kbytes(&whole, 4, k->sign_pk, SIGN_PK_LEN);
	err = buf_err(&whole);
	if (err)
		goto out;
	buf_put(out, whole.data, whole.len);
	err = buf_err(out);
out:
	buf_fini(&whole);
	buf_fini(&body);
	return err;
}

/* Absent where it may not be is a malformed message, not a missing thing. */
static int
needed(int err)
{
	return err == IM_ERR_ABSENT ? IM_ERR_FORMAT : err;
}

static int
read_uint32(const struct item *map, unsigned key, uint32_t max, uint32_t *out)
{
	uint64_t v;
	int err = item_uint(map, key, max, &v);

	if (!err)
		*out = (uint32_t)v;
	return needed(err);
}

static int
read_identity(struct beacon *b, const struct item *map)
{
	uint64_t version, kind, port;
	int err = item_uint(map, 1, UINT64_MAX, &version);

	if (err)
		return needed(err);
	if (version != VERSION_NOW)
		return IM_ERR_VERSION;
	if ((err = item_known(map, BITS(1, 15))) ||
	        (err = item_fixed(map, 2, b->mesh.bytes, MESH_ID_LEN)) ||
	        (err = item_fixed(map, 3, b->node.bytes, NODE_ID_LEN)) ||
	        (err = item_uint(map, 4, UINT64_MAX, &b->boot)) ||
	        (err = item_uint(map, 5, UINT64_MAX, &b->seq)) ||
	        (err = item_uint(map, 6, BEACON_BYE, &kind)) ||
	        (err = item_text(map, 7, b->name, sizeof(b->name))) ||
	        (err = item_uint(map, 8, UINT16_MAX, &port)) ||
	        (err = item_text(map, 9, b->platform, sizeof(b->platform))))
		return needed(err);
	b->kind = (enum beacon_kind)kind;
	b->port = (uint16_t)port;
	return 0;
}

static int
read_load(struct beacon *b, const struct item *map)
{
	struct load *l = &b->load;
	const struct item *tags;
	uint64_t tag;
	int err;

	if ((err = read_uint32(map, 10, SLOTS_MAX, &l->slots)) ||
	        (err = read_uint32(map, 11, SLOTS_MAX, &l->used)) ||
	        (err = read_uint32(map, 12, SLOTS_MAX, &l->queued)) ||
	        (err = read_uint32(map, 13, 1000, &l->permille)) ||
	        (err = read_uint32(map, 14, 3, &b->sandbox)) ||
	        (err = read_uint32(map, 15, UINT32_MAX, &l->state)))
		return err;
	err = item_array(map, 64, BEACON_TAGS_MAX, &tags, &l->ntags);
	if (err == IM_ERR_ABSENT) {
		l->ntags = 0;
		return 0;
	}
	for (uint32_t i = 0; !err && i < l->ntags; i++) {
		err = value_uint(item_at(tags, i), UINT32_MAX, &tag);
		if (!err)
			l->tags[i] = (uint32_t)tag;
	}
	return err;
}

/* The optional rest: version text, speed, addresses. */
static int
read_extras(struct beacon *b, const struct item *map)
{
	const struct item *addrs;
	const uint8_t *bytes;
	size_t len;
	int err = item_text(map, 65, b->version, sizeof(b->version));

	if (err && err != IM_ERR_ABSENT)
		return err;
	err = read_uint32(map, 66, SPEED_MAX, &b->speed);
	if (err && item_get(map, 66))
		return err;
	err = read_uint32(map, 68, UINT32_MAX, &b->reach);
	if (err && item_get(map, 68))
		return err;
	err = item_array(map, 67, BEACON_ADDRS_MAX, &addrs, &b->naddrs);
	if (err == IM_ERR_ABSENT) {
		b->naddrs = 0;
		return 0;
	}
	for (uint32_t i = 0; !err && i < b->naddrs; i++) {
		err = value_bytes(item_at(addrs, i), 16, &bytes, &len);
		if (err)
			return err;
		if (len != 4 && len != 16)
			return IM_ERR_FORMAT;
		b->addrs[i].len = (uint8_t)len;
		memcpy(b->addrs[i].bytes, bytes, len);
	}
	return err;
}

static int
read_body(struct beacon *b, const uint8_t *bytes, size_t len)
{
	struct packet *p = NULL;
	int err = packet_open(&p, bytes, len);

	if (!err)
		err = read_identity(b, packet_root(p));
	if (!err)
		err = read_load(b, packet_root(p));
	if (!err)
		err = read_extras(b, packet_root(p));
	packet_free(p);
	return err;
}

/* The key that a certificate speaks for, unchecked: outer {1: body}, body {4: sign_pk}. */
static int
peek_cert(uint8_t sign_pk[SIGN_PK_LEN], const uint8_t *cert, size_t cert_len)
{
	struct packet *outer = NULL, *inner = NULL;
	const uint8_t *body;
	size_t len;
	int err = packet_open(&outer, cert, cert_len);

	if (!err)
		err = needed(item_bytes(packet_root(outer), 1, CERT_LEN_MAX, &body, &len));
	if (!err)
		err = packet_open(&inner, body, len);
	if (!err)
		err = needed(item_fixed(packet_root(inner), 4, sign_pk, SIGN_PK_LEN));
	packet_free(inner);
	packet_free(outer);
	return err;
}

/* Body and signature inside the datagram; *p must be freed in any case. */
static int
open_outer(struct packet **p, const void *bytes, size_t len, const uint8_t **body, size_t *body_len)
{
	int err;

	if (len > BEACON_LEN_MAX)
		return IM_ERR_LIMIT;
	err = packet_open(p, bytes, len);
	if (!err)
		err = item_known(packet_root(*p), BITS(1, 4));
	if (!err)
		err = needed(item_bytes(packet_root(*p), 1, BEACON_LEN_MAX, body, body_len));
	return err;
}

/* Who signed: by the certificate, or, for a spare, the bare key. */
static int
read_signer(struct beacon *b, const struct item *outer)
{
	struct node_id id;
	int err = item_bytes(outer, 3, CERT_LEN_MAX, &b->cert, &b->cert_len);

	if (!err && item_get(outer, 4))
		return IM_ERR_FORMAT;
	if (!err)
		err = peek_cert(b->sign_pk, b->cert, b->cert_len);
	else if (err == IM_ERR_ABSENT)
		err = needed(item_fixed(outer, 4, b->sign_pk, SIGN_PK_LEN));
	if (err)
		return err;
	node_id_of(&id, b->sign_pk);
	return node_id_cmp(&id, &b->node) ? IM_ERR_FORMAT : 0;
}

int
beacon_decode(struct beacon *out, const void *bytes, size_t len)
{
	struct beacon b = {0};
	struct packet *p = NULL;
	const uint8_t *body;
	uint8_t sig[SIGNATURE_LEN];
	size_t body_len;
	int err = open_outer(&p, bytes, len, &body, &body_len);

	if (!err)
		err = needed(item_fixed(packet_root(p), 2, sig, sizeof(sig)));
	if (!err)
		err = read_body(&b, body, body_len);
	if (!err)
		err = read_signer(&b, packet_root(p));
	if (!err)
		*out = b;
	packet_free(p);
	/* A short datagram is as malformed as a wrong one. */
	return err == IM_ERR_TRUNCATED ? IM_ERR_FORMAT : err;
}

/* --- the front, read where it stands --- */

struct cursor {
	const uint8_t *p, *end;
};

static bool
take_byte(struct cursor *c, uint8_t v)
{
	return c->p < c->end && *c->p++ == v;
}

/* An unsigned integer of any of msgpack's lengths. */
static bool
take_uint(struct cursor *c, uint64_t *v)
{
	size_t n;

	if (c->p == c->end)
		return false;
	*v = *c->p++;
	if (*v <= 0x7f)
		return true;
	if (*v < 0xcc || *v > 0xcf)
		return false;
	n = (size_t)1 << (*v - 0xcc);
	if ((size_t)(c->end - c->p) < n)
		return false;
	for (*v = 0; n; n--)
		*v = *v << 8 | *c->p++;
	return true;
}

/* Binary of at most 65535 bytes. */
static bool
take_bin(struct cursor *c, const uint8_t **bytes, size_t *len)
{
	size_t fields, n = 0;

	if (c->p == c->end || (*c->p != 0xc4 && *c->p != 0xc5))
		return false;
	fields = *c->p++ == 0xc4 ? 1 : 2;
	if ((size_t)(c->end - c->p) < fields)
		return false;
	while (fields--)
		n = n << 8 | *c->p++;
	if ((size_t)(c->end - c->p) < n)
		return false;
	*bytes = c->p;
	*len = n;
	c->p += n;
	return true;
}

static bool
take_fixed(struct cursor *c, uint8_t key, void *out, size_t size)
{
	const uint8_t *bytes;
	size_t len;

	if (!take_byte(c, key) || !take_bin(c, &bytes, &len) || len != size)
		return false;
	memcpy(out, bytes, size);
	return true;
}

static int
peek_body(struct beacon_front *f, struct cursor c)
{
	uint64_t version, kind;

	/* a map of up to 15 pairs, or one whose count takes two bytes */
	if (c.p == c.end)
		return IM_ERR_FORMAT;
	if (*c.p == 0xde && c.end - c.p >= 3)
		c.p += 3;
	else if (*c.p++ >> 4 != 8)
		return IM_ERR_FORMAT;
	if (!take_byte(&c, 1) || !take_uint(&c, &version))
		return IM_ERR_FORMAT;
	if (version != VERSION_NOW)
		return IM_ERR_VERSION;
	if (!take_fixed(&c, 2, f->mesh.bytes, MESH_ID_LEN) ||
	        !take_fixed(&c, 3, f->node.bytes, NODE_ID_LEN) || !take_byte(&c, 4) ||
	        !take_uint(&c, &f->boot) || !take_byte(&c, 5) || !take_uint(&c, &f->seq) ||
	        !take_byte(&c, 6) || !take_uint(&c, &kind) || kind > BEACON_BYE)
		return IM_ERR_FORMAT;
	f->kind = (enum beacon_kind)kind;
	return 0;
}

int
beacon_peek(struct beacon_front *out, const void *bytes, size_t len)
{
	struct cursor c = {bytes, (const uint8_t *)bytes + len};
	struct beacon_front f = {0};
	const uint8_t *body, *sig;
	size_t body_len, sig_len;
	int err;

	if (len > BEACON_LEN_MAX)
		return IM_ERR_LIMIT;
	if (c.p == c.end || *c.p++ >> 4 != 8 || !take_byte(&c, 1) ||
	        !take_bin(&c, &body, &body_len))
		return IM_ERR_FORMAT;
	err = peek_body(&f, (struct cursor){body, body + body_len});
	if (err)
		return err;
	if (!take_byte(&c, 2) || !take_bin(&c, &sig, &sig_len) || sig_len != SIGNATURE_LEN)
		return IM_ERR_FORMAT;
	if (c.p < c.end && *c.p == 3) {
		c.p++;
		if (!take_bin(&c, &f.cert, &f.cert_len) || f.cert_len > CERT_LEN_MAX)
			return IM_ERR_FORMAT;
	}
	*out = f;
	return 0;
}

int
beacon_verify(const struct beacon *b, const void *bytes, size_t len)
{
	struct packet *p = NULL;
	const uint8_t *body;
	uint8_t sig[SIGNATURE_LEN];
	size_t body_len;
	int err = open_outer(&p, bytes, len, &body, &body_len);

	if (!err)
		err = item_fixed(packet_root(p), 2, sig, sizeof(sig));
	if (!err)
		err = key_verify(b->sign_pk, DOMAIN, body, body_len, sig);
	packet_free(p);
	return err ? IM_ERR_SIGNATURE : 0;
}
