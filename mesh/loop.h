/*
 * The daemon's event loop: descriptors, timers and signals; the only module that knows libevent.
 *
 * Callbacks run one at a time on the loop's thread.  A watch or timer may be freed inside its own callback.
 */
#ifndef MESH_LOOP_H
#define MESH_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include "crypto/err.h"

enum loop_events { LOOP_READ = 1, LOOP_WRITE = 2 };

struct loop;
struct watch;
struct timer;

struct loop *loop_new(void); /* NULL without memory */
void loop_free(struct loop *l);
/* Runs until loop_stop(). IM_ERR_SYSTEM. */
int loop_run(struct loop *l) IM_MUST;
void loop_stop(struct loop *l);
/* Monotonic milliseconds, microseconds. */
uint64_t loop_now_ms(void);
uint64_t loop_now_us(void);

/* Calls cb with the events that are there, until freed; events 0 waits for nothing. NULL without memory. */
struct watch *watch_new(
        struct loop *l, int fd, int events, void (*cb)(void *arg, int events), void *arg);
/* Changes what is waited for. */
void watch_set(struct watch *w, int events);
/* For a listening socket whose accept() failed with this errno: when descriptors or memory lack it would be ready again at once, so it
 * is left alone for a moment.  Nothing for any other errno. */
void watch_accept_failed(struct watch *w, int error);
void watch_free(struct watch *w); /* does not close the descriptor; NULL is allowed */

/* A timer that calls cb once for each timer_set(). NULL without memory. */
struct timer *timer_new(struct loop *l, void (*cb)(void *arg), void *arg);
void timer_set(struct timer *t, uint64_t ms); /* from now; replaces an earlier setting */
void timer_stop(struct timer *t);
void timer_free(struct timer *t); /* NULL is allowed */

/* Calls cb for a signal, outside of signal context. */
struct watch *watch_signal(struct loop *l, int signo, void (*cb)(void *arg, int signo), void *arg);

#endif
