/*
 * A peer that means harm: connects to a living daemon and sends what no honest node would.  Prints what the daemon answers.
 *
 *   peer CASE ADDRESS PORT TOKEN [STATE_DIR [TOOLCHAIN]]
 *
 * TOKEN (of that mesh) tells the mesh; STATE_DIR is that of a member whose key and certificate are used, none for a stranger; TOOLCHAIN
 * the digest of one that the daemon can run, for the cases that begin with "blob-" and "tree-".
 * CASE is a row of the table at the end.  Exit status 0 when everything was sent, whatever the answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exec/job.h"
#include "gossip/beacon.h"
#include "mesh/files.h"
#include "tests/hostile/peer_wire.h"

#define CONTENT_LEN 20000 /* of the toolchains it makes up */

/* --- beacons --- */

static void
make_beacon(struct peer *p, struct buf *out)
{
	struct beacon b = {.mesh = p->mesh, .port = 9777, .seq = 1};
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	b.boot = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;

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
	struct wire_reserve r = {.job = 1, .toolchain = {.bytes = {1}}};
	struct buf body;

	open_channel(p, NULL);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_reserve_encode(&body, &r);
	send_message(p, WIRE_RESERVE, body.data, body.len);
	print_answer(p);
	buf_fini(&body);
}

/* --- the inputs of a source job --- */

static const char source[] = "int f(void) { return 1; }\n";

/* A job of this one source and one tree, up to the daemon's NEED. */
static void
order(struct peer *p, const struct digest *tree)
{
	const char *argv[] = {"/usr/bin/gcc", "-c", "a.c", "-o", "a.o", NULL}, *env[] = {NULL};
	const char *outputs[] = {"/w/a.o", NULL};
	struct tree_entry e = {
	        .path = "/w/a.c", .kind = TREE_FILE, .mode = 0644, .size = sizeof(source) - 1};
	struct job j = {.toolchain = p->toolchain,
	        .cwd = "/w",
	        .argv = argv,
	        .argc = 5,
	        .env = env,
	        .outputs = outputs,
	        .noutputs = 1,
	        .mode = JOB_SOURCE,
	        .trees = tree,
	        .ntrees = 1,
	        .own = {.entries = &e, .n = 1}};
	struct buf body;
	const uint8_t *answer;
	size_t len;

	digest_of(&e.digest, source, sizeof(source) - 1);
	open_channel(p, NULL);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_reserve_encode(&body, &(struct wire_reserve){.job = 1, .toolchain = p->toolchain});
	send_message(p, WIRE_RESERVE, body.data, body.len);
	if (take_message(p, &answer, &len) != WIRE_GRANT)
		die("no slot", IM_ERR_REFUSED);
	buf_reset(&body);
	must(job_encode(&j, &body), "job");
	send_message(p, WIRE_JOB, body.data, body.len);
	if (take_message(p, &answer, &len) != WIRE_NEED)
		die("nothing is asked for", IM_ERR_REFUSED);
	buf_fini(&body);
}

/* Announces the bytes under this digest, and sends them under it. */
static void
send_blob(struct peer *p, const struct digest *d, const void *bytes, size_t size)
{
	struct buf body;

	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_blob_encode(&body, d, size);
	send_message(p, WIRE_BLOB, body.data, body.len);
	buf_reset(&body);
	must(wire_block_encode(&body, bytes, size), "block");
	send_message(p, WIRE_DATA, body.data, body.len);
	buf_reset(&body);
	wire_end_encode(&body, d, size);
	send_message(p, WIRE_END, body.data, body.len);
	buf_fini(&body);
}

static void
blob_altered(struct peer *p)
{
	char altered[sizeof(source)];
	struct digest tree = {.bytes = {1}}, d;

	memcpy(altered, source, sizeof(source));
	altered[3] ^= 1;
	digest_of(&d, source, sizeof(source) - 1);
	order(p, &tree);
	send_blob(p, &d, altered, sizeof(source) - 1);
	print_answer(p);
}

static void
blob_unasked(struct peer *p)
{
	struct digest tree = {.bytes = {1}}, d;

	digest_of(&d, "unasked", 7);
	order(p, &tree);
	send_blob(p, &d, "unasked", 7);
	print_answer(p);
}

/* Goes away in the middle of one. */
static void
blob_stop(struct peer *p)
{
	struct digest tree = {.bytes = {1}}, d;
	struct buf body;

	digest_of(&d, source, sizeof(source) - 1);
	order(p, &tree);
	buf_init(&body, CHANNEL_MESSAGE_MAX);
	wire_blob_encode(&body, &d, sizeof(source) - 1);
	send_message(p, WIRE_BLOB, body.data, body.len);
	buf_reset(&body);
	must(wire_block_encode(&body, source, 5), "block");
	send_message(p, WIRE_DATA, body.data, body.len);
	close(p->fd);
	buf_fini(&body);
}

static void
tree_malformed(struct peer *p)
{
	struct digest tree;

	digest_of(&tree, "this is no tree", 15);
	order(p, &tree);
	send_blob(p, &tree, "this is no tree", 15);
	print_answer(p);
}

/* A tree that would write outside of its folder. */
static void
tree_climbs(struct peer *p)
{
	struct tree_entry e = {
	        .path = "/../../climbed", .kind = TREE_FILE, .mode = 0644, .size = 1};
	struct tree t = {.entries = &e, .n = 1};
	struct digest tree;
	struct buf b;

	digest_of(&e.digest, "x", 1);
	buf_init(&b, TREE_LEN_MAX);
	must(tree_encode(&t, &b), "tree");
	digest_of(&tree, b.data, b.len);
	order(p, &tree);
	send_blob(p, &tree, b.data, b.len);
	print_answer(p);
	buf_fini(&b);
}

static const struct {
	const char *name;
	void (*run)(struct peer *p);
} cases[] = {
        {"beacon-altered", beacon_altered},
        {"beacon-cut", beacon_cut},
        {"blob-altered", blob_altered},
        {"blob-stop", blob_stop},
        {"blob-unasked", blob_unasked},
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
        {"tree-climbs", tree_climbs},
        {"tree-malformed", tree_malformed},
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

	if (argc < 5 || argc > 7) {
		fprintf(stderr, "usage: peer CASE ADDRESS PORT TOKEN [STATE_DIR [TOOLCHAIN]]\n");
		return 2;
	}
	must(crypto_start(), "libsodium");
	must(token_parse(&t, argv[4]), "token");
	mesh_id_of(&p.mesh, t.root_pk);
	p.address = argv[2];
	p.port = argv[3];
	buf_init(&p.cert, CERT_LEN_MAX);
	key_make(&p.key, NULL);
	if (argc >= 6)
		load_member(&p, argv[5]);
	if (argc == 7)
		must(digest_from_hex(&p.toolchain, argv[6]), argv[6]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (!strcmp(cases[i].name, argv[1])) {
			cases[i].run(&p);
			return 0;
		}
	}
	fprintf(stderr, "peer: no case '%s'\n", argv[1]);
	return 2;
}
