/*
 * The answer to WHY (mesh/control.h), the last compiles with why each ran where it ran: as a table, in full for one file, as JSON.
 *
 * What wrappers told is cleaned where it is printed.  Accounts stay encoded and are decoded one at a time, since each has room for the
 * longest names.
 */
#ifndef CLIENT_WHY_H
#define CLIENT_WHY_H

#include "client/json.h"
#include "mesh/history.h"

#define WHY_ROWS 20 /* of the table, at most */
#define WHY_ROWS_MIN 5
#define WHY_DETAILS 5 /* compiles told in full, at most */

struct why_one {
	uint64_t told_ms; /* since 1970 */
	uint64_t uid;
	const uint8_t *bytes; /* of the account, checked */
	size_t len;
};

struct why {
	struct why_one *list; /* owned; oldest first */
	uint32_t n;
};

/* For whom it is printed. */
struct why_view {
	uint64_t now_ms;        /* since 1970 */
	const char *cwd;        /* names below it are shown without it; empty: none */
	unsigned width, height; /* of the terminal; 0: none */
	bool colour;
};

/* The list points into the answer's bytes, which must stay; the caller owes why_fini(). IM_ERR_FORMAT, IM_ERR_LIMIT, IM_ERR_VERSION,
 * IM_ERR_ABSENT, IM_ERR_MEMORY. */
int why_decode(struct why *w, const struct item *root) IM_MUST;
void why_fini(struct why *w);
/* Keeps only the compiles whose source or output is this file (absolute), else those where it ends with this name. */
void why_pick(struct why *w, const char *path, const char *name);
/* The last compiles, and what can be done about each reason that there was. IM_ERR_MEMORY, IM_ERR_LIMIT. */
int why_table(const struct why *w, const struct why_view *v, struct buf *out) IM_MUST;
/* All that is known of the last WHY_DETAILS. */
void why_details(const struct why *w, const struct why_view *v, struct buf *out);
/* All of them, as in a trace, with the user's id. */
void why_json(const struct why *w, struct buf *out);

#endif
