#include "mesh/identity.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "crypto/packet.h"
#include "mesh/files.h"

#define STATE_MAX (256 * 1024)
#define TOKEN_FAILURES_MAX 5 /* wrong secrets before a token is locked */

/* An open invitation; the secret itself is never kept. */
struct invitation {
	uint8_t id[TOKEN_ID_LEN];
	struct digest secret;
	uint32_t roles, uses, failures;
	uint64_t expires;
};

struct identity {
	struct node *node;
	struct key key, root;
	bool has_root, has_mesh, has_cert;
	struct conn_identity conn;
	struct node_id id;
	struct cert cert;
	char mesh_name[NAME_SIZE];
	struct invitation *invitations;
	unsigned ninvitations;
};

static int
state_path(const struct identity *id, const char *name, char out[FILES_PATH_SIZE])
{
	return files_path(out, id->node->config.state_dir, name);
}

static int
state_write(const struct identity *id, const char *name, const struct buf *b)
{
	char path[FILES_PATH_SIZE];
	int err = state_path(id, name, path);
	if (err == 0)
		err = buf_err(b);
	return err < 0 ? err : files_write(path, b->data, b->len, 0600);
}

static int
save_invitations(const struct identity *id)
{
	struct buf b;
	buf_init(&b, STATE_MAX);
	pack_map(&b, 1);
	pack_uint(&b, 1);
	pack_array(&b, id->ninvitations);
	for (unsigned i = 0; i < id->ninvitations; i++) {
		const struct invitation *v = &id->invitations[i];
		pack_map(&b, 6);
		pack_kbytes(&b, 1, v->id, TOKEN_ID_LEN);
		pack_kbytes(&b, 2, v->secret.bytes, DIGEST_LEN);
		pack_kuint(&b, 3, v->roles);
		pack_kuint(&b, 4, v->uses);
		pack_kuint(&b, 5, v->failures);
		pack_kuint(&b, 6, v->expires);
	}
	int err = state_write(id, "tokens", &b);
	buf_fini(&b);
	return err;
}

static int
read_invitation(const struct item *m, struct invitation *v)
{
	uint64_t n[4];
	int err = value_is_map(m) ? 0 : IM_ERR_FORMAT;
	if (err == 0)
		err = item_fixed(m, 1, v->id, TOKEN_ID_LEN);
	if (err == 0)
		err = item_fixed(m, 2, v->secret.bytes, DIGEST_LEN);
	for (unsigned i = 0; i < 4 && err == 0; i++)
		err = item_uint(m, 3 + i, i == 3 ? UINT64_MAX : UINT32_MAX, &n[i]);
	if (err < 0)
		return err;
	v->roles = (uint32_t)n[0];
	v->uses = (uint32_t)n[1];
	v->failures = (uint32_t)n[2];
	v->expires = n[3];
	return 0;
}

static int
load_invitations(struct identity *id)
{
	char path[FILES_PATH_SIZE];
	struct buf b;
	struct packet *p = NULL;
	const struct item *list;
	uint32_t n = 0;
	buf_init(&b, STATE_MAX);
	int err = state_path(id, "tokens", path);
	if (err == 0)
		err = files_read(path, &b);
	if (err == 0)
		err = packet_open(&p, b.data, b.len);
	if (err == 0)
		err = item_array(packet_root(p), 1, IDENTITY_TOKENS_MAX, &list, &n);
	for (uint32_t i = 0; i < n && err == 0; i++) {
		err = read_invitation(item_at(list, i), &id->invitations[i]);
		id->ninvitations = i + (err == 0);
	}
	packet_free(p);
	buf_fini(&b);
	return err == IM_ERR_ABSENT ? 0 : err;
}

/* Takes over a mesh's root public key and name. */
static void
set_mesh(struct identity *id, const uint8_t root_pk[SIGN_PK_LEN], const char *name)
{
	memcpy(id->conn.root_pk, root_pk, SIGN_PK_LEN);
	mesh_id_of(&id->conn.mesh, root_pk);
	snprintf(id->mesh_name, sizeof id->mesh_name, "%s", name);
	id->has_mesh = true;
	id->has_cert = false;
	id->conn.cert_len = 0;
}

static void
forget_mesh(struct identity *id)
{
	id->has_mesh = id->has_cert = false;
	id->conn.cert_len = 0;
	memset(&id->conn.mesh, 0, sizeof id->conn.mesh);
}

static int
set_cert(struct identity *id, const void *bytes, size_t len)
{
	struct cert c;
	int err = len > CERT_LEN_MAX ? IM_ERR_LIMIT
	                             : cert_check(&c, bytes, len, id->conn.root_pk, wall_seconds());
	if (err < 0)
		return err;
	if (memcmp(c.sign_pk, id->key.sign_pk, SIGN_PK_LEN) != 0 ||
	        memcmp(c.dh_pk, id->key.dh_pk, DH_LEN) != 0)
		return IM_ERR_UNKNOWN_KEY;
	id->cert = c;
	memcpy(id->conn.cert, bytes, len);
	id->conn.cert_len = len;
	id->has_cert = true;
	return 0;
}

