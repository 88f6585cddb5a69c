#include "mesh/reservation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mesh/identity.h"

struct reservation {
	struct reservations *all;
	struct reservation *next;
	uint64_t id; /* 0: withdrawn */
	uid_t uid;
	bool sent, granted;
	struct wire_reserve what;
	struct node_id node;
	char name[NAME_SIZE];
	struct conn *conn;
	uint64_t asked_us;
	uint32_t lease_ms;
	struct timer *late; /* of one that could not be begun or sent, or of a withdrawal */
};

struct reservations {
	struct node *node;
	struct channels *channels;
	const struct reservation_ops *ops;
	void *arg;
	struct reservation *list;
};

static void
end(struct reservation *r)
{
	struct reservation **p = &r->all->list;
	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
	conn_free(r->conn);
	timer_free(r->late);
	free(r);
}

/* Ends it, but for its channel. */
static void
end_kept(struct reservation *r)
{
	struct conn *c = r->conn;
	r->conn = NULL;
	channels_keep(r->all->channels, r->uid, &r->node, c);
	end(r);
}

static void
lost(struct reservation *r, const char *why)
{
	struct reservations *rs = r->all;
	uint64_t id = r->id;
	char name[NAME_SIZE];
	memcpy(name, r->name, sizeof name);
	end(r);
	if (id)
		rs->ops->lost(rs->arg, id, name, why);
}

static void
on_late(void *arg)
{
	lost(arg, "it cannot be reached");
}

static void
send_reserve(struct reservation *r)
{
	struct buf body;
	buf_init(&body, 256);
	wire_reserve_encode(&body, &r->what);
	r->asked_us = loop_now_us();
	r->sent = true;
	if (conn_send_buf(r->conn, WIRE_RESERVE, &body) < 0)
		timer_set(r->late, 0);
	buf_fini(&body);
}

static void
on_ready(void *arg, struct conn *c)
{
	struct reservation *r = arg;
	if (node_id_cmp(conn_node(c), &r->node) != 0)
		lost(r, "another node answers at its address");
	else if (!r->id) /* withdrawn meanwhile */
		end_kept(r);
	else
		send_reserve(r);
}

static void
on_answer(struct reservation *r, uint8_t type, uint32_t number, const struct wire_load *load)
{
	struct reservations *rs = r->all;
	struct node_id node = r->node;
	struct wire_reserve what = r->what;
	uint64_t id = r->id;
	uint32_t rtt_us = (uint32_t)(loop_now_us() - r->asked_us);
	r->granted = type == WIRE_GRANT;
	r->lease_ms = number;
	if (type == WIRE_NACK)
		end_kept(r);
	rs->ops->answered(rs->arg, id, &node, &what, type, number, load, rtt_us);
}

/* While it is withdrawn, an answer may have crossed the CANCEL. */
static void
on_withdrawn(struct reservation *r, uint8_t type, const uint8_t *p, size_t len)
{
	uint32_t code;
	char text[WIRE_TEXT_SIZE];
	if (type == WIRE_GRANT || type == WIRE_NACK || type == WIRE_QUEUED)
		return;
	if (type == WIRE_ERROR && wire_error_decode(p, len, &code, text) == 0 &&
	        code == WERR_CANCELLED)
		end_kept(r);
	else
		end(r);
}

static void
on_message(void *arg, struct conn *c, uint8_t type, const uint8_t *p, size_t len)
{
	(void)c;
	struct reservation *r = arg;
	uint32_t number;
	struct wire_load load;
	if (type == WIRE_PING) {
		if (r->id)
			r->all->ops->alive(r->all->arg, r->id);
	} else if (!r->id) {
		on_withdrawn(r, type, p, len);
	} else if ((type != WIRE_GRANT && type != WIRE_NACK && type != WIRE_QUEUED) || r->granted ||
	           wire_answer_decode(p, len, &number, &load) < 0) {
		lost(r, "unexpected answer to RESERVE");
	} else {
		on_answer(r, type, number, &load);
	}
}

static void
on_closed(void *arg, struct conn *c, int err, const char *why)
{
	(void)c, (void)err;
	lost(arg, why);
}

static const struct conn_ops conn_ops = {
        .ready = on_ready, .message = on_message, .closed = on_closed};

static struct reservation *
find(struct reservations *rs, uint64_t id)
{
	struct reservation *r = rs->list;
	while (r && r->id != id)
		r = r->next;
	return r;
}

int
reservation_begin(struct reservations *rs, uint64_t id, uid_t uid, const struct member *m,
        const struct wire_reserve *what)
{
	struct reservation *r = calloc(1, sizeof *r);
	if (r)
		r->late = timer_new(rs->node->loop, on_late, r);
	if (!r || !r->late) {
		free(r);
		return IM_ERR_MEMORY;
	}
	r->all = rs;
	r->next = rs->list;
	rs->list = r;
	r->id = id;
	r->uid = uid;
	r->what = *what;
	r->node = m->node;
	snprintf(r->name, sizeof r->name, "%s", m->beacon.name);
	r->conn = channels_take(rs->channels, uid, &m->node);
	if (r->conn) {
		conn_hand(r->conn, &conn_ops, r);
		send_reserve(r);
		return 0;
	}
	r->conn = conn_connect(
	        rs->node->loop, identity_conn(rs->node->identity), &m->tcp, &conn_ops, r);
	if (!r->conn)
		timer_set(r->late, 0); /* not at once: with many such peers that would nest */
	return 0;
}

void
reservation_withdraw(struct reservations *rs, uint64_t id)
{
	struct reservation *r = find(rs, id);
	if (!r)
		return;
	r->id = 0;
	if (!r->conn || (r->sent && conn_send(r->conn, WIRE_CANCEL, NULL, 0) < 0))
		end(r);
	else
		timer_set(r->late, RESERVATION_WITHDRAW_MS);
}

int
reservation_take(struct reservations *rs, uint64_t id, struct reservation_taken *out)
{
	struct reservation *r = find(rs, id);
	if (!r || !r->granted)
		return IM_ERR_ABSENT;
	int err = conn_export(r->conn, out->state, &out->fd);
	if (err == 0)
		r->conn = NULL;
	out->lease_ms = r->lease_ms;
	memcpy(out->name, r->name, sizeof out->name);
	end(r);
	return err;
}

struct reservations *
reservations_new(
        struct node *n, struct channels *channels, const struct reservation_ops *ops, void *arg)
{
	struct reservations *rs = calloc(1, sizeof *rs);
	if (rs)
		*rs = (struct reservations){
		        .node = n, .channels = channels, .ops = ops, .arg = arg};
	return rs;
}

void
reservations_reset(struct reservations *rs)
{
	while (rs->list)
		end(rs->list);
}

void
reservations_free(struct reservations *rs)
{
	if (!rs)
		return;
	reservations_reset(rs);
	free(rs);
}
