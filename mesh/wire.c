#include "mesh/wire.h"

#include <string.h>
#include <lz4.h>
#include "crypto/packet.h"
#include "exec/tree.h"

/* The set of keys 1..n, for item_known(). */
#define KEYS(n) ((2ULL << (n)) - 2)

/* Opens a packet and refuses unknown mandatory keys; *root is valid until packet_free(*p). */
static int
open_map(struct packet **p, const struct item **root, const void *bytes, size_t len, unsigned keys)
{
	int err = packet_open(p, bytes, len);
	if (err < 0)
		return err;
	*root = packet_root(*p);
	err = item_known(*root, KEYS(keys));
	if (err < 0) {
		packet_free(*p);
		*p = NULL;
	}
	return err;
}

void
wire_reserve_encode(struct buf *out, const struct wire_reserve *r)
{
	pack_map(out, 4);
	pack_kuint(out, 1, r->job);
	pack_kbytes(out, 2, r->toolchain.bytes, DIGEST_LEN);
	pack_kuint(out, 3, r->predicted_ms);
	pack_kuint(out, 4, r->wait);
}

int
wire_reserve_decode(const void *bytes, size_t len, struct wire_reserve *r)
{
	struct packet *p;
	const struct item *m;
	struct wire_reserve got = {0};
	uint64_t predicted = 0, wait = 0;
	int err = open_map(&p, &m, bytes, len, 4);
	if (err < 0)
		return err;
	if ((err = item_uint(m, 1, UINT64_MAX, &got.job)) == 0 &&
	        (err = item_fixed(m, 2, got.toolchain.bytes, DIGEST_LEN)) == 0 &&
	        (err = item_uint(m, 3, UINT32_MAX, &predicted)) == 0 &&
	        (err = item_uint(m, 4, 1, &wait)) == 0) {
		got.predicted_ms = (uint32_t)predicted;
		got.wait = wait;
		*r = got;
	}
	packet_free(p);
	return err;
}

void
wire_answer_encode(struct buf *out, uint32_t number, const struct wire_load *l)
{
	pack_map(out, 4);
	pack_kuint(out, 1, number);
	pack_kuint(out, 2, l->slots);
	pack_kuint(out, 3, l->used);
	pack_kuint(out, 4, l->queued);
}

int
wire_answer_decode(const void *bytes, size_t len, uint32_t *number, struct wire_load *l)
{
	struct packet *p;
	const struct item *m;
	uint64_t v[4];
	int err = open_map(&p, &m, bytes, len, 4);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < 4 && err == 0; i++)
		err = item_uint(m, i + 1, UINT32_MAX, &v[i]);
	packet_free(p);
	if (err < 0)
		return err;
	*number = (uint32_t)v[0];
	*l = (struct wire_load){(uint32_t)v[1], (uint32_t)v[2], (uint32_t)v[3]};
	return 0;
}

void
wire_end_encode(struct buf *out, const struct digest *d, uint64_t size)
{
	pack_map(out, 2);
	pack_kbytes(out, 1, d->bytes, DIGEST_LEN);
	pack_kuint(out, 2, size);
}

int
wire_end_decode(const void *bytes, size_t len, struct digest *d, uint64_t *size)
{
	struct packet *p;
	const struct item *m;
	struct digest got;
	uint64_t n;
	int err = open_map(&p, &m, bytes, len, 2);
	if (err < 0)
		return err;
	if ((err = item_fixed(m, 1, got.bytes, DIGEST_LEN)) == 0 &&
	        (err = item_uint(m, 2, UINT64_MAX, &n)) == 0) {
		*d = got;
		*size = n;
	}
	packet_free(p);
	return err;
}

void
wire_need_encode(struct buf *out, const struct digest *d, uint32_t n)
{
	pack_map(out, 1);
	pack_kbytes(out, 1, d, n * sizeof *d);
}

int
wire_need_decode(const void *bytes, size_t len, struct digest *out, uint32_t *n)
{
	struct packet *p;
	const struct item *m;
	const uint8_t *digests;
	size_t size;
	int err = open_map(&p, &m, bytes, len, 1);
	if (err < 0)
		return err;
	err = item_bytes(m, 1, WIRE_NEED_MAX * sizeof *out, &digests, &size);
	if (err == 0 && (size == 0 || size % sizeof *out != 0))
		err = IM_ERR_FORMAT;
	if (err == 0) {
		memcpy(out, digests, size);
		*n = (uint32_t)(size / sizeof *out);
	}
	packet_free(p);
	return err;
}

void
wire_blob_encode(struct buf *out, const struct digest *d, uint64_t size)
{
	wire_end_encode(out, d, size);
}

int
wire_blob_decode(const void *bytes, size_t len, struct digest *d, uint64_t *size)
{
	struct digest got;
	uint64_t n;
	int err = wire_end_decode(bytes, len, &got, &n);
	if (err < 0)
		return err;
	if (n > TREE_FILE_MAX)
		return IM_ERR_LIMIT;
	*d = got;
	*size = n;
	return 0;
}

