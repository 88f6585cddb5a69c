/*
 * A table of text: gathered cell by cell, printed with aligned columns.
 *
 * On a terminal it is cut to the width by leaving out whole columns, the least important ones first; when piped it has every
 * column and no colour.  Cells go through text_clean(), an empty one becomes "-", so that each row has as many words as
 * another unless a name holds blanks.
 */
#ifndef CLIENT_GRID_H
#define CLIENT_GRID_H

#include <stdbool.h>
#include "crypto/buf.h"

#define GRID_COLUMNS_MAX 24
#define GRID_BYTES_MAX (16 * 1024 * 1024) /* all cells together */
#define GRID_CELL_MAX 64                  /* columns of one cell; what is longer is cut */

enum tone { TONE_PLAIN, TONE_GOOD, TONE_WARN, TONE_BAD, TONE_DIM };

struct grid_column {
	const char *title;
	bool right;    /* numbers stand to the right */
	unsigned rank; /* 0 is always shown; of the others the highest goes first */
};

struct grid {
	const struct grid_column *columns; /* the caller's */
	unsigned ncolumns;
	struct buf cells; /* each: tone byte, text, NUL */
	unsigned ncells;
};

/* columns must outlive the table and have at most GRID_COLUMNS_MAX elements. */
void grid_init(struct grid *t, const struct grid_column *columns, unsigned ncolumns);
void grid_fini(struct grid *t);
/* The next cell, row by row from the left. */
void grid_cell(struct grid *t, enum tone tone, const char *text);
/* The next cell from a format; what is longer than 255 bytes is cut. */
void grid_printf(struct grid *t, enum tone tone, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* Appends the whole table, title line first; width 0 is endless. IM_ERR_MEMORY, IM_ERR_LIMIT from any cell before, too. */
int grid_print(const struct grid *t, unsigned width, bool colour, struct buf *out) IM_MUST;
/* The escape sequence that begins a tone; TONE_PLAIN ends any other one. */
const char *tone_escape(enum tone tone);

#endif
