/* Command lines written as one string in tests: split at single blanks, joined again for
 * comparison. */
#ifndef TESTS_WORDS_H
#define TESTS_WORDS_H

#include <stdio.h>
#include <string.h>

#define WORDS_MAX 64

struct words {
	char text[4096];
	char *argv[WORDS_MAX];
	int argc;
};

static inline void
words_split(struct words *w, const char *text)
{
	char *save = NULL;

	snprintf(w->text, sizeof(w->text), "%s", text);
	w->argc = 0;
	for (char *p = strtok_r(w->text, " ", &save); p && w->argc < WORDS_MAX - 1;
	        p = strtok_r(NULL, " ", &save))
		w->argv[w->argc++] = p;
	w->argv[w->argc] = NULL;
}

static inline const char *
words_join(char *const *argv, char *out, size_t size)
{
	size_t len = 0;

	out[0] = 0;
	for (; *argv && len < size; argv++)
		len += (size_t)snprintf(out + len, size - len, "%s%s", len ? " " : "", *argv);
	return out;
}

#endif
