/*
 * The option table: what each compiler option means for a remote compile.  Data and look-up
 * only, no I/O.
 *
 * Rows are sorted by name (tested).  The short general rows (-f, -m, -W, -O, -g) let a word
 * without a row of its own travel only when its value cannot name a file; what no row matches is
 * local.
 */
#ifndef EXEC_OPTIONS_H
#define EXEC_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

enum option_class {
	OPT_SHIP, /* means the same there: goes along */
	/* only the preprocessor or the linker wants it: stays here in preprocessed mode */
	OPT_CPP,
	OPT_DEP,      /* dependency output (-MD, -MF...): the preprocessor here writes it */
	OPT_OUTPUT,   /* -o */
	OPT_LANGUAGE, /* -x */
	OPT_COMPILE,  /* -c, -S */
	/* exact when sources travel with the words as given, not otherwise: then as OPT_LOCAL */
	OPT_SOURCE,
	OPT_NATIVE, /* as OPT_SOURCE; means this machine's processor: resolved here (client/native.h) */
	OPT_INPUT, /* as OPT_SOURCE; names a data file that is read (client/data.h) */
	OPT_LOCAL, /* needs this machine; the row's reason says why */
	OPT_ASK    /* asks the compiler something (-v, --version, -print-...): passed through */
};

enum option_form {
	FORM_EXACT = 1,    /* the word itself, no argument */
	FORM_JOINED = 2,   /* -Ifoo */
	FORM_SEPARATE = 4, /* -I foo */
	FORM_EQUALS = 8    /* --sysroot=foo, -std=c99 */
};

enum option_compiler { FOR_GCC = 1, FOR_CLANG = 2, FOR_BOTH = 3 };

struct option {
	const char *name;
	uint8_t forms;     /* enum option_form bits */
	uint8_t compilers; /* enum option_compiler bits */
	uint8_t class;     /* enum option_class */
	/* for OPT_SOURCE, OPT_NATIVE, OPT_INPUT, OPT_LOCAL and OPT_ASK: word of the fixed list (exec/reason.h), e.g.
	 * "option" */
	const char *reason;
};

/* The row that `word` (an argv element that begins with '-') matches by the longest name, or
 * NULL; *form receives how it matched. */
const struct option *option_find(
        const char *word, enum option_compiler compiler, enum option_form *form);
/* Row i, NULL at the end: for tests. */
const struct option *option_row(unsigned i);
/* True when "NAME" or "NAME=VALUE" cannot name a file: no '=', or a number or
 * yes/no/true/false/all/none behind it. */
bool option_harmless(const char *text);

#endif
