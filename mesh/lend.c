#include "mesh/lend.h"

#include <stdlib.h>
#include <unistd.h>
#include "mesh/blobs.h"

#define AHEAD_BYTES (512u * 1024) /* put into the connection at a time */

struct lend {
	struct node *node;
	struct conn *conn;
	uint64_t left; /* bytes that may still be lent */
	int fd;        /* of wanted[at], -1: not begun */
	uint64_t size, sent;
	uint32_t at, n;
	struct digest wanted[WIRE_NEED_MAX];
};

struct lend *
lend_new(struct node *n, struct conn *c, const uint8_t *p, size_t len)
{
	struct lend *l = malloc(sizeof *l);
	if (!l)
		return NULL;
	l->node = n;
	l->conn = c;
	l->left = LEND_BYTES_MAX;
	l->fd = -1;
	l->at = 0;
	if (wire_need_decode(p, len, l->wanted, &l->n) == 0)
		return l;
	free(l);
	return NULL;
}

/* Announces wanted[at], or passes it over. */
static int
begin(struct lend *l)
{
	const struct digest *d = &l->wanted[l->at];
	struct buf body;
	if (!blobs_has(l->node->blobs, d, &l->size) || l->size > l->left ||
	        blobs_open_file(l->node->blobs, d, &l->fd) < 0) {
		l->at++;
		return 0;
	}
	l->left -= l->size;
	l->sent = 0;
	buf_init(&body, 256);
	wire_blob_encode(&body, d, l->size);
	int err = conn_send_buf(l->conn, WIRE_BLOB, &body);
	buf_fini(&body);
	return err;
}

static int
send_block(struct lend *l)
{
	uint8_t raw[WIRE_BLOCK_MAX];
	uint64_t want = l->size - l->sent;
	ssize_t n = read(l->fd, raw, want < sizeof raw ? (size_t)want : sizeof raw);
	if (n <= 0)
		return IM_ERR_SYSTEM;
	struct buf body;
	buf_init(&body, 2 * WIRE_BLOCK_MAX);
	int err = wire_block_encode(&body, raw, (size_t)n);
	if (err == 0)
		err = conn_send_buf(l->conn, WIRE_DATA, &body);
	buf_fini(&body);
	l->sent += (uint64_t)n;
	l->node->counters.lent += (uint64_t)n;
	return err;
}

static int
end(struct lend *l)
{
	struct buf body;
	close(l->fd);
	l->fd = -1;
	buf_init(&body, 256);
	wire_end_encode(&body, &l->wanted[l->at++], l->size);
	int err = conn_send_buf(l->conn, WIRE_END, &body);
	buf_fini(&body);
	return err;
}

int
lend_pump(struct lend *l)
{
	int err = 0;
	while (err == 0 && l->at < l->n && conn_waiting(l->conn) < AHEAD_BYTES) {
		if (l->fd < 0)
			err = begin(l);
		else
			err = l->sent < l->size ? send_block(l) : end(l);
	}
	return err < 0 ? err : l->at < l->n;
}

void
lend_free(struct lend *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	free(l);
}
