/*
 * Answers: what the disk said while an input set was found, kept to be asked for again.
 *
 * An input set follows from the command and from which names stood where: so it is the same as long as the same questions get the same
 * answers.  One lstat for each folder, file and link.  While a folder's times are as they were, its own lstat answers for all names that
 * were absent in it; when they are not, one lstat for each of these names, but in a folder in which no build works: there the times decide.
 *
 * Records, each with NUL behind its text: a folder (its path, then what was looked for in it), a name.  Beside it a 64-bit hash of
 * what lstat says, 0 for absent: for accidents, not for enemies, since only this user writes here.
 */
#ifndef CLIENT_ANSWERS_H
#define CLIENT_ANSWERS_H

#include "client/folder.h"
#include "crypto/buf.h"

/* Appends all that was looked at before the last folders_save(), but n paths (physical), unless the search itself has asked for them.
 * IM_ERR_REFUSED: something changed so shortly before that its times would not show a further change, or stands on a file system whose
 * attributes cannot be believed.  IM_ERR_LIMIT, IM_ERR_MEMORY. */
int answers_put(
        struct buf *out, const struct folders *t, const char *const *but, unsigned n) IM_MUST;
/* True when the disk answers the same now; false for bytes that are damaged. */
bool answers_hold(const void *bytes, size_t len);

#endif
