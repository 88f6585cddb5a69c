#include "mesh/radio.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "mesh/endpoint.h"
#include "mesh/interface.h"

#define BURST_MAX 64 /* datagrams taken from a socket before others get their turn */
#define REST_MS 100  /* between two looks for beacons of the groups */

enum { U4, U6, M4, SOCKETS };

struct ear {
	struct radio *radio;
	int fd;
	bool multicast;
	struct watch *watch;
};

/* The IPv6 group has link scope, so each interface has a socket of its own for it. */
struct outlet {
	struct interface on;
	struct ear *ear6;
};

struct radio {
	struct node *node;
	struct ear ears[SOCKETS];
	struct endpoint bound, group4, group6;
	uint16_t port; /* of the unicast sockets */
	struct interfaces interfaces;
	struct outlet outlets[INTERFACES_MAX]; /* of interfaces.list, in its order */
	unsigned noutlets;
	struct timer *rest;
	bool resting; /* the groups' ears are shut for a moment */
	bool flood;   /* too many come for that */
	unsigned count;
	uint64_t count_ms; /* since when they are counted */
	radio_heard heard;
	void *arg;
};

static int
bound_socket(const struct endpoint *e, int type, bool v6only)
{
	struct sockaddr_storage sa;
	socklen_t len = endpoint_to_sockaddr(e, false, &sa);
	int fd = socket(sa.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), one = 1, zero = 0;
	if (fd < 0)
		return -1;
	if (sa.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6only ? &one : &zero, sizeof one);
	/* TCP: over what is left of earlier connections; UDP: beside the group's socket on the same port */
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&sa, len) < 0) {
		int e2 = errno;
		close(fd);
		errno = e2;
		return -1;
	}
	return fd;
}

int
radio_listen(const char *text, int *out, uint16_t *port, char *why)
{
	struct endpoint e;
	unsigned n;
	if (endpoint_resolve(text, 9777, &e, 1, &n) < 0) {
		/* "host:0" asks for a free port, which no peer address may have */
		char host[256];
		size_t len = strlen(text);
		if (len < 3 || len >= sizeof host || strcmp(text + len - 2, ":0") != 0)
			goto bad;
		snprintf(host, sizeof host, "%.*s", (int)len - 2, text);
		if (endpoint_resolve(host, 9777, &e, 1, &n) < 0)
			goto bad;
		e.port = 0;
	}
	int fd = bound_socket(&e, SOCK_STREAM, false);
	if (fd < 0 && errno == EAFNOSUPPORT && e.len == 16 && endpoint_is_any(&e)) {
		e.len = 4;
		fd = bound_socket(&e, SOCK_STREAM, false);
	}
	if (fd < 0 || listen(fd, 512) < 0) {
		snprintf(why, 256, "listen = %.100s: %s%s", text, strerror(errno),
		        errno == EADDRINUSE
		                ? ": does another icemeshd run? 'listen' sets another port"
		                : "");
		if (fd >= 0)
			close(fd);
		return IM_ERR_SYSTEM;
	}
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	if (getsockname(fd, (struct sockaddr *)&sa, &len) == 0 &&
	        endpoint_from_sockaddr(&e, (struct sockaddr *)&sa) == 0)
		*port = e.port;
	*out = fd;
	return 0;
bad:
	snprintf(
	        why, 256, "listen = %.100s: not an address; write ADDRESS:PORT, [IPV6]:PORT", text);
	return IM_ERR_FORMAT;
}

/* Takes what is there, a burst at the most; returns how many. */
static unsigned
listen_at(struct ear *ear)
{
	uint8_t bytes[LETTER_LEN_MAX + 1];
	unsigned taken = 0;
	for (; ear->fd >= 0 && taken < BURST_MAX; taken++) {
		struct sockaddr_storage sa;
		socklen_t len = sizeof sa;
		struct endpoint from;
		ssize_t n = recvfrom(ear->fd, bytes, sizeof bytes, 0, (struct sockaddr *)&sa, &len);
		if (n < 0)
			break;
		if (endpoint_from_sockaddr(&from, (struct sockaddr *)&sa) == 0)
			ear->radio->heard(ear->radio->arg, bytes, (size_t)n, &from, ear->multicast);
	}
	return taken;
}

static void
set_group_ears(struct radio *r, int events)
{
	r->resting = events == 0;
	if (r->ears[M4].watch)
		watch_set(r->ears[M4].watch, events);
	for (unsigned i = 0; i < r->noutlets; i++)
		if (r->outlets[i].ear6)
			watch_set(r->outlets[i].ear6->watch, events);
}

