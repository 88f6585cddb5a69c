/*
 * The packed list of names that an include scan finds: each once, u8 kind, u16 length, name.
 *
 * Appended to a buffer that may hold other bytes before it; either the whole list is there, or
 * nothing of it.
 */
#ifndef EXEC_OPERANDS_H
#define EXEC_OPERANDS_H

#include "exec/includes.h"
#include "exec/text.h"

#define OPERAND_HEAD_LEN 3   /* kind and length */
#define OPERAND_LEN_MAX 4096 /* of one name; what is longer no system opens */
#define OPERANDS_MAX 4096    /* names of one file */
#define OPERANDS_SLOTS 8192  /* a power of two, above OPERANDS_MAX */

struct operands {
	struct buf *list;
	size_t begin; /* of this list in the buffer */
	uint32_t n;
	uint32_t slots[OPERANDS_SLOTS]; /* hash table: 0, or 1 + where in the list a name is */
	int err;
};

enum operand {
	OPERAND_NONE,  /* something else stands there */
	OPERAND_TAKEN, /* a name that is in the list now, or an empty one */
	OPERAND_ODD    /* a name that compilers read in different ways, or one that is too long */
};

void operands_init(struct operands *o, struct buf *list);
/* Adds a name, unless it is there. */
void operands_add(struct operands *o, enum include_kind kind, const char *name, size_t len);
/* Adds the "name" or <name> at p. */
enum operand operands_literal(struct operands *o, const struct text *t, const char *p);
/* The end of the list. IM_ERR_LIMIT: it was too long; IM_ERR_MEMORY. Then the buffer is as it was
 * before. */
int operands_end(struct operands *o) IM_MUST;

/* True when the word from p to end is an identifier that may be a macro of somebody's: ASCII, and
 * not the compiler's own (__FILE__). */
bool operand_is_name(const char *p, const char *end);

#endif
