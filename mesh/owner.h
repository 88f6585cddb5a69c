/*
 * The owner of this machine: whether he needs it himself just now.
 *
 * Readings come from files below a root ("" for the real ones), so that tests can make them up: memory from proc/meminfo and, where the kernel has it,
 * proc/pressure/memory; batteries from sys/class/power_supply; the owner's hands from the terminals below dev, whose times of access change with each key
 * (as w(1) sees it).  What cannot be read counts as nothing in the way.
 */
#ifndef MESH_OWNER_H
#define MESH_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include "mesh/config.h"

#define OWNER_LOOK_MS 5000    /* between two looks */
#define OWNER_AWAY_S 300      /* without a key pressed he is away */
#define OWNER_MEMORY_LOW 60   /* permille of memory that is left: no new jobs */
#define OWNER_MEMORY_HIGH 100 /* and from here on again */
#define OWNER_PRESSURE_HIGH \
	2000 /* hundredths of a per cent of the last 10 s that something waited for memory */
#define OWNER_PRESSURE_LOW 500

struct owner_reading {
	uint32_t memory_permille; /* available; 1000 when not known */
	uint32_t pressure;        /* hundredths of a per cent, "some", 10 s; 0 when not known */
	bool battery;             /* it runs on one */
	bool active;              /* somebody pressed a key lately */
};

/* now_s: seconds since 1970. */
void owner_read(struct owner_reading *r, const char *root, uint64_t now_s);
/* The state bits (gossip/beacon.h) that keep this node from taking jobs, and short of memory; `short_before` is what it said last. */
uint32_t owner_state(const struct owner_reading *r, enum lend_mode lend);
bool owner_short_of_memory(const struct owner_reading *r, bool short_before);

#endif
