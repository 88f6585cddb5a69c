#include "exec/products.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exec/strings.h"
#include "exec/word.h"

/* Kinds of files that options ask for. */
enum makes {
	MAKES_DWO = 1,
	MAKES_USAGE = 2,
	MAKES_CALLS = 4,
	MAKES_NOTES = 8,
	MAKES_RECORD = 16,
	MAKES_TRACE = 32,
	MAKES_TEMPS = 64,
	MAKES_OPERAND = 128, /* the file that it names */
	MAKES_BITCODE = 256
};

struct maker {
	const char *option;
	unsigned makes;
};

static const struct maker makers[] = {
        {"--coverage", MAKES_NOTES},
        {"--save-temps", MAKES_TEMPS},
        {"--serialize-diagnostics", MAKES_OPERAND},
        {"-aux-info", MAKES_OPERAND},
        {"-coverage", MAKES_NOTES},
        {"-emit-llvm", MAKES_BITCODE},
        {"-fcallgraph-info", MAKES_CALLS},
        {"-foptimization-record-file", MAKES_RECORD | MAKES_OPERAND},
        {"-foptimization-record-passes", MAKES_RECORD},
        {"-fprofile-note", MAKES_OPERAND},
        {"-fsave-optimization-record", MAKES_RECORD},
        {"-fstack-usage", MAKES_USAGE},
        {"-ftest-coverage", MAKES_NOTES},
        {"-ftime-trace", MAKES_TRACE},
        {"-gsplit-dwarf", MAKES_DWO},
        {"-save-temps", MAKES_TEMPS},
        {"-serialize-diagnostics", MAKES_OPERAND},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* The first len bytes of at: not NUL-terminated. */
struct part {
	const char *at;
	size_t len;
};

struct finder {
	const struct args *a;
	struct strings list; /* each name is owned */
	unsigned makes;
	const char *temps, *trace, *record; /* operands of the last such option; NULL */
	struct part folder; /* of the output, with its '/'; empty when there is no -o */
	struct part stem;   /* what most names begin with, the folder included */
	struct part source; /* the source's name without folder and suffix */
	int err;
};

bool
products_special(const char *path)
{
	return !*path || strcmp(path, "-") == 0 || strncmp(path, "/dev/", 5) == 0;
}

static struct part
folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return (struct part){path, slash ? (size_t)(slash - path) + 1 : 0};
}

size_t
products_stem(const char *path, bool whole)
{
	size_t folder = folder_of(path).len;
	const char *dot = strrchr(path + folder, '.');

	return dot && (!whole || dot > path + folder) ? (size_t)(dot - path) : strlen(path);
}

/* By words, whatever the working directory is; it stands deeper than any "../.." that people
 * write. */
static bool
same_file(const char *a, const char *b)
{
	static const char somewhere[] = "/?/?/?/?/?/?/?/?/?/?/?/?/?/?/?/?";
	char one[JOB_PATH_MAX + 1], other[JOB_PATH_MAX + 1];

	return !args_path(somewhere, a, one) && !args_path(somewhere, b, other) &&
	       strcmp(one, other) == 0;
}

static void
drop(struct finder *f)
{
	for (uint32_t i = 0; i < f->list.n; i++)
		free((char *)(uintptr_t)f->list.at[i]);
	strings_fini(&f->list);
}

/* Takes the name over. */
static void
add(struct finder *f, char *name)
{
	bool known = same_file(name, f->a->output) || same_file(name, f->a->source);

	for (uint32_t i = 0; i < f->list.n && !known; i++)
		known = same_file(name, f->list.at[i]);
	if (products_special(name))
		f->err = IM_ERR_REFUSED;
	else if (!known && f->list.n == PRODUCTS_MAX)
		f->err = IM_ERR_LIMIT;
	else if (!known && !f->err)
		strings_add(&f->list, name);
	if (known || f->err || f->list.err)
		free(name);
}

/* The name of two parts and a suffix. */
static void
add_named(struct finder *f, struct part folder, struct part stem, const char *suffix)
{
	char *name;

	if (asprintf(&name, "%.*s%.*s%s", (int)folder.len, folder.at, (int)stem.len, stem.at,
	            suffix) < 0)
		f->err = IM_ERR_MEMORY;
	else
		add(f, name);
}

static const struct part none = {"", 0};

static void
add_operand(struct finder *f, const char *name)
{
	add_named(f, none, none, name);
}

static unsigned
makes_of(const struct word *w)
{
	for (size_t i = 0; i < COUNT(makers); i++)
		if (word_is(w, makers[i].option))
			return makers[i].makes;
	return 0;
}

/* Reads what is asked for; files that an option names are added at once. */
static void
read_words(struct finder *f)
{
	const struct args *a = f->a;

	for (uint32_t i = 0; i < a->argc;) {
		struct word w;
		unsigned makes;

		word_read(&w, a->argv, a->argc, i, a->compiler);
		i += w.count;
		makes = w.is_option ? makes_of(&w) : 0;
		f->makes |= makes;
		if (makes & MAKES_OPERAND && w.value)
			add_operand(f, w.value);
		else if (makes & MAKES_TEMPS)
			f->temps = w.value;
		else if (makes & MAKES_TRACE)
			f->trace = w.value;
		else if (word_is(&w, "-fsave-optimization-record"))
			f->record = w.value;
	}
}

