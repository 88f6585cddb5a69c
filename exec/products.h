/*
 * What a compile writes beside its main output, by the compilers' own rules for names:
 * dependencies, .dwo, .su, .gcno, the intermediate files of -save-temps...
 *
 * In source mode a peer's compile makes these files, and a job declares them.  Too many names do
 * no harm, one too few costs a second compile here.  gcc names them after the output, or after the
 * source when there is no -o; since 11 all of them; clang names some after either.  Words only: no
 * file is looked at.
 */
#ifndef EXEC_PRODUCTS_H
#define EXEC_PRODUCTS_H

#include "exec/args.h"

#define PRODUCTS_MAX (JOB_OUTPUTS_MAX - 1) /* beside the main output */

/* Fills a->products and a->nproducts (one allocation, freed by args_fini) from its words, output
 * and deps; neither the source nor the output is among them. IM_ERR_REFUSED: one is standard
 * output or a device; IM_ERR_LIMIT: more than PRODUCTS_MAX; IM_ERR_MEMORY. */
int products_find(struct args *a) IM_MUST;
/* The name that most of them begin with, and suffix behind it; for free(), NULL when memory
 * lacks. */
char *products_beside(const struct args *a, const char *suffix);
/* The length of path without the suffix of its last name: with whole, a name that begins with its
 * only dot has no suffix. */
size_t products_stem(const char *path, bool whole);
/* True for "-", an empty name and what stands in /dev. */
bool products_special(const char *path);

#endif
