#include "client/headers.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include "exec/pieces.h"
#include "exec/word.h"

#define ASKED_MAX 65536 /* words of the question */

/* What a word means here. */
enum action {
	ACT_FOLDER,
	ACT_FORCED,
	ACT_MACRO,
	ACT_ASK,      /* goes into the question */
	ACT_ASK_PATH, /* the same, with a path for its operand */
	ACT_DROP,
	ACT_FRAMEWORK,
	ACT_PIECES_CPP,
	ACT_PIECES_AS,
	ACT_WORD_CPP,
	ACT_WORD_AS,
	ACT_XCLANG,
	ACT_REFUSE
};

struct meaning {
	const char *name; /* of the option's row */
	enum action action;
};

/* Options that are not what their class or the beginning of their name says. */
static const struct meaning meanings[] = {
        {"-I", ACT_FOLDER},
        {"-isystem", ACT_FOLDER},
        {"-iquote", ACT_FOLDER},
        {"-idirafter", ACT_FOLDER},
        {"-cxx-isystem", ACT_FOLDER},
        {"-isystem-after", ACT_FOLDER},
        {"-stdlib++-isystem", ACT_FOLDER},
        {"--include-directory", ACT_FOLDER},
        {"--include-directory-after", ACT_FOLDER},
        {"--embed-dir", ACT_FOLDER},
        {"-include", ACT_FORCED},
        {"-imacros", ACT_FORCED},
        {"--include", ACT_FORCED},
        {"--imacros", ACT_FORCED},
        {"-D", ACT_MACRO},
        {"--define-macro", ACT_MACRO},
        {"--sysroot", ACT_ASK_PATH},
        {"-isysroot", ACT_ASK_PATH},
        {"--gcc-toolchain", ACT_ASK_PATH},
        {"-gcc-toolchain", ACT_ASK_PATH},
        {"--gcc-install-dir", ACT_ASK_PATH},
        {"-iprefix", ACT_ASK_PATH},
        {"-iwithprefix", ACT_ASK_PATH},
        {"-iwithprefixbefore", ACT_ASK_PATH},
        {"-iwithsysroot", ACT_ASK_PATH},
        {"--include-prefix", ACT_ASK_PATH},
        {"--include-with-prefix", ACT_ASK_PATH},
        {"--include-with-prefix-after", ACT_ASK_PATH},
        {"--include-with-prefix-before", ACT_ASK_PATH},
        {"-march=native", ACT_ASK},
        {"-mcpu=native", ACT_ASK},
        {"-mtune=native", ACT_ASK},
        {"-Wp,", ACT_PIECES_CPP},
        {"-Wa,", ACT_PIECES_AS},
        {"-Xpreprocessor", ACT_WORD_CPP},
        {"-Xassembler", ACT_WORD_AS},
        {"-Xclang", ACT_XCLANG},
        {"-F", ACT_FRAMEWORK},
        {"-iframework", ACT_FRAMEWORK},
        {"-iframeworkwithsysroot", ACT_FRAMEWORK},
        {"-remap", ACT_REFUSE}, /* names of headers stand in files header.gcc */
        {"-ObjC", ACT_REFUSE},
        {"-ObjC++", ACT_REFUSE},
        {"-working-directory", ACT_REFUSE},
        {"-wrapper", ACT_REFUSE},
        {"-A", ACT_DROP},
        {"-U", ACT_DROP},
        {"--undefine-macro", ACT_DROP},
        {"-H", ACT_DROP},
        {"-C", ACT_DROP},
        {"-CC", ACT_DROP},
        {"-Q", ACT_DROP},
        {"-L", ACT_DROP},
        {"-T", ACT_DROP},
        {"-Xlinker", ACT_DROP},
        {"-e", ACT_DROP},
        {"-framework", ACT_DROP},
        {"-fuse-ld", ACT_DROP},
        {"-l", ACT_DROP},
        {"-r", ACT_DROP},
        {"-rpath", ACT_DROP},
        {"-s", ACT_DROP},
        {"-time", ACT_DROP},
        {"-u", ACT_DROP},
        {"-z", ACT_DROP},
        {"-mllvm", ACT_DROP},
        {"--param", ACT_DROP},
};

/* Words that begin so cannot change a search path, but may write files or differ for each source. */
static const char *const dropped[] = {"--all-warnings", "--coverage", "--no-warnings",
        "--save-temps", "-M", "-O", "-R", "-W", "-aux-info", "-coverage", "-d", "-fcallgraph-info",
        "-fcondition-coverage", "-fcoverage-", "-fcs-profile-", "-fdebug-", "-fdiagnostics-",
        "-fdump-", "-fexec-charset", "-ffile-", "-finput-charset", "-fmacro-prefix-map",
        "-fmem-report", "-fmessage-length", "-fopt-info", "-foptimization-record",
        "-fpath-coverage", "-fproc-stat-report", "-fprofile-", "-frandom-seed", "-frecord-",
        "-fsanitize", "-fsave-", "-fstack-usage", "-fstats", "-ftest-coverage", "-ftime-",
        "-fverbose-asm", "-fwide-exec-charset", "-g", "-save-", "-w"};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

