/*
 * When a compile that waits for a busy mesh may take a local slot instead.  Pure, so that it can be
 * tuned and tested.
 *
 * Local slots are the last in line: preprocessing and linking need them, and only this machine can
 * do those.
 */
#ifndef CLIENT_POLICY_H
#define CLIENT_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#define POLICY_PATIENCE_MS 200       /* of waiting after BUSY before a local slot is tried */
#define POLICY_PATIENCE_COLD_MS 2000 /* the same while the toolchain travels */
#define POLICY_TRY_MS 20             /* between two tries */

struct policy {
	bool busy;        /* the daemon said BUSY and nothing since */
	bool cold;        /* because the toolchain is only on its way: that takes a moment, once */
	int64_t busy_ms;  /* how long ago */
	bool input_ready; /* the preprocessor is done, its local slot given back */
	bool remote_only; /* ICEMESH_REMOTE=only */
};

/* True when a local slot may be tried now (without waiting for it). */
bool policy_local(const struct policy *p);

#endif
