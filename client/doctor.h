/*
 * The findings of `icemesh doctor`: each check says ok, note (works, but less well) or bad (keeps this node from working),
 * the last two with a remedy.
 *
 * Checks read the system through the folders named here, so that tests can show them another machine.
 */
#ifndef CLIENT_DOCTOR_H
#define CLIENT_DOCTOR_H

#include "mesh/config.h"
#include "client/status.h"

struct doctor {
	const struct config *config;
	const char *proc; /* "/proc" */
	const char *path; /* the value of PATH; may be NULL */
	uint64_t now;     /* seconds since 1970 */
	struct buf *out;
	unsigned bad; /* findings that keep this node from working */
};

void doctor_ok(struct doctor *d, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void doctor_note(struct doctor *d, const char *remedy, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
void doctor_bad(struct doctor *d, const char *remedy, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

/* What a compile starts from: our programs, the compilers, the links in PATH, local slots. */
void doctor_programs(struct doctor *d);
void doctor_compilers(struct doctor *d);
void doctor_links(struct doctor *d);
void doctor_slots(struct doctor *d);
/* What serving others starts from. */
void doctor_namespaces(struct doctor *d);
void doctor_overlay(struct doctor *d);
void doctor_network(struct doctor *d);
void doctor_clock(struct doctor *d);
void doctor_files(struct doctor *d);
void doctor_room(struct doctor *d);
/* What the daemon says. */
void doctor_status(struct doctor *d, const struct status *s);

#endif
