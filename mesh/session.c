#include "mesh/session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "mesh/endpoint.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/job_run.h"
#include "mesh/job_take.h"
#include "mesh/peers.h"

#define DISCARD_MS 5000
#define INSTALL_MS 120000 /* between two pieces of a toolchain, and for unpacking it */
#define UNKNOWN_MS 20000  /* for one without a certificate to ask what it may */
#define LEND_MS 10000     /* for a member to take what waits for it */
#define IDLE_MS 180000    /* a peer drops an idle channel earlier itself; a dead one does not */

bool
session_active(const struct session *s)
{
	return s->state >= SESSION_LEASED && s->state <= SESSION_RUNNING;
}

void
session_set(struct session *s, enum session_state state, uint64_t deadline_ms)
{
	s->state = state;
	s->deadline_ms = deadline_ms ? loop_now_ms() + deadline_ms : 0;
	if (state != SESSION_QUEUED && !session_active(s))
		serve_release(s->serve, s);
}

/* Lets go of everything that belongs to the present job or toolchain. */
static void
clear_work(struct session *s)
{
	struct node *n = serve_node(s->serve);
	if (s->run) {
		helper_forget(n->helper, s->run);
		helper_kill(n->helper, s->run);
		n->counters.killed++;
		s->run = 0;
	}
	for (unsigned i = 0; i < s->ninputs; i++)
		if (s->inputs[i].fd >= 0)
			close(s->inputs[i].fd);
	for (unsigned i = s->sending; i < s->noutputs; i++)
		if (s->outputs[i] >= 0)
			close(s->outputs[i]);
	s->ninputs = s->at = s->noutputs = s->sending = 0;
	timer_stop(s->laying_out);
	fetch_free(s->fetch);
	s->fetch = NULL;
	s->holders_asked = 0;
	lend_free(s->lend);
	s->lend = NULL;
	job_set_free(s->set);
	s->set = NULL;
	job_fini(&s->job);
	memset(&s->job, 0, sizeof s->job);
	buf_reset(&s->spec);
	install_free(s->install);
	s->install = NULL;
	install_forget(s->unpacking);
	s->unpacking = NULL;
}

void
session_idle(struct session *s)
{
	clear_work(s);
	session_set(s, SESSION_IDLE, IDLE_MS);
	serve_changed(s->serve);
}

void
session_send(struct session *s, uint8_t type, const struct buf *body)
{
	int err = body ? conn_send_buf(s->conn, type, body) : conn_send(s->conn, type, NULL, 0);
	if (err < 0)
		serve_gone(s->serve, s);
}

void
session_refuse(struct session *s, enum wire_error code, const char *fmt, ...)
{
	char text[WIRE_TEXT_SIZE];
	struct buf body;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	struct node *n = serve_node(s->serve);
	log_hostile(&n->log, loop_now_ms(), "%s: %s", conn_name(s->conn), text);
	n->counters.refused++;
	bool streaming = s->state == SESSION_RECEIVING || s->state == SESSION_INSTALLING ||
	                 s->state == SESSION_LEASED;
	session_idle(s);
	if (streaming)
		session_set(s, SESSION_DISCARDING, DISCARD_MS);
	buf_init(&body, 1024);
	wire_error_encode(&body, code, text);
	session_send(s, WIRE_ERROR, &body);
	buf_fini(&body);
}

/* GRANT, NACK or QUEUED with its number and the load as it is now. */
static void
answer_reserve(struct session *s, uint8_t type, uint32_t number)
{
	struct wire_load load;
	struct buf body;
	buf_init(&body, 256);
	serve_wire_load(s->serve, &load);
	wire_answer_encode(&body, number, &load);
	session_send(s, type, &body);
	buf_fini(&body);
}

void
session_granted(struct session *s)
{
	session_set(s, SESSION_LEASED, WIRE_LEASE_MS);
	answer_reserve(s, WIRE_GRANT, WIRE_LEASE_MS);
}

void
session_turned_away(struct session *s)
{
	session_set(s, SESSION_IDLE, IDLE_MS);
	answer_reserve(s, WIRE_NACK, NACK_BUSY);
}

