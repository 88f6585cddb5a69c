#include "exec/args.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "exec/pieces.h"
#include "exec/products.h"
#include "exec/word.h"

/* The first option that keeps the compile here. */
struct hindrance {
	const char *reason; /* a word of the fixed list; NULL: there is none */
	char detail[REASON_SIZE];
};

/* What the words said, before the verdict. */
struct scan {
	struct args *a;
	const char *ask;         /* reason word of the last such option; NULL */
	struct hindrance local;  /* always */
	struct hindrance source; /* but in source mode */
	struct hindrance text;   /* but in preprocessed mode */
	const char *dep_file;    /* last -MF */
	const char *xclang;      /* operand of the last -Xclang */
	const char *dep_operand; /* first of -MF -MT -MQ -MP -MV */
	char *wp_file;           /* of -Wp,-MD,FILE; owned */
	unsigned inputs, compiles, outputs;
	bool cpp_only, driver_deps, bitcode, lto;
	bool trace, external_as; /* -ftime-trace, -fno-integrated-as */
	bool forced;             /* -x is in force, with this language: */
	enum args_language language;
	bool cxx_driver; /* g++ and clang++ take foo.c for C++ */
};

struct suffix {
	const char *name;
	enum args_language language;
};

static const struct suffix suffixes[] = {
        {"c", LANG_C},
        {"i", LANG_CPP_OUTPUT},
        {"cc", LANG_CXX},
        {"cp", LANG_CXX},
        {"cxx", LANG_CXX},
        {"cpp", LANG_CXX},
        {"CPP", LANG_CXX},
        {"c++", LANG_CXX},
        {"C", LANG_CXX},
        {"ii", LANG_CXX_CPP_OUTPUT},
        {"m", LANG_OBJC},
        {"mi", LANG_OBJC_CPP_OUTPUT},
        {"mii", LANG_OBJCXX_CPP_OUTPUT},
        {"mm", LANG_OBJCXX},
        {"M", LANG_OBJCXX},
        {"s", LANG_ASM},
        {"S", LANG_ASM_CPP},
        {"sx", LANG_ASM_CPP},
};

static const struct suffix languages[] = {
        {"c", LANG_C},
        {"c++", LANG_CXX},
        {"objective-c", LANG_OBJC},
        {"objective-c++", LANG_OBJCXX},
        {"cpp-output", LANG_CPP_OUTPUT},
        {"c++-cpp-output", LANG_CXX_CPP_OUTPUT},
        {"objective-c-cpp-output", LANG_OBJC_CPP_OUTPUT},
        {"objective-c++-cpp-output", LANG_OBJCXX_CPP_OUTPUT},
        {"assembler", LANG_ASM},
        {"assembler-with-cpp", LANG_ASM_CPP},
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum args_language
look_up(const struct suffix *rows, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(rows[i].name, name) == 0)
			return rows[i].language;
	return LANG_OTHER;
}

enum args_language
args_language_of(const char *path)
{
	const char *dot = strrchr(base_name(path), '.');

	return dot ? look_up(suffixes, COUNT(suffixes), dot + 1) : LANG_OTHER;
}

enum option_compiler
args_compiler(const char *real_path)
{
	return strstr(base_name(real_path), "clang") ? FOR_CLANG : FOR_GCC;
}

bool
args_preprocessed(const struct args *a)
{
	return a->language >= LANG_CPP_OUTPUT && a->language <= LANG_OBJCXX_CPP_OUTPUT;
}

static void
hinder(struct hindrance *h, const char *reason, const char *text)
{
	if (h->reason)
		return;
	h->reason = reason;
	snprintf(h->detail, sizeof(h->detail), "%s", text);
}

/* The option's name as users know it, without the operand. */
static void
hinder_word(struct hindrance *h, const char *reason, const struct word *w)
{
	if (w->row &&
	        (w->form == FORM_SEPARATE || (w->form == FORM_JOINED && strlen(w->row->name) == 2)))
		hinder(h, reason, w->row->name);
	else
		hinder(h, reason, w->text);
	if (w->form != FORM_EXACT && h->detail[strcspn(h->detail, "=")])
		h->detail[strcspn(h->detail, "=") + 1] = 0;
}

static void
scan_input(struct scan *s, const char *name)
{
	struct args *a = s->a;

	if (name[0] == '@') {
		hinder(&s->local, "response-file", name);
		return;
	}
	if (s->inputs++)
		return;
	a->source = name;
	a->language = s->forced ? s->language : args_language_of(name);
	if (s->cxx_driver && !s->forced && a->language == LANG_C)
		a->language = LANG_CXX;
	if (s->cxx_driver && !s->forced && a->language == LANG_CPP_OUTPUT)
		a->language = LANG_CXX_CPP_OUTPUT;
}

