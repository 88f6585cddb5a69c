/*
 * The wants and asks of mesh/lease.h, and the actions that wait to be taken: lists and counts, no decisions.  Pure.
 */
#ifndef MESH_ASKS_H
#define MESH_ASKS_H

#include "mesh/lease_state.h"

void ask_emit(struct leases *l, const struct lease_action *a);
/* Once for each want. */
void ask_tell_wait(struct leases *l, struct wanted *w, bool cold);

struct wanted *wanted_find(struct leases *l, uint64_t id);
void wanted_forget(struct leases *l, struct wanted *w);
bool wanted_avoids(const struct wanted *w, const struct node_id *id);

/* Asks v, for w or, when that is NULL, for a copy of the job; false when too many asks are under way. */
bool ask_send(
        struct leases *l, struct wanted *w, const struct ask *copied, struct view *v, bool wait);
struct ask *ask_find(struct ask *list, uint64_t id);
void ask_unlink(struct ask **list, struct ask *a);
/* It is no ask any more: the caller frees it or makes a job of it. */
void ask_end(struct leases *l, struct ask *a);
void ask_free(struct leases *l, struct ask *a);
/* Ends and frees it, and has it withdrawn at the peer. */
void ask_drop(struct leases *l, struct ask *a);
void asks_drop_of(struct leases *l, const struct wanted *w);

#endif
