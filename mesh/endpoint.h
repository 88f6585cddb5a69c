/*
 * Addresses between text, struct sockaddr and gossip's struct endpoint; no sockets are opened here but by endpoint_resolve()'s
 * resolver for host names.
 */
#ifndef MESH_ENDPOINT_H
#define MESH_ENDPOINT_H

#include <stdbool.h>
#include <sys/socket.h>
#include "gossip/member.h"

#define ENDPOINT_TEXT_SIZE 80

/* To a socket address; IPv4 becomes a mapped IPv6 address when `mapped`, so that one IPv6 socket serves both. Returns its length. */
socklen_t endpoint_to_sockaddr(const struct endpoint *e, bool mapped, struct sockaddr_storage *out);
/* From a socket address; mapped IPv6 becomes IPv4. IM_ERR_UNSUPPORTED for other families. */
int endpoint_from_sockaddr(struct endpoint *e, const struct sockaddr *sa) IM_MUST;
/* "10.0.0.1:9777", "[fe80::1%2]:9777" */
void endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT_SIZE]);
bool endpoint_is_any(const struct endpoint *e); /* 0.0.0.0 or [::] */
/* The same address, whatever the port. */
bool endpoint_same_host(const struct endpoint *a, const struct endpoint *b);
/* "host", "host:port", "[v6]:port", "v6" (port then is the default) into at most max endpoints; *n receives how many.  Numeric addresses need
 * no resolver; names ask the system's and may block for seconds. IM_ERR_FORMAT, IM_ERR_ABSENT (name not found). */
int endpoint_resolve(const char *text, uint16_t default_port, struct endpoint *out, unsigned max,
        unsigned *n) IM_MUST;

/* The same for what a peer sent: only numeric addresses, which never ask a resolver. */
int endpoint_parse(const char *text, uint16_t default_port, struct endpoint *out) IM_MUST;

#endif
