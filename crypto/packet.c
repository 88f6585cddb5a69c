#include "crypto/packet.h"

#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_OPTIONAL_KEY 64

/* struct item is msgpack_object under a name that does not need msgpack.h; only pointers are ever
 * converted. */
struct packet {
	msgpack_unpacked unpacked;
};

/* --- writing --- */

static int
append(void *buf, const char *bytes, size_t len)
{
	buf_put(buf, bytes, len);
	return buf_err(buf) == 0 ? 0 : -1;
}

static msgpack_packer
packer(struct buf *b)
{
	msgpack_packer pk;

	msgpack_packer_init(&pk, b, append);
	return pk;
}

void
pack_map(struct buf *b, uint32_t pairs)
{
	msgpack_packer pk = packer(b);

	msgpack_pack_map(&pk, pairs);
}

void
pack_array(struct buf *b, uint32_t n)
{
	msgpack_packer pk = packer(b);

	msgpack_pack_array(&pk, n);
}

void
pack_uint(struct buf *b, uint64_t v)
{
	msgpack_packer pk = packer(b);

	msgpack_pack_uint64(&pk, v);
}

/* msgpack's lengths have 32 bits. */
static bool
length_fits(struct buf *b, size_t len)
{
	if (len <= UINT32_MAX)
		return true;
	if (b->err == 0)
		b->err = IM_ERR_LIMIT;
	return false;
}

void
pack_bytes(struct buf *b, const void *p, size_t len)
{
	msgpack_packer pk = packer(b);

	if (length_fits(b, len) && msgpack_pack_bin(&pk, len) == 0)
		buf_put(b, p, len);
}

void
pack_text(struct buf *b, const char *s)
{
	msgpack_packer pk = packer(b);
	size_t len = strlen(s);

	if (length_fits(b, len) && msgpack_pack_str(&pk, len) == 0)
		buf_put(b, s, len);
}

void
pack_bool(struct buf *b, bool v)
{
	msgpack_packer pk = packer(b);

	if (v)
		msgpack_pack_true(&pk);
	else
		msgpack_pack_false(&pk);
}

void
pack_nil(struct buf *b)
{
	msgpack_packer pk = packer(b);

	msgpack_pack_nil(&pk);
}

void
pack_kuint(struct buf *b, unsigned key, uint64_t v)
{
	pack_uint(b, key);
	pack_uint(b, v);
}

void
pack_kbytes(struct buf *b, unsigned key, const void *p, size_t len)
{
	pack_uint(b, key);
	pack_bytes(b, p, len);
}

void
pack_ktext(struct buf *b, unsigned key, const char *s)
{
	pack_uint(b, key);
	pack_text(b, s);
}

/* --- the walk: nothing is allocated, every length is held against the bytes that are there --- */

struct walk {
	const uint8_t *p, *end;
	uint32_t items;                  /* values announced so far, the top one included */
	uint32_t left[PACKET_DEPTH_MAX]; /* values still to come at each depth */
	unsigned depth;                  /* open containers */
};

/* What a first byte means: bytes of length field or number behind it, and how to go on. */
enum shape { SHAPE_PLAIN, SHAPE_BYTES, SHAPE_ARRAY, SHAPE_MAP, SHAPE_REFUSED };

struct head {
	enum shape shape;
	unsigned field; /* bytes after the first: a number's value, or a length */
	uint32_t n;     /* length or count, when the first byte itself holds it */
};

static struct head
head_of(uint8_t c)
{
	if (c <= 0x7f)
		return (struct head){SHAPE_PLAIN, 0, 0};
	if (c <= 0x8f)
		return (struct head){SHAPE_MAP, 0, c & 0x0f};
	if (c <= 0x9f)
		return (struct head){SHAPE_ARRAY, 0, c & 0x0f};
	if (c <= 0xbf)
		return (struct head){SHAPE_BYTES, 0, c & 0x1f};
	switch (c) {
	case 0xc0:
	case 0xc2:
	case 0xc3: /* nil, false, true */
		return (struct head){SHAPE_PLAIN, 0, 0};
	case 0xc4:
	case 0xd9: /* bin 8, str 8 */
		return (struct head){SHAPE_BYTES, 1, 0};
	case 0xc5:
	case 0xda:
		return (struct head){SHAPE_BYTES, 2, 0};
	case 0xc6:
	case 0xdb:
		return (struct head){SHAPE_BYTES, 4, 0};
	case 0xcc:
	case 0xcd:
	case 0xce:
	case 0xcf: /* uint 8 to 64 */
		return (struct head){SHAPE_PLAIN, 1u << (c - 0xcc), 0};
	case 0xdc:
	case 0xdd:
		return (struct head){SHAPE_ARRAY, 2u << (c - 0xdc), 0};
	case 0xde:
	case 0xdf:
		return (struct head){SHAPE_MAP, 2u << (c - 0xde), 0};
	default: /* negative, float, extension, reserved: no message of ours has them */
		return (struct head){SHAPE_REFUSED, 0, 0};
	}
}