struct reader {
	struct headers *h;
	const struct args *a;
	const char *xclang; /* operand of the last -Xclang */
	char *why;
};

static int
refuse(struct reader *r, const char *what, const char *text)
{
	snprintf(r->why, HEADERS_WHY_SIZE, "%s %s", what, text);
	return IM_ERR_REFUSED;
}

static void
put_text(struct buf *b, const char *text, size_t len)
{
	buf_put(b, text, len);
	buf_put_u8(b, 0);
}

static enum action
meaning_of(const struct word *w)
{
	for (size_t i = 0; i < COUNT(meanings); i++)
		if (word_is(w, meanings[i].name))
			return meanings[i].action;
	switch ((enum option_class)w->row->class) {
	case OPT_DEP:
	case OPT_OUTPUT:
	case OPT_LANGUAGE:
	case OPT_COMPILE:
	case OPT_SOURCE:
	case OPT_INPUT:
	case OPT_ASK:
		return ACT_DROP;
	default:
		break;
	}
	for (size_t i = 0; i < COUNT(dropped); i++)
		if (strncmp(w->text, dropped[i], strlen(dropped[i])) == 0)
			return ACT_DROP;
	return w->row->class == OPT_LOCAL ? ACT_REFUSE : ACT_ASK;
}

static void
ask_with(struct reader *r, const struct word *w, uint32_t i)
{
	for (uint32_t k = 0; k < w->count; k++)
		strings_add(&r->h->asked, r->a->argv[i + k]);
}

/* A folder that the sysroot is part of is the compiler's to name. */
static bool
has_sysroot(const char *folder)
{
	return folder[0] == '=' || strncmp(folder, "$SYSROOT", 8) == 0;
}

static int
take_folder(struct reader *r, const struct word *w, uint32_t i)
{
	struct stat st;

	if (!*w->value || strcmp(w->value, "-") == 0)
		return refuse(r, "option", w->text);
	if (has_sysroot(w->value)) {
		if (word_is(w, "--embed-dir"))
			return refuse(r, "option", w->text);
		r->h->relative = true;
		ask_with(r, w, i);
		return 0;
	}
	if (r->a->compiler == FOR_CLANG && stat(w->value, &st) == 0 && S_ISREG(st.st_mode))
		return refuse(r, "header map", w->value);
	put_text(&r->h->folders, w->value, strlen(w->value));
	return 0;
}

/* Takes the next piece between commas off *text; false at the end. */
static bool
next_piece(const char **text, const char **at, size_t *len)
{
	if (!*text)
		return false;
	*at = *text;
	*len = strcspn(*at, ",");
	*text = (*at)[*len] ? *at + *len + 1 : NULL;
	return true;
}

/* One option of -Wp, with its operand, joined or in the next piece. */
static int
take_cpp_piece(struct reader *r, const char *at, size_t len, const char **rest)
{
	static const struct meaning pieces[] = {{"-D", ACT_MACRO}, {"-U", ACT_DROP},
	        {"-isystem", ACT_FOLDER}, {"-iquote", ACT_FOLDER}, {"-idirafter", ACT_FOLDER},
	        {"-include", ACT_FORCED}, {"-imacros", ACT_FORCED}, {"-I", ACT_FOLDER},
	        {"-MMD", ACT_DROP}, {"-MD", ACT_DROP}, {"-MF", ACT_DROP}, {"-MT", ACT_DROP},
	        {"-MQ", ACT_DROP}};

	if (len == 3 && memcmp(at, "-MP", 3) == 0)
		return 0;
	for (size_t i = 0; i < COUNT(pieces); i++) {
		size_t n = strlen(pieces[i].name);
		struct buf *to = pieces[i].action == ACT_MACRO ? &r->h->macros : &r->h->forced;

		if (len < n || memcmp(at, pieces[i].name, n) != 0)
			continue;
		at += n;
		len -= n;
		if (len == 0 && (!next_piece(rest, &at, &len) || len == 0))
			break;
		if (pieces[i].action == ACT_FOLDER &&
		        (*at == '=' || *at == '$' || (len == 1 && *at == '-')))
			break;
		if (pieces[i].action != ACT_DROP)
			put_text(pieces[i].action == ACT_FOLDER ? &r->h->folders : to, at, len);
		return 0;
	}
	return IM_ERR_REFUSED;
}

static int
take_cpp_pieces(struct reader *r, const struct word *w)
{
	const char *rest = w->value, *at;
	size_t len;

	while (next_piece(&rest, &at, &len))
		if (take_cpp_piece(r, at, len, &rest) != 0)
			return refuse(r, "option", w->text);
	return 0;
}

