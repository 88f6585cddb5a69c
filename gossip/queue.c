#include "gossip/queue.h"

#include <string.h>

#define KEEP_BYTES (64 * 1024)

struct record {
	enum gossip_action_type type;
	bool ipv4_alone;
	struct endpoint to;
	struct node_id node;
	uint32_t len; /* of the bytes that follow */
};

void
queue_init(struct queue *q)
{
	buf_init(&q->bytes, QUEUE_BYTES_MAX);
	q->at = 0;
}

void
queue_fini(struct queue *q)
{
	buf_fini(&q->bytes);
	q->at = 0;
}

static void
put(struct queue *q, const struct record *r, const void *bytes)
{
	uint8_t *room;

	/* One piece or nothing: a record without its bytes would garble all behind it. */
	room = buf_room(&q->bytes, sizeof(*r) + r->len);
	if (!room) {
		q->bytes.err = 0;
		return;
	}
	memcpy(room, r, sizeof(*r));
	if (r->len)
		memcpy(room + sizeof(*r), bytes, r->len);
	q->bytes.len += sizeof(*r) + r->len;
}

static void
put_datagram(struct queue *q, struct record *r, const void *bytes, size_t len)
{
	if (len > LETTER_LEN_MAX || q->bytes.len + sizeof(*r) + len > QUEUE_DATAGRAM_BYTES)
		return;
	r->len = (uint32_t)len;
	put(q, r, bytes);
}

void
queue_send(struct queue *q, const struct endpoint *to, const void *bytes, size_t len)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.type = GOSSIP_UNICAST;
	r.to = *to;
	put_datagram(q, &r, bytes, len);
}

void
queue_multicast(struct queue *q, bool ipv4_alone, const void *bytes, size_t len)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.type = GOSSIP_MULTICAST;
	r.ipv4_alone = ipv4_alone;
	put_datagram(q, &r, bytes, len);
}

void
queue_tell(struct queue *q, enum gossip_action_type type, const struct node_id *node)
{
	struct record r;

	memset(&r, 0, sizeof(r));
	r.type = type;
	r.node = *node;
	put(q, &r, NULL);
}

bool
queue_take(struct queue *q, struct gossip_action *a)
{
	struct record r;

	if (q->at == q->bytes.len)
		return false;
	memcpy(&r, q->bytes.data + q->at, sizeof(r));
	a->type = r.type;
	a->ipv4_alone = r.ipv4_alone;
	a->to = r.to;
	a->node = r.node;
	a->len = r.len;
	memcpy(a->bytes, q->bytes.data + q->at + sizeof(r), r.len);
	q->at += sizeof(r) + r.len;
	if (q->at == q->bytes.len) {
		if (q->bytes.cap > KEEP_BYTES)
			buf_fini(&q->bytes);
		else
			buf_reset(&q->bytes);
		q->at = 0;
	} else if (q->at > KEEP_BYTES && q->at > q->bytes.len / 2) {
		buf_consume(&q->bytes, q->at);
		q->at = 0;
	}
	return true;
}
