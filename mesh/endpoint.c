#include "mesh/endpoint.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped_prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

socklen_t
endpoint_to_sockaddr(const struct endpoint *e, bool mapped, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof *out);
	if (e->len == 4 && !mapped) {
		struct sockaddr_in *a = (struct sockaddr_in *)out;
		a->sin_family = AF_INET;
		a->sin_port = htons(e->port);
		memcpy(&a->sin_addr, e->bytes, 4);
		return sizeof *a;
	}
	struct sockaddr_in6 *a = (struct sockaddr_in6 *)out;
	a->sin6_family = AF_INET6;
	a->sin6_port = htons(e->port);
	a->sin6_scope_id = e->len == 16 ? e->scope : 0;
	if (e->len == 4) {
		memcpy(a->sin6_addr.s6_addr, mapped_prefix, 12);
		memcpy(a->sin6_addr.s6_addr + 12, e->bytes, 4);
	} else {
		memcpy(a->sin6_addr.s6_addr, e->bytes, 16);
	}
	return sizeof *a;
}

int
endpoint_from_sockaddr(struct endpoint *e, const struct sockaddr *sa)
{
	if (sa->sa_family != AF_INET && sa->sa_family != AF_INET6)
		return IM_ERR_UNSUPPORTED;
	memset(e, 0, sizeof *e);
	if (sa->sa_family == AF_INET) {
		const struct sockaddr_in *a = (const struct sockaddr_in *)sa;
		e->len = 4;
		e->port = ntohs(a->sin_port);
		memcpy(e->bytes, &a->sin_addr, 4);
		return 0;
	}
	const struct sockaddr_in6 *a = (const struct sockaddr_in6 *)sa;
	e->port = ntohs(a->sin6_port);
	if (memcmp(a->sin6_addr.s6_addr, mapped_prefix, 12) == 0) {
		e->len = 4;
		memcpy(e->bytes, a->sin6_addr.s6_addr + 12, 4);
		return 0;
	}
	e->len = 16;
	memcpy(e->bytes, a->sin6_addr.s6_addr, 16);
	e->scope = IN6_IS_ADDR_LINKLOCAL(&a->sin6_addr) ? a->sin6_scope_id : 0;
	return 0;
}

void
endpoint_text(const struct endpoint *e, char out[ENDPOINT_TEXT_SIZE])
{
	char host[INET6_ADDRSTRLEN] = "?";
	if (e->len == 4) {
		inet_ntop(AF_INET, e->bytes, host, sizeof host);
		snprintf(out, ENDPOINT_TEXT_SIZE, "%s:%u", host, e->port);
	} else if (e->len == 16) {
		inet_ntop(AF_INET6, e->bytes, host, sizeof host);
		if (e->scope)
			snprintf(out, ENDPOINT_TEXT_SIZE, "[%s%%%u]:%u", host, e->scope, e->port);
		else
			snprintf(out, ENDPOINT_TEXT_SIZE, "[%s]:%u", host, e->port);
	} else {
		snprintf(out, ENDPOINT_TEXT_SIZE, "nowhere");
	}
}

bool
endpoint_is_any(const struct endpoint *e)
{
	static const uint8_t zero[16];
	return memcmp(e->bytes, zero, e->len) == 0;
}

bool
endpoint_same_host(const struct endpoint *a, const struct endpoint *b)
{
	/* every machine may have the same link-local address on its own link */
	return a->len == b->len && a->scope == b->scope && memcmp(a->bytes, b->bytes, a->len) == 0;
}

/* Splits "host:port" forms; host has room for 256 bytes. */
static int
split(const char *text, char host[256], uint16_t *port)
{
	const char *colon = strrchr(text, ':'), *end = text + strlen(text);
	const char *from = text, *to = end;
	if (*text == '[') {
		const char *close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':'))
			return IM_ERR_FORMAT;
		from = text + 1;
		to = close;
		colon = close[1] ? close + 1 : NULL;
	} else if (colon && strchr(text, ':') == colon) {
		to = colon;
	} else {
		colon = NULL; /* a bare IPv6 address, or no port */
	}
	if (colon) {
		char *stop;
		unsigned long v = strtoul(colon + 1, &stop, 10);
		if (colon[1] < '0' || colon[1] > '9' || *stop || v == 0 || v > 65535)
			return IM_ERR_FORMAT;
		*port = (uint16_t)v;
	}
	size_t len = (size_t)(to - from);
	if (len == 0 || len > 255)
		return IM_ERR_FORMAT;
	memcpy(host, from, len);
	host[len] = 0;
	return 0;
}

static int
resolve(const char *text, uint16_t default_port, int flags, struct endpoint *out, unsigned max,
        unsigned *n)
{
	char host[256], service[8];
	uint16_t port = default_port;
	int err = split(text, host, &port);
	if (err < 0)
		return err;
	snprintf(service, sizeof service, "%u", port);
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV | flags},
	                *list = NULL;
	if (getaddrinfo(host, service, &hints, &list) != 0)
		return IM_ERR_ABSENT;
	unsigned count = 0;
	for (struct addrinfo *a = list; a && count < max; a = a->ai_next)
		if (endpoint_from_sockaddr(&out[count], a->ai_addr) == 0)
			count++;
	freeaddrinfo(list);
	if (count == 0)
		return IM_ERR_ABSENT;
	*n = count;
	return 0;
}

int
endpoint_resolve(
        const char *text, uint16_t default_port, struct endpoint *out, unsigned max, unsigned *n)
{
	return resolve(text, default_port, 0, out, max, n);
}

int
endpoint_parse(const char *text, uint16_t default_port, struct endpoint *out)
{
	unsigned n;
	return resolve(text, default_port, AI_NUMERICHOST, out, 1, &n);
}
