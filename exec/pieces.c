#include "exec/pieces.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* One piece between commas, not NUL-terminated. */
struct piece {
	const char *at;
	size_t len;
};

/* Takes the next piece off *text; false at the end. */
static bool
piece_next(const char **text, struct piece *p)
{
	if (!*text)
		return false;
	p->at = *text;
	p->len = strcspn(p->at, ",");
	*text = p->at[p->len] ? p->at + p->len + 1 : NULL;
	return true;
}

static bool
piece_is(const struct piece *p, const char *text)
{
	return p->len == strlen(text) && memcmp(p->at, text, p->len) == 0;
}

static bool
piece_begins(const struct piece *p, const char *text)
{
	return p->len > strlen(text) && memcmp(p->at, text, strlen(text)) == 0;
}

static bool
piece_has(const struct piece *p, char c)
{
	return memchr(p->at, c, p->len) != NULL;
}

/* The file of -MD or -MMD. */
static int
take_deps(const char **text, struct pieces_cpp *found)
{
	struct piece file;

	if (found->deps || !piece_next(text, &file) || !file.len || file.at[0] == '-')
		return IM_ERR_REFUSED;
	found->deps = strndup(file.at, file.len);
	return found->deps ? 0 : IM_ERR_MEMORY;
}

/* clang takes exactly "-MD,FILE" for its own and ignores more pieces, so only gcc may have some. */
static int
take_dep_option(const char **text, const struct piece *p, struct pieces_cpp *found)
{
	struct piece operand;

	if (piece_is(p, "-MP"))
		return 0;
	if (!piece_is(p, "-MT") && !piece_is(p, "-MQ"))
		return IM_ERR_REFUSED;
	found->target = true;
	return piece_next(text, &operand) && operand.len ? 0 : IM_ERR_REFUSED;
}

int
pieces_cpp(const char *text, enum option_compiler compiler, struct pieces_cpp *found)
{
	struct pieces_cpp f = {.deps = NULL};
	struct piece p;
	int err = 0;
	bool first = true;

	while (!err && piece_next(&text, &p)) {
		if (piece_begins(&p, "-D") || piece_begins(&p, "-U"))
			err = compiler == FOR_GCC || !f.deps ? 0 : IM_ERR_REFUSED;
		else if (piece_is(&p, "-MD") || piece_is(&p, "-MMD"))
			err = compiler == FOR_GCC || first ? take_deps(&text, &f) : IM_ERR_REFUSED;
		else if (compiler == FOR_GCC)
			err = take_dep_option(&text, &p, &f);
		else
			err = IM_ERR_REFUSED;
		first = false;
	}
	if (err || (f.target && !f.deps)) {
		free(f.deps);
		return err ? err : IM_ERR_REFUSED;
	}
	*found = f;
	return 0;
}

static bool
assembler_piece_ok(const struct piece *p)
{
	static const char *const words[] = {"--noexecstack", "--execstack", "--fatal-warnings",
	        "--warn", "--no-warn", "-W", "-L", "--keep-locals", "--strip-local-absolute",
	        "--32", "--64", "--x32", "-n", "-k", "-D", "--compress-debug-sections",
	        "--nocompress-debug-sections", "--no-pad-sections", "--reduce-memory-overheads"};
	static const char *const begins[] = {
	        "-m", "--gdwarf-", "--compress-debug-sections=", "-gdwarf-"};

	if (piece_has(p, '/') || piece_has(p, '@'))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (piece_is(p, words[i]))
			return true;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		if (piece_begins(p, begins[i]))
			return true;
	return false;
}

bool
pieces_assembler_ok(const char *text)
{
	struct piece p;

	while (piece_next(&text, &p)) {
		if (piece_is(&p, "--defsym")) {
			if (!piece_next(&text, &p) || piece_has(&p, '/') || !p.len ||
			        p.at[0] == '-')
				return false;
		} else if (!assembler_piece_ok(&p)) {
			return false;
		}
	}
	return true;
}

bool
pieces_xpreprocessor_ok(const char *text)
{
	bool macro = strncmp(text, "-D", 2) == 0 || strncmp(text, "-U", 2) == 0;

	return (macro && text[2]) || strcmp(text, "-fopenmp") == 0;
}

bool
pieces_llvm_ok(const char *text)
{
	static const char *const parts[] = {"dot", "dump", "file", "output", "print", "stats",
	        "time-", "trace", "track-memory", "view"};

	if (text[0] != '-' || !option_harmless(text))
		return false;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strstr(text, parts[i]))
			return false;
	return true;
}

/* +avx2, -sse4.1 */
static bool
is_feature(const char *text)
{
	static const char chars[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return (text[0] == '+' || text[0] == '-') && text[1] && !text[1 + strspn(text + 1, chars)];
}

bool
pieces_xclang_ok(const char *before, const char *text)
{
	static const char *const words[] = {"-target-feature", "-disable-O0-optnone",
	        "-disable-lifetime-markers", "-disable-llvm-optzns", "-disable-llvm-passes"};
	const struct option *row;
	enum option_form form;

	if (before && strcmp(before, "-target-feature") == 0)
		return is_feature(text);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(text, words[i]) == 0)
			return true;
	if (text[0] != '-' || (text[1] != 'f' && text[1] != 'W'))
		return false;
	row = option_find(text, FOR_CLANG, &form);
	return row && row->class == OPT_SHIP && form == FORM_JOINED && strlen(row->name) == 2;
}
