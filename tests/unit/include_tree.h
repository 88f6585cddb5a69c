/*
 * Random include trees for the property test: folders, links to folders and files, headers of
 * the same names in several places, all kinds of directives under all kinds of conditions, and
 * a command line to compile a source over them.
 */
#ifndef TESTS_INCLUDE_TREE_H
#define TESTS_INCLUDE_TREE_H

#include <errno.h>
#include <stdarg.h>
#include "client/search.h"
#include "gossip/rng.h"
#include "tests/unit/scratch.h"

#define TREE_HEADERS 9 /* names h0.h ... */
#define TREE_WORDS 40
#define TREE_TEXT 4096

struct include_tree {
	struct rng rng;
	bool fresh;                    /* nothing there yet */
	const char *words[TREE_WORDS]; /* the compiler's options, without -M and the source */
	char room[TREE_WORDS][64];
	unsigned nwords;
	const char *folders[TREE_WORDS], *macros[TREE_WORDS], *forced[TREE_WORDS];
	unsigned nfolders, nmacros, nforced;
	char text[TREE_TEXT];
	size_t len;
};

/* Real folders, then names that are links to others of them. */
static const char *const tree_folders[] = {
        "src", "src/in", "inc", "inc/sub", "inc/sub/deep", "other", "other/sub", "gen"};
static const char *const tree_links[][2] = {{"lnk", "other"}, {"inc/up", "../src"},
        {"other/way", "../inc/sub"}, {"far", "inc/sub/deep"}, {"src/self", "."},
        {"gone", "nowhere"}};
static const char *const tree_ways[] = {"", "", "", "", "", "", "", "", "", "", "", "sub/", "in/",
        "deep/", "../", "sub/../", "up/", "up/../", "way/", "./", "sub//", "../inc/", "self/",
        "sub/deep/../"};
#define TREE_COUNT(a) ((unsigned)(sizeof(a) / sizeof((a)[0])))

static inline uint32_t
tree_pick(struct include_tree *t, uint32_t n)
{
	return rng_below(&t->rng, n);
}

static inline void __attribute__((format(printf, 2, 3)))
tree_say(struct include_tree *t, const char *format, ...)
{
	va_list list;
	int n;

	va_start(list, format);
	n = vsnprintf(t->text + t->len, sizeof(t->text) - t->len, format, list);
	va_end(list);
	if (n > 0 && t->len + (size_t)n < sizeof(t->text))
		t->len += (size_t)n;
}

/* An operand, with its quotes. */
static inline void
tree_operand(struct include_tree *t, char out[64])
{
	const char *way = tree_ways[tree_pick(t, TREE_COUNT(tree_ways))];
	bool angle = tree_pick(t, 2);
	unsigned h = tree_pick(t, TREE_HEADERS + (tree_pick(t, 8) == 0));

	snprintf(out, 64, "%c%s%s%u.h%c", angle ? '<' : '"', way, h == 3 ? "h " : "h", h,
	        angle ? '>' : '"');
}

/* One directive that names the operand, written in one of many ways. */
static inline void
tree_directive(struct include_tree *t, const char *operand)
{
	unsigned m = tree_pick(t, 4);

	switch (tree_pick(t, 10)) {
	case 1:
		tree_say(t, "  #\t include/* a\n comment */%s // more\n", operand);
		break;
	case 2:
		tree_say(t, "#inc\\\nlude \\\n%s\n", operand);
		break;
	case 3:
		tree_say(t, "%%:include %s\r\n", operand);
		break;
	case 4:
		tree_say(t, "/* one */ # /* two */ include %s\n", operand);
		break;
	case 5:
		tree_say(t, "#if __has_include_next(%s)\n#include_next %s\n#endif\n", operand,
		        operand);
		break;
	case 6:
		tree_say(t, "#import %s\n", operand);
		break;
	case 7:
		tree_say(t, "#ifdef INC%u\n#include INC%u\n#endif\n", m, m);
		break;
	case 8:
		/* These are undecided, which would end the whole tree. */
		if (operand[0] == '<' && (strchr(operand, ' ') || strstr(operand, "//")))
			break;
		tree_say(t, "#undef INC%u\n#define INC%u %s\n", m, m, operand);
		break;
	case 9:
		tree_say(t, "#undef INC%u\n#define INC%u INC%u\n", m, m, (m + 1) % 4);
		break;
	default:
		tree_say(t, "#include %s\n", operand);
		break;
	}
}

/* Mostly so that a header that is not there is no error, which would end the compile. */
static inline void
tree_include(struct include_tree *t)
{
	bool careful = tree_pick(t, 60) != 0;
	char operand[64];

	tree_operand(t, operand);
	if (careful)
		tree_say(t, "#if __has_include(%s)\n", operand);
	tree_directive(t, operand);
	if (careful)
		tree_say(t, "#endif\n");
}

