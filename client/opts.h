/*
 * The words of a command line, one by one: options by a table, operands in between, "--" ends the options.
 *
 * Not getopt_long(): that keeps its place in globals, prints, and takes shortened names, which would freeze every prefix.
 */
#ifndef CLIENT_OPTS_H
#define CLIENT_OPTS_H

#include <stdbool.h>

struct opt {
	const char *name; /* "json" for --json; NULL: none */
	char letter;      /* 'o' for -o; 0: none */
	bool value;       /* takes one: --name VALUE, --name=VALUE, -o VALUE, -oVALUE */
};

enum { OPTS_END = -1, OPTS_OPERAND = -2, OPTS_BAD = -3 };

struct opts {
	int argc;
	char **argv;
	int at;             /* the next word */
	bool operands_only; /* "--" was seen */
	const char *value;  /* of the option, or the operand; into argv */
	char problem[128];  /* after OPTS_BAD: one line without newline */
};

/* argv[0] is the command's own name and skipped. */
void opts_init(struct opts *o, int argc, char **argv);
/* The index of the option in table[n], or OPTS_*. */
int opts_next(struct opts *o, const struct opt *table, int n);

#endif
