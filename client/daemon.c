#include "client/daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "crypto/packet.h"
#include "exec/witness.h"

#define BIT(key) (1ULL << (key))

void
daemon_init(struct daemon *d, int fd)
{
	d->fd = fd;
	buf_init(&d->body, CONTROL_LEN_MAX);
}

int
daemon_open(struct daemon *d, const struct config *c)
{
	char paths[2][CONFIG_VALUE_SIZE];
	int n = config_sockets(c, paths);

	for (int i = 0; i < n && d->fd < 0; i++)
		if (control_connect(paths[i], &d->fd) != 0)
			d->fd = -1;
	if (d->fd < 0)
		return IM_ERR_ABSENT;
	if (fcntl(d->fd, F_SETFL, O_NONBLOCK) != 0) {
		daemon_fini(d);
		return IM_ERR_ABSENT;
	}
	return 0;
}

void
daemon_fini(struct daemon *d)
{
	if (d->fd >= 0)
		close(d->fd);
	d->fd = -1;
	buf_fini(&d->body);
}

/* Sends what was encoded and frees it. */
static int
post(struct daemon *d, enum control_type type, struct buf *body, int fd)
{
	int r = buf_err(body);

	if (r == 0)
		r = d->fd >= 0 ? control_send(d->fd, (uint8_t)type, body, fd) : IM_ERR_CLOSED;
	buf_fini(body);
	return r;
}

int
daemon_compiler(struct daemon *d, const char *path)
{
	struct buf b;

	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, 1);
	pack_ktext(&b, 1, path);
	return post(d, CONTROL_COMPILER, &b, -1);
}

int
daemon_packing(struct daemon *d, const char *path)
{
	struct buf b;

	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, 1);
	pack_ktext(&b, 1, path);
	return post(d, CONTROL_PACKING, &b, -1);
}

int
daemon_import(struct daemon *d, const char *path, const struct buf *witness, bool replace, int fd)
{
	struct buf b;

	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, 3);
	pack_ktext(&b, 1, path);
	pack_kbytes(&b, 2, witness->data, witness->len);
	pack_uint(&b, 3);
	pack_bool(&b, replace);
	return post(d, CONTROL_IMPORT, &b, fd);
}

int
daemon_want(struct daemon *d, const struct want *w)
{
	bool named = w->peer != NULL && w->peer[0] != 0, predicted = w->predicted_ms > 0;
	struct buf b;

	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, 3U + named + predicted);
	pack_kbytes(&b, 1, w->toolchain.bytes, DIGEST_LEN);
	pack_kuint(&b, 2, w->job);
	if (named)
		pack_ktext(&b, 3, w->peer);
	pack_uint(&b, 4);
	pack_array(&b, w->navoid);
	for (uint32_t i = 0; i < w->navoid; i++)
		pack_bytes(&b, w->avoid[i].bytes, NODE_ID_LEN);
	if (predicted)
		pack_kuint(&b, 5, w->predicted_ms);
	return post(d, CONTROL_WANT, &b, -1);
}

int
daemon_return(struct daemon *d, const uint8_t state[CHANNEL_STATE_LEN], const struct node_id *node,
        int fd)
{
	struct buf b;

	buf_init(&b, CONTROL_LEN_MAX);
	pack_map(&b, 2);
	pack_kbytes(&b, 1, state, CHANNEL_STATE_LEN);
	pack_kbytes(&b, 2, node->bytes, NODE_ID_LEN);
	return post(d, CONTROL_RETURN, &b, fd);
}

void
daemon_graph(struct daemon *d)
{
	struct buf b;

	buf_init(&b, 64);
	pack_map(&b, 0);
	(void)!post(d, CONTROL_GRAPH, &b, -1);
}

void
daemon_report(struct daemon *d, const struct account *a)
{
	struct buf b;

	buf_init(&b, ACCOUNT_LEN_MAX);
	account_encode(a, &b);
	(void)!post(d, CONTROL_REPORT, &b, -1);
}

