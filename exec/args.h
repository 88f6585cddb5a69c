/*
 * A compiler's command line, understood: may it run elsewhere, and what does it read and write.
 *
 * Pure: no file is looked at.  Response files are expanded before (exec/response.h); the command
 * lines that it becomes are made in exec/command.h, where the peer's own check stands too.
 */
#ifndef EXEC_ARGS_H
#define EXEC_ARGS_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/err.h"
#include "exec/command.h"
#include "exec/env.h"
#include "exec/options.h"
#include "exec/reason.h"
#include "exec/response.h"

enum args_verdict { ARGS_REMOTE, ARGS_LOCAL };
enum args_language {
	LANG_C,
	LANG_CXX,
	LANG_OBJC,
	LANG_OBJCXX,
	LANG_CPP_OUTPUT,     /* preprocessed C */
	LANG_CXX_CPP_OUTPUT, /* preprocessed C++ */
	LANG_OBJC_CPP_OUTPUT,
	LANG_OBJCXX_CPP_OUTPUT,
	LANG_ASM,
	LANG_ASM_CPP,
	LANG_OTHER
};

struct args {
	enum args_verdict verdict;
	/* when local, and why source_only: a text of the fixed list (exec/reason.h) */
	char reason[REASON_SIZE];
	enum option_compiler compiler;
	enum args_language language;
	const char *source; /* as written; into argv; NULL when there is none */
	/* as written or derived (foo.o, foo.s); NULL when there is no source */
	const char *output;
	/* the .d file that the local preprocessor writes, NULL when none; owned here */
	const char *deps;
	bool output_given;
	bool assembly;    /* -S */
	bool source_only; /* may travel, but only in source mode is it exact */
	/* may travel, but only as preprocessed text: it reads what no toolchain holds */
	bool text_only;
	/* when remote: every other file that the compile may write, as it would name it
	 * (exec/products.h); owned here */
	const char **products;
	uint32_t nproducts;
	bool want_deps; /* some -MD or -MMD, also inside -Wp, */
	/* the first word that means this machine's processor (-march=native...); NULL when none */
	const char *native;
	bool plain_cpp;    /* something here does not go with -fdirectives-only */
	bool plain_loses;  /* gcc: warnings or sanitizers, which fare worse after plain -E */
	const char **argv; /* the words after the compiler's name; not owned */
	uint32_t argc;
	char *derived; /* owned memory behind output */
};

/* "gcc" or "clang", by the base name of the resolved compiler (anything that is not clang counts
 * as gcc). */
enum option_compiler args_compiler(const char *real_path);
/* Looks at argv[1..argc-1]; a "++" in argv[0]'s base name (g++, clang++) makes foo.c C++.  argv
 * must outlive a.  Never fails: what it cannot understand is ARGS_LOCAL with a reason. */
void args_analyse(struct args *a, int argc, char *const *argv, enum option_compiler compiler);
void args_fini(struct args *a);
/* True when the source is preprocessed already (foo.i, foo.ii): no local preprocessor runs, the
 * file itself is the text. */
bool args_preprocessed(const struct args *a);
/* The language of a file name by its suffix. */
enum args_language args_language_of(const char *path);

#endif