/* Opens a container of n values: each needs a byte, so a count beyond the bytes left is a lie. */
static int
walk_enter(struct walk *w, uint32_t n)
{
	if (n > (size_t)(w->end - w->p))
		return IM_ERR_TRUNCATED;
	if (n > PACKET_ITEMS_MAX - w->items || w->depth == PACKET_DEPTH_MAX)
		return IM_ERR_LIMIT;
	w->items += n;
	w->left[w->depth++] = n;
	return 0;
}

/* Takes one value's head, and its bytes when it is not a container. */
static int
walk_value(struct walk *w)
{
	struct head h;
	unsigned i;

	if (w->p == w->end)
		return IM_ERR_TRUNCATED;
	h = head_of(*w->p++);
	if (h.shape == SHAPE_REFUSED)
		return IM_ERR_FORMAT;
	if (h.field > (size_t)(w->end - w->p))
		return IM_ERR_TRUNCATED;
	if (h.shape == SHAPE_PLAIN) {
		w->p += h.field;
		return 0;
	}
	for (i = 0; i < h.field; i++)
		h.n = h.n << 8 | *w->p++;
	if (h.shape == SHAPE_BYTES) {
		if (h.n > (size_t)(w->end - w->p))
			return IM_ERR_TRUNCATED;
		w->p += h.n;
		return 0;
	}
	if (h.shape == SHAPE_MAP && h.n > PACKET_PAIRS_MAX)
		return IM_ERR_LIMIT;
	return walk_enter(w, h.shape == SHAPE_MAP ? 2 * h.n : h.n);
}

static int
walk_all(const uint8_t *bytes, size_t len)
{
	struct walk w = {.p = bytes, .end = bytes + len, .items = 1};
	int err;

	if (len == 0)
		return IM_ERR_TRUNCATED;
	if (head_of(bytes[0]).shape != SHAPE_MAP)
		return IM_ERR_FORMAT;
	err = walk_value(&w);
	while (err == 0 && w.depth > 0) {
		if (w.left[w.depth - 1] == 0) {
			w.depth--;
			continue;
		}
		w.left[w.depth - 1]--;
		err = walk_value(&w);
	}
	if (err == 0 && w.p != w.end)
		return IM_ERR_FORMAT;
	return err;
}

/* --- reading --- */

int
packet_open(struct packet **out, const void *bytes, size_t len)
{
	struct packet *p;
	msgpack_unpack_return got;
	size_t at = 0;
	int err = walk_all(bytes, len);

	if (err != 0)
		return err;
	p = malloc(sizeof *p);
	if (p == NULL)
		return IM_ERR_MEMORY;
	msgpack_unpacked_init(&p->unpacked);
	got = msgpack_unpack_next(&p->unpacked, bytes, len, &at);
	if (got != MSGPACK_UNPACK_SUCCESS || at != len ||
	        p->unpacked.data.type != MSGPACK_OBJECT_MAP) {
		packet_free(p);
		return got == MSGPACK_UNPACK_NOMEM_ERROR ? IM_ERR_MEMORY : IM_ERR_FORMAT;
	}
	*out = p;
	return 0;
}

void
packet_free(struct packet *p)
{
	if (p == NULL)
		return;
	msgpack_unpacked_destroy(&p->unpacked);
	free(p);
}

const struct item *
packet_root(const struct packet *p)
{
	return (const struct item *)&p->unpacked.data;
}

static const msgpack_object *
object_of(const struct item *v)
{
	return (const msgpack_object *)v;
}

