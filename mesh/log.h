/*
 * The daemon's log: lines on stderr, "icemeshd: LEVEL: text".
 *
 * Lines that hostile senders can cause go through log_hostile(), those that local users can cause through log_told(); each lets
 * 10 a second through and then counts the rest, so that nobody can fill a disk with them.
 */
#ifndef MESH_LOG_H
#define MESH_LOG_H

#include <stdbool.h>
#include <stdint.h>

struct log_budget {
	uint64_t window_ms; /* start of the current second */
	unsigned lines, dropped;
};

struct log {
	bool verbose;
	struct log_budget hostile, told;
};

void log_info(struct log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void log_warn(struct log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Only with -v. */
void log_debug(struct log *l, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Something was refused that came from outside; now_ms is monotonic. */
void log_hostile(struct log *l, uint64_t now_ms, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));
/* A warning that a local program asks for. */
void log_told(struct log *l, uint64_t now_ms, const char *fmt, ...)
        __attribute__((format(printf, 3, 4)));

#endif
