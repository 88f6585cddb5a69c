/*
 * Serving: the jobs that this node runs for others, from RESERVE to DONE.
 *
 * Admission: at most `slots` jobs run, and one more may be on its way or ready to start, so that a slot never waits for the network.  The slot is
 * charged when the job can run, not while its client still sends.  What is reserved and does not come within the lease is given up.
 */
#ifndef MESH_SERVE_H
#define MESH_SERVE_H

#include "mesh/node.h"

#define SERVE_INPUT_MAX (512ULL << 20) /* bytes of streamed input of one job */
#define SERVE_JOBS_MAX 512
#define SERVE_CONNS_MAX 1024  /* connections from peers at one time */
#define SERVE_UNKNOWN_MAX 128 /* of these, without a certificate (yet): then the oldest goes */

struct serve;

struct serve *serve_new(struct node *n);
void serve_free(struct serve *s);
/* An accepted socket. */
void serve_accept(struct serve *s, int fd);
/* What the beacon says of this node's load. */
void serve_load(const struct serve *s, struct load *out);
unsigned serve_running(const struct serve *s);
/* True while a job or a transfer needs this toolchain. */
bool serve_holds(const struct serve *s, const struct digest *d);
/* Toolchains that came in, were unpacked or went change what can be reserved. */
void serve_toolchains_changed(struct serve *s);
/* No new jobs of others for so long (0: until resumed); what was granted goes on, what waits is turned away.  Does not outlive the daemon. */
void serve_pause(struct serve *s, uint32_t seconds);
void serve_resume(struct serve *s);
/* Why it takes no jobs by itself just now, for people; NULL when it does (mesh/owner.h). */
const char *serve_held(const struct serve *s);
/* True while a job of another node is here, or its result goes out, or inputs are lent. */
bool serve_busy(const struct serve *s);
/* No new jobs from now on, while running ones go on; or again as before, once as often as it was called with true. */
void serve_drain(struct serve *s, bool on);
/* Ends every job and connection (the mesh changed, the daemon stops). */
void serve_reset(struct serve *s);

#endif
