#include "gossip/letter.h"

#include <string.h>
#include "crypto/packet.h"

#define DIGEST_ITEM (NODE_ID_LEN + 12)
#define KNOWN (UINT64_C(0x1f) << 8) /* keys 8 to 12 */

bool
letter_is(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	return len > 2 && (p[0] & 0xf0) == 0x80 && p[1] == 8;
}

/* Digest: ids with their counts; request: ids alone. */
static void
pack_news(const struct letter *l, struct buf *out)
{
	uint8_t all[LETTER_NEWS_MAX * DIGEST_ITEM];
	size_t at = 0;

	for (uint32_t i = 0; i < l->nnews && i < LETTER_NEWS_MAX; i++) {
		const struct news *n = &l->news[i];
		uint64_t seq = n->seq < UINT32_MAX ? n->seq : UINT32_MAX;

		memcpy(all + at, n->node.bytes, NODE_ID_LEN);
		at += NODE_ID_LEN;
		if (l->kind == LETTER_REQUEST)
			continue;
		for (int shift = 56; shift >= 0; shift -= 8)
			all[at++] = (uint8_t)(n->boot >> shift);
		for (int shift = 24; shift >= 0; shift -= 8)
			all[at++] = (uint8_t)(seq >> shift);
	}
	pack_kbytes(out, 12, all, at);
}

int
letter_encode(const struct letter *l, struct buf *out)
{
	struct buf b;
	int err;

	buf_init(&b, LETTER_LEN_MAX);
	pack_map(&b, l->kind == LETTER_CARRY ? 2 : l->kind == LETTER_DIGEST ? 5 : 4);
	pack_kuint(&b, 8, l->kind);
	if (l->kind == LETTER_CARRY) {
		pack_uint(&b, 12);
		pack_array(&b, l->nbeacons);
		for (uint32_t i = 0; i < l->nbeacons; i++)
			pack_bytes(&b, l->beacons[i].bytes, l->beacons[i].len);
	} else {
		pack_kbytes(&b, 9, l->mesh.bytes, MESH_ID_LEN);
		pack_kbytes(&b, 10, l->token, LETTER_TOKEN_LEN);
		if (l->kind == LETTER_DIGEST)
			pack_kbytes(&b, 11, l->from.bytes, NODE_ID_LEN);
		pack_news(l, &b);
	}
	err = buf_err(&b);
	if (!err) {
		buf_put(out, b.data, b.len);
		err = buf_err(out);
	}
	buf_fini(&b);
	return err;
}

static int
read_news(struct letter *l, const struct item *map)
{
	size_t size = l->kind == LETTER_DIGEST ? DIGEST_ITEM : NODE_ID_LEN, len;
	const uint8_t *p;
	int err = item_bytes(map, 12, LETTER_NEWS_MAX * size, &p, &len);

	if (err)
		return err;
	if (len % size)
		return IM_ERR_FORMAT;
	l->nnews = (uint32_t)(len / size);
	for (uint32_t i = 0; i < l->nnews; i++, p += size) {
		struct news *n = &l->news[i];

		memcpy(n->node.bytes, p, NODE_ID_LEN);
		if (l->kind == LETTER_REQUEST)
			continue;
		n->boot = (uint64_t)get_u32(p + NODE_ID_LEN) << 32 | get_u32(p + NODE_ID_LEN + 4);
		n->seq = get_u32(p + NODE_ID_LEN + 8);
	}
	return 0;
}

static int
read_beacons(struct letter *l, const struct item *map)
{
	const struct item *list;
	int err = item_array(map, 12, LETTER_BEACONS_MAX, &list, &l->nbeacons);

	for (uint32_t i = 0; !err && i < l->nbeacons; i++)
		err = value_bytes(
		        item_at(list, i), BEACON_LEN_MAX, &l->beacons[i].bytes, &l->beacons[i].len);
	return err;
}

static int
read_letter(struct letter *l, const struct item *map)
{
	uint64_t kind;
	int err = item_known(map, KNOWN);

	if (!err)
		err = item_uint(map, 8, UINT64_MAX, &kind);
	if (err)
		return err;
	if (kind < LETTER_DIGEST || kind > LETTER_CARRY)
		return IM_ERR_VERSION;
	l->kind = (enum letter_kind)kind;
	if (l->kind == LETTER_CARRY)
		return read_beacons(l, map);
	if ((err = item_fixed(map, 9, l->mesh.bytes, MESH_ID_LEN)) ||
	        (err = item_fixed(map, 10, l->token, LETTER_TOKEN_LEN)))
		return err;
	if (l->kind == LETTER_DIGEST && (err = item_fixed(map, 11, l->from.bytes, NODE_ID_LEN)))
		return err;
	return read_news(l, map);
}

int
letter_decode(struct letter *out, const void *bytes, size_t len)
{
	struct letter l = {0};
	struct packet *p = NULL;
	int err = len > LETTER_LEN_MAX ? IM_ERR_LIMIT : packet_open(&p, bytes, len);

	if (!err)
		err = read_letter(&l, packet_root(p));
	packet_free(p);
	if (!err)
		*out = l;
	return err == IM_ERR_TRUNCATED || err == IM_ERR_ABSENT ? IM_ERR_FORMAT : err;
}