/* Where the assembler looks for what .include and .incbin name. */
static void
take_as_pieces(struct reader *r, const char *rest)
{
	const char *at;
	size_t len;

	while (next_piece(&rest, &at, &len)) {
		if (len < 2 || memcmp(at, "-I", 2) != 0)
			continue;
		if (len > 2)
			put_text(&r->h->folders, at + 2, len - 2);
		else if (next_piece(&rest, &at, &len) && len > 0)
			put_text(&r->h->folders, at, len);
	}
}

static int
take_option(struct reader *r, const struct word *w, uint32_t i)
{
	const char *rest = NULL, *before;

	if (!w->row || (w->form == FORM_SEPARATE && !w->value))
		return refuse(r, "option", w->text);
	switch (meaning_of(w)) {
	case ACT_FOLDER:
		return take_folder(r, w, i);
	case ACT_FORCED:
		put_text(&r->h->forced, w->value, strlen(w->value));
		return 0;
	case ACT_MACRO:
		put_text(&r->h->macros, w->value, strlen(w->value));
		return 0;
	case ACT_ASK_PATH:
		r->h->relative = r->h->relative || w->value[0] != '/';
		ask_with(r, w, i);
		return 0;
	case ACT_ASK:
		ask_with(r, w, i);
		return 0;
	case ACT_DROP:
		return 0;
	case ACT_FRAMEWORK:
		return refuse(r, "framework", w->text);
	case ACT_PIECES_CPP:
		return take_cpp_pieces(r, w);
	case ACT_PIECES_AS:
		take_as_pieces(r, w->value);
		return 0;
	case ACT_WORD_CPP:
		if (take_cpp_piece(r, w->value, strlen(w->value), &rest) == 0)
			return 0;
		break;
	case ACT_WORD_AS:
		if (strcmp(w->value, "-I") == 0)
			break;
		take_as_pieces(r, w->value);
		return 0;
	case ACT_XCLANG:
		before = r->xclang;
		r->xclang = w->value;
		return pieces_xclang_ok(before, w->value) ? 0 : refuse(r, "-Xclang", w->value);
	case ACT_REFUSE:
		break;
	}
	return refuse(r, "option", w->text);
}

/* The name that -x wants; NULL when there is none. */
static const char *
language_name(enum args_language language)
{
	switch (language) {
	case LANG_C:
	case LANG_CPP_OUTPUT:
		return "c";
	case LANG_CXX:
	case LANG_CXX_CPP_OUTPUT:
		return "c++";
	case LANG_OBJC:
	case LANG_OBJC_CPP_OUTPUT:
		return "objective-c";
	case LANG_OBJCXX:
	case LANG_OBJCXX_CPP_OUTPUT:
		return "objective-c++";
	case LANG_ASM:
	case LANG_ASM_CPP:
		return "assembler-with-cpp";
	default:
		return NULL;
	}
}

void
headers_init(struct headers *h)
{
	buf_init(&h->folders, HEADERS_TEXT_MAX);
	buf_init(&h->forced, HEADERS_TEXT_MAX);
	buf_init(&h->macros, HEADERS_TEXT_MAX);
	strings_init(&h->asked, ASKED_MAX);
	h->relative = false;
}

void
headers_fini(struct headers *h)
{
	buf_fini(&h->folders);
	buf_fini(&h->forced);
	buf_fini(&h->macros);
	strings_fini(&h->asked);
}

/* The question is answered in lines. */
static int
check_question(struct reader *r)
{
	const struct strings *asked = &r->h->asked;

	for (uint32_t i = 0; i < asked->n; i++)
		if (strchr(asked->at[i], '\n'))
			return refuse(r, "line break in", "an option");
	return asked->err;
}

int
headers_read(struct headers *h, const struct args *a, const char *compiler, char *why)
{
	struct reader r = {.h = h, .a = a, .why = why};
	const char *language = language_name(a->language);
	const char *last[] = {"-E", "-v", "-x", language, "/dev/null"};
	int err = 0;

	if (!language)
		return refuse(&r, "language of", a->source ? a->source : "nothing");
	strings_add(&h->asked, compiler);
	for (uint32_t i = 0; err == 0 && i < a->argc;) {
		struct word w;

		word_read(&w, a->argv, a->argc, i, a->compiler);
		if (w.is_option)
			err = take_option(&r, &w, i);
		i += w.count;
	}
	for (size_t i = 0; i < COUNT(last); i++)
		strings_add(&h->asked, last[i]);
	if (err == 0)
		err = check_question(&r);
	if (err == 0)
		err = buf_err(&h->folders);
	if (err == 0)
		err = buf_err(&h->forced);
	return err != 0 ? err : buf_err(&h->macros);
}