static void
scan_language(struct scan *s, const char *value)
{
	s->forced = strcmp(value, "none") != 0;
	s->language = look_up(languages, COUNT(languages), value);
}

static void
scan_dep(struct scan *s, const struct word *w)
{
	if (word_is(w, "-MD") || word_is(w, "-MMD") || word_is(w, "--write-dependencies") ||
	        word_is(w, "--write-user-dependencies")) {
		s->driver_deps = true;
		return;
	}
	if (!s->dep_operand)
		s->dep_operand = w->row->name;
	if (word_is(w, "-MF"))
		s->dep_file = w->value;
}

/* Other character sets are converted by modules of the C library that stand in no toolchain. */
static bool
needs_conversion(const struct word *w)
{
	return word_is(w, "-finput-charset") && strcasecmp(w->value, "UTF-8") != 0 &&
	       strcasecmp(w->value, "UTF8") != 0;
}

/* -Wp, and the other words whose operand decides. */
static void
scan_operand(struct scan *s, const struct word *w)
{
	if (word_is(w, "-Wp,")) {
		struct pieces_cpp found = {.target = false};

		if (pieces_cpp(w->value, s->a->compiler, &found) || (found.deps && s->wp_file)) {
			free(found.deps);
			hinder(&s->local, "option", w->text);
			return;
		}
		if (found.deps)
			s->wp_file = found.deps;
	} else if ((word_is(w, "-Wa,") && !pieces_assembler_ok(w->value)) ||
	           (word_is(w, "-Xclang") && !pieces_xclang_ok(s->xclang, w->value)) ||
	           (word_is(w, "-mllvm") && !pieces_llvm_ok(w->value)) ||
	           (word_is(w, "--param") && strchr(w->value, '/'))) {
		hinder_word(&s->local, "option", w);
	} else if (needs_conversion(w)) {
		hinder_word(&s->text, "option", w);
	} else if (strcmp(w->text, "-Wunused-macros") == 0 ||
	           strcmp(w->text, "-Werror=unused-macros") == 0 ||
	           word_is(w, "-traditional-cpp")) {
		s->a->plain_cpp = true;
	}
}

/* Plain -E expands macros and moves columns: gcc then misses warnings about macros, and its
 * sanitizers write other places into the object. */
static bool
needs_macros(const struct word *w)
{
	if (word_is(w, "-W"))
		return strncmp(w->text, "-Wno-", 5) != 0;
	return word_is(w, "-fsanitize") || word_is(w, "--all-warnings") ||
	       word_is(w, "--extra-warnings");
}

/* Of the words that source mode takes: -fopt-info=FILE names a file by rules of its own, and what
 * goes to another program is checked as it is in -Wa, and -Wp, */
static void
scan_source_word(struct scan *s, const struct word *w)
{
	if ((word_is(w, "-fopt-info") && strchr(w->text, '=')) ||
	        (word_is(w, "-Xassembler") && !pieces_assembler_ok(w->value)) ||
	        (word_is(w, "-Xpreprocessor") && !pieces_xpreprocessor_ok(w->value)))
		hinder_word(&s->local, w->row->reason, w);
	else
		hinder_word(&s->source, w->row->reason, w);
	s->bitcode = s->bitcode || word_is(w, "-emit-llvm");
	s->trace = s->trace || word_is(w, "-ftime-trace");
	s->external_as = s->external_as || word_is(w, "-fno-integrated-as") ||
	                 word_is(w, "-no-integrated-as");
}