static void
on_rested(void *arg)
{
	set_group_ears(arg, LOOP_READ);
}

static void
on_datagram(void *arg, int events)
{
	(void)events;
	struct ear *ear = arg;
	(void)listen_at(ear);
}

/* True while so little comes to the groups that it fits into the sockets during a rest.  It is counted for a REST_MS at a time. */
static bool
may_rest(struct radio *r, unsigned taken)
{
	uint64_t now = loop_now_ms(), passed = now - r->count_ms;
	r->count += taken;
	if (passed >= REST_MS) {
		r->flood = taken >= BURST_MAX || r->count * REST_MS / passed >= BURST_MAX;
		r->count = 0;
		r->count_ms = now;
	}
	return !r->flood && taken < BURST_MAX;
}

/* Beacons come by both families, and in a large mesh a hundred times a second: waking up for some of them together is most of the work that an
 * idle daemon saves.  The first one after a silence is taken at once.  In a flood there is no rest, for the good ones would be lost first. */
static void
on_group_datagram(void *arg, int events)
{
	(void)events;
	struct radio *r = ((struct ear *)arg)->radio;
	unsigned taken = listen_at(&r->ears[M4]);
	for (unsigned i = 0; i < r->noutlets; i++)
		if (r->outlets[i].ear6)
			taken += listen_at(r->outlets[i].ear6);
	if (!may_rest(r, taken))
		return;
	set_group_ears(r, 0);
	timer_set(r->rest, REST_MS);
}

static int
listen_on(struct radio *r, struct ear *ear, const struct endpoint *e, bool multicast)
{
	*ear = (struct ear){
	        .radio = r, .fd = bound_socket(e, SOCK_DGRAM, true), .multicast = multicast};
	if (ear->fd < 0)
		return IM_ERR_SYSTEM;
	int one = 1, zero = 0, size = 1 << 20;
	setsockopt(ear->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	if (e->len == 16) {
		setsockopt(ear->fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &one, sizeof one);
		setsockopt(ear->fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, &zero, sizeof zero);
	} else {
		setsockopt(ear->fd, IPPROTO_IP, IP_MULTICAST_TTL, &one, sizeof one);
		setsockopt(ear->fd, IPPROTO_IP, IP_MULTICAST_ALL, &zero, sizeof zero);
	}
	ear->watch = watch_new(r->node->loop, ear->fd, multicast && r->resting ? 0 : LOOP_READ,
	        multicast ? on_group_datagram : on_datagram, ear);
	return ear->watch ? 0 : IM_ERR_MEMORY;
}

/* What this machine sends to a group comes back to it.  Our own beacons are stopped in the kernel, by their source port: other daemons
 * of this machine have others, unless each has an address of its own. */
static void
ignore_own(const struct radio *r, const struct ear *ear)
{
	struct sock_filter f[] = {
	        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE)),
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, PACKET_LOOPBACK, 0, 3),
	        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 0), /* of the UDP header: the source port */
	        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r->port, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
	        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
	struct sock_fprog program = {sizeof f / sizeof *f, f};
	if (endpoint_is_any(&r->bound) &&
	        setsockopt(ear->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) < 0)
		log_debug(&r->node->log, "own beacons will be heard: %s", strerror(errno));
}

static void
membership(struct radio *r, const struct outlet *o, bool v6, bool join)
{
	struct group_req g = {.gr_interface = o->on.index};
	struct sockaddr_storage sa;
	int fd = v6 ? (o->ear6 ? o->ear6->fd : -1) : r->ears[M4].fd;
	if (fd < 0)
		return;
	socklen_t len = endpoint_to_sockaddr(v6 ? &r->group6 : &r->group4, false, &sa);
	memcpy(&g.gr_group, &sa, len);
	int what = join ? MCAST_JOIN_GROUP : MCAST_LEAVE_GROUP;
	if (setsockopt(fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, what, &g, sizeof g) < 0 && join &&
	        errno != EADDRINUSE)
		log_debug(&r->node->log, "%s: cannot join the multicast group: %s", o->on.name,
		        strerror(errno));
}

static void
ear_free(struct ear *ear)
{
	if (!ear)
		return;
	watch_free(ear->watch);
	if (ear->fd >= 0)
		close(ear->fd);
	free(ear);
}

/* The interface's own socket for the IPv6 group. */
static void
open_ear6(struct radio *r, struct outlet *o)
{
	struct endpoint e = r->group6;
	e.scope = o->on.index;
	if (e.len != 16 || o->ear6 || !(o->ear6 = calloc(1, sizeof *o->ear6)))
		return;
	if (listen_on(r, o->ear6, &e, true) < 0) {
		log_debug(
		        &r->node->log, "%s: no socket for group6: %s", o->on.name, strerror(errno));
		ear_free(o->ear6);
		o->ear6 = NULL;
		return;
	}
	ignore_own(r, o->ear6);
}

