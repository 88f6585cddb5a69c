#include "client/why.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "client/amount.h"
#include "client/grid.h"
#include "client/peer.h"
#include "client/printable.h"
#include "client/trace.h"

#define KEYS (1u << 1 | 1u << 2 | 1u << 3)
#define REASONS_MAX 64
#define WHERE_MAX 20 /* columns on a terminal */
#define REASON_MAX 30
#define FILE_MIN 16
#define CUT "..." /* stands for the beginning of a name */

static const struct grid_column columns[] = {{"AGO", true, 1}, {"WHERE", false, 0},
        {"REASON", false, 0}, {"FILE", false, 0}, {"MS", true, 2}};
#define NCOLUMNS (sizeof columns / sizeof columns[0])

/* An account and the memory that it lies in. */
struct told {
	struct account a;
	struct account_room room;
};

static int
open_account(const struct why_one *one, struct told *t)
{
	struct packet *p;
	int err = packet_open(&p, one->bytes, one->len);

	if (err != 0)
		return err;
	err = account_decode(&t->a, &t->room, packet_root(p));
	packet_free(p);
	return err;
}

static int
decode_one(struct why_one *one, const struct item *map)
{
	struct told t;
	int err = item_known(map, KEYS);

	if (err == 0)
		err = item_uint(map, 1, INT64_MAX, &one->told_ms);
	if (err == 0)
		err = item_uint(map, 2, UINT32_MAX, &one->uid);
	if (err == 0)
		err = item_bytes(map, 3, ACCOUNT_LEN_MAX, &one->bytes, &one->len);
	return err == 0 ? open_account(one, &t) : err;
}

int
why_decode(struct why *w, const struct item *root)
{
	const struct item *array;
	struct why_one *list;
	uint32_t n;
	int err = item_array(root, 1, HISTORY_MAX, &array, &n);

	if (err != 0)
		return err;
	list = calloc(n > 0 ? n : 1, sizeof *list);
	if (list == NULL)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; err == 0 && i < n; i++)
		err = decode_one(&list[i], item_at(array, i));
	if (err != 0) {
		free(list);
		return err;
	}
	*w = (struct why){list, n};
	return 0;
}

void
why_fini(struct why *w)
{
	free(w->list);
	*w = (struct why){0};
}

/* --- one file --- */

static bool
ends_with(const char *path, const char *name)
{
	size_t len = strlen(path), tail = strlen(name);

	if (tail == 0 || tail > len || strcmp(path + len - tail, name) != 0)
		return false;
	return tail == len || path[len - tail - 1] == '/';
}

static bool
is_of(const struct why_one *one, const char *path, const char *name)
{
	struct told t;

	if (open_account(one, &t) != 0)
		return false;
	if (path != NULL)
		return path[0] != 0 &&
		       (strcmp(t.a.file, path) == 0 || strcmp(t.a.output, path) == 0);
	return ends_with(t.a.file, name) || ends_with(t.a.output, name);
}

void
why_pick(struct why *w, const char *path, const char *name)
{
	bool exact = false;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < w->n && !exact; i++)
		exact = is_of(&w->list[i], path, name);
	for (uint32_t i = 0; i < w->n; i++)
		if (is_of(&w->list[i], exact ? path : NULL, name))
			w->list[kept++] = w->list[i];
	w->n = kept;
}

/* --- the table --- */

/* The last `room` columns of the name, the first of them dots when something is missing. */
static void
put_tail(struct grid *t, const char *name, unsigned room)
{
	char text[4 * GRID_CELL_MAX + sizeof CUT];
	size_t len = strlen(name);
	const char *p = name;

	if (room > GRID_CELL_MAX)
		room = GRID_CELL_MAX;
	if (len > 4 * room)
		p += len - 4 * room;
	while (p > name && ((unsigned char)*p & 0xc0) == 0x80)
		p++;
	if (p == name && text_width(p) <= room) {
		grid_cell(t, TONE_PLAIN, name);
		return;
	}
	while (text_width(p) > room - strlen(CUT))
		do
			p++;
		while (((unsigned char)*p & 0xc0) == 0x80);
	snprintf(text, sizeof text, CUT "%s", p);
	grid_cell(t, TONE_PLAIN, text);
}