static void
on_reserve(struct session *s, const uint8_t *p, size_t len)
{
	struct node *n = serve_node(s->serve);
	struct wire_reserve r;
	enum nack nack = NACK_TRUST;
	enum admit_answer answer = ADMIT_BUSY;
	if (s->state != SESSION_IDLE || wire_reserve_decode(p, len, &r) < 0) {
		session_refuse(
		        s, WERR_PROTOCOL, "malformed RESERVE, or one in the middle of a job");
		return;
	}
	s->job_id = r.job;
	s->toolchain = r.toolchain;
	if (conn_cert(s->conn) && conn_cert(s->conn)->roles & ROLE_WORKER)
		answer = serve_reserve(s->serve, s, &r, &nack);
	switch (answer) {
	case ADMIT_GRANTED:
		session_granted(s);
		serve_changed(s->serve);
		break;
	case ADMIT_QUEUED:
		session_set(s, SESSION_QUEUED, IDLE_MS);
		answer_reserve(s, WIRE_QUEUED, serve_before(s->serve, s));
		serve_changed(s->serve);
		break;
	case ADMIT_BUSY:
		n->counters.refused++;
		answer_reserve(s, WIRE_NACK, (uint32_t)nack);
	}
}

static void
go_on_lending(struct session *s)
{
	int r = lend_pump(s->lend);
	if (r < 0) {
		serve_gone(s->serve, s);
	} else if (r > 0) {
		session_set(s, SESSION_LENDING, LEND_MS);
	} else {
		session_idle(s);
		session_send(s, WIRE_DONE, NULL);
	}
}

static void
on_drained(void *arg, struct conn *c)
{
	(void)c;
	struct session *s = arg;
	if (s->state == SESSION_SENDING)
		job_run_pump(s);
	else if (s->state == SESSION_LENDING)
		go_on_lending(s);
}

/* Another member is served what a client's job lacks there. */
static void
on_fetch(struct session *s, const uint8_t *p, size_t len)
{
	const struct cert *c = conn_cert(s->conn);
	if (!c || !(c->roles & ROLE_WORKER))
		session_refuse(s, WERR_KEY, "inputs are lent to members only");
	else if (s->state != SESSION_IDLE)
		session_refuse(s, WERR_PROTOCOL, "FETCH in the middle of something else");
	else if (serve_lending(s->serve) >= LENDS_MAX)
		session_refuse(s, WERR_LIMIT, "enough is being lent already");
	else if (!(s->lend = lend_new(serve_node(s->serve), s->conn, p, len)))
		session_refuse(s, WERR_PROTOCOL, "malformed FETCH");
	else
		go_on_lending(s);
}

static void
on_toolchain_ready(void *arg, int err, const char *why)
{
	struct session *s = arg;
	s->unpacking = NULL;
	if (err < 0) {
		session_refuse(s, WERR_REFUSED, "%s", why);
		return;
	}
	session_idle(s);
	session_send(s, WIRE_TOK, NULL);
}

static void
on_toolchain(struct session *s, const uint8_t *p, size_t len)
{
	struct node *n = serve_node(s->serve);
	struct digest d;
	uint64_t size;
	char sig[SIGN_TEXT_MAX], why[256];
	enum wire_error code = WERR_PROTOCOL;
	if (s->state != SESSION_IDLE || wire_toolchain_decode(p, len, &d, &size, sig) < 0) {
		session_refuse(s, WERR_PROTOCOL,
		        "malformed TOOLCHAIN, or one in the middle of something else");
		return;
	}
	session_set(s, SESSION_INSTALLING, INSTALL_MS);
	struct toolchain *t = store_find(n->store, &d);
	if (!conn_cert(s->conn)) {
		session_refuse(
		        s, WERR_KEY, "a toolchain from a node that is no member of this mesh");
	} else if (n->config.slots == 0) {
		session_refuse(s, WERR_REFUSED, "this node lends no slots");
	} else if (t && t->failed) {
		session_refuse(s, WERR_REFUSED, "this toolchain could not be unpacked here before");
	} else if ((t && (t->unpacking || t->dropping)) || serve_installing(s->serve, &d, s)) {
		session_refuse(s, WERR_LIMIT, "this toolchain is being received already");
	} else if (t && t->unpacked) {
		session_set(s, SESSION_SKIPPING, INSTALL_MS);
		session_send(s, WIRE_TOK, NULL);
	} else {
		s->toolchain = d;
		s->install = install_new(n, &d, size, sig, &code, why);
		if (!s->install)
			session_refuse(s, code, "%s", why);
	}
}

