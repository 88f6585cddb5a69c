/*
 * What a peer found out about a job beside its outputs: names that the compile looked for and did not find, and files that it made
 * and the job did not declare.  The client checks the former against its own disk and does not lose the latter silently.
 *
 * Text, one record after another: a letter, an absolute path, NUL.
 *   m  looked for, not found    x  made, not declared    o  (empty path) there was more than could be noted
 */
#ifndef EXEC_FINDINGS_H
#define EXEC_FINDINGS_H

#include <stdbool.h>
#include "crypto/buf.h"

#define FINDINGS_LEN_MAX (4u << 20)

enum finding { FINDING_MISS = 'm', FINDING_EXTRA = 'x', FINDING_OVERFLOW = 'o' };

/* Appends a record, or one that says overflow when it would leave no room for that; the path of an overflow does not matter. */
void findings_add(struct buf *b, enum finding what, const char *path);
/* Walks the records: *at 0 to begin.  1: *what and *path (NUL-terminated, inside bytes) are the next; 0: the end; IM_ERR_FORMAT. */
int findings_next(
        const char *bytes, size_t len, size_t *at, enum finding *what, const char **path) IM_MUST;

#endif