static void
scan_option(struct scan *s, const struct word *w)
{
	struct args *a = s->a;

	if (!w->row || (w->form == FORM_SEPARATE && !w->value)) {
		hinder_word(&s->local, "option", w);
		return;
	}
	switch ((enum option_class)w->row->class) {
	case OPT_SHIP:
	case OPT_CPP:
		if (word_is(w, "-flto") || strcmp(w->text, "-fno-lto") == 0)
			s->lto = word_is(w, "-flto");
		a->plain_loses = a->plain_loses || (a->compiler == FOR_GCC && needs_macros(w));
		scan_operand(s, w);
		if (word_is(w, "-Xclang"))
			s->xclang = w->value;
		break;
	case OPT_DEP:
		scan_dep(s, w);
		break;
	case OPT_OUTPUT:
		a->output = w->value;
		s->outputs++;
		break;
	case OPT_LANGUAGE:
		scan_language(s, w->value);
		break;
	case OPT_COMPILE:
		s->compiles++;
		a->assembly = a->assembly || word_is(w, "-S") || word_is(w, "--assemble");
		break;
	case OPT_SOURCE:
		scan_source_word(s, w);
		break;
	case OPT_NATIVE:
		a->native = a->native ? a->native : w->text;
		hinder_word(&s->source, w->row->reason, w);
		break;
	case OPT_INPUT:
		hinder_word(w->value && products_special(w->value) ? &s->local : &s->source,
		        w->row->reason, w);
		break;
	case OPT_LOCAL:
		if (strcmp(w->row->reason, "preprocess-only") == 0)
			s->cpp_only = true;
		else
			hinder_word(&s->local, w->row->reason, w);
		break;
	case OPT_ASK:
		s->ask = w->row->reason;
		break;
	}
}

/* Test programs of configure scripts, by autoconf's, CMake's, Meson's, SCons', waf's and qmake's names. */
static bool
is_probe(const struct args *a)
{
	static const char *const parts[] = {"/CMakeTmp/", "/CMakeScratch/", "/cmTC_",
	        "meson-private/", ".sconf_temp/", ".conf_check_", "config.tests/"};
	static const char *const names[] = {"conftest.", "tmp.conftest.", "CheckIncludeFile.",
	        "CheckFunctionExists.", "CheckSymbolExists.", "CheckTypeSize.",
	        "CheckPrototypeDefinition.", "CMakeCCompilerABI.", "CMakeCXXCompilerABI.",
	        "CMakeCCompilerId.", "CMakeCXXCompilerId."};

	if (strncmp(a->source, "/dev/", 5) == 0)
		return true;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strncmp(base_name(a->source), names[i], strlen(names[i])) == 0)
			return true;
	for (size_t i = 0; i < COUNT(parts); i++)
		if (strstr(a->source, parts[i]) || (a->output && strstr(a->output, parts[i])))
			return true;
	return false;
}

static bool
is_special(const char *path)
{
	return path && products_special(path);
}

static bool
is_assembler(const struct args *a)
{
	return a->language == LANG_ASM || a->language == LANG_ASM_CPP;
}

/* Why the input keeps the compile here, NULL when it does not. */
static const char *
input_reason(const struct scan *s)
{
	const struct args *a = s->a;

	if (s->inputs == 0)
		return "no-source";
	if (s->inputs > 1)
		return "several-sources";
	if (strcmp(a->source, "-") == 0)
		return "stdin";
	if (is_probe(a))
		return "configure-probe";
	if (is_assembler(a) && a->assembly)
		return "assembler";
	if (a->language == LANG_OTHER)
		return "language";
	return NULL;
}

/* Dependency options that are an error, or of which compilers make different things. */
static const char *
odd_deps(const struct scan *s)
{
	if (s->wp_file && s->driver_deps)
		return "-Wp,-MD";
	if (s->wp_file && s->dep_file)
		return "-MF";
	if (s->dep_operand && !s->driver_deps && !s->wp_file)
		return s->dep_operand;
	if ((s->driver_deps || s->wp_file) && args_preprocessed(s->a))
		return "-MD";
	return NULL;
}

/* A header alone is compiled for later use, not linked. */
static bool
makes_header(const struct scan *s)
{
	static const char *const names[] = {
	        "h", "H", "hh", "hp", "hpp", "hxx", "h++", "HPP", "tcc"};
	const char *dot = strrchr(base_name(s->a->source), '.');

	if (s->inputs != 1 || s->forced || !dot)
		return s->inputs == 1 && s->forced && s->language == LANG_OTHER;
	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i], dot + 1) == 0)
			return true;
	return false;
}

/* The reason word in order of what users would name first; NULL when the compile may travel. */
static const char *
decide(struct scan *s)
{
	const char *reason;

	if (s->ask)
		return s->ask;
	if (s->cpp_only)
		return "preprocess-only";
	if (!s->inputs && s->local.reason && strcmp(s->local.reason, "response-file") == 0)
		return s->local.reason;
	if (!s->compiles && s->inputs)
		return makes_header(s) ? "language" : "linking";
	if (!s->compiles)
		return "no-source";
	reason = input_reason(s);
	if (reason)
		return reason;
	if (is_special(s->a->output) || is_special(s->dep_file) || is_special(s->wp_file))
		return "output-special";
	if (s->outputs > 1)
		hinder(&s->local, "option", "-o");
	if (s->compiles > 1)
		hinder(&s->local, "option", s->a->assembly ? "-S" : "-c");
	/* The trace stands beside the temporary assembler file, then. */
	if (s->trace && (s->external_as || is_assembler(s->a)) && !s->a->assembly)
		hinder(&s->local, "option", "-ftime-trace");
	if (odd_deps(s))
		hinder(&s->local, "option", odd_deps(s));
	return s->local.reason;
}

