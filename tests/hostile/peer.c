/*
 * A peer that means harm: connects to a living daemon and sends what no honest node would.  Prints what the daemon answers.
 *
 *   peer CASE ADDRESS PORT TOKEN [STATE_DIR]
 *
 * TOKEN (of that mesh) tells the mesh; STATE_DIR is that of a member whose key and certificate are used, none for a stranger.
 * CASE is a row of the table at the end.  Exit status 0 when everything was sent, whatever the answer.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "crypto/channel.h"
#include "crypto/handshake.h"
#include "gossip/beacon.h"
#include "mesh/files.h"
#include "mesh/wire.h"

#define CONTENT_LEN 20000 /* of the toolchains it makes up */
#define ANSWER_SECONDS 10

struct peer {
	const char *address, *port;
	struct mesh_id mesh;
	struct key key;
	struct buf cert; /* empty for a stranger */
	int fd;
	struct channel channel;
};

static void
die(const char *what, int err)
{
	fprintf(stderr, "peer: %s: %s\n", what,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	exit(1);
}

static void
must(int err, const char *what)
{
	if (err)
		die(what, err);
}

static void
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

static void
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
static int
take(struct peer *p, void *bytes, size_t len)
{
	return recv(p->fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

static void
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

static void
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
static void
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

static void
send_message(struct peer *p, uint8_t type, const void *body, size_t len)
{
	struct buf frame;

	buf_init(&frame, CHANNEL_FRAME_MAX + 4);
	must(channel_seal(&p->channel, type, body, len, &frame), "seal");
	send_all(p, frame.data, frame.len);
	buf_fini(&frame);
}

/* Waits for one message and prints it; PINGs only say that the daemon is still at work. */
static void
print_answer(struct peer *p)
{
	static uint8_t cipher[CHANNEL_FRAME_MAX], plain[CHANNEL_FRAME_MAX];
	char text[WIRE_TEXT_SIZE];
	uint8_t head[4];
	uint32_t code;
	size_t len;

	do {
		if (!take(p, head, 4) || get_u32(head) > sizeof(cipher) ||
		        !take(p, cipher, get_u32(head))) {
			printf("the daemon closed the connection\n");
			return;
		}
		must(channel_open(&p->channel, cipher, get_u32(head), plain, &len), "answer");
	} while (len > 0 && plain[0] == WIRE_PING);
	if (len > 0 && plain[0] == WIRE_ERROR &&
	        !wire_error_decode(plain + 1, len - 1, &code, text))
		printf("error %u: %s\n", code, text);
	else
		printf("message %u\n", len > 0 ? plain[0] : 0);
}

/* --- beacons --- */

static void
make_beacon(struct peer *p, struct buf *out)
{
	struct beacon b = {
	        .mesh = p->mesh, .port = 9777, .boot = (uint64_t)time(NULL) * 1000, .seq = 1};

	node_id_of(&b.node, p->key.sign_pk);
	snprintf(b.name, sizeof(b.name), "intruder");
	snprintf(b.platform, sizeof(b.platform), "x86_64");
	snprintf(b.version, sizeof(b.version), "0");
	must(beacon_encode(&b, &p->key, p->cert.len ? p->cert.data : NULL, p->cert.len, out),
	        "beacon");
}

static void
beacon_altered(struct peer *p)
{
	struct buf out;
	uint8_t *name;

	buf_init(&out, BEACON_LEN_MAX);
	make_beacon(p, &out);
	name = memmem(out.data, out.len, "intruder", 8);
	if (!name)
		die("beacon", IM_ERR_FORMAT);
	name[0] = 'I';
	dial(p, SOCK_DGRAM);
	send_all(p, out.data, out.len);
	buf_fini(&out);
}

static void
beacon_cut(struct peer *p)
{
	struct buf out;

	buf_init(&out, BEACON_LEN_MAX);
	make_beacon(p, &out);
	dial(p, SOCK_DGRAM);
	send_all(p, out.data, out.len / 2);
	buf_fini(&out);
}

/* --- frames --- */

static void
frame_cut(struct peer *p)
{
	uint8_t frame[14] = {0, 0, 4, 0};

	open_channel(p, NULL);
	send_all(p, frame, sizeof(frame));
	shutdown(p->fd, SHUT_WR);
	print_answer(p);
}

static void
frame_altered(struct peer *p)
{
	struct buf frame;

	open_channel(p, NULL);
	buf_init(&frame, CHANNEL_FRAME_MAX + 4);
	must(channel_seal(&p->channel, WIRE_PING, NULL, 0, &frame), "seal");
	frame.data[frame.len - 1] ^= 1;
	send_all(p, frame.data, frame.len);
	buf_fini(&frame);
	print_answer(p);
}

static void
frame_huge(struct peer *p)
{
	static const uint8_t head[4] = {0x7f, 0xff, 0xff, 0xff};

	open_channel(p, NULL);
	send_all(p, head, sizeof(head));
	print_answer(p);
}

/* --- toolchains --- */

/* How a toolchain is wrong. */
struct forgery {
	bool alter;        /* one byte on the way */
	bool stranger;     /* signed by a key of another root */
	bool stop;         /* the sender goes away in the middle */
	bool other_digest; /* announced under a digest that the signature does not name */
};

static void
sign_content(struct peer *p, const struct forgery *f, const uint8_t *content, struct digest *d,
        struct buf *text)
{
	uint8_t prehash[PREHASH_LEN];
	struct prehash_stream s;
	struct key root, *signer = &p->key;
	struct cert c = {.roles = ROLES_ALL, .not_after = (uint64_t)time(NULL) + 86400};
	struct buf cert;

	digest_of(d, content, CONTENT_LEN);
	prehash_begin(&s);
	prehash_add(&s, content, CONTENT_LEN);
	prehash_end(&s, prehash);
	buf_init(&cert, CERT_LEN_MAX);
	if (f->stranger) {
		key_make(&root, NULL);
		mesh_id_of(&c.mesh, root.sign_pk);
		memcpy(c.sign_pk, signer->sign_pk, SIGN_PK_LEN);
		memcpy(c.dh_pk, signer->dh_pk, DH_LEN);
		snprintf(c.name, sizeof(c.name), "stranger");
		snprintf(c.owner, sizeof(c.owner), "stranger");
		must(cert_issue(&c, &root, &cert), "certificate");
	} else {
		buf_put(&cert, p->cert.data, p->cert.len);
	}
	must(sign_make(signer, cert.data, cert.len, d, CONTENT_LEN, prehash, text), "signature");
	buf_fini(&cert);
}

static void
send_toolchain(struct peer *p, struct forgery f)
{
	static uint8_t content[CONTENT_LEN];
	struct buf sig, body;
	struct digest d;

	random_bytes(content, sizeof(content));
	buf_init(&sig, SIGN_TEXT_MAX);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	sign_content(p, &f, content, &d, &sig);
	if (f.other_digest)
		d.bytes[0] ^= 1;
	if (f.alter)
		content[CONTENT_LEN / 2] ^= 1;
	open_channel(p, NULL);
	wire_toolchain_encode(&body, &d, CONTENT_LEN, buf_text(&sig));
	send_message(p, WIRE_TOOLCHAIN, body.data, body.len);
	send_message(p, WIRE_TDATA, content, CONTENT_LEN / 2);
	if (f.stop) {
		close(p->fd);
		return;
	}
	send_message(p, WIRE_TDATA, content + CONTENT_LEN / 2, CONTENT_LEN / 2);
	send_message(p, WIRE_TEND, NULL, 0);
	print_answer(p);
	buf_fini(&sig);
	buf_fini(&body);
}

static void
toolchain_altered(struct peer *p)
{
	send_toolchain(p, (struct forgery){.alter = true});
}

static void
toolchain_stranger(struct peer *p)
{
	send_toolchain(p, (struct forgery){.stranger = true});
}

static void
toolchain_stop(struct peer *p)
{
	send_toolchain(p, (struct forgery){.stop = true});
}

static void
toolchain_renamed(struct peer *p)
{
	send_toolchain(p, (struct forgery){.other_digest = true});
}

/* Everything is signed as it should be, but it is no archive. */
static void
toolchain_noise(struct peer *p)
{
	send_toolchain(p, (struct forgery){.alter = false});
}

/* --- enrolment --- */

static void
join_invented(struct peer *p)
{
	uint8_t hash[NOISE_HASH_LEN];
	struct wire_join j = {.name = "intruder"};
	struct buf body;

	p->cert.len = 0;
	open_channel(p, hash);
	random_bytes(j.token_id, sizeof(j.token_id));
	random_bytes(j.secret, sizeof(j.secret));
	memcpy(j.sign_pk, p->key.sign_pk, SIGN_PK_LEN);
	memcpy(j.dh_pk, p->key.dh_pk, DH_LEN);
	key_sign(&p->key, "icemesh join 1", hash, NOISE_HASH_LEN, j.proof);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_join_encode(&body, &j);
	send_message(p, WIRE_JOIN, body.data, body.len);
	print_answer(p);
	buf_fini(&body);
}

static void
other_mesh(struct peer *p)
{
	p->mesh.bytes[0] ^= 1;
	open_channel(p, NULL);
}

/* A member's certificate with a key that is not its own. */
static void
stolen_certificate(struct peer *p)
{
	key_make(&p->key, NULL);
	open_channel(p, NULL);
	send_message(p, WIRE_PING, NULL, 0);
	print_answer(p);
}

/* A stranger asks for a slot. */
static void
reserve(struct peer *p)
{
	struct digest d = {.bytes = {1}};
	struct buf body;

	open_channel(p, NULL);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_reserve_encode(&body, 1, &d);
	send_message(p, WIRE_RESERVE, body.data, body.len);
	print_answer(p);
	buf_fini(&body);
}

static const struct {
	const char *name;
	void (*run)(struct peer *p);
} cases[] = {
        {"beacon-altered", beacon_altered},
        {"beacon-cut", beacon_cut},
        {"frame-altered", frame_altered},
        {"frame-cut", frame_cut},
        {"frame-huge", frame_huge},
        {"join-invented", join_invented},
        {"other-mesh", other_mesh},
        {"reserve", reserve},
        {"stolen-certificate", stolen_certificate},
        {"toolchain-altered", toolchain_altered},
        {"toolchain-noise", toolchain_noise},
        {"toolchain-renamed", toolchain_renamed},
        {"toolchain-stop", toolchain_stop},
        {"toolchain-stranger", toolchain_stranger},
};

static void
load_member(struct peer *p, const char *dir)
{
	char path[FILES_PATH_SIZE];

	must(files_path(path, dir, "node.key"), dir);
	must(key_load(&p->key, path), path);
	must(files_path(path, dir, "cert"), dir);
	must(files_read(path, &p->cert), path);
}

int
main(int argc, char **argv)
{
	struct peer p = {.fd = -1};
	struct token t;

	if (argc < 5 || argc > 6) {
		fprintf(stderr, "usage: peer CASE ADDRESS PORT TOKEN [STATE_DIR]\n");
		return 2;
	}
	must(crypto_start(), "libsodium");
	must(token_parse(&t, argv[4]), "token");
	mesh_id_of(&p.mesh, t.root_pk);
	p.address = argv[2];
	p.port = argv[3];
	buf_init(&p.cert, CERT_LEN_MAX);
	key_make(&p.key, NULL);
	if (argc == 6)
		load_member(&p, argv[5]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!strcmp(cases[i].name, argv[1])) {
			cases[i].run(&p);
			return 0;
		}
	}
	fprintf(stderr, "peer: no case '%s'\n", argv[1]);
	return 2;
}
