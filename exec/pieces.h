/*
 * Words that carry options for another program: -Wp,... (preprocessor), -Wa,... (assembler),
 * -Xclang X (clang's inner compiler), -mllvm X (its code generator).
 *
 * Allow-lists: a piece that is not known reads or writes a file for all we can tell.
 */
#ifndef EXEC_PIECES_H
#define EXEC_PIECES_H

#include <stdbool.h>
#include "crypto/err.h"
#include "exec/options.h"

struct pieces_cpp {
	char *deps;  /* FILE of -MD,FILE or -MMD,FILE; the caller frees it; NULL when none */
	bool target; /* -MT or -MQ is among the pieces */
};

/* Understands what follows "-Wp,". IM_ERR_REFUSED when something in it is not known to be safe,
 * IM_ERR_MEMORY. */
int pieces_cpp(const char *text, enum option_compiler compiler, struct pieces_cpp *found) IM_MUST;
/* True when the assembler options that follow "-Wa," neither read nor write a file. */
bool pieces_assembler_ok(const char *text);
/* True when the word behind -Xpreprocessor neither reads nor writes a file. */
bool pieces_xpreprocessor_ok(const char *text);
/* True when the word behind -mllvm neither reads nor writes a file, nor prints what differs from run
 * to run. */
bool pieces_llvm_ok(const char *text);
/* True when the word behind -Xclang neither reads nor writes a file; before: the one of the -Xclang
 * before, NULL for none. */
bool pieces_xclang_ok(const char *before, const char *text);

#endif
