/*
 * The machine: its platform and how busy its CPUs are.
 */
#ifndef MESH_MACHINE_H
#define MESH_MACHINE_H

#include <stdint.h>
#include "gossip/beacon.h"

struct machine {
	uint64_t busy, total; /* jiffies at the last look */
	uint32_t permille;
};

/* `uname -m`. */
void machine_platform(char out[PLATFORM_SIZE]);
/* Load of all CPUs since the last call, 0 to 1000; keeps the old value when too little time has passed. */
uint32_t machine_load(struct machine *m);
/* The same from a file like /proc/stat: for tests. */
uint32_t machine_load_from(struct machine *m, const char *path);

#endif
