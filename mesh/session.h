/*
 * A session: one connection from a peer, and the one thing at a time that goes on over it (mesh/wire.h): a job, a toolchain that
 * comes in, inputs that are lent, or an enrolment.  serve.c holds the sessions and decides which jobs are let in and start; this is its
 * other half.
 */
#ifndef MESH_SESSION_H
#define MESH_SESSION_H

#include "exec/job.h"
#include "exec/pipe.h"
#include "mesh/admit.h"
#include "mesh/conn.h"
#include "mesh/fetch.h"
#include "mesh/install.h"
#include "mesh/job_input.h"
#include "mesh/job_set.h"
#include "mesh/lend.h"
#include "mesh/serve.h"

enum session_state {
	SESSION_HANDSHAKE,
	SESSION_IDLE,
	SESSION_QUEUED,    /* RESERVE waits for its turn */
	SESSION_LEASED,    /* RESERVE granted, JOB not here yet */
	SESSION_RECEIVING, /* JOB is here, inputs come in */
	SESSION_WAITING,   /* complete, no slot free */
	SESSION_RUNNING,
	SESSION_SENDING,    /* the slot is free again, the result goes out */
	SESSION_LENDING,    /* another member fetches inputs */
	SESSION_INSTALLING, /* a toolchain comes in, or is being unpacked */
	SESSION_SKIPPING,   /* a toolchain that is here already passes by, until its TEND */
	SESSION_DISCARDING, /* refused in the middle of a stream: the rest is thrown away until the peer closes */
	SESSION_GONE /* ended; freed when the present callbacks are over */
};

struct session {
	struct serve *serve;
	struct session *next;
	struct conn *conn;
	enum session_state state;
	uint64_t deadline_ms;    /* of the state; 0 none */
	uint64_t ticket;         /* its reservation's id at mesh/admit.h; 0: none */
	uint64_t ready_ms;       /* when the job was complete */
	uint64_t complete_by_ms; /* when it has to be: a slot is not held by drops of input */
	uint64_t result_bytes;   /* of outputs, while SENDING */
	uint64_t job_id;
	struct digest toolchain;
	struct buf spec; /* the JOB message as it came */
	struct job job;
	struct job_stream inputs[PIPE_FDS_MAX];
	unsigned ninputs, at;   /* streamed inputs, and which one comes in now */
	struct job_set *set;    /* of a source job; NULL: none */
	struct fetch *fetch;    /* of what lacks, from another member; NULL: the client is asked */
	uint32_t holders_asked; /* of the job's, in vain; bits */
	struct timer *laying_out; /* its trees, one at a time */
	uint64_t run;             /* id at the helper while RUNNING */
	int outputs[JOB_RESULTS_MAX];
	unsigned noutputs, sending;
	struct install *install;
	struct unpacking *unpacking;
	struct lend *lend; /* while LENDING */
};

/* Takes over an accepted socket; NULL when that fails. */
struct session *session_new(struct serve *s, int fd);
void session_free(struct session *s);
/* Ends its work and its connection's callbacks; it only waits to be freed. */
void session_end(struct session *s);
/* In job_run.c. The slot is there: start it. IM_ERR_SYSTEM when the helper cannot be reached. */
int session_start(struct session *s) IM_MUST;
/* Says PING when a job or a toolchain is under way, and gives up what is past its deadline. */
void session_tick(struct session *s, uint64_t now_ms);
/* True while it counts against the slots. */
bool session_active(const struct session *s);
/* Its turn in the queue has come, or will not come. */
void session_granted(struct session *s);
void session_turned_away(struct session *s);

/* For job_run.c: changes the state; deadline from now, 0 for none.  The reservation ends with the last state that needs it. */
void session_set(struct session *s, enum session_state state, uint64_t deadline_ms);
/* Lets go of the job or toolchain; the connection is free for the next one. */
void session_idle(struct session *s);
/* body NULL for none.  A message that cannot be sent ends the connection. */
void session_send(struct session *s, uint8_t type, const struct buf *body);
/* Says why, in the log and to the peer; amid a stream the rest of it is thrown away before the
 * connection ends. */
void session_refuse(struct session *s, enum wire_error code, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* What session.c asks of serve.c. */
struct node *serve_node(struct serve *s);
/* Granted, queued or busy; in *nack why not. */
enum admit_answer serve_reserve(
        struct serve *s, struct session *who, const struct wire_reserve *r, enum nack *nack);
void serve_release(struct serve *s, struct session *who); /* it needs its reservation no more */
uint32_t serve_before(
        const struct serve *s, const struct session *who); /* reservations that come first */
void serve_wire_load(const struct serve *s, struct wire_load *l);
void serve_ready(struct serve *s, struct session *who); /* complete: start it or let it wait */
void serve_changed(struct serve *s);                    /* a slot came free, or numbers changed */
void serve_gone(struct serve *s, struct session *who);  /* the connection ended: frees it soon */
bool serve_installing(const struct serve *s, const struct digest *d, const struct session *but);
unsigned serve_lending(const struct serve *s); /* sessions that do */

#endif
