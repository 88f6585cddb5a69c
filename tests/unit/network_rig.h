/*
 * A network of a test's own: a namespace with one interface, `here`, that leads nowhere.
 */
#ifndef TESTS_UNIT_NETWORK_RIG_H
#define TESTS_UNIT_NETWORK_RIG_H

#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static inline void
network_put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");
	if (f && fputs(text, f) >= 0)
		fclose(f);
}

/* What `ip` is told. */
static inline bool
network_ip(const char *words)
{
	char command[256];
	snprintf(command, sizeof command, "ip %s", words);
	return system(command) == 0;
}

/* With 192.0.2.2/24 and fe80::1/64 at `here`. Says so when no namespace can be made. */
static inline bool
network_enter(void)
{
	char map[64];
	unsigned uid = geteuid(), gid = getegid();
	bool made = unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0;
	if (made) {
		snprintf(map, sizeof map, "0 %u 1", uid);
		network_put("/proc/self/uid_map", map);
		network_put("/proc/self/setgroups", "deny");
		snprintf(map, sizeof map, "0 %u 1", gid);
		network_put("/proc/self/gid_map", map);
		made = network_ip("link set lo up") &&
		       network_ip("link add here type veth peer name there") &&
		       network_ip("addr add 192.0.2.2/24 dev here") &&
		       network_ip("link set there up") &&
		       network_ip("link set here addrgenmode none up") &&
		       network_ip("addr add fe80::1/64 dev here nodad");
	}
	if (!made)
		fprintf(stderr, "no network namespace can be made\n");
	return made;
}

/* Another one, `later`, with 192.0.2.130/25 and fe80::2/64. */
static inline bool
network_add_later(void)
{
	return network_ip("link add later type veth peer name far") &&
	       network_ip("link set far up") && network_ip("link set later addrgenmode none up") &&
	       network_ip("addr add 192.0.2.130/25 dev later") &&
	       network_ip("addr add fe80::2/64 dev later nodad");
}

#endif
