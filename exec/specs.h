/*
 * The specs file by which a peer's gcc takes the client's processor for its own: what the driver tells cc1 of it, and nothing else.
 *
 * A specs file can start any program, so the peer runs a compile with one only when its bytes are what specs_put() would have written.
 */
#ifndef EXEC_SPECS_H
#define EXEC_SPECS_H

#include <stdbool.h>
#include <stddef.h>
#include "crypto/buf.h"

#define SPECS_LEN_MAX (32 * 1024) /* bytes of the file */
/* Where a peer finds it, and the word that says so, behind argv[0]. */
#define SPECS_PATH "/.icemesh/native.specs"
#define SPECS_WORD "-specs=" SPECS_PATH

/* Appends the file for these words: -m options and --param NAME=VALUE, a blank between two of them. */
void specs_put(struct buf *out, const char *words);
/* True when these bytes are such a file. */
bool specs_ok(const char *text, size_t len);
/* The same of what stands at SPECS_PATH. */
bool specs_stand(void);

#endif
