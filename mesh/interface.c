#include "mesh/interface.h"

#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include "mesh/endpoint.h"

/* Names of interfaces that never lead to a peer's machine, unless configuration names them. */
static bool
is_virtual(const char *name)
{
	static const char *const prefixes[] = {
	        "docker", "veth", "br-", "virbr", "lxc", "tun", "tap"};
	for (unsigned i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

bool
interface_wanted(const char *list, const char *name)
{
	size_t len = strlen(name);
	if (strcmp(list, "all") == 0 || !*list)
		return !is_virtual(name);
	for (const char *p = list; *p;) {
		p += strspn(p, ", ");
		size_t n = strcspn(p, ", ");
		if (n == len && memcmp(p, name, n) == 0)
			return true;
		p += n;
	}
	return false;
}

static void
note_addr(struct interfaces *all, const struct endpoint *e)
{
	bool local6 = e->len == 16 &&
	              ((e->bytes[0] == 0xfe && (e->bytes[1] & 0xc0) == 0x80) || e->bytes[0] == 0);
	if (all->naddrs == BEACON_ADDRS_MAX || local6 || (e->len == 4 && e->bytes[0] == 127))
		return;
	struct beacon_addr *a = &all->addrs[all->naddrs++];
	a->len = e->len;
	memcpy(a->bytes, e->bytes, e->len);
}

/* The network behind an address: how many leading bits of the mask are set. */
static void
note_subnet(struct interfaces *all, const struct endpoint *e, const struct sockaddr *mask)
{
	struct endpoint m;
	unsigned bits = 0;
	if (all->nsubnets == GOSSIP_SUBNETS_MAX || !mask || endpoint_from_sockaddr(&m, mask) < 0 ||
	        m.len != e->len)
		return;
	while (bits < m.len * 8u && m.bytes[bits / 8] >> (7 - bits % 8) & 1)
		bits++;
	/* link-local addresses are alike in every network, and of one host alone says nothing */
	if (bits == 0 || bits == m.len * 8u || e->scope)
		return;
	struct subnet *s = &all->subnets[all->nsubnets++];
	*s = (struct subnet){.addr = {.len = e->len}, .bits = (uint8_t)bits};
	memcpy(s->addr.bytes, e->bytes, e->len);
}

/* The entry for this interface, made when there was none; NULL when there are too many. */
static struct interface *
entry_of(struct interfaces *all, const char *name)
{
	for (unsigned i = 0; i < all->n; i++)
		if (strcmp(all->list[i].name, name) == 0)
			return &all->list[i];
	unsigned index = if_nametoindex(name);
	if (all->n == INTERFACES_MAX || index == 0)
		return NULL;
	struct interface *f = &all->list[all->n++];
	f->index = index;
	snprintf(f->name, sizeof f->name, "%s", name);
	return f;
}

static void
look_at(struct interfaces *all, const struct interfaces_request *q, const struct ifaddrs *a)
{
	struct endpoint e;
	bool usable = a->ifa_flags & IFF_UP && !(a->ifa_flags & IFF_LOOPBACK) &&
	              interface_wanted(q->wanted, a->ifa_name);
	if (!usable || endpoint_from_sockaddr(&e, a->ifa_addr) < 0)
		return;
	if (endpoint_is_any(q->bound))
		note_addr(all, &e);
	else if (!endpoint_same_host(&e, q->bound))
		return; /* 'listen' names the one address that is meant */
	struct interface *f = a->ifa_flags & IFF_MULTICAST ? entry_of(all, a->ifa_name) : NULL;
	if (!f)
		return;
	if (e.len == 16)
		f->v6 = true;
	else
		f->v4 = true;
	if (e.len == 16 ? q->group6 : q->group4)
		note_subnet(all, &e, a->ifa_netmask);
}

int
interfaces_look(struct interfaces *out, const struct interfaces_request *q)
{
	struct ifaddrs *list;
	if (getifaddrs(&list) < 0)
		return IM_ERR_SYSTEM;
	memset(out, 0, sizeof *out);
	if (!endpoint_is_any(q->bound)) {
		out->addrs[0].len = q->bound->len;
		memcpy(out->addrs[0].bytes, q->bound->bytes, q->bound->len);
		out->naddrs = 1;
	}
	/* IPv4 first: it is what most networks carry best */
	for (struct ifaddrs *a = list; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET)
			look_at(out, q, a);
	for (struct ifaddrs *a = list; a; a = a->ifa_next)
		if (a->ifa_addr && a->ifa_addr->sa_family == AF_INET6)
			look_at(out, q, a);
	freeifaddrs(list);
	return 0;
}

bool
interfaces_moved(const struct interfaces *a, const struct interfaces *b)
{
	return a->naddrs != b->naddrs || memcmp(a->addrs, b->addrs, sizeof a->addrs) != 0 ||
	       a->nsubnets != b->nsubnets || memcmp(a->subnets, b->subnets, sizeof a->subnets) != 0;
}
