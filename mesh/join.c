#include "mesh/join.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/commands.h"
#include "mesh/endpoint.h"
#include "mesh/identity.h"
#include "mesh/peers.h"

#define HOSTS_MAX 16
#define LOOK_MS 50     /* between two looks at the peers */
#define SETTLE_MS 4000 /* at most this long for the peers to be heard */
#define ANSWER_MS 5000

struct join {
	struct node *node;
	struct token token;
	bool spare;
	struct endpoint hosts[HOSTS_MAX];
	unsigned nhosts, at;
	struct conn_identity id; /* this node as the other mesh sees it: no certificate yet */
	struct conn *conn;
	struct timer *timer;
	uint64_t until_ms;
	unsigned expected;
	bool member;
	char last[256]; /* why the last host did not work */
	join_done done;
	void *arg;
};

static void try_next(struct join *j);

void
join_cancel(struct join *j)
{
	if (!j)
		return;
	conn_free(j->conn);
	timer_free(j->timer);
	explicit_bzero(&j->token, sizeof j->token);
	free(j);
}

static void
end(struct join *j, int err, const char *why)
{
	join_done done = j->done;
	void *arg = j->arg;
	struct node *n = j->node;
	char text[256];
	snprintf(text, sizeof text, "%s", why);
	join_cancel(j);
	done(arg, err,
	        n->peers && peers_gossip(n->peers)
	                ? (unsigned)gossip_count_up(peers_gossip(n->peers))
	                : 0,
	        text);
}

/* Until the peers that the issuer named are heard, or long enough. */
static void
look(struct join *j)
{
	const struct gossip *g = peers_gossip(j->node->peers);
	if (!g) {
		end(j, IM_ERR_CLOSED, "this node left the mesh again meanwhile");
		return;
	}
	size_t up = gossip_count_up(g);
	if (up >= j->expected || loop_now_ms() >= j->until_ms)
		end(j, 0, "");
	else
		timer_set(j->timer, LOOK_MS);
}

static void
on_timer(void *arg)
{
	struct join *j = arg;
	if (j->member) {
		look(j);
		return;
	}
	snprintf(j->last, sizeof j->last, "no answer");
	try_next(j);
}

/* This node belongs to the mesh now: everything starts over, and its peers are looked for. */
static void
settle(struct join *j, const struct wire_joined *answer)
{
	j->member = true;
	j->expected = 1 + (answer ? answer->npeers : 0);
	j->until_ms = loop_now_ms() + SETTLE_MS;
	mesh_changed(j->node);
	peers_seed(j->node->peers, &j->hosts[j->at]);
	for (uint32_t i = 0; answer && i < answer->npeers; i++) {
		struct endpoint e;
		if (endpoint_parse(answer->peers[i], 9777, &e) == 0)
			peers_seed(j->node->peers, &e);
	}
	timer_set(j->timer, LOOK_MS);
}

static void
on_joined(struct join *j, const uint8_t *p, size_t len)
{
	struct wire_joined *answer = malloc(sizeof *answer);
	int err = answer ? wire_joined_decode(p, len, answer) : IM_ERR_MEMORY;
	if (err == 0 && identity_cert(j->node->identity))
		err = IM_ERR_EXISTS; /* another command was faster */
	if (err == 0)
		err = identity_joined(j->node->identity, j->token.root_pk, answer);
	conn_free(j->conn);
	j->conn = NULL;
	if (err < 0) {
		char why[256];
		snprintf(why, sizeof why, "the certificate that came cannot be used: %s",
		        im_strerror(err));
		free(answer);
		end(j, err, why);
		return;
	}
	settle(j, answer);
	free(answer);
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct join *j = arg;
	uint32_t code;
	char text[WIRE_TEXT_SIZE];
	struct wire_mesh mesh;
	if (type == WIRE_JOINED && !j->spare) {
		on_joined(j, p, len);
	} else if (type == WIRE_MESH && j->spare && wire_mesh_decode(p, len, &mesh) == 0) {
		int err = identity_adopt_mesh(j->node->identity, mesh.root_pk, mesh.name);
		conn_free(j->conn);
		j->conn = NULL;
		if (err < 0)
			end(j, err, "this node's state cannot be written");
		else
			settle(j, NULL);
	} else if (type == WIRE_ERROR && wire_error_decode(p, len, &code, text) == 0) {
		end(j, IM_ERR_REFUSED, text);
	} else {
		end(j, IM_ERR_FORMAT,
		        "unexpected answer: does the other node run the same version?");
	}
}

