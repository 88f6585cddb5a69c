/*
 * Which network interfaces beacons go out of, by name.
 */
#ifndef MESH_INTERFACE_H
#define MESH_INTERFACE_H

#include <stdbool.h>

/* Whether the key `interfaces` of icemesh.conf, a list separated by commas, names it; "all" or nothing takes those that
 * look like a real network, not what virtual machines, containers and tunnels use. */
bool interface_wanted(const char *list, const char *name);

#endif