static int
decode_toolchain(const struct item *m, struct answer *a)
{
	int r;

	if ((r = item_known(m, BIT(1) | BIT(2) | BIT(3))) != 0)
		return r;
	if ((r = item_fixed(m, 1, a->toolchain.bytes, DIGEST_LEN)) != 0)
		return r;
	return item_bytes(m, 2, WITNESS_LEN_MAX, &a->witness, &a->witness_len);
}

static int
decode_texts(const struct item *m, struct answer *a)
{
	int r;

	if (a->type == CONTROL_ERROR)
		return item_text(m, 1, a->text, sizeof a->text);
	if ((r = item_text(m, 1, a->reason, sizeof a->reason)) != 0)
		return r;
	r = item_text(m, 2, a->text, sizeof a->text);
	return r == IM_ERR_ABSENT ? 0 : r;
}

static int
decode_grant(const struct item *m, struct answer *a)
{
	uint64_t hedge = 0;
	int r;

	if (a->fd < 0)
		return IM_ERR_FORMAT;
	if ((r = item_known(m, BIT(1) | BIT(2) | BIT(3) | BIT(4) | BIT(5))) != 0)
		return r;
	if ((r = item_fixed(m, 1, a->channel, CHANNEL_STATE_LEN)) != 0)
		return r;
	if ((r = item_fixed(m, 2, a->node.bytes, NODE_ID_LEN)) != 0)
		return r;
	r = item_uint(m, 5, 1, &hedge);
	if (r != 0 && r != IM_ERR_ABSENT)
		return r;
	a->hedge = hedge != 0;
	return item_text(m, 3, a->peer, sizeof a->peer);
}

static int
decode_busy(const struct item *m, struct answer *a)
{
	uint64_t cold = 0;
	int r = item_uint(m, 1, 1, &cold);

	a->cold = cold != 0;
	return r == IM_ERR_ABSENT ? 0 : r;
}

static int
decode(struct daemon *d, struct answer *a)
{
	struct packet *p = NULL;
	int r = 0;

	if (d->body.len == 0) /* PACK has nothing to say */
		return a->type == CONTROL_BUSY || a->type == CONTROL_PACK ? 0 : IM_ERR_TRUNCATED;
	if ((r = packet_open(&p, d->body.data, d->body.len)) != 0)
		return r;
	switch (a->type) {
	case CONTROL_TOOLCHAIN:
		r = decode_toolchain(packet_root(p), a);
		break;
	case CONTROL_LOCAL:
	case CONTROL_ERROR:
		r = decode_texts(packet_root(p), a);
		break;
	case CONTROL_GRANT:
		r = decode_grant(packet_root(p), a);
		break;
	case CONTROL_BUSY:
		r = decode_busy(packet_root(p), a);
		break;
	case CONTROL_PACK:
		break;
	default:
		r = IM_ERR_FORMAT;
	}
	packet_free(p);
	return r;
}

int
daemon_answer(struct daemon *d, struct answer *a)
{
	uint8_t type;
	int fd = -1, r;

	if (d->fd < 0)
		return IM_ERR_CLOSED;
	r = control_recv(d->fd, &type, &d->body, &fd);
	if (r == IM_ERR_SYSTEM && errno == EAGAIN)
		return IM_ERR_ABSENT;
	if (r != 0)
		return r;
	memset(a, 0, sizeof *a);
	a->type = type;
	a->fd = fd;
	r = decode(d, a);
	if (a->type == CONTROL_GRANT && d->body.len > 0)
		explicit_bzero(d->body.data, d->body.len);
	if (a->fd >= 0 && (r != 0 || (a->type != CONTROL_GRANT && a->type != CONTROL_TOOLCHAIN))) {
		close(a->fd);
		a->fd = -1;
	}
	return r;
}