static void
on_tdata(struct session *s, const uint8_t *p, size_t len)
{
	char why[256];
	enum wire_error code = WERR_PROTOCOL;
	if (s->state != SESSION_INSTALLING || !s->install)
		session_refuse(s, WERR_PROTOCOL, "TDATA outside of a toolchain");
	else if (install_add(s->install, p, len, &code, why) < 0)
		session_refuse(s, code, "%s", why);
	else
		session_set(s, SESSION_INSTALLING, INSTALL_MS);
}

static void
on_tend(struct session *s)
{
	char why[256];
	enum wire_error code = WERR_PROTOCOL;
	if (s->state != SESSION_INSTALLING || !s->install) {
		session_refuse(s, WERR_PROTOCOL, "TEND outside of a toolchain");
		return;
	}
	if (install_finish(s->install, &code, why) < 0) {
		session_refuse(s, code, "%s", why);
		return;
	}
	install_free(s->install);
	s->install = NULL;
	session_set(s, SESSION_INSTALLING, INSTALL_MS);
	s->unpacking = install_unpack(serve_node(s->serve), &s->toolchain, on_toolchain_ready, s);
}

/* The addresses of live peers, so that a joiner sees the mesh where multicast does not reach. */
static void
list_peers(struct session *s, struct wire_joined *j)
{
	struct gossip *g = peers_gossip(serve_node(s->serve)->peers);
	const struct member *m;
	for (size_t i = 0; g && j->npeers < 16 && (m = gossip_member(g, i)); i++)
		if (m->state == MEMBER_UP && m->tcp.len)
			endpoint_text(&m->tcp, j->peers[j->npeers++]);
}

static void
on_join(struct session *s, const uint8_t *p, size_t len)
{
	struct node *n = serve_node(s->serve);
	struct wire_join j;
	struct wire_joined *answer = calloc(1, sizeof *answer);
	struct buf cert, body;
	char why[256];
	buf_init(&cert, CERT_LEN_MAX);
	buf_init(&body, 8192);
	if (!answer || s->state != SESSION_IDLE || wire_join_decode(p, len, &j) < 0) {
		session_refuse(s, WERR_PROTOCOL, "malformed JOIN");
	} else if (identity_enrol(n->identity, &j, conn_hash(s->conn), &cert, why) < 0) {
		session_refuse(s, WERR_TOKEN, "%s", why);
	} else {
		memcpy(answer->cert, cert.data, cert.len);
		answer->cert_len = cert.len;
		snprintf(answer->mesh, sizeof answer->mesh, "%s", identity_mesh_name(n->identity));
		list_peers(s, answer);
		wire_joined_encode(&body, answer);
		log_info(&n->log, "%s joined as %s", conn_name(s->conn), j.name);
		session_send(s, WIRE_JOINED, &body);
	}
	explicit_bzero(&j, sizeof j);
	free(answer);
	buf_fini(&cert);
	buf_fini(&body);
}

/* A member's certificate gets a new lifetime; its present one was checked in the handshake. */
static void
on_renew(struct session *s)
{
	struct node *n = serve_node(s->serve);
	const struct cert *old = conn_cert(s->conn);
	struct wire_joined *answer = calloc(1, sizeof *answer);
	struct buf cert, body;
	buf_init(&cert, CERT_LEN_MAX);
	buf_init(&body, 8192);
	if (!answer || !old || s->state != SESSION_IDLE) {
		session_refuse(
		        s, WERR_PROTOCOL, "RENEW without a certificate, or in the middle of a job");
	} else if (identity_renew(n->identity, old, &cert) < 0) {
		session_refuse(s, WERR_REFUSED, "this node holds no root key and cannot renew");
	} else {
		memcpy(answer->cert, cert.data, cert.len);
		answer->cert_len = cert.len;
		snprintf(answer->mesh, sizeof answer->mesh, "%s", identity_mesh_name(n->identity));
		wire_joined_encode(&body, answer);
		log_info(&n->log, "%s: certificate renewed", conn_name(s->conn));
		session_send(s, WIRE_JOINED, &body);
	}
	free(answer);
	buf_fini(&cert);
	buf_fini(&body);
}

/* Somebody who knows no mesh asks which one this is. */
static void
on_stranger(struct session *s)
{
	struct node *n = serve_node(s->serve);
	struct wire_mesh m;
	struct buf body;
	memcpy(m.root_pk, identity_conn(n->identity)->root_pk, SIGN_PK_LEN);
	snprintf(m.name, sizeof m.name, "%s", identity_mesh_name(n->identity));
	buf_init(&body, 1024);
	wire_mesh_encode(&body, &m);
	session_send(s, WIRE_MESH, &body);
	buf_fini(&body);
}

