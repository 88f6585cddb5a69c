#include "exec/command.h"

#include <stdio.h>
#include <string.h>
#include "exec/args.h"
#include "exec/strings.h"
#include "exec/word.h"

/* More than any command line holds; the option that is refused for it is not named. */
#define WORDS_MAX (1024 * 1024)

static bool
with_directives(const struct args *a, bool directives_only)
{
	return directives_only && !a->plain_cpp && a->compiler == FOR_GCC;
}

static void
add_word(struct strings *s, const struct args *a, uint32_t i, uint32_t count)
{
	for (uint32_t k = 0; k < count; k++)
		strings_add(s, a->argv[i + k]);
}

/* True for a word that the preprocessor's run wants; clang warns of words that only its
 * assembler uses. */
static bool
preprocessor_wants(const struct args *a, const struct word *w)
{
	if (!w->is_option)
		return true;
	switch ((enum option_class)w->row->class) {
	case OPT_SHIP:
		return a->compiler == FOR_GCC || !word_is(w, "-Wa,");
	case OPT_CPP:
	case OPT_DEP:
	case OPT_LANGUAGE:
		return true;
	default:
		return false;
	}
}

/* What of the dependency options is given, so that the rest can be completed. */
struct dep_words {
	bool driver; /* -MD or -MMD as an option of its own */
	bool file;   /* -MF */
	bool target; /* -MT or -MQ */
};

static void
note_dep(struct dep_words *d, const struct word *w)
{
	if (!w->is_option || w->row->class != OPT_DEP)
		return;
	if (word_is(w, "-MF"))
		d->file = true;
	else if (word_is(w, "-MT") || word_is(w, "-MQ"))
		d->target = true;
	else if (!word_is(w, "-MP") && !word_is(w, "-MV"))
		d->driver = true;
}

/* gcc's own -Wp,-MD names its target after the source whatever -o says, clang's after -o. */
static void
complete_deps(struct strings *s, const struct args *a, const struct dep_words *d)
{
	if (d->driver && !d->file) {
		strings_add(s, "-MF");
		strings_add(s, a->deps);
	}
	if (!d->target && a->output_given && (d->driver || a->compiler == FOR_CLANG)) {
		strings_add(s, "-MQ");
		strings_add(s, a->output);
	}
}

int
args_preprocess(const struct args *a, const char *compiler, bool directives_only, char ***out)
{
	struct dep_words deps = {.driver = false};
	struct strings s;
	int err;

	if (a->verdict != ARGS_REMOTE || a->source_only || args_preprocessed(a))
		return IM_ERR_UNSUPPORTED;
	strings_init(&s, WORDS_MAX);
	strings_add(&s, compiler);
	strings_add(&s, "-E");
	if (with_directives(a, directives_only))
		strings_add(&s, "-fdirectives-only");
	for (uint32_t i = 0; i < a->argc;) {
		struct word w;

		word_read(&w, a->argv, a->argc, i, a->compiler);
		note_dep(&deps, &w);
		if (preprocessor_wants(a, &w))
			add_word(&s, a, i, w.count);
		i += w.count;
	}
	if (a->want_deps)
		complete_deps(&s, a, &deps);
	err = strings_pack(&s, out);
	strings_fini(&s);
	return err;
}

/* clang's name of what the preprocessor made of the language. */
static const char *
cpp_output_name(enum args_language language)
{
	switch (language) {
	case LANG_CXX:
	case LANG_CXX_CPP_OUTPUT:
		return "c++-cpp-output";
	case LANG_OBJC:
	case LANG_OBJC_CPP_OUTPUT:
		return "objective-c-cpp-output";
	case LANG_OBJCXX:
	case LANG_OBJCXX_CPP_OUTPUT:
		return "objective-c++-cpp-output";
	default:
		return "cpp-output";
	}
}

/* One word of the remote command line. */
static void
add_remote_word(struct strings *s, const struct args *a, const struct word *w, uint32_t i)
{
	if (!w->is_option) {
		if (a->compiler == FOR_CLANG) {
			strings_add(s, "-x");
			strings_add(s, cpp_output_name(a->language));
		}
		strings_add(s, w->text);
		return;
	}
	switch ((enum option_class)w->row->class) {
	case OPT_LANGUAGE:
		if (a->compiler == FOR_GCC)
			add_word(s, a, i, w->count);
		break;
	case OPT_SHIP:
	case OPT_OUTPUT:
	case OPT_COMPILE:
		add_word(s, a, i, w->count);
		break;
	default:
		break;
	}
}

int
args_remote(const struct args *a, const char *argv0, bool directives_only, char ***out)
{
	struct strings s;
	int err;

	if (a->verdict != ARGS_REMOTE || a->source_only)
		return IM_ERR_UNSUPPORTED;
	strings_init(&s, WORDS_MAX);
	strings_add(&s, argv0);
	strings_add(&s, a->compiler == FOR_CLANG ? "-Qunused-arguments" : "-fpreprocessed");
	if (with_directives(a, directives_only))
		strings_add(&s, "-fdirectives-only");
	for (uint32_t i = 0; i < a->argc;) {
		struct word w;

		word_read(&w, a->argv, a->argc, i, a->compiler);
		add_remote_word(&s, a, &w, i);
		i += w.count;
	}
	if (!a->output_given) {
		strings_add(&s, "-o");
		strings_add(&s, a->output);
	}
	err = strings_pack(&s, out);
	strings_fini(&s);
	return err;
}

const char *
source_word(const struct source_words *w, const char *word)
{
	if (w->march && strcmp(word, "-march=native") == 0)
		return w->march;
	return w->mtune && strcmp(word, "-mtune=native") == 0 ? w->mtune : word;
}

static void
add_all(struct strings *s, const char *const *words)
{
	for (; words && *words; words++)
		strings_add(s, *words);
}

int
args_source(const struct args *a, const char *argv0, const struct source_words *extra, char ***out)
{
	struct strings s;
	int err;

	if (a->verdict != ARGS_REMOTE)
		return IM_ERR_UNSUPPORTED;
	strings_init(&s, WORDS_MAX);
	strings_add(&s, argv0);
	if (extra)
		add_all(&s, extra->first);
	for (uint32_t i = 0; i < a->argc; i++)
		strings_add(&s, extra ? source_word(extra, a->argv[i]) : a->argv[i]);
	if (extra)
		add_all(&s, extra->last);
	err = strings_pack(&s, out);
	strings_fini(&s);
	return err;
}
