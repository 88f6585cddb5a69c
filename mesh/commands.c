#include "mesh/commands.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mesh/control.h"
#include "mesh/drain.h"
#include "mesh/files.h"
#include "mesh/history.h"
#include "mesh/identity.h"
#include "mesh/join.h"
#include "mesh/peers.h"
#include "mesh/report.h"
#include "mesh/serve.h"
#include "mesh/want.h"

#define USES_MAX 10000
#define EXPIRES_MAX_S (365u * 86400)
#define PAUSE_MAX_S (365u * 86400)

void
mesh_changed(struct node *n)
{
	wants_reset(n->wants);
	serve_reset(n->serve);
	peers_mesh_changed(n->peers);
}

static bool
may_change(struct client *c)
{
	if (client_uid(c) == 0 || client_uid(c) == geteuid())
		return true;
	client_error(c, "only root and the user that icemeshd runs as may do this");
	return false;
}

static void
answer_identity(struct client *c, const char *trust, unsigned peers)
{
	const struct node *n = client_node(c);
	struct buf body;
	buf_init(&body, 2048);
	pack_map(&body, trust ? 5 : 3);
	pack_ktext(&body, 1, identity_mesh_name(n->identity));
	pack_kbytes(&body, 2, identity_conn(n->identity)->mesh.bytes, MESH_ID_LEN);
	pack_ktext(&body, 3, n->config.name);
	if (trust) {
		pack_ktext(&body, 4, trust);
		pack_kuint(&body, 5, peers);
	}
	client_answer(c, CONTROL_OK, &body, -1);
	buf_fini(&body);
}

static int
on_init(struct client *c, const struct item *m)
{
	struct node *n = client_node(c);
	char name[NAME_SIZE];
	int err = item_text(m, 1, name, sizeof name);
	if (err < 0)
		return err;
	if (!*name) {
		client_error(c, "a mesh needs a name");
		return 0;
	}
	err = identity_init(n->identity, name);
	if (err == IM_ERR_EXISTS) {
		client_error(c, "this node is in the mesh '%s' already; 'icemesh leave' first",
		        identity_mesh_name(n->identity));
	} else if (err < 0) {
		client_error(c, "%s: the mesh cannot be written: %s", n->config.state_dir,
		        im_strerror(err));
	} else {
		log_info(&n->log, "made the mesh %s", name);
		mesh_changed(n);
		answer_identity(c, NULL, 0);
	}
	return 0;
}

static int
on_invite(struct client *c, const struct item *m)
{
	struct node *n = client_node(c);
	uint64_t roles, uses, seconds;
	char hosts[TOKEN_HOSTS_SIZE];
	struct buf text, body;
	int err = item_uint(m, 1, ROLES_ALL, &roles);
	if (err == 0)
		err = item_uint(m, 2, USES_MAX, &uses);
	if (err == 0)
		err = item_uint(m, 3, EXPIRES_MAX_S, &seconds);
	if (err < 0 || uses == 0 || seconds == 0)
		return err < 0 ? err : IM_ERR_FORMAT;
	buf_init(&text, TOKEN_TEXT_MAX);
	buf_init(&body, 2048);
	peers_own_hosts(n->peers, hosts, sizeof hosts);
	err = identity_invite(n->identity, (uint32_t)roles & (ROLE_WORKER | ROLE_SIGNER),
	        (unsigned)uses, (unsigned)seconds, hosts, &text);
	const char *token = err == 0 ? buf_text(&text) : NULL;
	if (token) {
		pack_map(&body, 1);
		pack_ktext(&body, 1, token);
		client_answer(c, CONTROL_OK, &body, -1);
	} else if (err == IM_ERR_REFUSED) {
		client_error(c, identity_in_mesh(n->identity)
		                        ? "this node holds no root key: invite on the node that "
		                          "made the mesh"
		                        : "this node is in no mesh: 'icemesh init' makes one");
	} else {
		client_error(c, "no token could be made: %s",
		        im_strerror(err < 0 ? err : IM_ERR_MEMORY));
	}
	if (text.data)
		explicit_bzero(text.data, text.len);
	if (body.data)
		explicit_bzero(body.data, body.len);
	buf_fini(&text);
	buf_fini(&body);
	return 0;
}

/* A join under way for a client; it outlives neither. */
static void
cancel_join(void *arg)
{
	join_cancel(arg);
}

static void
on_join_done(void *arg, int err, unsigned peers, const char *why)
{
	struct client *c = arg;
	struct node *n = client_node(c);
	client_deferred_done(c);
	if (err < 0) {
		log_warn(&n->log, "joining failed: %s", why);
		client_error(c, "%s", why);
		return;
	}
	const char *trust = identity_cert(n->identity) ? "member" : "spare";
	log_info(&n->log, "joined the mesh %s as a %s", identity_mesh_name(n->identity), trust);
	answer_identity(c, trust, peers);
}

