#include "mesh/renewal.h"

#include <stdlib.h>
#include "mesh/identity.h"
#include "mesh/peers.h"

#define FIRST_LOOK_MS 5000
#define ANSWER_MS 10000
#define MEMBERS_MAX 512

struct renewal {
	struct node *node;
	struct timer *timer;
	struct conn *conn;
};

static void
take(struct renewal *r, const void *cert, size_t len)
{
	struct node *n = r->node;
	int err = identity_take_cert(n->identity, cert, len);
	if (err < 0) {
		log_warn(&n->log, "the renewed certificate cannot be used: %s", im_strerror(err));
		return;
	}
	log_info(&n->log, "certificate renewed");
	peers_cert_changed(n->peers);
}

static void
end(struct renewal *r)
{
	conn_free(r->conn);
	r->conn = NULL;
	timer_set(r->timer, RENEWAL_LOOK_MS);
}

static void
on_ready(void *arg, struct conn *c)
{
	struct renewal *r = arg;
	if (!conn_cert(c) || conn_send(c, WIRE_RENEW, NULL, 0) < 0)
		end(r);
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct renewal *r = arg;
	struct wire_joined *answer = malloc(sizeof *answer);
	if (answer && type == WIRE_JOINED && wire_joined_decode(p, len, answer) == 0)
		take(r, answer->cert, answer->cert_len);
	free(answer);
	end(r);
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)err;
	struct renewal *r = arg;
	log_debug(&r->node->log, "renewal at %s: %s", conn_name(c), why);
	end(r);
}

static const struct conn_ops renewal_ops = {
        .ready = on_ready, .message = on_message, .closed = on_closed};

/* This node signs its own. */
static void
renew_self(struct renewal *r, const struct cert *c)
{
	struct buf cert;
	buf_init(&cert, CERT_LEN_MAX);
	if (identity_renew(r->node->identity, c, &cert) == 0)
		take(r, cert.data, cert.len);
	buf_fini(&cert);
}

static void
ask_issuer(struct renewal *r)
{
	struct node *n = r->node;
	const struct member *live[MEMBERS_MAX];
	unsigned count = peers_live(n->peers, live, MEMBERS_MAX);
	for (unsigned i = 0; i < count && !r->conn; i++) {
		if (live[i]->trust != TRUST_MEMBER || !(live[i]->roles & ROLE_ISSUER))
			continue;
		r->conn = conn_connect(
		        n->loop, identity_conn(n->identity), &live[i]->tcp, &renewal_ops, r);
		if (r->conn)
			timer_set(r->timer, ANSWER_MS);
	}
}

void
renewal_look(struct renewal *r)
{
	const struct cert *c = identity_cert(r->node->identity);
	conn_free(r->conn); /* one that never answered */
	r->conn = NULL;
	timer_set(r->timer, RENEWAL_LOOK_MS);
	if (!c || wall_seconds() < c->not_before + (c->not_after - c->not_before) / 2)
		return;
	if (identity_is_issuer(r->node->identity))
		renew_self(r, c);
	else
		ask_issuer(r);
}

static void
on_timer(void *arg)
{
	renewal_look(arg);
}

struct renewal *
renewal_new(struct node *n)
{
	struct renewal *r = calloc(1, sizeof *r);
	if (!r)
		return NULL;
	r->node = n;
	r->timer = timer_new(n->loop, on_timer, r);
	if (!r->timer) {
		free(r);
		return NULL;
	}
	timer_set(r->timer, FIRST_LOOK_MS);
	return r;
}

void
renewal_free(struct renewal *r)
{
	if (!r)
		return;
	conn_free(r->conn);
	timer_free(r->timer);
	free(r);
}
