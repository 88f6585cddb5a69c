#include "client/toolchains.h"

#include <inttypes.h>
#include "client/amount.h"
#include "client/json.h"
#include "client/peer.h"
#include "client/grid.h"
#include "crypto/cert.h"
#include "crypto/digest.h"

#define KNOWN_KEYS 0x1fe /* 1 to 8 */
#define SHORT_DIGEST 16  /* hex digits in the table */
#define COMPILER_SIZE 4096

struct listed {
	char hex[DIGEST_HEX_SIZE], signer[NAME_SIZE], signer_id[NODE_ID_TEXT_SIZE],
	        compiler[COMPILER_SIZE];
	uint64_t size, uid, unused_s, runs_here;
	bool has_uid;
};

static int
optional(int err)
{
	return err == IM_ERR_ABSENT ? 0 : err;
}

static int
decode(struct listed *t, const struct item *map)
{
	struct digest d;
	int err = item_known(map, KNOWN_KEYS);

	*t = (struct listed){.size = 0};
	if (err == 0)
		err = item_fixed(map, 1, d.bytes, DIGEST_LEN);
	if (err != 0)
		return err;
	digest_hex(&d, t->hex);
	err = item_uint(map, 2, INT64_MAX, &t->size);
	if (err == 0)
		err = optional(item_text(map, 3, t->signer, sizeof t->signer));
	if (err == 0)
		err = optional(item_text(map, 4, t->compiler, sizeof t->compiler));
	if (err == 0 && item_get(map, 5) != NULL) {
		t->has_uid = true;
		err = item_uint(map, 5, UINT32_MAX, &t->uid);
	}
	if (err == 0)
		err = optional(item_uint(map, 6, INT64_MAX / 1000, &t->unused_s));
	if (err == 0)
		err = optional(item_uint(map, 7, 1, &t->runs_here));
	return err != 0 ? err : optional(item_text(map, 8, t->signer_id, sizeof t->signer_id));
}

int
toolchains_table(const struct item *root, unsigned width, bool colour, struct buf *out)
{
	static const struct grid_column columns[] = {
	        {"TOOLCHAIN", false, 0},
	        {"COMPILER", false, 0},
	        {"SIZE", true, 3},
	        {"SIGNER", false, 2},
	        {"HERE", false, 1},
	        {"LAST USE", true, 4},
	};
	char size[AMOUNT_SIZE], age[16];
	const struct item *array;
	struct listed t;
	struct grid table;
	uint32_t n;
	int err = item_array(root, 1, TOOLCHAINS_MAX, &array, &n);

	if (err != 0)
		return err;
	grid_init(&table, columns, sizeof columns / sizeof columns[0]);
	for (uint32_t i = 0; err == 0 && i < n; i++) {
		err = decode(&t, item_at(array, i));
		if (err != 0)
			break;
		amount_bytes(t.size, size);
		age_text(t.unused_s * 1000, age);
		grid_printf(&table, TONE_PLAIN, "%.*s", SHORT_DIGEST, t.hex);
		grid_cell(&table, TONE_PLAIN, t.compiler);
		grid_cell(&table, TONE_PLAIN, size);
		grid_cell(&table, TONE_PLAIN, t.signer);
		grid_cell(
		        &table, t.runs_here ? TONE_GOOD : TONE_WARN, t.runs_here ? "ready" : "no");
		grid_cell(&table, TONE_PLAIN, age);
	}
	if (err == 0)
		err = grid_print(&table, width, colour, out);
	grid_fini(&table);
	return err;
}

static void
put_json(const struct listed *t, struct json *j)
{
	json_open_object(j);
	json_ktext(j, "digest", t->hex);
	json_kuint(j, "size", t->size);
	json_ktext(j, "signer", t->signer);
	json_ktext(j, "signer_id", t->signer_id);
	json_key(j, "compiler");
	if (t->compiler[0] != 0)
		json_text(j, t->compiler);
	else
		json_null(j);
	json_key(j, "uid");
	if (t->has_uid)
		json_uint(j, t->uid);
	else
		json_null(j);
	json_kuint(j, "unused_s", t->unused_s);
	json_kbool(j, "runs_here", t->runs_here == 1);
	json_close_object(j);
}

int
toolchains_json(const struct item *root, struct buf *out)
{
	const struct item *array;
	struct listed t;
	struct json j;
	uint32_t n;
	int err = item_array(root, 1, TOOLCHAINS_MAX, &array, &n);

	if (err != 0)
		return err;
	json_init(&j, out);
	json_open_array(&j);
	for (uint32_t i = 0; i < n; i++) {
		err = decode(&t, item_at(array, i));
		if (err != 0)
			return err;
		put_json(&t, &j);
	}
	json_close_array(&j);
	return buf_err(out);
}
