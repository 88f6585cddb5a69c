/*
 * The assembler's .incbin and .include, in assembly or in a string of C that becomes assembly.
 *
 * Pure.  Only a name that stands between quotes next to the word counts as known; one that is
 * put together from strings, macros or operands of asm() is computed.
 */
#ifndef EXEC_INCBIN_H
#define EXEC_INCBIN_H

#include "exec/operands.h"
#include "exec/text.h"

/* p is at a point: adds the file's name if .incbin or .include stands there; true when the name
 * is computed. */
bool incbin_at(struct text *t, const char *p, struct operands *found) IM_MUST;

#endif