void
wire_started_encode(struct buf *out, uint32_t ms)
{
	pack_map(out, 1);
	pack_kuint(out, 1, ms);
}

int
wire_started_decode(const void *bytes, size_t len, uint32_t *ms)
{
	struct packet *p;
	const struct item *m;
	uint64_t v = 0;
	int err = open_map(&p, &m, bytes, len, 1);
	if (err < 0)
		return err;
	err = item_uint(m, 1, UINT32_MAX, &v);
	packet_free(p);
	if (err == 0)
		*ms = (uint32_t)v;
	return err;
}

void
wire_error_encode(struct buf *out, enum wire_error code, const char *text)
{
	/* only what the decoder takes: a long or many-lined message of another program must not end in a protocol error */
	char clean[WIRE_TEXT_SIZE];
	size_t len = strnlen(text, sizeof clean - 1);
	for (size_t i = 0; i < len; i++)
		clean[i] = (unsigned char)text[i] < 0x20 || text[i] == 0x7f ? ' ' : text[i];
	clean[len] = 0;
	pack_map(out, 2);
	pack_kuint(out, 1, code);
	pack_ktext(out, 2, clean);
}

int
wire_error_decode(const void *bytes, size_t len, uint32_t *code, char text[WIRE_TEXT_SIZE])
{
	struct packet *p;
	const struct item *m;
	uint64_t v;
	int err = open_map(&p, &m, bytes, len, 2);
	if (err < 0)
		return err;
	if ((err = item_uint(m, 1, UINT32_MAX, &v)) == 0 &&
	        (err = item_text(m, 2, text, WIRE_TEXT_SIZE)) == 0)
		*code = (uint32_t)v;
	packet_free(p);
	return err;
}

void
wire_toolchain_encode(struct buf *out, const struct digest *d, uint64_t size, const char *sig)
{
	pack_map(out, 3);
	pack_kbytes(out, 1, d->bytes, DIGEST_LEN);
	pack_kuint(out, 2, size);
	pack_kbytes(out, 3, sig, strlen(sig));
}

int
wire_toolchain_decode(
        const void *bytes, size_t len, struct digest *d, uint64_t *size, char sig[SIGN_TEXT_MAX])
{
	struct packet *p;
	const struct item *m;
	struct digest got;
	uint64_t n;
	const uint8_t *text;
	size_t text_len;
	int err = open_map(&p, &m, bytes, len, 3);
	if (err < 0)
		return err;
	if ((err = item_fixed(m, 1, got.bytes, DIGEST_LEN)) == 0 &&
	        (err = item_uint(m, 2, UINT64_MAX, &n)) == 0 &&
	        (err = item_bytes(m, 3, SIGN_TEXT_MAX - 1, &text, &text_len)) == 0) {
		*d = got;
		*size = n;
		memcpy(sig, text, text_len);
		sig[text_len] = 0;
	}
	packet_free(p);
	return err;
}

void
wire_join_encode(struct buf *out, const struct wire_join *j)
{
	pack_map(out, 6);
	pack_kbytes(out, 1, j->token_id, TOKEN_ID_LEN);
	pack_kbytes(out, 2, j->secret, TOKEN_SECRET_LEN);
	pack_kbytes(out, 3, j->sign_pk, SIGN_PK_LEN);
	pack_kbytes(out, 4, j->dh_pk, DH_LEN);
	pack_ktext(out, 5, j->name);
	pack_kbytes(out, 6, j->proof, SIGNATURE_LEN);
}

int
wire_join_decode(const void *bytes, size_t len, struct wire_join *out)
{
	struct packet *p;
	const struct item *m;
	struct wire_join j;
	int err = open_map(&p, &m, bytes, len, 6);
	if (err < 0)
		return err;
	if ((err = item_fixed(m, 1, j.token_id, TOKEN_ID_LEN)) == 0 &&
	        (err = item_fixed(m, 2, j.secret, TOKEN_SECRET_LEN)) == 0 &&
	        (err = item_fixed(m, 3, j.sign_pk, SIGN_PK_LEN)) == 0 &&
	        (err = item_fixed(m, 4, j.dh_pk, DH_LEN)) == 0 &&
	        (err = item_text(m, 5, j.name, NAME_SIZE)) == 0 &&
	        (err = item_fixed(m, 6, j.proof, SIGNATURE_LEN)) == 0)
		*out = j;
	packet_free(p);
	return err;
}

void
wire_joined_encode(struct buf *out, const struct wire_joined *j)
{
	pack_map(out, 3);
	pack_kbytes(out, 1, j->cert, j->cert_len);
	pack_ktext(out, 2, j->mesh);
	pack_uint(out, 3);
	pack_array(out, j->npeers);
	for (uint32_t i = 0; i < j->npeers; i++)
		pack_text(out, j->peers[i]);
}

