/*
 * What is known of one file of an input set: its digest and which other files its text names.
 *
 * Kept in the graph (client/graph.h) under the file's path, with the identity that it was read
 * with: it holds as long as the file still has that.  A file that was changed so shortly before
 * that a further change might leave its times as they are is read again by the next compile.
 */
#ifndef CLIENT_FACTS_H
#define CLIENT_FACTS_H

#include "client/folder.h"
#include "crypto/buf.h"
#include "crypto/digest.h"

struct facts {
	struct digest digest;
	const void *list; /* packed operands (exec/includes.h); in the graph or the pool */
	uint32_t list_len;
	uint32_t flags;  /* enum include_flag */
	const char *why; /* when undecided */
	bool data;       /* said by the caller: only the digest is wanted, its text names nothing */
};

/* Whether every change since the job began would show in these times. */
bool facts_settled(const struct folders *t, const struct identity *id);
/* Of the regular file at path, physical and just seen as *id, which is set to what the facts hold
 * for; f->data is looked at.  steady: a file's attributes can be believed without opening it. IM_ERR_REFUSED (t->why:
 * cannot be read, changes while it is read, too large); IM_ERR_MEMORY. */
int facts_find(struct facts *f, struct folders *t, const char *path, struct identity *id,
        bool steady) IM_MUST;

/* What one file says that a macro stands for. */
struct meaning {
	const void *list; /* packed operands; in the graph or the pool */
	uint32_t list_len;
	bool undecided;
};

/* What #define lines for the macro in the file say, when it is still *id; *text holds the file's
 * bytes once they had to be read, for the next macro. Errors as above. */
int facts_meaning(struct meaning *m, struct folders *t, const char *path, const struct identity *id,
        const char *macro, struct buf *text) IM_MUST;

#endif