static const char *
shown_name(const struct account *a, const struct why_view *v)
{
	const char *name = a->file[0] != 0 ? a->file : a->output;
	size_t len = strlen(v->cwd);

	if (len > 1 && strncmp(name, v->cwd, len) == 0 && name[len] == '/' && name[len + 1] != 0)
		return name + len + 1;
	return name;
}

static void
where_text(const struct account *a, char out[NODE_ID_TEXT_SIZE + NAME_SIZE])
{
	char id[NODE_ID_TEXT_SIZE] = "";

	if (a->verdict != VERDICT_REMOTE) {
		memcpy(out, "here", sizeof "here");
		return;
	}
	if (a->node != NULL)
		node_id_text(a->node, id);
	snprintf(out, NODE_ID_TEXT_SIZE + NAME_SIZE, "%.*s", NAME_SIZE,
	        a->peer[0] != 0 ? a->peer : id);
}

static void
put_cut(struct grid *t, enum tone tone, const char *text, unsigned room)
{
	struct buf b;
	const char *clean;

	buf_init(&b, 1024);
	text_clean(&b, text, room);
	clean = b.len > 0 ? buf_text(&b) : "";
	grid_cell(t, tone, clean != NULL ? clean : "?");
	buf_fini(&b);
}

static unsigned
larger(unsigned a, size_t b)
{
	return a > b ? a : (unsigned)b;
}

/* Columns that are left for names. */
static unsigned
name_room(const struct why *w, uint32_t first, const struct why_view *v)
{
	unsigned where = 5, reason = 6, others;
	char place[NODE_ID_TEXT_SIZE + NAME_SIZE];
	struct told t;

	if (v->width == 0)
		return GRID_CELL_MAX;
	for (uint32_t i = first; i < w->n; i++) {
		if (open_account(&w->list[i], &t) != 0)
			continue;
		where_text(&t.a, place);
		where = larger(where, text_width(place));
		reason = larger(reason, text_width(t.a.reason));
	}
	/* the gaps, an age and a time of five digits */
	others = (where < WHERE_MAX ? where : WHERE_MAX) +
	         (reason < REASON_MAX ? reason : REASON_MAX) + 4 * 2 + 4 + 5;
	return v->width > others + FILE_MIN ? v->width - others : FILE_MIN;
}

static uint64_t
age_ms(const struct why_one *one, const struct why_view *v)
{
	return v->now_ms > one->told_ms ? v->now_ms - one->told_ms : 0;
}

static void
put_row(const struct why_one *one, const struct why_view *v, unsigned room, struct grid *g)
{
	char age[16], place[NODE_ID_TEXT_SIZE + NAME_SIZE];
	unsigned cut = v->width > 0 ? 0 : GRID_CELL_MAX;
	struct told t;

	if (open_account(one, &t) != 0)
		return;
	age_text(age_ms(one, v), age);
	where_text(&t.a, place);
	grid_cell(g, TONE_PLAIN, age);
	put_cut(g, t.a.verdict == VERDICT_REMOTE ? TONE_GOOD : TONE_PLAIN, place, cut + WHERE_MAX);
	put_cut(g, t.a.verdict == VERDICT_FALLBACK ? TONE_WARN : TONE_PLAIN, t.a.reason,
	        cut + REASON_MAX);
	put_tail(g, shown_name(&t.a, v), room);
	if (t.a.verdict == VERDICT_REMOTE)
		grid_printf(g, TONE_PLAIN, "%" PRIu64, t.a.ms.total);
	else
		grid_cell(g, TONE_PLAIN, "");
}

