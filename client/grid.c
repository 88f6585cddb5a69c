#include "client/grid.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "client/printable.h"

#define GAP 2 /* blanks between columns */

struct layout {
	unsigned widths[GRID_COLUMNS_MAX];
	bool shown[GRID_COLUMNS_MAX], right[GRID_COLUMNS_MAX];
	bool colour;
	unsigned last; /* the last shown column: nothing is padded behind it */
};

const char *
tone_escape(enum tone tone)
{
	switch (tone) {
	case TONE_GOOD:
		return "\033[32m";
	case TONE_WARN:
		return "\033[33m";
	case TONE_BAD:
		return "\033[31m";
	case TONE_DIM:
		return "\033[2m";
	default:
		return "\033[0m";
	}
}

void
grid_init(struct grid *t, const struct grid_column *columns, unsigned ncolumns)
{
	assert(ncolumns <= GRID_COLUMNS_MAX);
	*t = (struct grid){.columns = columns, .ncolumns = ncolumns};
	buf_init(&t->cells, GRID_BYTES_MAX);
}

void
grid_fini(struct grid *t)
{
	buf_fini(&t->cells);
	t->ncells = 0;
}

void
grid_cell(struct grid *t, enum tone tone, const char *text)
{
	buf_put_u8(&t->cells, (uint8_t)tone);
	text_clean(&t->cells, *text != 0 ? text : "-", GRID_CELL_MAX);
	buf_put_u8(&t->cells, 0);
	t->ncells++;
}

void
grid_printf(struct grid *t, enum tone tone, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	grid_cell(t, tone, text);
}

/* The cell at *at as text; moves *at to the next one. */
static const char *
next_cell(const struct grid *t, size_t *at, enum tone *tone)
{
	const char *text = (const char *)t->cells.data + *at + 1;

	*tone = t->cells.data[*at];
	*at += strlen(text) + 2;
	return text;
}

static unsigned
total_width(const struct grid *t, const struct layout *l)
{
	unsigned sum = 0;

	for (unsigned i = 0; i < t->ncolumns; i++)
		if (l->shown[i])
			sum += l->widths[i] + (sum > 0 ? GAP : 0);
	return sum;
}

/* Leaves out the shown column with the highest rank; false when only rank 0 is left. */
static bool
drop_column(const struct grid *t, struct layout *l)
{
	unsigned worst = t->ncolumns;

	for (unsigned i = 0; i < t->ncolumns; i++)
		if (l->shown[i] && t->columns[i].rank > 0 &&
		        (worst == t->ncolumns || t->columns[i].rank > t->columns[worst].rank))
			worst = i;
	if (worst == t->ncolumns)
		return false;
	l->shown[worst] = false;
	return true;
}

static void
lay_out(const struct grid *t, unsigned width, struct layout *l)
{
	enum tone tone;
	size_t at = 0, need;

	*l = (struct layout){.last = 0};
	for (unsigned i = 0; i < t->ncolumns; i++) {
		l->widths[i] = (unsigned)text_width(t->columns[i].title);
		l->shown[i] = true;
		l->right[i] = t->columns[i].right;
	}
	for (unsigned i = 0; i < t->ncells; i++) {
		need = text_width(next_cell(t, &at, &tone));
		if (need > l->widths[i % t->ncolumns])
			l->widths[i % t->ncolumns] = (unsigned)need;
	}
	while (width > 0 && total_width(t, l) > width && drop_column(t, l))
		;
	for (unsigned i = 0; i < t->ncolumns; i++)
		if (l->shown[i])
			l->last = i;
}

static void
put_cell(const struct layout *l, unsigned column, const char *text, enum tone tone, struct buf *out)
{
	int pad = (int)(l->widths[column] - text_width(text));

	if (!l->shown[column])
		return;
	if (l->right[column])
		buf_printf(out, "%*s", pad, "");
	if (l->colour && tone != TONE_PLAIN)
		buf_printf(out, "%s%s%s", tone_escape(tone), text, tone_escape(TONE_PLAIN));
	else
		buf_printf(out, "%s", text);
	if (column == l->last)
		buf_printf(out, "\n");
	else
		buf_printf(out, "%*s", GAP + (l->right[column] ? 0 : pad), "");
}

int
grid_print(const struct grid *t, unsigned width, bool colour, struct buf *out)
{
	struct layout l;
	enum tone tone;
	const char *text;
	size_t at = 0;

	if (buf_err(&t->cells) != 0)
		return buf_err(&t->cells);
	assert(t->ncells % t->ncolumns == 0);
	lay_out(t, width, &l);
	l.colour = colour;
	for (unsigned i = 0; i < t->ncolumns; i++)
		put_cell(&l, i, t->columns[i].title, TONE_DIM, out);
	for (unsigned i = 0; i < t->ncells; i++) {
		text = next_cell(t, &at, &tone);
		put_cell(&l, i % t->ncolumns, text, tone, out);
	}
	return buf_err(out);
}