/* path with the suffix of its last name replaced; owned by the caller, NULL when memory lacks. */
static char *
with_suffix(const char *path, const char *suffix, bool whole)
{
	char *text;

	if (asprintf(&text, "%.*s%s", (int)products_stem(path, whole), path, suffix) < 0)
		return NULL;
	return text;
}

/* With -flto clang has the names of objects for its bitcode; assembler sources become objects. */
static const char *
output_suffix(const struct scan *s)
{
	bool bitcode = s->bitcode && !s->lto && !is_assembler(s->a);

	if (s->a->assembly)
		return bitcode ? ".ll" : ".s";
	return bitcode ? ".bc" : ".o";
}

/* Output and dependency file by the compiler's own rules; nonzero when memory lacks. */
static int
derive(struct scan *s)
{
	struct args *a = s->a;
	bool gcc = a->compiler == FOR_GCC;
	const char *name = base_name(a->source);

	a->output_given = a->output != NULL;
	if (!a->output)
		a->output = a->derived = with_suffix(name, output_suffix(s), gcc);
	a->want_deps = s->driver_deps || s->wp_file;
	if (s->wp_file) {
		a->deps = s->wp_file;
		s->wp_file = NULL;
	} else if (s->dep_file) {
		a->deps = strdup(s->dep_file);
	} else if (s->driver_deps) {
		a->deps = a->output_given ? with_suffix(a->output, ".d", false)
		                          : with_suffix(name, ".d", gcc);
	}
	return a->output && (a->deps || !a->want_deps) ? 0 : IM_ERR_MEMORY;
}

/* What the compile writes, and whether only one mode can do it; the reason word when that keeps it
 * here after all. */
static const char *
finish(struct scan *s)
{
	struct args *a = s->a;
	int err = products_find(a);

	if (err == IM_ERR_REFUSED)
		return "output-special";
	if (err)
		return err == IM_ERR_LIMIT ? "option" : "system-error";
	if (is_assembler(a))
		s->source = (struct hindrance){.reason = "assembler"};
	if (s->source.reason && s->text.reason) {
		s->local = s->text;
		return s->local.reason;
	}
	a->source_only = s->source.reason != NULL;
	a->text_only = s->text.reason != NULL;
	return NULL;
}

static void
set_reason(struct args *a, const char *reason, const struct hindrance *h)
{
	bool named = strcmp(reason, "option") == 0 && h->detail[0];

	reason_set(a->reason, reason, named ? h->detail : NULL);
}

void
args_analyse(struct args *a, int argc, char *const *argv, enum option_compiler compiler)
{
	struct scan s = {.a = a, .language = LANG_OTHER};
	const char *reason;

	memset(a, 0, sizeof(*a));
	a->compiler = compiler;
	a->language = LANG_OTHER;
	a->plain_cpp = compiler == FOR_CLANG;
	a->argc = argc > 0 ? (uint32_t)argc - 1 : 0;
	a->argv = argc > 0 ? (const char **)(uintptr_t)(argv + 1) : NULL;
	s.cxx_driver = argc > 0 && strstr(base_name(argv[0]), "++");
	for (uint32_t i = 0; i < a->argc;) {
		struct word w;

		word_read(&w, a->argv, a->argc, i, compiler);
		i += w.count;
		if (w.is_option)
			scan_option(&s, &w);
		else
			scan_input(&s, w.text);
	}
	reason = decide(&s);
	a->plain_cpp = a->plain_cpp || args_preprocessed(a);
	if (a->source && derive(&s) && !reason)
		reason = "system-error";
	free(s.wp_file);
	if (!reason)
		reason = finish(&s);
	a->verdict = reason ? ARGS_LOCAL : ARGS_REMOTE;
	if (reason)
		set_reason(a, reason, &s.local);
	else if (a->source_only)
		set_reason(a, s.source.reason, &s.source);
}

void
args_fini(struct args *a)
{
	free(a->derived);
	free(a->products);
	free((char *)(uintptr_t)a->deps);
	memset(a, 0, sizeof(*a));
}