/* --- the reasons that there were --- */

struct count {
	char word[REASON_SIZE];
	unsigned n;
};

static int
more(const void *a, const void *b)
{
	const struct count *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->word, y->word);
}

static unsigned
count_reasons(const struct why *w, struct count *counts, unsigned *here)
{
	unsigned n = 0, k;
	struct told t;

	*here = 0;
	for (uint32_t i = 0; i < w->n; i++) {
		char word[REASON_SIZE];

		if (open_account(&w->list[i], &t) != 0 || t.a.verdict == VERDICT_REMOTE)
			continue;
		++*here;
		snprintf(word, sizeof word, "%.*s", (int)strcspn(t.a.reason, " "), t.a.reason);
		for (k = 0; k < n && strcmp(counts[k].word, word) != 0; k++)
			;
		if (k == REASONS_MAX)
			continue;
		if (k == n) {
			memcpy(counts[k].word, word, sizeof word);
			counts[n++].n = 0;
		}
		counts[k].n++;
	}
	qsort(counts, n, sizeof *counts, more);
	return n;
}

static const char *
advice_of(const char *reason)
{
	const struct reason *r = reason_find(reason);

	return r != NULL ? r->advice : "This version of icemesh does not know the word.";
}

static void
put_reasons(const struct why *w, struct buf *out)
{
	struct count counts[REASONS_MAX];
	unsigned here, n = count_reasons(w, counts, &here);

	buf_printf(out, "\n%" PRIu32 " compile%s known: %" PRIu32 " ran elsewhere, %u here\n", w->n,
	        w->n == 1 ? "" : "s", w->n - here, here);
	for (unsigned i = 0; i < n; i++) {
		text_clean(out, counts[i].word[0] != 0 ? counts[i].word : "-", REASON_SIZE);
		buf_printf(out, " (%u): %s\n", counts[i].n, advice_of(counts[i].word));
	}
}

/* Lines that the text takes on the terminal. */
static unsigned
lines_of(struct buf *text, unsigned width)
{
	const char *line = buf_text(text);
	unsigned lines = 0;

	for (; line != NULL && *line != 0; line += strcspn(line, "\n") + 1)
		lines += 1 + (unsigned)strcspn(line, "\n") / (width > 0 ? width : UINT_MAX);
	return lines;
}

int
why_table(const struct why *w, const struct why_view *v, struct buf *out)
{
	unsigned rows = WHY_ROWS, taken, room;
	struct buf reasons;
	struct grid g;
	uint32_t first;
	int err;

	buf_init(&reasons, 65536);
	put_reasons(w, &reasons);
	taken = lines_of(&reasons, v->width) + 2; /* the titles, and the shell's next line */
	if (v->height > 0 && v->height < taken + WHY_ROWS)
		rows = v->height > taken + WHY_ROWS_MIN ? v->height - taken : WHY_ROWS_MIN;
	first = w->n > rows ? w->n - rows : 0;
	room = name_room(w, first, v);
	grid_init(&g, columns, NCOLUMNS);
	for (uint32_t i = first; i < w->n; i++)
		put_row(&w->list[i], v, room, &g);
	err = grid_print(&g, v->width, v->colour, out);
	grid_fini(&g);
	buf_put(out, reasons.data, reasons.len);
	if (err == 0)
		err = buf_err(&reasons);
	buf_fini(&reasons);
	return err;
}

/* --- in full --- */

static void
put_line(struct buf *out, const char *label, const char *text)
{
	buf_printf(out, "  %-9s", label);
	text_clean(out, text, SIZE_MAX);
	buf_put(out, "\n", 1);
}

