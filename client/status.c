#include "client/status.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "client/amount.h"
#include "client/printable.h"

#define ALL_KEYS(n) (((UINT64_C(1) << (n)) - 1) << 1) /* 1 to n */
#define SHORT_ID 8                                    /* hex digits in the text */
#define LISTED 8                                      /* counts named in the text; JSON has all */

/* The numbers of one section: key in the packet, name in JSON, place in struct status. */
struct number {
	unsigned key;
	const char *name;
	size_t offset;
	unsigned scale; /* the packet's number is this much larger than JSON's */
};

#define NUMBER(key, name, field, scale)                          \
	{                                                        \
		key, name, offsetof(struct status, field), scale \
	}
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

static const struct number mesh_numbers[] = {
        NUMBER(3, "nodes", nodes, 1),
        NUMBER(4, "slots", slots, 1),
        NUMBER(5, "free", free, 1),
};
static const struct number submitted_numbers[] = {
        NUMBER(1, "remote", remote, 1),
        NUMBER(2, "local", local, 1),
        NUMBER(3, "fallback", fallback, 1),
        NUMBER(4, "retried", retried, 1),
        NUMBER(5, "hedged", hedged, 1),
        NUMBER(6, "failed", failed, 1),
};
static const struct number served_numbers[] = {
        NUMBER(1, "done", done, 1),
        NUMBER(2, "running", running, 1),
        NUMBER(3, "refused", refused, 1),
        NUMBER(4, "killed", killed, 1),
        NUMBER(6, "fetched", fetched, 1),
        NUMBER(7, "lent", lent, 1),
};
static const struct number gossip_numbers[] = {
        NUMBER(1, "received_per_s", received_x100, 100),
        NUMBER(2, "sent_per_s", sent_x100, 100),
        NUMBER(3, "bad", bad, 1),
        NUMBER(4, "bytes_per_s", bytes_per_s, 1),
};
static const struct number store_numbers[] = {
        NUMBER(1, "bytes", store_bytes, 1),
        NUMBER(2, "limit", store_limit, 1),
        NUMBER(3, "blobs", blobs, 1),
        NUMBER(4, "toolchains", toolchains, 1),
};

static int
optional(int err)
{
	return err == IM_ERR_ABSENT ? 0 : err;
}

/* The map under key, whose keys 1 to nkeys are known; NULL when it is absent. */
static int
section(const struct item *root, unsigned key, unsigned nkeys, const struct item **map)
{
	int err = item_map(root, key, map);

	if (err == IM_ERR_ABSENT) {
		*map = NULL;
		return 0;
	}
	return err != 0 ? err : item_known(*map, ALL_KEYS(nkeys));
}

static int
decode_numbers(struct status *s, const struct item *map, const struct number *table, size_t n)
{
	int err = 0;

	for (size_t i = 0; map != NULL && err == 0 && i < n; i++)
		err = optional(item_uint(
		        map, table[i].key, INT64_MAX, (uint64_t *)((char *)s + table[i].offset)));
	return err;
}

/* An array of {1: text, 2: number}. */
static int
decode_counts(const struct item *map, unsigned key, struct status_count **out, uint32_t *n)
{
	const struct item *array;
	uint32_t count;
	int err =
	        map != NULL ? item_array(map, key, STATUS_LIST_MAX, &array, &count) : IM_ERR_ABSENT;

	if (err != 0)
		return optional(err);
	*out = calloc(count > 0 ? count : 1, sizeof **out);
	if (*out == NULL)
		return IM_ERR_MEMORY;
	*n = count;
	for (uint32_t i = 0; err == 0 && i < count; i++) {
		err = item_known(item_at(array, i), ALL_KEYS(2));
		if (err == 0)
			err = item_text(item_at(array, i), 1, (*out)[i].what, STATUS_TEXT_SIZE);
		if (err == 0)
			err = item_uint(item_at(array, i), 2, INT64_MAX, &(*out)[i].n);
	}
	return err;
}

static int
decode_problems(struct status *s, const struct item *root)
{
	const struct item *array;
	uint32_t n;
	int err = item_array(root, 7, STATUS_LIST_MAX, &array, &n);

	if (err != 0)
		return optional(err);
	s->problems = calloc(n > 0 ? n : 1, sizeof *s->problems);
	if (s->problems == NULL)
		return IM_ERR_MEMORY;
	s->nproblems = n;
	for (uint32_t i = 0; err == 0 && i < n; i++) {
		err = item_known(item_at(array, i), ALL_KEYS(2));
		if (err == 0)
			err = item_text(
			        item_at(array, i), 1, s->problems[i].what, STATUS_TEXT_SIZE);
		if (err == 0)
			err = optional(item_text(
			        item_at(array, i), 2, s->problems[i].remedy, STATUS_TEXT_SIZE));
	}
	return err;
}

