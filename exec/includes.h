/*
 * The include scanner: which other files a source or header may make the compiler open, found
 * in its text alone.
 *
 * Pure.  It reports every operand, whatever conditional it stands under, of #include,
 * #include_next, #import, #embed, __has_include, __has_include_next, __has_embed (also under
 * names like FMT_HAS_INCLUDE), of .incbin and .include in assembly, and of #line, whose file
 * compilers open for their messages; it sees through comments, line splices, digraphs (%:),
 * trigraphs (??=, ??/) and all line ends.  It may report too much (text in comments or strings
 * that only looks like a directive); it must never report too little.  What it cannot decide is
 * said in `flags`, and then the input set is not known.  Not seen: words that macros put
 * together (__DA ## TE__), a macro's name between the angles of another macro's <...>, and what
 * -traditional-cpp and -finput-charset would make of the text: whoever calls rules these out.
 */
#ifndef EXEC_INCLUDES_H
#define EXEC_INCLUDES_H

#include <stdbool.h>
#include "crypto/buf.h"

#define INCLUDES_TEXT_MAX (64u << 20) /* larger files are undecided */
#define INCLUDES_LEN_MAX (1u << 20)   /* of one file's packed list */

enum include_kind {
	INCLUDE_QUOTE = 1, /* "name": the includer's own folder, then every search folder */
	INCLUDE_ANGLE = 2, /* <name>: every search folder */
	INCLUDE_BINARY =
	        3, /* operand of .incbin, .include or #line: the working directory, then every
	                     * search folder */
	INCLUDE_MACRO = 4 /* computed: the name is an identifier, see includes_define() */
};

/* What else the text holds; bits. */
enum include_flag {
	INCLUDES_DATE = 1,      /* names __DATE__ or __TIME__ outside of comments and strings */
	INCLUDES_TIMESTAMP = 2, /* the same for __TIMESTAMP__ */
	INCLUDES_ONCE = 4,      /* #pragma once or #import: the compiler compares files */
	INCLUDES_UNDECIDED = 8,
	/* declares or imports a module, for a compiler that has modules switched on */
	INCLUDES_MODULES = 16
};

struct includes {
	uint32_t flags;
	const char *
	        why; /* when undecided: static words for the trace ("computed include"); else NULL */
};

/* Scans len bytes of text and appends the packed list of operands, each once: u8 kind, u16 length,
 * name (not terminated).  A list that does not fit, or of more than 4096 names, is undecided, and
 * then nothing is appended. IM_ERR_MEMORY. */
int includes_scan(struct includes *s, const char *text, size_t len, struct buf *list) IM_MUST;
/* Appends what `name` may stand for after #include, from every #define of it in the text: the same
 * packed list (INCLUDE_MACRO for a body that is one identifier).  A body of any other form, a
 * function-like macro or a pop_macro of it sets *undecided, which is never cleared.
 * IM_ERR_MEMORY. */
int includes_define(
        const char *text, size_t len, const char *name, struct buf *list, bool *undecided) IM_MUST;

/* Walks a packed list: at *at (0 to begin); false at its end or where it is malformed. name is not
 * terminated. */
bool includes_next(const void *list, size_t len, size_t *at, enum include_kind *kind,
        const char **name, size_t *name_len);

#endif
