/*
 * Network interfaces: which of them beacons use, the addresses and networks there.
 */
#ifndef MESH_INTERFACE_H
#define MESH_INTERFACE_H

#include <net/if.h>
#include <stdbool.h>
#include "gossip/gossip.h"

#define INTERFACES_MAX 32

/* An interface that is up and carries multicast, with an address of one family or both. */
struct interface {
	unsigned index;
	bool v4, v6;
	char name[IF_NAMESIZE];
};

struct interfaces {
	struct interface list[INTERFACES_MAX];
	unsigned n;
	/* Where others can reach this node, best first. */
	struct beacon_addr addrs[BEACON_ADDRS_MAX];
	unsigned naddrs;
	/* The networks of `list`. */
	struct subnet subnets[GOSSIP_SUBNETS_MAX];
	unsigned nsubnets;
};

struct interfaces_request {
	const char *wanted; /* the key `interfaces` of icemesh.conf */
	const struct endpoint
	        *bound;      /* the address of `listen`: all zero, or the only one that counts */
	bool group4, group6; /* the families with a multicast group */
};

/* Looks at the machine's interfaces; on IM_ERR_SYSTEM (errno) *out is as it was.  The order is the kernel's, IPv4 before IPv6, so
 * that two looks at the same state give the same bytes. */
int interfaces_look(struct interfaces *out, const struct interfaces_request *q) IM_MUST;
/* Whether the two name other addresses: this machine moved. */
bool interfaces_moved(const struct interfaces *a, const struct interfaces *b);

/* Whether the key `interfaces` of icemesh.conf, a list separated by commas, names it; "all" or nothing takes those that
 * look like a real network, not what virtual machines, containers and tunnels use. */
bool interface_wanted(const char *list, const char *name);

#endif