static void
on_cancel(struct session *s)
{
	if (s->state == SESSION_SENDING) {
		serve_gone(s->serve,
		        s); /* the answer is on its way already; a fresh connection is simplest */
		return;
	}
	struct buf body;
	session_idle(s);
	buf_init(&body, 256);
	wire_error_encode(&body, WERR_CANCELLED, "cancelled");
	session_send(s, WIRE_ERROR, &body);
	buf_fini(&body);
}

static void
dispatch(struct session *s, uint8_t type, const uint8_t *p, size_t len)
{
	if (conn_stranger(s->conn) && type != WIRE_STRANGER) {
		session_refuse(s, WERR_PROTOCOL, "a stranger may only ask for the mesh's name");
		return;
	}
	switch (type) {
	case WIRE_RESERVE:
		on_reserve(s, p, len);
		break;
	case WIRE_JOB:
	case WIRE_BLOB:
	case WIRE_DATA:
	case WIRE_END:
		job_take(s, type, p, len);
		break;
	case WIRE_CANCEL:
		on_cancel(s);
		break;
	case WIRE_FETCH:
		on_fetch(s, p, len);
		break;
	case WIRE_TOOLCHAIN:
		on_toolchain(s, p, len);
		break;
	case WIRE_TDATA:
		on_tdata(s, p, len);
		break;
	case WIRE_TEND:
		on_tend(s);
		break;
	case WIRE_JOIN:
		on_join(s, p, len);
		break;
	case WIRE_RENEW:
		on_renew(s);
		break;
	case WIRE_STRANGER:
		on_stranger(s);
		break;
	case WIRE_PING:
		break;
	default:
		session_refuse(s, WERR_PROTOCOL, "unknown message type %u", type);
	}
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct session *s = arg;
	if (s->state == SESSION_SKIPPING && type == WIRE_TEND)
		session_set(s, SESSION_IDLE, IDLE_MS);
	else if (s->state < SESSION_SKIPPING)
		dispatch(s, type, p, len);
}

static void
on_ready(void *arg, struct conn *c)
{
	session_set(arg, SESSION_IDLE, conn_cert(c) ? IDLE_MS : UNKNOWN_MS);
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	struct session *s = arg;
	struct node *n = serve_node(s->serve);
	if (err != IM_ERR_CLOSED)
		log_hostile(&n->log, loop_now_ms(), "%s: %s", conn_name(c), why);
	else
		log_debug(&n->log, "%s: %s", conn_name(c), why);
	serve_gone(s->serve, s);
}

static const struct conn_ops session_ops = {on_ready, on_message, on_drained, on_closed};

struct session *
session_new(struct serve *serve, int fd)
{
	struct session *s = calloc(1, sizeof *s);
	if (!s) {
		close(fd);
		return NULL;
	}
	struct node *n = serve_node(serve);
	s->serve = serve;
	buf_init(&s->spec, JOB_LEN_MAX);
	s->laying_out = timer_new(n->loop, job_take_lay_out, s);
	if (s->laying_out)
		s->conn = conn_accept(n->loop, identity_conn(n->identity), fd, &session_ops, s);
	else
		close(fd);
	if (!s->conn) {
		timer_free(s->laying_out);
		free(s);
		return NULL;
	}
	return s;
}

void
session_end(struct session *s)
{
	clear_work(s);
	session_set(s, SESSION_GONE, 0);
	conn_read(s->conn, false);
}

void
session_free(struct session *s)
{
	clear_work(s);
	timer_free(s->laying_out);
	buf_fini(&s->spec);
	conn_free(s->conn);
	free(s);
}

void
session_tick(struct session *s, uint64_t now_ms)
{
	if (s->deadline_ms && now_ms >= s->deadline_ms) {
		if (s->state == SESSION_INSTALLING)
			session_refuse(s, WERR_LEASE, "the toolchain did not come in time");
		else if (s->state == SESSION_LEASED || s->state == SESSION_RECEIVING)
			session_refuse(s, WERR_LEASE, "the job did not come in time");
		else
			serve_gone(s->serve, s);
		return;
	}
	if (s->state == SESSION_QUEUED ||
	        (s->state >= SESSION_RECEIVING && s->state <= SESSION_INSTALLING))
		session_send(s, WIRE_PING, NULL);
}