static int
decode_node(struct status *s, const struct item *root)
{
	const struct item *array;
	uint32_t n;
	int err = item_array(root, 1, 1, &array, &n);

	if (err == 0 && n != 1)
		err = IM_ERR_FORMAT;
	return err != 0 ? err : peer_decode(&s->node, item_at(array, 0));
}

static int
decode_mesh(struct status *s, const struct item *root)
{
	const struct item *map;
	int err = section(root, 2, 5, &map);

	if (err != 0 || map == NULL)
		return err;
	err = optional(item_text(map, 1, s->mesh_name, sizeof s->mesh_name));
	if (err == 0)
		err = optional(item_text(map, 2, s->mesh_id, sizeof s->mesh_id));
	return err != 0 ? err : decode_numbers(s, map, mesh_numbers, COUNT(mesh_numbers));
}

static int
decode_work(struct status *s, const struct item *root)
{
	const struct item *map;
	int err = section(root, 3, 7, &map);

	if (err == 0)
		err = decode_numbers(s, map, submitted_numbers, COUNT(submitted_numbers));
	if (err == 0)
		err = decode_counts(map, 7, &s->reasons, &s->nreasons);
	if (err == 0)
		err = section(root, 4, 7, &map);
	if (err == 0)
		err = decode_numbers(s, map, served_numbers, COUNT(served_numbers));
	return err != 0 ? err : decode_counts(map, 5, &s->served, &s->nserved);
}

static int
decode_rest(struct status *s, const struct item *root)
{
	const struct item *map;
	int err = section(root, 5, 4, &map);

	if (err == 0)
		err = decode_numbers(s, map, gossip_numbers, COUNT(gossip_numbers));
	if (err == 0)
		err = section(root, 6, 4, &map);
	if (err == 0)
		err = decode_numbers(s, map, store_numbers, COUNT(store_numbers));
	return err != 0 ? err : decode_problems(s, root);
}

int
status_decode(struct status *out, const struct item *root)
{
	struct status *s = calloc(1, sizeof *s);
	int err;

	if (s == NULL)
		return IM_ERR_MEMORY;
	err = item_known(root, ALL_KEYS(7));
	if (err == 0)
		err = decode_node(s, root);
	if (err == 0)
		err = decode_mesh(s, root);
	if (err == 0)
		err = decode_work(s, root);
	if (err == 0)
		err = decode_rest(s, root);
	if (err == 0)
		*out = *s;
	else
		status_fini(s);
	free(s);
	return err;
}

void
status_fini(struct status *s)
{
	free(s->reasons);
	free(s->served);
	free(s->problems);
	s->reasons = s->served = NULL;
	s->problems = NULL;
}

static uint64_t
number_of(const struct status *s, const struct number *f)
{
	uint64_t v;

	memcpy(&v, (const char *)s + f->offset, sizeof v);
	return v;
}

static void
json_numbers(struct json *j, const struct status *s, const struct number *table, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		json_key(j, table[i].name);
		json_scaled(j, number_of(s, &table[i]), table[i].scale);
	}
}

static void
json_counts(struct json *j, const char *key, const struct status_count *counts, uint32_t n)
{
	json_key(j, key);
	json_open_object(j);
	for (uint32_t i = 0; i < n; i++)
		json_kuint(j, counts[i].what, counts[i].n);
	json_close_object(j);
}

static void
json_problems(struct json *j, const struct status *s)
{
	json_key(j, "problems");
	json_open_array(j);
	for (uint32_t i = 0; i < s->nproblems; i++) {
		json_open_object(j);
		json_ktext(j, "what", s->problems[i].what);
		json_ktext(j, "remedy", s->problems[i].remedy);
		json_close_object(j);
	}
	json_close_array(j);
}

static void
json_section(struct json *j, const char *key)
{
	json_key(j, key);
	json_open_object(j);
}

void
status_json(const struct status *s, struct buf *out)
{
	struct json j;

	json_init(&j, out);
	json_open_object(&j);
	json_key(&j, "node");
	peer_json(&s->node, &j);
	json_section(&j, "mesh");
	json_ktext(&j, "name", s->mesh_name);
	json_ktext(&j, "id", s->mesh_id);
	json_numbers(&j, s, mesh_numbers, COUNT(mesh_numbers));
	json_close_object(&j);
	json_section(&j, "submitted");
	json_numbers(&j, s, submitted_numbers, COUNT(submitted_numbers));
	json_counts(&j, "by_reason", s->reasons, s->nreasons);
	json_close_object(&j);
	json_section(&j, "served");
	json_numbers(&j, s, served_numbers, COUNT(served_numbers));
	json_counts(&j, "by_peer", s->served, s->nserved);
	json_close_object(&j);
	json_section(&j, "gossip");
	json_numbers(&j, s, gossip_numbers, COUNT(gossip_numbers));
	json_close_object(&j);
	json_section(&j, "store");
	json_numbers(&j, s, store_numbers, COUNT(store_numbers));
	json_close_object(&j);
	json_problems(&j, s);
	json_close_object(&j);
}

