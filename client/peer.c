#include "client/peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KNOWN_KEYS 0x3fffe /* 1 to 17 */
#define SHORT_ID 8         /* hex digits in the table */
#define TAGS_SHOWN 2
#define DAYS_MAX 9999

const struct grid_column peer_columns[] = {
        {"NAME", false, 0},
        {"PLATFORM", false, 6},
        {"TRUST", false, 3},
        {"STATE", false, 0},
        {"SLOTS", true, 0},
        {"USED", true, 0},
        {"QUEUED", true, 5},
        {"LOAD", true, 2},
        {"SPEED", true, 7},
        {"TOOLCHAINS", false, 10},
        {"SANDBOX", false, 8},
        {"RTT", true, 11},
        {"AGE", true, 4},
        {"ADDRESS", false, 9},
        {"ID", false, 12},
};
_Static_assert(
        sizeof peer_columns / sizeof peer_columns[0] == PEER_NCOLUMNS, "a title for each column");

struct text_field {
	unsigned key;
	size_t offset, size;
};

#define FIELD(key, name)                                                         \
	{                                                                        \
		key, offsetof(struct peer, name), sizeof((struct peer *)0)->name \
	}
static const struct text_field texts[] = {
        FIELD(1, id),
        FIELD(2, name),
        FIELD(4, trust),
        FIELD(5, state),
        FIELD(6, address),
        FIELD(7, platform),
        FIELD(17, version),
};
static const struct text_field numbers[] = {
        FIELD(8, slots),
        FIELD(9, used),
        FIELD(10, queued),
        FIELD(11, speed),
        FIELD(12, permille),
        FIELD(14, sandbox),
        FIELD(15, age_ms),
};

/* A missing one stays as it is. */
static int
optional(int err)
{
	return err == IM_ERR_ABSENT ? 0 : err;
}

static int
decode_tags(struct peer *p, const struct item *map)
{
	const struct item *array;
	uint64_t tag;
	uint32_t n;
	int err = item_array(map, 13, BEACON_TAGS_MAX, &array, &n);

	if (err != 0)
		return optional(err);
	for (uint32_t i = 0; i < n; i++) {
		err = value_uint(item_at(array, i), UINT32_MAX, &tag);
		if (err != 0)
			return err;
		p->tags[p->ntags++] = (uint32_t)tag;
	}
	return 0;
}

int
peer_decode(struct peer *out, const struct item *map)
{
	struct peer p = {.ntags = 0};
	uint64_t self = 0;
	int err = item_known(map, KNOWN_KEYS);

	for (size_t i = 0; err == 0 && i < sizeof texts / sizeof texts[0]; i++)
		err = optional(
		        item_text(map, texts[i].key, (char *)&p + texts[i].offset, texts[i].size));
	for (size_t i = 0; err == 0 && i < sizeof numbers / sizeof numbers[0]; i++)
		err = optional(item_uint(map, numbers[i].key, INT64_MAX,
		        (uint64_t *)((char *)&p + numbers[i].offset)));
	if (err == 0)
		err = optional(item_uint(map, 3, 1, &self));
	p.self = self == 1;
	if (err == 0 && item_get(map, 16) != NULL) {
		err = item_uint(map, 16, INT64_MAX, &p.rtt_us);
		p.has_rtt = p.rtt_us > 0; /* nobody is that near: not measured */
	}
	if (err == 0)
		err = decode_tags(&p, map);
	if (err == 0)
		*out = p;
	return err;
}

static int
compare(const void *a, const void *b)
{
	const struct peer *p = a, *q = b;
	int by_name;

	if (p->self != q->self)
		return p->self ? -1 : 1;
	by_name = strcmp(p->name, q->name);
	return by_name != 0 ? by_name : strcmp(p->id, q->id);
}

int
peers_decode(struct peer **out, uint32_t *n, const struct item *root)
{
	const struct item *array;
	struct peer *peers;
	uint32_t count;
	int err = item_array(root, 1, PEERS_MAX, &array, &count);

	if (err != 0)
		return err;
	peers = calloc(count > 0 ? count : 1, sizeof *peers);
	if (peers == NULL)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; err == 0 && i < count; i++)
		err = peer_decode(&peers[i], item_at(array, i));
	if (err != 0) {
		free(peers);
		return err;
	}
	qsort(peers, count, sizeof *peers, compare);
	*out = peers;
	*n = count;
	return 0;
}