/* The outlet that an interface has already, taken out of the radio; an empty one when it is new. */
static struct outlet
take_outlet(struct radio *r, const struct interface *on)
{
	for (unsigned i = 0; i < r->noutlets; i++) {
		struct outlet o = r->outlets[i];
		if (o.on.index == on->index && strcmp(o.on.name, on->name) == 0) {
			r->outlets[i] = r->outlets[--r->noutlets];
			return o;
		}
	}
	struct outlet o = {.on = *on};
	o.on.v4 = o.on.v6 = false;
	return o;
}

/* Brings sockets and memberships to what the interface has now. */
static void
update_outlet(struct radio *r, struct outlet *o, const struct interface *on, bool rejoin)
{
	bool had4 = o->on.v4, had6 = o->on.v6;
	o->on = *on;
	if (had4 && (rejoin || !on->v4))
		membership(r, o, false, false);
	if (on->v4 && (rejoin || !had4))
		membership(r, o, false, true);
	if (!on->v6) {
		ear_free(o->ear6);
		o->ear6 = NULL;
		return;
	}
	open_ear6(r, o);
	if (had6 && rejoin)
		membership(r, o, true, false);
	if (!had6 || rejoin)
		membership(r, o, true, true);
}

void
radio_rescan(struct radio *r, bool rejoin)
{
	struct outlet next[INTERFACES_MAX];
	struct interfaces now;
	if (interfaces_look(&now, &(struct interfaces_request){.wanted = r->node->config.interfaces,
	                                  .bound = &r->bound,
	                                  .group4 = r->ears[M4].fd >= 0,
	                                  .group6 = r->group6.len != 0}) < 0)
		return;
	/* what knows the groups' members in another network has not heard of this one */
	rejoin = rejoin || interfaces_moved(&r->interfaces, &now);
	for (unsigned i = 0; i < now.n; i++) {
		next[i] = take_outlet(r, &now.list[i]);
		update_outlet(r, &next[i], &now.list[i], rejoin);
	}
	for (unsigned i = 0; i < r->noutlets; i++) {
		if (r->outlets[i].on.v4)
			membership(r, &r->outlets[i], false, false);
		ear_free(r->outlets[i].ear6);
	}
	memcpy(r->outlets, next, now.n * sizeof *next);
	r->noutlets = now.n;
	r->interfaces = now;
}

/* Reads a group's address; false when there is none or it is of the wrong kind. */
static bool
read_group(struct radio *r, const char *key, const char *text, struct endpoint *group, uint8_t len)
{
	unsigned n;
	if (strcmp(text, "off") == 0 || !*text)
		return false;
	if (endpoint_resolve(text, 9777, group, 1, &n) == 0 && group->len == len)
		return true;
	log_warn(&r->node->log, "%s = %s: not a group address; beacons go without it", key, text);
	group->len = 0;
	return false;
}

static void
open_groups(struct radio *r)
{
	const struct config *c = &r->node->config;
	read_group(
	        r, "group6", c->group6, &r->group6, 16); /* its sockets come with the interfaces */
	if (!read_group(r, "group", c->group, &r->group4, 4))
		return;
	if (listen_on(r, &r->ears[M4], &r->group4, true) < 0)
		log_warn(&r->node->log, "group = %s: %s; beacons go without it", c->group,
		        strerror(errno));
	else
		ignore_own(r, &r->ears[M4]);
}

/* One unicast socket; *port 0 receives the port that it got. */
static int
listen_unicast(struct radio *r, struct endpoint *e, uint16_t *port)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	int which = e->len == 4 ? U4 : U6;
	e->port = *port;
	int err = listen_on(r, &r->ears[which], e, false);
	if (err == 0 && *port == 0 &&
	        (getsockname(r->ears[which].fd, (struct sockaddr *)&sa, &len) < 0 ||
	                endpoint_from_sockaddr(e, (struct sockaddr *)&sa) < 0))
		err = IM_ERR_SYSTEM;
	if (err == 0)
		*port = e->port;
	return err;
}

/* The unicast sockets: one for each family that `listen` covers. */
static int
open_unicast(struct radio *r, uint16_t *port)
{
	struct endpoint e = r->bound;
	if (e.len == 4 || !endpoint_is_any(&e))
		return listen_unicast(r, &e, port);
	int err6 = listen_unicast(r, &e, port);
	e = r->bound;
	e.len = 4;
	int err4 = listen_unicast(r, &e, port);
	return err6 == 0 || err4 == 0 ? 0 : err4;
}