/* A condition around something, deciding by macros that other headers set. */
static inline void
tree_block(struct include_tree *t)
{
	unsigned which = tree_pick(t, 7), m = tree_pick(t, 5);

	if (which == 0)
		tree_say(t, "#if M%u\n", m);
	else if (which == 1)
		tree_say(t, "#ifdef M%u\n", m);
	else if (which == 2)
		tree_say(t, "#ifndef M%u\n", m);
	else if (which == 3)
		tree_say(t, "#if defined M%u && M0 < 2\n", m);
	else if (which == 4)
		tree_say(t, "#if !defined(M%u) || 0\n", m);
	else
		tree_say(t, "#if %d || M%u\n", which == 5, m);
	tree_include(t);
	if (tree_pick(t, 2))
		tree_say(t, "#define M%u %u\n", tree_pick(t, 5), tree_pick(t, 3));
	if (tree_pick(t, 2)) {
		tree_say(t, "#else\n");
		tree_include(t);
	}
	tree_say(t, "#endif\n");
}

static inline int
tree_file(struct include_tree *t, const char *path)
{
	unsigned n = 2 + tree_pick(t, 5), guard = tree_pick(t, 3), id = tree_pick(t, 1u << 30);

	t->len = 0;
	if (guard == 0)
		tree_say(t, "#pragma once\n");
	else
		tree_say(t, "#ifndef G%u\n#define G%u\n", id, id);
	for (unsigned i = 0; i < n; i++)
		switch (tree_pick(t, 4)) {
		case 0:
			tree_say(t,
			        "/* #include \"h0.h\" */ const char *s%u = \"#include "
			        "<h1.h>\\\"\"; int i%u = '\\'';\n",
			        id, id);
			break;
		case 1:
			tree_include(t);
			break;
		default:
			tree_block(t);
		}
	if (guard != 0)
		tree_say(t, "#endif\n");
	return scratch_write(path, t->text, t->len, 0644);
}

static inline void
tree_word(struct include_tree *t, const char *word, const char *operand, const char **list,
        unsigned *n)
{
	char *at = t->room[t->nwords];

	if (t->nwords + 2 > TREE_WORDS)
		return;
	snprintf(at, sizeof(t->room[0]), "%s", operand);
	list[(*n)++] = at;
	t->words[t->nwords++] = word;
	t->words[t->nwords++] = at;
}

/* Options: a search path, macros, perhaps forced headers. */
static inline void
tree_options(struct include_tree *t)
{
	static const char *const kinds[] = {"-I", "-iquote", "-isystem", "-idirafter"};
	unsigned n = 2 + tree_pick(t, 5);
	char text[64], operand[64];

	t->nwords = t->nfolders = t->nmacros = t->nforced = 0;
	for (unsigned i = 0; i < n; i++) {
		unsigned k = tree_pick(t, TREE_COUNT(tree_folders) + TREE_COUNT(tree_links));

		tree_word(t, kinds[tree_pick(t, 4)],
		        k < TREE_COUNT(tree_folders) ? tree_folders[k]
		                                     : tree_links[k - TREE_COUNT(tree_folders)][0],
		        t->folders, &t->nfolders);
	}
	for (unsigned i = tree_pick(t, 3); i > 0; i--) {
		snprintf(text, sizeof(text), "M%u=%u", i, tree_pick(t, 3));
		tree_word(t, "-D", text, t->macros, &t->nmacros);
	}
	if (tree_pick(t, 3) == 0) {
		snprintf(operand, sizeof(operand), "<inc/../h%u.h>", tree_pick(t, TREE_HEADERS));
		snprintf(text, sizeof(text), "INC%u=%.50s", tree_pick(t, 4), operand);
		tree_word(t, "-D", text, t->macros, &t->nmacros);
	}
	if (tree_pick(t, 4) == 0)
		tree_word(t, tree_pick(t, 2) ? "-include" : "-imacros",
		        tree_pick(t, 2) ? "inc/h0.h" : "h1.h", t->forced, &t->nforced);
}

/* Fills the working directory, which is empty or holds the tree before. */
static inline int
tree_make(struct include_tree *t)
{
	char path[128];

	for (unsigned i = 0; i < TREE_COUNT(tree_folders); i++) {
		if (mkdir(tree_folders[i], 0755) != 0 && errno != EEXIST)
			return -1;
		for (unsigned h = 0; h < TREE_HEADERS; h++) {
			int r = 0;

			snprintf(path, sizeof(path), "%s/%s%u.h", tree_folders[i],
			        h == 3 ? "h " : "h", h);
			/* Most stay from the tree before. */
			if (!t->fresh && tree_pick(t, 6) != 0)
				continue;
			if (unlink(path) != 0 && errno != ENOENT)
				return -1;
			if (tree_pick(t, 12) == 0)
				r = symlink(tree_pick(t, 2) ? "../inc/h1.h" : "h2.h", path);
			else if (tree_pick(t, 5) < 3)
				r = tree_file(t, path);
			if (r != 0)
				return -1;
		}
	}
	for (unsigned i = 0; i < TREE_COUNT(tree_links); i++)
		if (symlink(tree_links[i][1], tree_links[i][0]) != 0 && errno != EEXIST)
			return -1;
	tree_options(t);
	t->fresh = false;
	return tree_file(t, "src/a.c");
}

static inline struct search
tree_search(struct include_tree *t)
{
	return (struct search){.folders = t->folders,
	        .nfolders = t->nfolders,
	        .macros = t->macros,
	        .nmacros = t->nmacros,
	        .forced = t->forced,
	        .nforced = t->nforced};
}

#endif
