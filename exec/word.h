/*
 * Words of a compiler's command line: an option with its operand, or an input, taken one after
 * another.
 *
 * The one place that knows how many argv elements an option takes and where its operand stands.
 */
#ifndef EXEC_WORD_H
#define EXEC_WORD_H

#include <stdbool.h>
#include <stdint.h>
#include "exec/options.h"

struct word {
	const char *text; /* argv element i */
	/* the operand inside text or the next element; NULL when it has none or it lacks */
	const char *value;
	const struct option *row; /* NULL for an input, and for an option that no row matches */
	enum option_form form;
	uint32_t count; /* argv elements taken, 1 or 2 */
	bool is_option; /* begins with '-' and is not "-" alone */
};

/* Reads the word at argv[i] (i < argc). */
void word_read(struct word *w, const char *const *argv, uint32_t argc, uint32_t i,
        enum option_compiler compiler);
/* True when the row is the option `name`. */
bool word_is(const struct word *w, const char *name);

#endif