struct radio *
radio_open(struct node *n, uint16_t *port, radio_heard heard, void *arg, char *why)
{
	struct radio *r = calloc(1, sizeof *r);
	unsigned count;
	char host[CONFIG_VALUE_SIZE];
	if (r)
		r->rest = timer_new(n->loop, on_rested, r);
	if (!r || !r->rest) {
		free(r);
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	r->node = n;
	r->heard = heard;
	r->arg = arg;
	for (int i = 0; i < SOCKETS; i++)
		r->ears[i].fd = -1;
	snprintf(host, sizeof host, "%s", n->config.listen);
	size_t len = strlen(host);
	if (len > 2 && strcmp(host + len - 2, ":0") == 0)
		host[len - 2] = 0;
	if (endpoint_resolve(host, 9777, &r->bound, 1, &count) < 0 || open_unicast(r, port) < 0) {
		snprintf(why, 256, "listen = %.100s: no UDP socket for beacons: %s",
		        n->config.listen, strerror(errno));
		radio_close(r);
		return NULL;
	}
	r->port = *port;
	open_groups(r);
	radio_rescan(r, false);
	return r;
}

void
radio_close(struct radio *r)
{
	if (!r)
		return;
	for (int i = 0; i < SOCKETS; i++) {
		watch_free(r->ears[i].watch);
		if (r->ears[i].fd >= 0)
			close(r->ears[i].fd);
	}
	for (unsigned i = 0; i < r->noutlets; i++)
		ear_free(r->outlets[i].ear6);
	timer_free(r->rest);
	free(r);
}

/* Sends out of one interface (0: where routing says). */
static void
send_to(struct radio *r, const struct endpoint *to, unsigned index, const void *bytes, size_t len)
{
	struct sockaddr_storage sa;
	int fd = r->ears[to->len == 4 ? U4 : U6].fd;
	if (fd < 0)
		return;
	struct iovec iov = {(void *)(uintptr_t)bytes, len};
	struct msghdr m = {.msg_name = &sa,
	        .msg_namelen = endpoint_to_sockaddr(to, false, &sa),
	        .msg_iov = &iov,
	        .msg_iovlen = 1};
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
	} control = {0};
	if (index) {
		m.msg_control = control.bytes;
		m.msg_controllen = to->len == 4 ? CMSG_SPACE(sizeof(struct in_pktinfo))
		                                : CMSG_SPACE(sizeof(struct in6_pktinfo));
		struct cmsghdr *c = CMSG_FIRSTHDR(&m);
		if (to->len == 4) {
			struct in_pktinfo p = {.ipi_ifindex = (int)index};
			c->cmsg_level = IPPROTO_IP;
			c->cmsg_type = IP_PKTINFO;
			c->cmsg_len = CMSG_LEN(sizeof p);
			memcpy(CMSG_DATA(c), &p, sizeof p);
		} else {
			struct in6_pktinfo p = {.ipi6_ifindex = index};
			c->cmsg_level = IPPROTO_IPV6;
			c->cmsg_type = IPV6_PKTINFO;
			c->cmsg_len = CMSG_LEN(sizeof p);
			memcpy(CMSG_DATA(c), &p, sizeof p);
		}
	}
	if (sendmsg(fd, &m, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		log_debug(&r->node->log, "beacon not sent: %s", strerror(errno));
}

void
radio_multicast(struct radio *r, bool ipv4_alone, const void *bytes, size_t len)
{
	for (unsigned i = 0; i < r->noutlets; i++) {
		const struct outlet *o = &r->outlets[i];
		bool v4 = o->on.v4 && r->ears[M4].fd >= 0;
		if (v4)
			send_to(r, &r->group4, o->on.index, bytes, len);
		if (o->ear6 && !(v4 && ipv4_alone))
			send_to(r, &r->group6, o->on.index, bytes, len);
	}
}

void
radio_unicast(struct radio *r, const struct endpoint *to, const void *bytes, size_t len)
{
	send_to(r, to, 0, bytes, len);
}

const struct interfaces *
radio_interfaces(const struct radio *r)
{
	return &r->interfaces;
}

unsigned
radio_outlets(const struct radio *r)
{
	unsigned n = 0;
	for (unsigned i = 0; i < r->noutlets; i++)
		n += (r->outlets[i].on.v4 && r->ears[M4].fd >= 0) || r->outlets[i].ear6;
	return n;
}