/* PACKET_PAIRS_MAX bounds the quadratic search for optional keys that stand twice. */
int
item_known(const struct item *map, uint64_t known)
{
	const msgpack_object *o = object_of(map);
	uint32_t i, j;
	uint64_t key;

	if (o->type != MSGPACK_OBJECT_MAP)
		return IM_ERR_VERSION;
	for (i = 0; i < o->via.map.size; i++) {
		if (o->via.map.ptr[i].key.type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return IM_ERR_VERSION;
		key = o->via.map.ptr[i].key.via.u64;
		if (key < FIRST_OPTIONAL_KEY && (known >> key & 1) == 0)
			return IM_ERR_VERSION;
		for (j = 0; j < i; j++)
			if (o->via.map.ptr[j].key.via.u64 == key)
				return IM_ERR_VERSION;
	}
	return 0;
}

const struct item *
item_get(const struct item *map, unsigned key)
{
	const msgpack_object *o = object_of(map);
	const msgpack_object_kv *kv;
	uint32_t i;

	if (o->type != MSGPACK_OBJECT_MAP)
		return NULL;
	for (i = 0; i < o->via.map.size; i++) {
		kv = &o->via.map.ptr[i];
		if (kv->key.type == MSGPACK_OBJECT_POSITIVE_INTEGER && kv->key.via.u64 == key)
			return kv->val.type == MSGPACK_OBJECT_NIL ? NULL
			                                          : (const struct item *)&kv->val;
	}
	return NULL;
}

int
value_uint(const struct item *v, uint64_t max, uint64_t *out)
{
	const msgpack_object *o = object_of(v);

	if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
		return IM_ERR_FORMAT;
	if (o->via.u64 > max)
		return IM_ERR_LIMIT;
	*out = o->via.u64;
	return 0;
}

int
value_bytes(const struct item *v, size_t max, const uint8_t **out, size_t *len)
{
	const msgpack_object *o = object_of(v);
	const char *p;
	size_t n;

	if (o->type == MSGPACK_OBJECT_BIN) {
		p = o->via.bin.ptr;
		n = o->via.bin.size;
	} else if (o->type == MSGPACK_OBJECT_STR) {
		p = o->via.str.ptr;
		n = o->via.str.size;
	} else {
		return IM_ERR_FORMAT;
	}
	if (n > max)
		return IM_ERR_LIMIT;
	*out = (const uint8_t *)p;
	*len = n;
	return 0;
}

bool
value_is_map(const struct item *v)
{
	return object_of(v)->type == MSGPACK_OBJECT_MAP;
}

int
item_uint(const struct item *map, unsigned key, uint64_t max, uint64_t *out)
{
	const struct item *v = item_get(map, key);

	return v == NULL ? IM_ERR_ABSENT : value_uint(v, max, out);
}

int
item_bytes(const struct item *map, unsigned key, size_t max, const uint8_t **out, size_t *len)
{
	const struct item *v = item_get(map, key);

	return v == NULL ? IM_ERR_ABSENT : value_bytes(v, max, out, len);
}

int
item_fixed(const struct item *map, unsigned key, void *out, size_t len)
{
	const uint8_t *p;
	size_t n;
	int err = item_bytes(map, key, SIZE_MAX, &p, &n);

	if (err != 0)
		return err;
	if (n != len)
		return IM_ERR_FORMAT;
	if (len > 0)
		memcpy(out, p, len);
	return 0;
}

int
item_text(const struct item *map, unsigned key, char *out, size_t size)
{
	const struct item *v = item_get(map, key);
	const msgpack_object_str *s;
	uint32_t i;

	if (v == NULL)
		return IM_ERR_ABSENT;
	if (object_of(v)->type != MSGPACK_OBJECT_STR)
		return IM_ERR_FORMAT;
	s = &object_of(v)->via.str;
	if (s->size >= size)
		return IM_ERR_LIMIT;
	for (i = 0; i < s->size; i++)
		if ((uint8_t)s->ptr[i] < 0x20 || s->ptr[i] == 0x7f)
			return IM_ERR_FORMAT;
	if (s->size > 0)
		memcpy(out, s->ptr, s->size);
	out[s->size] = '\0';
	return 0;
}

int
item_bool(const struct item *map, unsigned key, bool *out)
{
	const struct item *v = item_get(map, key);

	if (v == NULL)
		return IM_ERR_ABSENT;
	if (object_of(v)->type != MSGPACK_OBJECT_BOOLEAN)
		return IM_ERR_FORMAT;
	*out = object_of(v)->via.boolean;
	return 0;
}

int
item_array(const struct item *map, unsigned key, uint32_t max, const struct item **out, uint32_t *n)
{
	const struct item *v = item_get(map, key);
	uint32_t size;

	if (v == NULL)
		return IM_ERR_ABSENT;
	if (object_of(v)->type != MSGPACK_OBJECT_ARRAY)
		return IM_ERR_FORMAT;
	size = object_of(v)->via.array.size;
	if (size > max)
		return IM_ERR_LIMIT;
	*out = v;
	*n = size;
	return 0;
}

int
item_map(const struct item *map, unsigned key, const struct item **out)
{
	const struct item *v = item_get(map, key);

	if (v == NULL)
		return IM_ERR_ABSENT;
	if (!value_is_map(v))
		return IM_ERR_FORMAT;
	*out = v;
	return 0;
}

const struct item *
item_at(const struct item *array, uint32_t i)
{
	return (const struct item *)&object_of(array)->via.array.ptr[i];
}
