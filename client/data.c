#include "client/data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exec/products.h"
#include "exec/strings.h"
#include "exec/word.h"

struct finder {
	const struct args *a;
	const char *cwd;
	struct strings list; /* each name is owned */
	/* gcc's counts: whether they are read, and where they are looked for */
	bool counts;
	const char *folder; /* NULL: beside the output */
	const char *prefix; /* cut off names before they are mangled; NULL */
};

/* Takes the name over, which may be NULL for want of memory. */
static void
add(struct finder *f, char *name)
{
	if (!name)
		f->list.err = IM_ERR_MEMORY;
	else
		strings_add(&f->list, name);
	if (f->list.err)
		free(name);
}

static void
add_joined(struct finder *f, const char *folder, const char *name)
{
	char *text;

	if (asprintf(&text, "%s/%s", folder, name) < 0)
		text = NULL;
	add(f, text);
}

/* ---- gcc ---- */

/* '/' becomes '#' and ".." becomes '^', in place. */
static void
mangle(char *path)
{
	char *to = path;

	while (*path) {
		size_t len = strcspn(path, "/");
		bool up = len == 2 && path[0] == '.' && path[1] == '.';

		if (up)
			*to++ = '^';
		else
			memmove(to, path, len);
		to += up ? 0 : len;
		path += len;
		if (*path) {
			*to++ = '#';
			path++;
		}
	}
	*to = '\0';
}

/* As one name, below the folder. */
static void
add_mangled(struct finder *f, const char *name)
{
	size_t cut = f->prefix ? strlen(f->prefix) : 0;
	char *whole, *at;

	if (asprintf(&whole, "%s/%s", strcmp(f->cwd, "/") == 0 ? "" : f->cwd, name) < 0) {
		f->list.err = IM_ERR_MEMORY;
		return;
	}
	at = whole;
	if (cut > 0 && strncmp(whole, f->prefix, cut) == 0) {
		at += cut;
		at += strspn(at, "/");
	}
	mangle(at);
	add_joined(f, f->folder, at);
	free(whole);
}

/* Up to gcc 9 a name was never mangled, an absolute one is not mangled now. */
static void
add_counts(struct finder *f)
{
	char *name = products_beside(f->a, ".gcda");

	if (!name || !f->folder) {
		add(f, name);
		return;
	}
	if (name[0] != '/')
		add_mangled(f, name);
	add_joined(f, f->folder, name);
	free(name);
}

/* The last folder counts, whichever option names it. */
static void
read_gcc(struct finder *f, const struct word *w)
{
	if (word_is(w, "-fprofile-use") || word_is(w, "-fbranch-probabilities"))
		f->counts = true;
	if (w->value && (word_is(w, "-fprofile-use") || word_is(w, "-fprofile-dir") ||
	                        word_is(w, "-fprofile-generate")))
		f->folder = w->value;
	if (word_is(w, "-fprofile-prefix-path"))
		f->prefix = w->value;
	if (word_is(w, "-fauto-profile"))
		add(f, strdup(w->value ? w->value : "fbdata.afdo"));
}

/* ---- clang ---- */

static void
read_clang(struct finder *f, const struct word *w)
{
	static const char merged[] = "default.profdata";

	if (w->row->class != OPT_INPUT)
		return;
	if (w->value)
		add(f, strdup(w->value));
	if (!word_is(w, "-fprofile-use") && !word_is(w, "-fprofile-instr-use"))
		return;
	if (w->value)
		add_joined(f, w->value, merged);
	else
		add(f, strdup(merged));
}

int
data_find(struct data *d, const struct args *a, const char *cwd)
{
	struct finder f = {.a = a, .cwd = cwd};
	char **names = NULL;
	int err;

	strings_init(&f.list, DATA_MAX);
	for (uint32_t i = 0; i < a->argc;) {
		struct word w;

		word_read(&w, a->argv, a->argc, i, a->compiler);
		i += w.count;
		if (!w.row)
			continue;
		if (a->compiler == FOR_GCC)
			read_gcc(&f, &w);
		else
			read_clang(&f, &w);
	}
	if (f.counts)
		add_counts(&f);
	err = f.list.n ? strings_pack(&f.list, &names) : f.list.err;
	if (!err)
		*d = (struct data){.names = (const char **)names, .n = f.list.n, .memory = names};
	for (uint32_t i = 0; i < f.list.n; i++)
		free((char *)(uintptr_t)f.list.at[i]);
	strings_fini(&f.list);
	return err;
}

void
data_fini(struct data *d)
{
	free(d->memory);
	memset(d, 0, sizeof(*d));
}
