/*
 * Whether a local link runs several compilers at one time: link-time optimisation, by a make that gcc starts or by threads of clang's linker.
 *
 * Pure, and no more than a look at the words; response files have been read into them before.
 */
#ifndef CLIENT_LTO_H
#define CLIENT_LTO_H

#include "exec/options.h"

enum lto {
	LTO_NOT_LINKED, /* nothing is linked */
	LTO_SERIAL,     /* one at a time; with gcc only as long as no jobserver is there */
	LTO_PARALLEL
};

/* argv[0] is the compiler. */
enum lto lto_look(int argc, char *const *argv, enum option_compiler compiler);
/* How many jobs the words allow clang's linker; `most` when they do not say. */
unsigned lto_jobs(int argc, char *const *argv, unsigned most);

#endif
