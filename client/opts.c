#include "client/opts.h"

#include <stdio.h>
#include <string.h>

void
opts_init(struct opts *o, int argc, char **argv)
{
	*o = (struct opts){.argc = argc, .argv = argv, .at = 1};
}

static int
bad(struct opts *o, const char *what, const char *word)
{
	snprintf(o->problem, sizeof o->problem, "%s '%.80s'", what, word);
	return OPTS_BAD;
}

/* The value after an option's name: glued to it, else the next word. */
static int
take_value(struct opts *o, int row, const char *word, const char *glued)
{
	if (glued == NULL && o->at >= o->argc)
		return bad(o, "a value is missing after", word);
	o->value = glued != NULL ? glued : o->argv[o->at++];
	return row;
}

static int
long_option(struct opts *o, const char *word, const struct opt *table, int n)
{
	size_t len = strcspn(word + 2, "=");
	const char *glued = word[2 + len] == '=' ? word + 2 + len + 1 : NULL;

	for (int i = 0; i < n; i++) {
		if (table[i].name == NULL || strlen(table[i].name) != len ||
		        strncmp(table[i].name, word + 2, len) != 0)
			continue;
		if (table[i].value)
			return take_value(o, i, word, glued);
		return glued == NULL ? i : bad(o, "no value belongs to", word);
	}
	return bad(o, "unknown option", word);
}

static int
short_option(struct opts *o, const char *word, const struct opt *table, int n)
{
	for (int i = 0; i < n; i++) {
		if (table[i].letter == 0 || table[i].letter != word[1])
			continue;
		if (table[i].value)
			return take_value(o, i, word, word[2] != 0 ? word + 2 : NULL);
		return word[2] == 0 ? i : bad(o, "unknown option", word);
	}
	return bad(o, "unknown option", word);
}

int
opts_next(struct opts *o, const struct opt *table, int n)
{
	const char *word;

	if (o->at >= o->argc)
		return OPTS_END;
	word = o->argv[o->at++];
	if (!o->operands_only && strcmp(word, "--") == 0) {
		o->operands_only = true;
		return opts_next(o, table, n);
	}
	if (o->operands_only || word[0] != '-' || word[1] == 0) {
		o->value = word;
		return OPTS_OPERAND;
	}
	return word[1] == '-' ? long_option(o, word, table, n) : short_option(o, word, table, n);
}
