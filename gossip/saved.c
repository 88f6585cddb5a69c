#include "gossip/saved.h"

#include <stdlib.h>
#include <string.h>
#include "crypto/packet.h"

#define KNOWN_OUTER (UINT64_C(1) << 1 | UINT64_C(1) << 2)
#define KNOWN_ENTRY (UINT64_C(0x7e)) /* keys 1 to 6 */

void
saved_encode(const struct saved *list, size_t n, struct buf *out)
{
	pack_map(out, 2);
	pack_kuint(out, 1, 1);
	pack_uint(out, 2);
	pack_array(out, (uint32_t)n);
	for (size_t i = 0; i < n; i++) {
		const struct saved *s = &list[i];

		pack_map(out, s->gone ? 8 : 7);
		pack_kbytes(out, 1, s->node.bytes, NODE_ID_LEN);
		pack_kbytes(out, 2, s->at.bytes, s->at.len);
		pack_kuint(out, 3, s->at.port);
		pack_ktext(out, 4, s->name);
		pack_kuint(out, 5, s->boot);
		pack_kuint(out, 6, s->seq);
		pack_kuint(out, 64, s->at.scope);
		if (s->gone)
			pack_kuint(out, 65, 1);
	}
}

static int
decode_entry(struct saved *s, const struct item *map)
{
	const uint8_t *addr;
	uint64_t port, scope = 0, gone = 0;
	size_t len;
	int err;

	if (!value_is_map(map))
		return IM_ERR_FORMAT;
	if ((err = item_known(map, KNOWN_ENTRY)) ||
	        (err = item_fixed(map, 1, s->node.bytes, NODE_ID_LEN)) ||
	        (err = item_bytes(map, 2, 16, &addr, &len)) ||
	        (err = item_uint(map, 3, UINT16_MAX, &port)) ||
	        (err = item_text(map, 4, s->name, sizeof(s->name))) ||
	        (err = item_uint(map, 5, UINT64_MAX, &s->boot)) ||
	        (err = item_uint(map, 6, UINT64_MAX, &s->seq)))
		return err;
	err = item_uint(map, 64, UINT32_MAX, &scope);
	if (err && err != IM_ERR_ABSENT)
		return err;
	err = item_uint(map, 65, 1, &gone);
	if (err && err != IM_ERR_ABSENT)
		return err;
	if (len != 4 && len != 16)
		return IM_ERR_FORMAT;
	s->at.len = (uint8_t)len;
	memcpy(s->at.bytes, addr, len);
	s->at.port = (uint16_t)port;
	s->at.scope = (uint32_t)scope;
	s->gone = gone;
	return 0;
}

static int
decode_list(struct saved **list, size_t *n, const struct item *root)
{
	const struct item *array;
	struct saved *all;
	uint64_t version;
	uint32_t count;
	int err = item_uint(root, 1, UINT64_MAX, &version);

	if (err)
		return err;
	if (version != 1)
		return IM_ERR_VERSION;
	if ((err = item_known(root, KNOWN_OUTER)) ||
	        (err = item_array(root, 2, GOSSIP_MEMBERS_MAX, &array, &count)))
		return err;
	all = calloc(count ? count : 1, sizeof(*all));
	if (!all)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; !err && i < count; i++)
		err = decode_entry(&all[i], item_at(array, i));
	if (err) {
		free(all);
		return err;
	}
	*list = all;
	*n = count;
	return 0;
}

int
saved_decode(struct saved **list, size_t *n, const void *bytes, size_t len)
{
	struct packet *p = NULL;
	int err;

	if (len > GOSSIP_SAVE_MAX)
		return IM_ERR_LIMIT;
	err = packet_open(&p, bytes, len);
	if (!err)
		err = decode_list(list, n, packet_root(p));
	packet_free(p);
	/* Fields that lack and bytes that lack are both just a damaged table. */
	return err == IM_ERR_ABSENT || err == IM_ERR_TRUNCATED ? IM_ERR_FORMAT : err;
}