/* One "host:port": printable, since people will see it. */
static int
take_address(const struct item *v, char *out, size_t size)
{
	const uint8_t *text;
	size_t len;
	int err = value_bytes(v, size - 1, &text, &len);
	for (size_t i = 0; err == 0 && i < len; i++)
		if (text[i] <= 0x20 || text[i] >= 0x7f)
			err = IM_ERR_FORMAT;
	if (err < 0)
		return err;
	memcpy(out, text, len);
	out[len] = 0;
	return 0;
}

int
wire_joined_decode(const void *bytes, size_t len, struct wire_joined *out)
{
	struct packet *p;
	const struct item *m, *peers;
	const uint8_t *cert;
	struct wire_joined j = {0};
	int err = open_map(&p, &m, bytes, len, 3);
	if (err < 0)
		return err;
	if ((err = item_bytes(m, 1, CERT_LEN_MAX, &cert, &j.cert_len)) < 0 ||
	        (err = item_text(m, 2, j.mesh, NAME_SIZE)) < 0 ||
	        (err = item_array(m, 3, sizeof j.peers / sizeof *j.peers, &peers, &j.npeers)) < 0)
		goto out;
	memcpy(j.cert, cert, j.cert_len);
	for (uint32_t i = 0; i < j.npeers && err == 0; i++)
		err = take_address(item_at(peers, i), j.peers[i], sizeof j.peers[i]);
	if (err == 0)
		*out = j;
out:
	packet_free(p);
	return err;
}

void
wire_mesh_encode(struct buf *out, const struct wire_mesh *m)
{
	pack_map(out, 2);
	pack_kbytes(out, 1, m->root_pk, SIGN_PK_LEN);
	pack_ktext(out, 2, m->name);
}

int
wire_mesh_decode(const void *bytes, size_t len, struct wire_mesh *out)
{
	struct packet *p;
	const struct item *m;
	struct wire_mesh got;
	int err = open_map(&p, &m, bytes, len, 2);
	if (err < 0)
		return err;
	if ((err = item_fixed(m, 1, got.root_pk, SIGN_PK_LEN)) == 0 &&
	        (err = item_text(m, 2, got.name, NAME_SIZE)) == 0)
		*out = got;
	packet_free(p);
	return err;
}

void
wire_payload_encode(struct buf *out, const void *cert, size_t len)
{
	pack_map(out, len ? 1 : 0);
	if (len)
		pack_kbytes(out, 1, cert, len);
}

int
wire_payload_decode(const void *bytes, size_t len, const uint8_t **cert, size_t *cert_len)
{
	struct packet *p;
	const struct item *m;
	int err = open_map(&p, &m, bytes, len, 1);
	if (err < 0)
		return err;
	const uint8_t *c = NULL;
	size_t n = 0;
	err = item_bytes(m, 1, CERT_LEN_MAX, &c, &n);
	packet_free(p); /* c points into the caller's bytes, not into the packet */
	if (err < 0 && err != IM_ERR_ABSENT)
		return err;
	*cert = err == 0 ? c : NULL;
	*cert_len = err == 0 ? n : 0;
	return 0;
}

int
wire_block_encode(struct buf *out, const void *raw, size_t len)
{
	if (len > WIRE_BLOCK_MAX)
		return IM_ERR_LIMIT;
	int bound = LZ4_compressBound((int)len);
	buf_put_u32(out, (uint32_t)len);
	uint8_t *room = buf_room(out, (size_t)bound);
	if (!room)
		return buf_err(out);
	int n = LZ4_compress_default(raw, (char *)room, (int)len, bound);
	if (n <= 0)
		return IM_ERR_LIMIT;
	out->len += (size_t)n;
	return 0;
}

int
wire_block_decode(const void *bytes, size_t len, void *out, size_t *out_len)
{
	if (len < 4)
		return IM_ERR_TRUNCATED;
	uint32_t raw = get_u32(bytes);
	if (raw > WIRE_BLOCK_MAX)
		return IM_ERR_LIMIT;
	int n = LZ4_decompress_safe((const char *)bytes + 4, out, (int)(len - 4), (int)raw);
	if (n < 0 || (uint32_t)n != raw)
		return IM_ERR_FORMAT;
	*out_len = raw;
	return 0;
}

const char *
wire_nack_name(uint32_t n)
{
	switch (n) {
	case NACK_BUSY:
		return "busy";
	case NACK_TOOLCHAIN:
		return "toolchain missing";
	case NACK_POLICY:
		return "policy";
	case NACK_TRUST:
		return "not trusted";
	case NACK_SANDBOX:
		return "no sandbox";
	case NACK_INSTALLING:
		return "installing the toolchain";
	default:
		return "unknown";
	}
}
