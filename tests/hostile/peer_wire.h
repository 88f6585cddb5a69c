/* How tests/hostile/peer.c speaks to a daemon: sockets, handshake, and messages in the sealed channel. */
#ifndef TESTS_HOSTILE_PEER_WIRE_H
#define TESTS_HOSTILE_PEER_WIRE_H

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "mesh/wire.h"

#define ANSWER_SECONDS 10

struct peer {
	const char *address, *port;
	struct mesh_id mesh;
	struct key key;
	struct buf cert; /* empty for a stranger */
	int fd;
	struct channel channel;
	struct digest toolchain;
};

static inline void
die(const char *what, int err)
{
	fprintf(stderr, "peer: %s: %s\n", what,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	exit(1);
}

static inline void
must(int err, const char *what)
{
	if (err)
		die(what, err);
}

static inline void
dial(struct peer *p, int type)
{
	struct timeval limit = {.tv_sec = ANSWER_SECONDS};
	struct sockaddr_in to = {.sin_family = AF_INET};

	to.sin_port = htons((uint16_t)strtoul(p->port, NULL, 10));
	if (inet_pton(AF_INET, p->address, &to.sin_addr) != 1)
		die(p->address, IM_ERR_FORMAT);
	p->fd = socket(AF_INET, type, 0);
	if (p->fd < 0 || connect(p->fd, (struct sockaddr *)&to, sizeof(to)))
		die("connect", IM_ERR_SYSTEM);
	setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static inline void
send_all(struct peer *p, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	while (len > 0) {
		ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);

		if (n < 0) {
			printf("the daemon closed the connection\n");
			exit(0);
		}
		at += n;
		len -= (size_t)n;
	}
}

/* True when exactly len bytes came. */
static inline int
take(struct peer *p, void *bytes, size_t len)
{
	return recv(p->fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static inline void
send_noise(struct peer *p, struct handshake *h, const struct buf *payload)
{
	struct buf message, out;

	buf_init(&message, NOISE_MESSAGE_MAX);
	buf_init(&out, NOISE_MESSAGE_MAX + 2);
	must(handshake_write(h, payload->data, payload->len, &message), "handshake");
	buf_put_u16(&out, (uint16_t)message.len);
	buf_put(&out, message.data, message.len);
	send_all(p, out.data, out.len);
	buf_fini(&message);
	buf_fini(&out);
}

static inline void
take_noise(struct peer *p, struct handshake *h)
{
	uint8_t head[2], message[NOISE_MESSAGE_MAX], why = 0;
	struct buf payload;

	if (!take(p, head, 2)) {
		printf("the daemon closed the connection\n");
		exit(0);
	}
	if (get_u16(head) == 0) {
		(void)!take(p, &why, 1);
		printf("refused: %u\n", why);
		exit(0);
	}
	if (get_u16(head) > sizeof(message) || !take(p, message, get_u16(head)))
		die("handshake", IM_ERR_TRUNCATED);
	buf_init(&payload, NOISE_MESSAGE_MAX);
	must(handshake_read(h, message, get_u16(head), &payload), "handshake");
	buf_fini(&payload);
}

/* Up to an open channel; the handshake's hash when asked for. */
static inline void
open_channel(struct peer *p, uint8_t hash[NOISE_HASH_LEN])
{
	uint8_t prologue[9 + MESH_ID_LEN], send_key[32], recv_key[32], header[CHANNEL_HEADER_LEN];
	struct handshake *h;
	struct buf payload;

	dial(p, SOCK_STREAM);
	send_all(p, WIRE_MAGIC, 4);
	send_all(p, p->mesh.bytes, MESH_ID_LEN);
	memcpy(prologue, WIRE_PROLOGUE, 9);
	memcpy(prologue + 9, p->mesh.bytes, MESH_ID_LEN);
	h = handshake_new(true, p->key.dh_pk, p->key.dh_sk, prologue, sizeof(prologue), NULL);
	if (!h)
		die("handshake", IM_ERR_MEMORY);
	buf_init(&payload, NOISE_MESSAGE_MAX);
	send_noise(p, h, &payload);
	take_noise(p, h);
	wire_payload_encode(&payload, p->cert.len ? p->cert.data : NULL, p->cert.len);
	send_noise(p, h, &payload);
	buf_fini(&payload);
	if (hash)
		memcpy(hash, handshake_hash(h), NOISE_HASH_LEN);
	handshake_split(h, send_key, recv_key);
	handshake_free(h);
	channel_start_send(&p->channel, send_key, header);
	send_all(p, header, sizeof(header));
	if (!take(p, header, sizeof(header))) {
		printf("the daemon closed the connection\n");
		exit(0);
	}
	must(channel_start_recv(&p->channel, recv_key, header), "channel");
}

static inline void
send_message(struct peer *p, uint8_t type, const void *body, size_t len)
{
	struct buf frame;

	buf_init(&frame, CHANNEL_FRAME_MAX + 4);
	must(channel_seal(&p->channel, type, body, len, &frame), "seal");
	send_all(p, frame.data, frame.len);
	buf_fini(&frame);
}

/* Waits for one message: its type, 0 when the daemon closed the connection.  PINGs only say that it is still at work. */
static inline uint8_t
take_message(struct peer *p, const uint8_t **body, size_t *len)
{
	static uint8_t cipher[CHANNEL_FRAME_MAX], plain[CHANNEL_FRAME_MAX];
	uint8_t head[4];

	do {
		if (!take(p, head, 4) || get_u32(head) > sizeof(cipher) ||
		        !take(p, cipher, get_u32(head)))
			return 0;
		must(channel_open(&p->channel, cipher, get_u32(head), plain, len), "answer");
	} while (*len == 0 || plain[0] == WIRE_PING);
	*body = plain + 1;
	(*len)--;
	return plain[0];
}

static inline void
print_answer(struct peer *p)
{
	const uint8_t *body;
	char text[WIRE_TEXT_SIZE];
	uint32_t code;
	size_t len;
	uint8_t type = take_message(p, &body, &len);

	if (type == 0)
		printf("the daemon closed the connection\n");
	else if (type == WIRE_ERROR && !wire_error_decode(body, len, &code, text))
		printf("error %u: %s\n", code, text);
	else
		printf("message %u\n", type);
}

#endif
