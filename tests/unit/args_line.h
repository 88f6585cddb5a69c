/* Command lines and what exec/args.h makes of them: verdict, reason, files, and the commands that they become. */
#ifndef TESTS_ARGS_LINE_H
#define TESTS_ARGS_LINE_H

#include <stdlib.h>
#include "exec/args.h"
#include "tests/unit/words.h"

/* A field left out is not looked at, but for the reasons: none means that the compile may travel,
 * only that it may in source mode.  cpp "!" means that no preprocessor runs;
 * products are those of a compile that may travel, in order, with blanks between. */
struct line {
	const char *line, *reason, *only, *source, *output, *deps, *cpp, *remote, *products;
};

/* Prints a difference and returns 1, so that one run shows all of them. */
static inline int
lines_differ(const struct line *l, const char *what, const char *want, const char *got)
{
	if (!want || (got && strcmp(want, got) == 0))
		return 0;
	print_error("%s\n  %s wanted: %s\n  %s got:    %s\n", l->line, what, want, what,
	        got ? got : "(none)");
	return 1;
}

static inline int
lines_commands_differ(const struct line *l, const struct args *a)
{
	char text[8192], **argv = NULL;
	int err = args_preprocess(a, "cc", true, &argv), bad = 0;

	if (l->cpp && l->cpp[0] == '!')
		assert_int_equal(err, IM_ERR_UNSUPPORTED);
	else
		bad += lines_differ(l, "cpp", l->cpp,
		        err ? im_strerror(err) : words_join(argv, text, sizeof(text)));
	free(argv);
	argv = NULL;
	assert_int_equal(args_remote(a, "cc", true, &argv), 0);
	bad += lines_differ(l, "remote", l->remote, words_join(argv, text, sizeof(text)));
	free(argv);
	return bad;
}

/* In source mode the words stay as they are. */
static inline int
lines_source_differs(const struct line *l, const struct args *a, const struct words *w)
{
	static const char *const last[] = {"-x1", "-x2", NULL};
	static const struct source_words extra = {.last = last};
	char want[8192], got[8192], **argv = NULL;

	snprintf(want, sizeof(want), "/cc%s -x1 -x2", strchr(l->line, ' '));
	assert_int_equal(args_source(a, "/cc", &extra, &argv), 0);
	assert_int_equal(a->argc + 1, w->argc);
	words_join(argv, got, sizeof(got));
	free(argv);
	return lines_differ(l, "source mode", want, got);
}

static inline const char *
lines_verdict(bool remote, bool source_only)
{
	return !remote ? "local" : source_only ? "in source mode" : "remote";
}

/* "a.d a.gcno": what the compile may write beside its output. */
static inline int
lines_products_differ(const struct line *l, const struct args *a)
{
	char text[4096] = "";
	size_t len = 0;

	for (uint32_t i = 0; i < a->nproducts && len < sizeof(text); i++)
		len += (size_t)snprintf(
		        text + len, sizeof(text) - len, "%s%s", len ? " " : "", a->products[i]);
	return lines_differ(l, "products", l->products, text);
}

/* Returns how many things differ from what the line says. */
static inline int
lines_check_one(const struct line *l)
{
	struct words w;
	struct args a;
	int bad = 0;

	words_split(&w, l->line);
	args_analyse(&a, w.argc, w.argv, args_compiler(w.argv[0]));
	bad += lines_differ(l, "reason", l->reason ? l->reason : l->only ? l->only : "", a.reason);
	bad += lines_differ(l, "verdict", lines_verdict(!l->reason, l->only != NULL),
	        lines_verdict(a.verdict == ARGS_REMOTE, a.source_only));
	assert_true(!a.reason[0] || reason_find(a.reason));
	bad += lines_differ(l, "source", l->source, a.source);
	bad += lines_differ(l, "output", l->output, a.output);
	bad += lines_differ(l, "deps", l->deps, a.deps);
	if (!l->reason && !l->deps && a.want_deps)
		fail_msg("%s: a dependency file", l->line);
	if (a.verdict == ARGS_REMOTE)
		bad += lines_source_differs(l, &a, &w) + lines_products_differ(l, &a);
	if (a.verdict == ARGS_REMOTE && !a.source_only)
		bad += lines_commands_differ(l, &a);
	args_fini(&a);
	return bad;
}

static inline void
lines_check(const struct line *lines, size_t n)
{
	int bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += lines_check_one(&lines[i]);
	assert_int_equal(bad, 0);
}

#endif