static int
save_mesh(const struct identity *id)
{
	struct buf b;
	buf_init(&b, STATE_MAX);
	pack_map(&b, 2);
	pack_kbytes(&b, 1, id->conn.root_pk, SIGN_PK_LEN);
	pack_ktext(&b, 2, id->mesh_name);
	int err = state_write(id, "mesh", &b);
	if (err == 0 && id->has_cert) {
		buf_reset(&b);
		buf_put(&b, id->conn.cert, id->conn.cert_len);
		err = state_write(id, "cert", &b);
	}
	buf_fini(&b);
	return err;
}

static int
load_mesh(struct identity *id)
{
	char path[FILES_PATH_SIZE], name[NAME_SIZE];
	struct buf b;
	struct packet *p = NULL;
	uint8_t root[SIGN_PK_LEN];
	buf_init(&b, STATE_MAX);
	int err = state_path(id, "mesh", path);
	if (err == 0)
		err = files_read(path, &b);
	if (err == 0)
		err = packet_open(&p, b.data, b.len);
	if (err == 0)
		err = item_fixed(packet_root(p), 1, root, sizeof root);
	if (err == 0)
		err = item_text(packet_root(p), 2, name, sizeof name);
	packet_free(p);
	if (err == 0)
		set_mesh(id, root, name);
	buf_fini(&b);
	return err;
}

static int
load_cert(struct identity *id)
{
	char path[FILES_PATH_SIZE];
	struct buf b;
	buf_init(&b, CERT_LEN_MAX);
	int err = state_path(id, "cert", path);
	if (err == 0)
		err = files_read(path, &b);
	if (err == 0)
		err = set_cert(id, b.data, b.len);
	buf_fini(&b);
	return err;
}

static int
load_all(struct identity *id, char *why)
{
	const char *dir = id->node->config.state_dir, *what = "node.key";
	char path[FILES_PATH_SIZE];
	int err = state_path(id, what, path);
	if (err == 0)
		err = key_load_or_create(&id->key, path);
	if (err < 0)
		goto out;
	what = "root.key";
	if ((err = state_path(id, what, path)) == 0)
		err = key_load(&id->root, path);
	id->has_root = err == 0;
	if (err < 0 && err != IM_ERR_ABSENT)
		goto out;
	what = "mesh";
	err = load_mesh(id);
	if (err < 0) {
		err = err == IM_ERR_ABSENT ? 0 : err;
		goto out;
	}
	id->has_root = id->has_root && memcmp(id->root.sign_pk, id->conn.root_pk, SIGN_PK_LEN) == 0;
	what = "cert";
	err = load_cert(id);
	if (err == IM_ERR_EXPIRED) {
		log_warn(&id->node->log,
		        "%s/cert: outside its lifetime: check the clock, or join anew with "
		        "'icemesh join TOKEN'",
		        dir);
		err = 0;
	}
	if (err < 0 && err != IM_ERR_ABSENT)
		goto out;
	what = "tokens";
	err = load_invitations(id);
out:
	if (err < 0)
		snprintf(why, 256, "%.160s/%s: %s", dir, what, im_strerror(err));
	return err;
}