static int
on_join(struct client *c, const struct item *m)
{
	struct node *n = client_node(c);
	char text[TOKEN_TEXT_MAX] = "", seed[TOKEN_HOSTS_SIZE] = "", why[256];
	struct token t;
	int err = item_get(m, 1) ? item_text(m, 1, text, sizeof text) : 0;
	if (err == 0 && item_get(m, 2))
		err = item_text(m, 2, seed, sizeof seed);
	if (err < 0)
		return err;
	if (*text && (err = token_parse(&t, text)) < 0) {
		client_error(c, "the token is not valid: %s; copy it whole", im_strerror(err));
		return 0;
	}
	struct mesh_id mesh;
	if (*text)
		mesh_id_of(&mesh, t.root_pk);
	if (identity_in_mesh(n->identity) && *text &&
	        memcmp(&mesh, &identity_conn(n->identity)->mesh, sizeof mesh) != 0) {
		client_error(c,
		        "the token is for another mesh than this node's '%s'; 'icemesh leave' "
		        "first",
		        identity_mesh_name(n->identity));
	} else if (identity_cert(n->identity)) {
		client_error(c, "this node is a member of '%s' already",
		        identity_mesh_name(n->identity));
	} else {
		if (!*text && !*seed)
			memcpy(seed, n->config.seeds, sizeof seed);
		struct join *j = join_begin(n, *text ? &t : NULL, seed, on_join_done, c, why);
		if (j)
			client_defer(c, cancel_join, j);
		else
			client_error(c, "%s", why);
	}
	explicit_bzero(&t, sizeof t);
	explicit_bzero(text, sizeof text);
	return 0;
}

/* One that wants to leave, while the others' jobs finish. */
struct leave {
	struct client *client;
	struct drain *drain;
};

static void
cancel_leave(void *arg)
{
	struct leave *l = arg;
	drain_free(l->drain);
	free(l);
}

static void
leave_now(void *arg)
{
	struct leave *l = arg;
	struct client *c = l->client;
	struct node *n = client_node(c);
	client_deferred_done(c);
	if (!identity_in_mesh(n->identity)) {
		client_error(c, "this node is in no mesh");
	} else {
		peers_goodbye(n->peers);
		int err = identity_leave(n->identity);
		if (err < 0) {
			client_error(c, "%s: %s", n->config.state_dir, im_strerror(err));
		} else {
			log_info(&n->log, "left the mesh");
			mesh_changed(n);
			client_answer(c, CONTROL_OK, NULL, -1);
		}
	}
	cancel_leave(l);
}

static int
on_leave(struct client *c)
{
	struct leave *l = calloc(1, sizeof *l);
	if (!l || !(l->drain = drain_new(client_node(c), leave_now, l))) {
		free(l);
		return IM_ERR_MEMORY;
	}
	l->client = c;
	client_defer(c, cancel_leave, l);
	drain_begin(l->drain);
	return 0;
}

static int
on_pause(struct client *c, const struct item *m)
{
	struct node *n = client_node(c);
	uint64_t seconds = 0;
	int err = item_get(m, 1) ? item_uint(m, 1, PAUSE_MAX_S, &seconds) : 0;
	if (err < 0)
		return err;
	serve_pause(n->serve, (uint32_t)seconds);
	log_info(&n->log, "lends nothing until %s",
	        seconds ? "some time has passed" : "it is resumed");
	client_answer(c, CONTROL_OK, NULL, -1);
	return 0;
}

static int
on_resume(struct client *c)
{
	struct node *n = client_node(c);
	serve_resume(n->serve);
	log_info(&n->log, "lends again");
	client_answer(c, CONTROL_OK, NULL, -1);
	return 0;
}

static int
on_root(struct client *c)
{
	const struct node *n = client_node(c);
	struct buf body;
	if (!identity_in_mesh(n->identity)) {
		client_error(c, "this node is in no mesh: 'icemesh init' makes one, 'icemesh join "
		                "TOKEN' joins one");
		return 0;
	}
	buf_init(&body, 1024);
	pack_map(&body, 2);
	pack_kbytes(&body, 1, identity_conn(n->identity)->root_pk, SIGN_PK_LEN);
	pack_ktext(&body, 2, identity_mesh_name(n->identity));
	client_answer(c, CONTROL_OK, &body, -1);
	buf_fini(&body);
	return 0;
}

/* Long answers go as a file in memory; the bytes are freed. */
static int
answer_file(struct client *c, struct buf *b)
{
	int fd = buf_err(b) == 0 ? files_memory("icemesh-report", b->data, b->len) : -1;
	if (fd < 0)
		client_error(c, "no memory for the answer");
	else
		client_answer(c, CONTROL_OK, NULL, fd);
	if (fd >= 0)
		close(fd);
	buf_fini(b);
	return 0;
}

static int
answer_report(struct client *c, void (*report)(struct node *, struct buf *))
{
	struct buf b;
	buf_init(&b, REPORT_MAX);
	report(client_node(c), &b);
	return answer_file(c, &b);
}

static int
on_why(struct client *c)
{
	struct buf b;
	buf_init(&b, REPORT_MAX);
	history_encode(client_history(c), client_uid(c), &b);
	return answer_file(c, &b);
}

int
command_dispatch(struct client *c, uint8_t type, const struct item *m)
{
	switch (type) {
	case CONTROL_INIT:
		return may_change(c) ? on_init(c, m) : 0;
	case CONTROL_INVITE:
		return may_change(c) ? on_invite(c, m) : 0;
	case CONTROL_JOIN:
		return may_change(c) ? on_join(c, m) : 0;
	case CONTROL_LEAVE:
		return may_change(c) ? on_leave(c) : 0;
	case CONTROL_PAUSE:
		return may_change(c) ? on_pause(c, m) : 0;
	case CONTROL_RESUME:
		return may_change(c) ? on_resume(c) : 0;
	case CONTROL_PEERS:
		return answer_report(c, report_peers);
	case CONTROL_STATUS:
		return answer_report(c, report_status);
	case CONTROL_TOOLCHAINS:
		return answer_report(c, report_toolchains);
	case CONTROL_WHY:
		return on_why(c);
	case CONTROL_ROOT:
		return on_root(c);
	default:
		return IM_ERR_VERSION;
	}
}