/* Preprocessed text by the source's language; NULL when none is made. */
static const char *
text_suffix(const struct args *a)
{
	switch (a->language) {
	case LANG_C:
		return ".i";
	case LANG_CXX:
		return ".ii";
	case LANG_OBJC:
		return ".mi";
	case LANG_OBJCXX:
		return ".mii";
	default:
		return NULL;
	}
}

static void
add_temps(struct finder *f, struct part folder, struct part stem)
{
	if (text_suffix(f->a))
		add_named(f, folder, stem, text_suffix(f->a));
	if (f->a->language != LANG_ASM)
		add_named(f, folder, stem, ".s");
	if (f->a->compiler == FOR_CLANG)
		add_named(f, folder, stem, ".bc");
	if (f->makes & MAKES_BITCODE)
		add_named(f, folder, stem, ".tmp.bc");
}

static bool
temps_beside_output(const struct finder *f)
{
	return f->temps && strcmp(f->temps, "obj") == 0;
}

/* Records carry the source's suffix; up to gcc 10 its whole name, while temporary files stood in
 * the working directory. */
static void
add_gcc(struct finder *f)
{
	const char *source = f->a->source + folder_of(f->a->source).len;
	const char *suffix = source + products_stem(source, true);

	if (f->makes & MAKES_CALLS)
		add_named(f, none, f->stem, ".ci");
	if (f->makes & MAKES_RECORD) {
		struct part whole = {source, strlen(source)}, ending = {suffix, strlen(suffix)};

		add_named(f, f->stem, ending, ".opt-record.json.gz");
		add_named(f, f->folder, whole, ".opt-record.json.gz");
	}
	if (f->makes & MAKES_TEMPS)
		add_temps(f, none, f->stem);
	if (f->makes & MAKES_TEMPS && !temps_beside_output(f))
		add_temps(f, none, f->source);
}

/* -ftime-trace=VALUE: a file, or a folder for it. */
static void
add_trace(struct finder *f, struct part temps)
{
	size_t folder = folder_of(f->a->output).len;
	struct part name = {f->a->output + folder, products_stem(f->a->output, false) - folder};
	char *below;

	add_named(f, none, f->stem, ".json");
	if (f->makes & MAKES_TEMPS)
		add_named(f, temps, f->source, ".json");
	if (!f->trace)
		return;
	add_operand(f, f->trace);
	if (asprintf(&below, "%s/", f->trace) < 0) {
		f->err = IM_ERR_MEMORY;
		return;
	}
	add_named(f, (struct part){below, strlen(below)}, name, ".json");
	free(below);
}

/* Without -o a record loses two suffixes; with -S a .dwo stands where there is no -o. */
static void
add_clang(struct finder *f)
{
	struct part temps = temps_beside_output(f) ? f->folder : none;

	if (f->makes & MAKES_RECORD) {
		char suffix[64], *twice = strndup(f->source.at, f->source.len);

		snprintf(suffix, sizeof(suffix), ".opt.%.32s", f->record ? f->record : "yaml");
		add_named(f, none, f->stem, suffix);
		if (!twice)
			f->err = IM_ERR_MEMORY;
		else if (!f->a->output_given)
			add_named(
			        f, none, (struct part){twice, products_stem(twice, false)}, suffix);
		free(twice);
	}
	if (f->makes & MAKES_DWO && f->a->assembly)
		add_named(f, none, f->source, ".dwo");
	if (f->makes & MAKES_TRACE)
		add_trace(f, temps);
	if (f->makes & MAKES_TEMPS)
		add_temps(f, temps, f->source);
}

/* Where names begin: gcc's -save-temps=cwd keeps all of them out of the output's folder. */
static void
set_stems(struct finder *f)
{
	const struct args *a = f->a;
	bool gcc = a->compiler == FOR_GCC;
	const char *source = a->source + folder_of(a->source).len;
	const char *path = a->output_given ? a->output : source;

	f->folder = a->output_given ? folder_of(path) : none;
	f->source = (struct part){source, products_stem(source, gcc)};
	f->stem = (struct part){path, products_stem(path, gcc)};
	if (gcc && f->temps && strcmp(f->temps, "cwd") == 0) {
		f->stem.at += f->folder.len;
		f->stem.len -= f->folder.len;
		f->folder = none;
	}
}

char *
products_beside(const struct args *a, const char *suffix)
{
	struct finder f = {.a = a};
	char *name;

	strings_init(&f.list, PRODUCTS_MAX);
	read_words(&f);
	set_stems(&f);
	if (asprintf(&name, "%.*s%s", (int)f.stem.len, f.stem.at, suffix) < 0)
		name = NULL;
	drop(&f);
	return name;
}

int
products_find(struct args *a)
{
	struct finder f = {.a = a};
	char **names = NULL;
	int err;

	strings_init(&f.list, PRODUCTS_MAX);
	if (a->deps)
		add_operand(&f, a->deps);
	read_words(&f);
	set_stems(&f);
	if (f.makes & MAKES_DWO)
		add_named(&f, none, f.stem, ".dwo");
	if (f.makes & MAKES_USAGE)
		add_named(&f, none, f.stem, ".su");
	if (f.makes & MAKES_NOTES)
		add_named(&f, none, f.stem, ".gcno");
	if (a->compiler == FOR_GCC)
		add_gcc(&f);
	else
		add_clang(&f);
	err = f.err ? f.err : f.list.n ? strings_pack(&f.list, &names) : 0;
	if (!err) {
		a->products = (const char **)names;
		a->nproducts = f.list.n;
	}
	drop(&f);
	return err;
}
