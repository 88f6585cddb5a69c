#include "mesh/account.h"

#include <stdio.h>
#include <string.h>

#define TIMES 6 /* in the array under 74; the total has its own key */

static bool
filled(const char *text)
{
	return text != NULL && text[0] != 0;
}

static bool
name_fits(const char *name)
{
	return filled(name) && strlen(name) <= ACCOUNT_NAME_MAX;
}

/* A text as item_text() takes it. */
static void
pack_clean(struct buf *b, unsigned key, const char *text, size_t size)
{
	char clean[CONTROL_CAUSE_SIZE];

	snprintf(clean, size < sizeof clean ? size : sizeof clean, "%s", text);
	for (char *p = clean; *p != 0; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	pack_ktext(b, key, clean);
}

static void
pack_times(struct buf *b, const struct account_times *ms)
{
	const uint64_t list[TIMES] = {
	        ms->plan, ms->lease, ms->send, ms->queue, ms->compile, ms->receive};

	pack_uint(b, 74);
	pack_array(b, TIMES);
	for (unsigned i = 0; i < TIMES; i++)
		pack_uint(b, list[i]);
}

void
account_encode(const struct account *a, struct buf *b)
{
	bool node = a->node != NULL, text = filled(a->text), mode = filled(a->mode);
	bool file = name_fits(a->file), output = name_fits(a->output), peer = filled(a->peer);
	bool toolchain = a->toolchain != NULL, ended = a->exit >= 0, hedged = a->hedged;

	pack_map(b, 9U + node + text + file + output + mode + peer + toolchain + ended + hedged);
	pack_kuint(b, 1, a->verdict);
	pack_clean(b, 2, a->reason != NULL ? a->reason : "", REASON_SIZE);
	if (node)
		pack_kbytes(b, 3, a->node->bytes, NODE_ID_LEN);
	pack_kuint(b, 4, a->outcome);
	pack_kuint(b, 5, a->retries);
	pack_kuint(b, 6, a->ms.total);
	if (text)
		pack_clean(b, 64, a->text, CONTROL_CAUSE_SIZE);
	if (file)
		pack_kbytes(b, 65, a->file, strlen(a->file));
	if (output)
		pack_kbytes(b, 66, a->output, strlen(a->output));
	if (mode)
		pack_clean(b, 67, a->mode, ACCOUNT_MODE_SIZE);
	if (peer)
		pack_clean(b, 68, a->peer, NAME_SIZE);
	if (toolchain)
		pack_kbytes(b, 69, a->toolchain->bytes, DIGEST_LEN);
	pack_kuint(b, 70, a->job);
	if (ended)
		pack_kuint(b, 71, (uint64_t)a->exit);
	pack_kuint(b, 72, a->bytes_out);
	pack_kuint(b, 73, a->bytes_in);
	pack_times(b, &a->ms);
	if (hedged)
		pack_kuint(b, 75, 1);
}

static int
optional(int err)
{
	return err == IM_ERR_ABSENT ? 0 : err;
}

static int
take_name(const struct item *m, unsigned key, char out[ACCOUNT_NAME_MAX + 1])
{
	const uint8_t *p;
	size_t len;
	int err = item_bytes(m, key, ACCOUNT_NAME_MAX, &p, &len);

	if (err != 0)
		return optional(err);
	if (memchr(p, 0, len) != NULL)
		return IM_ERR_FORMAT;
	memcpy(out, p, len);
	out[len] = 0;
	return 0;
}

static int
take_texts(struct account *a, struct account_room *room, const struct item *m)
{
	int err = optional(item_text(m, 2, room->reason, sizeof room->reason));

	if (err == 0)
		err = optional(item_text(m, 64, room->text, sizeof room->text));
	if (err == 0)
		err = take_name(m, 65, room->file);
	if (err == 0)
		err = take_name(m, 66, room->output);
	if (err == 0)
		err = optional(item_text(m, 67, room->mode, sizeof room->mode));
	if (err == 0)
		err = optional(item_text(m, 68, room->peer, sizeof room->peer));
	a->reason = room->reason;
	a->text = room->text;
	a->file = room->file;
	a->output = room->output;
	a->mode = room->mode;
	a->peer = room->peer;
	return err;
}

/* Who and which. */
static int
take_ids(struct account *a, struct account_room *room, const struct item *m)
{
	int err = item_fixed(m, 3, room->node.bytes, NODE_ID_LEN);

	if (err == 0)
		a->node = &room->node;
	else if (err != IM_ERR_ABSENT)
		return err;
	err = item_fixed(m, 69, room->toolchain.bytes, DIGEST_LEN);
	if (err == 0)
		a->toolchain = &room->toolchain;
	else if (err != IM_ERR_ABSENT)
		return err;
	return optional(item_uint(m, 70, UINT64_MAX, &a->job));
}

static int
take_times(struct account *a, const struct item *m)
{
	uint64_t *const list[TIMES] = {&a->ms.plan, &a->ms.lease, &a->ms.send, &a->ms.queue,
	        &a->ms.compile, &a->ms.receive};
	const struct item *array;
	uint32_t n = 0;
	int err = optional(item_uint(m, 6, INT64_MAX, &a->ms.total));

	if (err == 0)
		err = optional(item_array(m, 74, TIMES, &array, &n));
	for (uint32_t i = 0; err == 0 && i < n; i++)
		err = value_uint(item_at(array, i), INT64_MAX, list[i]);
	return err;
}

static int
take_numbers(struct account *a, const struct item *m)
{
	uint64_t verdict = 0, outcome = 0, retries = 0, status = 0, hedged = 0;
	int err = item_uint(m, 1, VERDICT_FALLBACK, &verdict);

	if (err == 0)
		err = optional(item_uint(m, 4, OUTCOME_JOB_FAILED, &outcome));
	if (err == 0)
		err = optional(item_uint(m, 5, ACCOUNT_RETRIES_MAX, &retries));
	if (err == 0)
		err = optional(item_uint(m, 72, INT64_MAX, &a->bytes_out));
	if (err == 0)
		err = optional(item_uint(m, 73, INT64_MAX, &a->bytes_in));
	if (err == 0)
		err = optional(item_uint(m, 75, 1, &hedged));
	if (err != 0)
		return err;
	a->hedged = hedged != 0;
	a->verdict = (enum verdict)verdict;
	a->outcome = (enum outcome)outcome;
	a->retries = (uint32_t)retries;
	err = item_uint(m, 71, 255, &status);
	a->exit = err == 0 ? (int)status : -1;
	return optional(err);
}

int
account_decode(struct account *a, struct account_room *room, const struct item *m)
{
	int err;

	memset(a, 0, sizeof *a);
	memset(room, 0, sizeof *room);
	err = take_numbers(a, m);
	if (err == 0)
		err = take_texts(a, room, m);
	if (err == 0)
		err = take_ids(a, room, m);
	return err == 0 ? take_times(a, m) : err;
}