static void
put_place(const struct account *a, struct buf *out)
{
	char id[NODE_ID_TEXT_SIZE] = "", place[NODE_ID_TEXT_SIZE + 2 * NAME_SIZE + 64];

	if (a->node != NULL)
		node_id_text(a->node, id);
	if (a->verdict == VERDICT_LOCAL)
		snprintf(place, sizeof place, "here");
	else
		snprintf(place, sizeof place, "%s%s%s%.8s%s%s%s%s",
		        a->verdict == VERDICT_FALLBACK ? "here, after a try at " : "",
		        a->peer[0] != 0 ? a->peer : "a peer", id[0] != 0 ? " (" : "", id,
		        id[0] != 0 ? ")" : "", a->mode[0] != 0 ? ", " : "", a->mode,
		        a->mode[0] != 0 ? " mode" : "");
	put_line(out, "where", place);
}

static void
put_times(const struct account *a, struct buf *out)
{
	const struct account_times *ms = &a->ms;
	char sent[AMOUNT_SIZE], received[AMOUNT_SIZE];

	if (a->verdict == VERDICT_LOCAL) {
		buf_printf(out, "  %-9sdecided after %" PRIu64 " ms\n", "times", ms->total);
		return;
	}
	buf_printf(out, "  %-9splan %" PRIu64 ", lease %" PRIu64, "times", ms->plan, ms->lease);
	if (a->verdict == VERDICT_REMOTE)
		buf_printf(out,
		        ", send %" PRIu64 ", queue %" PRIu64 ", compile %" PRIu64
		        ", receive %" PRIu64 "; %" PRIu64 " ms in all\n",
		        ms->send, ms->queue, ms->compile, ms->receive, ms->total);
	else
		buf_printf(out, "; given up after %" PRIu64 " ms\n", ms->total);
	amount_bytes(a->bytes_out, sent);
	amount_bytes(a->bytes_in, received);
	buf_printf(out, "  %-9s%s sent, %s received\n", "bytes", sent, received);
}

static void
put_details(const struct why_one *one, const struct why_view *v, struct buf *out)
{
	char age[16];
	struct told t;

	if (open_account(one, &t) != 0)
		return;
	age_text(age_ms(one, v), age);
	text_clean(out, t.a.file[0] != 0 ? t.a.file : "(no source)", SIZE_MAX);
	buf_printf(out, "\n  %-9s%s ago, by user %" PRIu64 "\n", "when", age, one->uid);
	if (t.a.output[0] != 0)
		put_line(out, "output", t.a.output);
	put_place(&t.a, out);
	if (t.a.reason[0] != 0) {
		put_line(out, "reason", t.a.reason);
		put_line(out, "", advice_of(t.a.reason));
	}
	if (t.a.text[0] != 0)
		put_line(out, t.a.verdict == VERDICT_REMOTE ? "before" : "cause", t.a.text);
	put_times(&t.a, out);
	if (t.a.retries > 0)
		buf_printf(out, "  %-9s%" PRIu32 "\n", "retries", t.a.retries);
	if (t.a.exit >= 0)
		buf_printf(out, "  %-9s%d\n", "exit", t.a.exit);
}

void
why_details(const struct why *w, const struct why_view *v, struct buf *out)
{
	uint32_t first = w->n > WHY_DETAILS ? w->n - WHY_DETAILS : 0;

	for (uint32_t i = first; i < w->n; i++) {
		if (i > first)
			buf_put(out, "\n", 1);
		put_details(&w->list[i], v, out);
	}
}

/* --- JSON --- */

void
why_json(const struct why *w, struct buf *out)
{
	struct told t;
	struct json j;

	json_init(&j, out);
	json_open_array(&j);
	for (uint32_t i = 0; i < w->n; i++) {
		uint64_t told = w->list[i].told_ms;

		if (open_account(&w->list[i], &t) != 0)
			continue;
		json_open_object(&j);
		trace_members(&j, &t.a, told > t.a.ms.total ? told - t.a.ms.total : 0);
		json_kuint(&j, "uid", w->list[i].uid);
		json_close_object(&j);
	}
	json_close_array(&j);
}