static void
text_counts(const char *lead, const struct status_count *counts, uint32_t n, struct buf *out)
{
	if (n == 0)
		return;
	buf_printf(out, "           %s: ", lead);
	for (uint32_t i = 0; i < n && i < LISTED; i++) {
		buf_printf(out, "%s", i > 0 ? ", " : "");
		text_clean(out, counts[i].what, STATUS_TEXT_SIZE);
		buf_printf(out, " %" PRIu64, counts[i].n);
	}
	buf_printf(out, "%s\n", n > LISTED ? ", ..." : "");
}

static void
put_id(const char *id, struct buf *out)
{
	buf_printf(out, " (");
	text_clean(out, id, SHORT_ID);
	buf_printf(out, ")");
}

static void
text_node(const struct status *s, struct buf *out)
{
	const struct peer *p = &s->node;

	buf_printf(out, "node       ");
	text_clean(out, p->name, NAME_SIZE);
	put_id(p->id, out);
	buf_printf(out, ", ");
	text_clean(out, p->state, PEER_WORD_SIZE);
	buf_printf(out, ", ");
	text_clean(out, p->platform, PLATFORM_SIZE);
	buf_printf(out, ", sandbox L%" PRIu64 ", icemesh ", p->sandbox);
	text_clean(out, p->version, sizeof p->version);
	buf_printf(out, "\n           %" PRIu64 " of %" PRIu64 " slots used, %" PRIu64 " queued",
	        p->used, p->slots, p->queued);
	if (p->address[0] != 0) {
		buf_printf(out, ", at ");
		text_clean(out, p->address, PEER_ADDRESS_SIZE);
	}
	buf_printf(out, "\nmesh       ");
	if (s->mesh_name[0] == 0) {
		buf_printf(out, "none: 'icemesh init' makes one, 'icemesh join TOKEN' joins one\n");
		return;
	}
	text_clean(out, s->mesh_name, NAME_SIZE);
	put_id(s->mesh_id, out);
	buf_printf(out, ": %" PRIu64 " node%s, %" PRIu64 " slots, %" PRIu64 " free\n", s->nodes,
	        s->nodes == 1 ? "" : "s", s->slots, s->free);
}

void
status_text(const struct status *s, struct buf *out)
{
	char bytes[AMOUNT_SIZE], limit[AMOUNT_SIZE], rate[AMOUNT_SIZE];
	char fetched[AMOUNT_SIZE], lent[AMOUNT_SIZE];

	text_node(s, out);
	buf_printf(out,
	        "submitted  %" PRIu64 " remote, %" PRIu64 " local, %" PRIu64 " fallback; %" PRIu64
	        " retried, %" PRIu64 " hedged, %" PRIu64 " failed\n",
	        s->remote, s->local, s->fallback, s->retried, s->hedged, s->failed);
	text_counts("reasons", s->reasons, s->nreasons, out);
	buf_printf(out,
	        "served     %" PRIu64 " done, %" PRIu64 " running, %" PRIu64 " refused, %" PRIu64
	        " killed\n",
	        s->done, s->running, s->refused, s->killed);
	text_counts("for", s->served, s->nserved, out);
	amount_bytes(s->fetched, fetched);
	amount_bytes(s->lent, lent);
	buf_printf(
	        out, "inputs     %s fetched from other members, %s lent to them\n", fetched, lent);
	amount_bytes(s->bytes_per_s, rate);
	buf_printf(out,
	        "gossip     %" PRIu64 ".%02" PRIu64 " beacons/s received, %" PRIu64 ".%02" PRIu64
	        " sent, %s/s, %" PRIu64 " bad\n",
	        s->received_x100 / 100, s->received_x100 % 100, s->sent_x100 / 100,
	        s->sent_x100 % 100, rate, s->bad);
	amount_bytes(s->store_bytes, bytes);
	amount_bytes(s->store_limit, limit);
	buf_printf(out, "store      %s of %s, %" PRIu64 " toolchains, %" PRIu64 " blobs\n", bytes,
	        limit, s->toolchains, s->blobs);
	for (uint32_t i = 0; i < s->nproblems; i++) {
		buf_printf(out, i == 0 ? "\nproblems\n  " : "  ");
		text_clean(out, s->problems[i].what, STATUS_TEXT_SIZE);
		if (s->problems[i].remedy[0] != 0) {
			buf_printf(out, "\n    remedy: ");
			text_clean(out, s->problems[i].remedy, STATUS_TEXT_SIZE);
		}
		buf_printf(out, "\n");
	}
}