static void
on_ready(void *arg, struct conn *c)
{
	struct join *j = arg;
	struct buf body;
	struct wire_join request;
	int err;
	timer_set(j->timer, ANSWER_MS);
	if (j->spare) {
		err = conn_send(c, WIRE_STRANGER, NULL, 0);
	} else if (!conn_cert(c)) {
		/* nobody without a certificate of the token's mesh gets to see the secret */
		end(j, IM_ERR_UNKNOWN_KEY,
		        "the node at the token's address cannot show that it belongs to the "
		        "token's mesh");
		return;
	} else if (!(conn_cert(c)->roles & ROLE_ISSUER)) {
		snprintf(j->last, sizeof j->last, "%.100s: holds no root key", conn_name(c));
		try_next(j);
		return;
	} else {
		buf_init(&body, 2048);
		identity_join_request(j->node->identity, &j->token, conn_hash(c), &request);
		wire_join_encode(&body, &request);
		err = conn_send_buf(c, WIRE_JOIN, &body);
		explicit_bzero(&request, sizeof request);
		if (body.data)
			explicit_bzero(body.data, body.len);
		buf_fini(&body);
	}
	if (err < 0)
		end(j, err, im_strerror(err));
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)err;
	struct join *j = arg;
	snprintf(j->last, sizeof j->last, "%.100s: %.140s", conn_name(c), why);
	try_next(j);
}

static const struct conn_ops join_ops = {
        .ready = on_ready, .message = on_message, .closed = on_closed};

static void
try_next(struct join *j)
{
	conn_free(j->conn);
	j->conn = NULL;
	timer_stop(j->timer);
	while (++j->at < j->nhosts) {
		j->conn = conn_connect(j->node->loop, &j->id, &j->hosts[j->at], &join_ops, j);
		if (j->conn)
			return;
	}
	char why[256];
	snprintf(why, sizeof why, "no node of the mesh could be reached: %.200s",
	        *j->last ? j->last : "no address is known; give --seed HOST:PORT");
	end(j, IM_ERR_CLOSED, why);
}

static void
on_start(void *arg)
{
	struct join *j = arg;
	timer_free(j->timer);
	j->timer = timer_new(j->node->loop, on_timer, j);
	j->at = (unsigned)-1;
	if (j->timer)
		try_next(j);
	else
		end(j, IM_ERR_MEMORY, "out of memory");
}

/* Addresses of a comma-separated list. */
static int
add_hosts(struct join *j, const char *list, char *why)
{
	char copy[TOKEN_HOSTS_SIZE], *rest = copy, *one;
	snprintf(copy, sizeof copy, "%s", list);
	while ((one = strsep(&rest, ", "))) {
		unsigned n = 0;
		if (!*one || j->nhosts == HOSTS_MAX)
			continue;
		if (endpoint_resolve(one, 9777, &j->hosts[j->nhosts], HOSTS_MAX - j->nhosts, &n) <
		        0) {
			snprintf(why, 256, "%.100s: no such host; write HOST or HOST:PORT", one);
			return IM_ERR_ABSENT;
		}
		j->nhosts += n;
	}
	return 0;
}

struct join *
join_begin(struct node *n, const struct token *t, const char *seeds, join_done done, void *arg,
        char *why)
{
	struct join *j = calloc(1, sizeof *j);
	if (j)
		j->timer = timer_new(n->loop, on_start, j);
	if (!j || !j->timer) {
		snprintf(why, 256, "out of memory");
		free(j);
		return NULL;
	}
	j->node = n;
	j->done = done;
	j->arg = arg;
	j->id = *identity_conn(n->identity);
	j->id.cert_len = 0;
	if (t) {
		j->token = *t;
		memcpy(j->id.root_pk, t->root_pk, SIGN_PK_LEN);
		mesh_id_of(&j->id.mesh, t->root_pk);
	} else {
		j->spare = true;
		memset(&j->id.mesh, 0, sizeof j->id.mesh); /* a stranger's preamble */
	}
	if (add_hosts(j, seeds, why) < 0 || (t && add_hosts(j, t->hosts, why) < 0)) {
		join_cancel(j);
		return NULL;
	}
	timer_set(j->timer, 0);
	return j;
}
