/*
 * A source job's input set while it comes in: which trees and files lack here, and what the client, or another member in its place,
 * sends of them (mesh/wire.h).
 *
 * Trees that are laid out cost one look each.  Files are known when their trees are here, hence the rounds: NEED, a BLOB for each of its
 * digests in any order, the next NEED.  Every byte is checked before anything is laid out.  Whatever the job names is held in the
 * store until the set is freed; a blob that has not come to its end leaves nothing.
 */
#ifndef MESH_JOB_SET_H
#define MESH_JOB_SET_H

#include "exec/job.h"
#include "mesh/node.h"

#define JOB_SET_MAX 65536 /* different trees and files of one job */

struct job_set;

/* Why it failed, for the peer and the log. */
struct job_set_error {
	enum wire_error code;
	char why[WIRE_TEXT_SIZE];
};

/* Holds what the job names and looks for what lacks. j: borrowed until job_set_free(). NULL on error. */
struct job_set *job_set_new(struct node *n, const struct job *j, struct job_set_error *e);
void job_set_free(struct job_set *s); /* NULL is allowed */
/* Appends the body of the next NEED to `need`: 1; or 0: nothing lacks any more.  Only when the last one is answered. */
int job_set_need(struct job_set *s, struct buf *need, struct job_set_error *e) IM_MUST;
/* How many blobs of the last NEED have not come, and of how many bytes as far as that is known. */
uint32_t job_set_asked(const struct job_set *s, uint64_t *bytes);
/* They will not come from where they were asked for: the next NEED names them again. How many they are. */
uint32_t job_set_withdraw(struct job_set *s);
/* The body of a BLOB, DATA or END. 1: the last NEED is answered whole; 0; IM_ERR_*: nothing more of this answer counts. */
int job_set_take(struct job_set *s, uint8_t type, const uint8_t *p, size_t len,
        struct job_set_error *e) IM_MUST;
/* Lays out one tree, when nothing lacks: 1, there may be more; 0: all stand. IM_ERR_*. */
int job_set_lay_out(struct job_set *s, struct job_set_error *e) IM_MUST;

#endif