void
age_text(uint64_t ms, char out[16])
{
	uint64_t s = ms / 1000;

	if (ms < 10000)
		snprintf(out, 16, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
	else if (s < 100)
		snprintf(out, 16, "%" PRIu64 "s", s);
	else if (s < 100 * 60)
		snprintf(out, 16, "%" PRIu64 "m", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, 16, "%" PRIu64 "h", s / 3600);
	else
		snprintf(out, 16, "%" PRIu64 "d", s / 86400 < DAYS_MAX ? s / 86400 : DAYS_MAX);
}

static enum tone
state_tone(const char *state)
{
	if (strcmp(state, "up") == 0)
		return TONE_GOOD;
	return strcmp(state, "quarantined") == 0 ? TONE_BAD : TONE_WARN;
}

/* The first tags, and how many more there are. */
static void
tags_text(const struct peer *p, char *out, size_t size)
{
	size_t at = 0;

	out[0] = 0;
	for (uint32_t i = 0; i < p->ntags && i < TAGS_SHOWN; i++)
		at += (size_t)snprintf(
		        out + at, size - at, "%s%08" PRIx32, i > 0 ? "," : "", p->tags[i]);
	if (p->ntags > TAGS_SHOWN)
		snprintf(out + at, size - at, "+%" PRIu32, p->ntags - TAGS_SHOWN);
}

void
peer_row(const struct peer *p, struct grid *t)
{
	char tags[TAGS_SHOWN * 9 + 16], age[16];

	tags_text(p, tags, sizeof tags);
	age_text(p->age_ms, age);
	grid_cell(t, TONE_PLAIN, p->name);
	grid_cell(t, TONE_PLAIN, p->platform);
	grid_cell(t, TONE_PLAIN, p->trust);
	grid_cell(t, state_tone(p->state), p->state);
	grid_printf(t, TONE_PLAIN, "%" PRIu64, p->slots);
	grid_printf(t, TONE_PLAIN, "%" PRIu64, p->used);
	grid_printf(t, TONE_PLAIN, "%" PRIu64, p->queued);
	grid_printf(t, TONE_PLAIN, "%" PRIu64 "%%", p->permille / 10);
	grid_printf(t, TONE_PLAIN, "%" PRIu64, p->speed);
	grid_cell(t, TONE_PLAIN, tags);
	grid_printf(t, TONE_PLAIN, "L%" PRIu64, p->sandbox);
	if (p->has_rtt)
		grid_printf(t, TONE_PLAIN, "%" PRIu64 ".%" PRIu64 "ms", p->rtt_us / 1000,
		        p->rtt_us % 1000 / 100);
	else
		grid_cell(t, TONE_PLAIN, "");
	grid_cell(t, TONE_PLAIN, p->self ? "" : age);
	grid_cell(t, TONE_PLAIN, p->address);
	grid_printf(t, TONE_DIM, "%.*s", SHORT_ID, p->id);
}

void
peer_json(const struct peer *p, struct json *j)
{
	char text[32];

	json_open_object(j);
	json_ktext(j, "id", p->id);
	json_ktext(j, "name", p->name);
	json_kbool(j, "this", p->self);
	json_ktext(j, "trust", p->trust);
	json_ktext(j, "state", p->state);
	json_ktext(j, "address", p->address);
	json_ktext(j, "platform", p->platform);
	json_kuint(j, "slots", p->slots);
	json_kuint(j, "used", p->used);
	json_kuint(j, "queued", p->queued);
	json_kuint(j, "speed", p->speed);
	json_key(j, "load");
	json_scaled(j, p->permille, 1000);
	json_key(j, "toolchains");
	json_open_array(j);
	for (uint32_t i = 0; i < p->ntags; i++) {
		snprintf(text, sizeof text, "%08" PRIx32, p->tags[i]);
		json_text(j, text);
	}
	json_close_array(j);
	snprintf(text, sizeof text, "L%" PRIu64, p->sandbox);
	json_ktext(j, "sandbox", text);
	json_kuint(j, "age_ms", p->age_ms);
	json_key(j, "rtt_us");
	if (p->has_rtt)
		json_uint(j, p->rtt_us);
	else
		json_null(j);
	json_ktext(j, "version", p->version);
	json_close_object(j);
}