struct identity *
identity_open(struct node *n, char *why)
{
	struct identity *id = calloc(1, sizeof *id);
	if (id)
		id->invitations = calloc(IDENTITY_TOKENS_MAX, sizeof *id->invitations);
	if (!id || !id->invitations) {
		free(id);
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	id->node = n;
	if (load_all(id, why) < 0) {
		identity_free(id);
		return NULL;
	}
	id->conn.key = &id->key;
	id->conn.wall_s = wall_seconds;
	node_id_of(&id->id, id->key.sign_pk);
	return id;
}

void
identity_free(struct identity *id)
{
	if (!id)
		return;
	key_wipe(&id->key);
	key_wipe(&id->root);
	free(id->invitations);
	free(id);
}

const struct conn_identity *
identity_conn(const struct identity *id)
{
	return &id->conn;
}

const struct node_id *
identity_node(const struct identity *id)
{
	return &id->id;
}

bool
identity_in_mesh(const struct identity *id)
{
	return id->has_mesh;
}

const struct cert *
identity_cert(const struct identity *id)
{
	return id->has_cert ? &id->cert : NULL;
}

bool
identity_is_issuer(const struct identity *id)
{
	return id->has_root && id->has_mesh;
}

const char *
identity_mesh_name(const struct identity *id)
{
	return id->has_mesh ? id->mesh_name : "";
}

/* The owner in certificates: the user whose machine it is, shown to people. */
static void
owner_name(char out[NAME_SIZE])
{
	struct passwd *pw = getpwuid(getuid());
	snprintf(out, NAME_SIZE, "%s",
	        pw && pw->pw_name && pw->pw_name[0] ? pw->pw_name : "unknown");
}

/* Gives the certificate its lifetime and the root's signature. */
static int
sign_cert(const struct identity *id, struct cert *c, struct buf *out)
{
	c->not_before = wall_seconds() - 3600; /* clocks differ a little */
	c->not_after = c->not_before + IDENTITY_CERT_DAYS * 86400ULL;
	return cert_issue(c, &id->root, out);
}

static int
issue(const struct identity *id, const struct wire_join *j, uint32_t roles, struct buf *out)
{
	struct cert c = {.roles = roles};
	c.mesh = id->conn.mesh;
	memcpy(c.sign_pk, j->sign_pk, SIGN_PK_LEN);
	memcpy(c.dh_pk, j->dh_pk, DH_LEN);
	snprintf(c.name, sizeof c.name, "%s", j->name);
	owner_name(c.owner);
	return sign_cert(id, &c, out);
}

int
identity_init(struct identity *id, const char *mesh_name)
{
	if (id->has_mesh)
		return IM_ERR_EXISTS;
	char path[FILES_PATH_SIZE];
	struct buf cert;
	struct wire_join self = {0};
	buf_init(&cert, CERT_LEN_MAX);
	int err = state_path(id, "root.key", path);
	if (err == 0)
		err = key_load_or_create(&id->root, path);
	if (err < 0)
		return err;
	id->has_root = true;
	set_mesh(id, id->root.sign_pk, mesh_name);
	memcpy(self.sign_pk, id->key.sign_pk, SIGN_PK_LEN);
	memcpy(self.dh_pk, id->key.dh_pk, DH_LEN);
	snprintf(self.name, sizeof self.name, "%.*s", NAME_SIZE - 1, id->node->config.name);
	err = issue(id, &self, ROLES_ALL, &cert);
	if (err == 0)
		err = set_cert(id, cert.data, cert.len);
	if (err == 0)
		err = save_mesh(id);
	if (err < 0)
		forget_mesh(id);
	buf_fini(&cert);
	return err;
}

/* Makes room by forgetting what has expired or is used up. */
static void
drop_dead_invitations(struct identity *id)
{
	unsigned kept = 0;
	uint64_t now = wall_seconds();
	for (unsigned i = 0; i < id->ninvitations; i++)
		if (id->invitations[i].uses && id->invitations[i].expires + 86400 > now)
			id->invitations[kept++] = id->invitations[i];
	id->ninvitations = kept;
}

int
identity_invite(struct identity *id, uint32_t roles, unsigned uses, unsigned seconds,
        const char *hosts, struct buf *text)
{
	if (!identity_is_issuer(id))
		return IM_ERR_REFUSED;
	if (id->ninvitations == IDENTITY_TOKENS_MAX)
		drop_dead_invitations(id);
	if (id->ninvitations == IDENTITY_TOKENS_MAX || strlen(hosts) >= TOKEN_HOSTS_SIZE)
		return IM_ERR_LIMIT;
	struct token t = {0};
	memcpy(t.root_pk, id->conn.root_pk, SIGN_PK_LEN);
	random_bytes(t.id, sizeof t.id);
	random_bytes(t.secret, sizeof t.secret);
	snprintf(t.hosts, sizeof t.hosts, "%s", hosts);
	struct invitation *v = &id->invitations[id->ninvitations++];
	*v = (struct invitation){.roles = roles, .uses = uses, .expires = wall_seconds() + seconds};
	memcpy(v->id, t.id, TOKEN_ID_LEN);
	token_secret_hash(&v->secret, &t);
	int err = save_invitations(id);
	if (err < 0)
		id->ninvitations--;
	else
		token_print(&t, text);
	explicit_bzero(&t, sizeof t);
	return err < 0 ? err : buf_err(text);
}

static struct invitation *
find_invitation(struct identity *id, const uint8_t token_id[TOKEN_ID_LEN])
{
	for (unsigned i = 0; i < id->ninvitations; i++)
		if (memcmp(id->invitations[i].id, token_id, TOKEN_ID_LEN) == 0)
			return &id->invitations[i];
	return NULL;
}

/* Whether the invitation lets this joiner in; a use is not yet taken. */
static int
check_invitation(struct invitation *v, const struct wire_join *j, char *why)
{
	struct token t = {0};
	struct digest secret;
	memcpy(t.secret, j->secret, TOKEN_SECRET_LEN);
	memcpy(t.id, j->token_id, TOKEN_ID_LEN);
	token_secret_hash(&secret, &t);
	explicit_bzero(&t, sizeof t);
	if (v->failures >= TOKEN_FAILURES_MAX) {
		snprintf(why, 256,
		        "token locked after %d wrong secrets: make a new one with 'icemesh invite'",
		        TOKEN_FAILURES_MAX);
		return IM_ERR_REFUSED;
	}
	if (!digest_equal(&secret, &v->secret)) {
		v->failures++;
		snprintf(why, 256, "token's secret is wrong");
		return IM_ERR_REFUSED;
	}
	if (v->expires < wall_seconds()) {
		snprintf(why, 256, "token has expired: make a new one with 'icemesh invite'");
		return IM_ERR_EXPIRED;
	}
	if (v->uses == 0) {
		snprintf(why, 256,
		        "token is used up: make a new one with 'icemesh invite', or with '--uses "
		        "N' for several machines");
		return IM_ERR_REFUSED;
	}
	return 0;
}

int
identity_enrol(struct identity *id, const struct wire_join *j, const uint8_t *hash,
        struct buf *cert, char *why)
{
	if (!identity_is_issuer(id)) {
		snprintf(why, 256, "this node holds no root key and cannot enrol others");
		return IM_ERR_REFUSED;
	}
	struct invitation *v = find_invitation(id, j->token_id);
	if (!v) {
		snprintf(why, 256, "token is not known here: make a new one with 'icemesh invite'");
		return IM_ERR_REFUSED;
	}
	int err = key_verify(j->sign_pk, "icemesh join 1", hash, 32, j->proof);
	if (err < 0) {
		snprintf(why, 256, "the joiner's key proof does not verify");
		return err;
	}
	if ((err = check_invitation(v, j, why)) < 0) {
		if (save_invitations(id) < 0)
			log_warn(&id->node->log, "%s/tokens: cannot be written",
			        id->node->config.state_dir);
		return err;
	}
	v->uses--; /* burnt on disk before the certificate leaves */
	if ((err = save_invitations(id)) == 0)
		err = issue(id, j, v->roles, cert);
	if (err < 0)
		snprintf(why, 256, "the issuer cannot write its state: %s", im_strerror(err));
	return err;
}

int
identity_renew(struct identity *id, const struct cert *old, struct buf *cert)
{
	if (!identity_is_issuer(id))
		return IM_ERR_REFUSED;
	struct cert c = *old;
	return sign_cert(id, &c, cert);
}

int
identity_take_cert(struct identity *id, const void *cert, size_t len)
{
	int err = set_cert(id, cert, len);
	return err < 0 ? err : save_mesh(id);
}

void
identity_join_request(const struct identity *id, const struct token *t, const uint8_t *hash,
        struct wire_join *out)
{
	memset(out, 0, sizeof *out);
	memcpy(out->token_id, t->id, TOKEN_ID_LEN);
	memcpy(out->secret, t->secret, TOKEN_SECRET_LEN);
	memcpy(out->sign_pk, id->key.sign_pk, SIGN_PK_LEN);
	memcpy(out->dh_pk, id->key.dh_pk, DH_LEN);
	snprintf(out->name, sizeof out->name, "%.*s", NAME_SIZE - 1, id->node->config.name);
	key_sign(&id->key, "icemesh join 1", hash, 32, out->proof);
}

int
identity_joined(
        struct identity *id, const uint8_t root_pk[SIGN_PK_LEN], const struct wire_joined *j)
{
	struct conn_identity was = id->conn;
	bool had_mesh = id->has_mesh, had_cert = id->has_cert;
	char name[NAME_SIZE];
	memcpy(name, id->mesh_name, sizeof name);
	set_mesh(id, root_pk, j->mesh);
	int err = set_cert(id, j->cert, j->cert_len);
	if (err == 0)
		err = save_mesh(id);
	if (err < 0) { /* a spare stays one */
		id->conn = was;
		id->has_mesh = had_mesh;
		id->has_cert = had_cert;
		memcpy(id->mesh_name, name, sizeof name);
	}
	return err;
}

int
identity_adopt_mesh(struct identity *id, const uint8_t root_pk[SIGN_PK_LEN], const char *mesh_name)
{
	set_mesh(id, root_pk, mesh_name);
	return save_mesh(id);
}

int
identity_leave(struct identity *id)
{
	char path[FILES_PATH_SIZE];
	static const char *const files[] = {"cert", "mesh", "tokens", "peers"};
	for (unsigned i = 0; i < sizeof files / sizeof *files; i++) {
		int err = state_path(id, files[i], path);
		if (err < 0)
			return err;
		unlink(path);
	}
	forget_mesh(id);
	id->ninvitations = 0;
	return 0;
}
