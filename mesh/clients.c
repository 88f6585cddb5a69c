#include "mesh/clients.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "crypto/packet.h"
#include "exec/witness.h"
#include "mesh/commands.h"
#include "mesh/control.h"
#include "mesh/files.h"
#include "mesh/identity.h"
#include "mesh/import.h"
#include "mesh/lease.h"
#include "mesh/peers.h"
#include "mesh/store.h"

#define GRANTED_MAX 8             /* channels one wrapper may hold at a time */
#define UNPACKABLE_MAX 64
#define UNPACKABLE_MS 60000       /* how long a compiler that could not be packed is left alone */
#define PATH_LEN_MAX 4096
#define SEND_BUFFER (512 * 1024)

/* A channel that this client holds. */
struct granted {
	uint64_t inode;
	struct node_id node;
};

struct client {
	struct clients *all;
	struct client *next;
	int fd;
	uid_t uid;
	struct watch *watch;
	bool gone;
	char *packing;            /* path of the compiler this wrapper packs now */
	char *awaits;             /* path of one that another wrapper packs */
	struct want *want;
	struct granted granted[GRANTED_MAX];
	unsigned ngranted;
	struct import *import;
	struct buf import_witness;
	void (*cancel)(void *);
	void *cancel_arg;
};

/* A compiler whose packing failed. */
struct unpackable {
	uid_t uid;
	char path[512];
	uint64_t until_ms;
};

struct clients {
	struct node *node;
	int fd;
	struct watch *watch;
	struct client *list, *dead;
	unsigned count;
	struct timer *bury;
	struct unpackable unpackable[UNPACKABLE_MAX];
	unsigned next_unpackable;
	struct buf message;
};

static void promote(struct clients *all, uid_t uid, const char *path);

/* ---- life ---- */

/* Everything that is open on the connection is withdrawn; freed when the present callbacks are over. */
static void
client_gone(struct client *c)
{
	struct clients *all = c->all;
	if (c->gone)
		return;
	c->gone = true;
	watch_set(c->watch, 0);
	lease_cancel(c->want);
	c->want = NULL;
	import_cancel(c->import);
	c->import = NULL;
	if (c->cancel)
		c->cancel(c->cancel_arg);
	c->cancel = NULL;
	bool freed_slots = c->ngranted > 0;
	for (unsigned i = 0; i < c->ngranted; i++)
		lease_ended(all->node->leases, &c->granted[i].node);
	c->ngranted = 0;
	for (struct client **p = &all->list; *p; p = &(*p)->next) {
		if (*p == c) {
			*p = c->next;
			all->count--;
			break;
		}
	}
	c->next = all->dead;
	all->dead = c;
	timer_set(all->bury, 0);
	if (c->packing) {
		struct unpackable *u = &all->unpackable[all->next_unpackable++ % UNPACKABLE_MAX];
		u->uid = c->uid;
		u->until_ms = loop_now_ms() + UNPACKABLE_MS;
		snprintf(u->path, sizeof u->path, "%s", c->packing);
		promote(all, c->uid, c->packing);
	}
	if (freed_slots)
		leases_kick(all->node->leases);
}

static void
on_bury(void *arg)
{
	struct clients *all = arg;
	while (all->dead) {
		struct client *c = all->dead;
		all->dead = c->next;
		watch_free(c->watch);
		close(c->fd);
		free(c->packing);
		free(c->awaits);
		buf_fini(&c->import_witness);
		free(c);
	}
}

void
client_answer(struct client *c, uint8_t type, const struct buf *body, int fd)
{
	if (!c->gone && control_send(c->fd, type, body, fd) < 0)
		client_gone(c);
}

void
client_error(struct client *c, const char *fmt, ...)
{
	char text[512];
	struct buf body;
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	buf_init(&body, 1024);
	pack_map(&body, 1);
	pack_ktext(&body, 1, text);
	client_answer(c, CONTROL_ERROR, &body, -1);
	buf_fini(&body);
}

uid_t
client_uid(const struct client *c)
{
	return c->uid;
}

struct node *
client_node(const struct client *c)
{
	return c->all->node;
}

void
client_defer(struct client *c, void (*cancel)(void *), void *arg)
{
	c->cancel = cancel;
	c->cancel_arg = arg;
}

void
client_deferred_done(struct client *c)
{
	c->cancel = NULL;
}

static void
answer_local(struct client *c, const char *reason, const char *text)
{
	struct buf body;
	buf_init(&body, 1024);
	pack_map(&body, 2);
	pack_ktext(&body, 1, reason);
	pack_ktext(&body, 2, text);
	client_answer(c, CONTROL_LOCAL, &body, -1);
	buf_fini(&body);
}

/* ---- compilers ---- */

static void
answer_toolchain(struct client *c, const struct digest *d, const void *witness, size_t len, const char *sig)
{
	struct buf body;
	buf_init(&body, CONTROL_LEN_MAX - 1);
	pack_map(&body, sig ? 3 : 2);
	pack_kbytes(&body, 1, d->bytes, DIGEST_LEN);
	pack_kbytes(&body, 2, witness, len);
	if (sig)
		pack_kbytes(&body, 3, sig, strlen(sig));
	client_answer(c, CONTROL_TOOLCHAIN, &body, -1);
	buf_fini(&body);
}

static bool
is_unpackable(const struct clients *all, uid_t uid, const char *path)
{
	for (unsigned i = 0; i < UNPACKABLE_MAX; i++)
		if (all->unpackable[i].uid == uid && loop_now_ms() < all->unpackable[i].until_ms &&
			strcmp(all->unpackable[i].path, path) == 0)
			return true;
	return false;
}

/* Somebody must pack this compiler: this client, unless another one of the same user is at it. */
static void
have_packed(struct client *c, const char *path)
{
	char *copy = strdup(path);
	if (!copy) {
		answer_local(c, "toolchain", "out of memory");
		return;
	}
	for (struct client *o = c->all->list; o; o = o->next) {
		if (o != c && o->uid == c->uid && o->packing && strcmp(o->packing, path) == 0) {
			free(c->awaits);
			c->awaits = copy;
			return;
		}
	}
	free(c->packing);
	c->packing = copy;
	client_answer(c, CONTROL_PACK, NULL, -1);
}

static bool
can_submit(struct client *c)
{
	struct node *n = c->all->node;
	const struct member *one;
	if (!identity_cert(n->identity))
		answer_local(c, "no-mesh", "this node is in no mesh: 'icemesh init' or 'icemesh join TOKEN'");
	else if (peers_live(n->peers, &one, 1) == 0)
		answer_local(c, "no-compatible-peer", "no peer is there");
	else
		return true;
	return false;
}

/* After a packing ended: those who waited for it get the result, or the next of them packs. */
static void
promote(struct clients *all, uid_t uid, const char *path)
{
	const struct compiler *known = store_compiler(all->node->store, uid, path);
	struct client *next;
	for (struct client *c = all->list; c; c = next) {
		next = c->next;
		if (c->uid != uid || !c->awaits || strcmp(c->awaits, path) != 0)
			continue;
		free(c->awaits);
		c->awaits = NULL;
		if (is_unpackable(all, uid, path) || !known)
			answer_local(c, "toolchain", "the compiler could not be packed");
		else
			answer_toolchain(c, &known->digest, known->witness, known->witness_len, NULL);
	}
}

static int
text_of(const struct item *m, unsigned key, char *out, size_t size)
{
	const uint8_t *p;
	size_t len;
	int err = item_bytes(m, key, size - 1, &p, &len);
	if (err < 0)
		return err;
	if (len == 0 || memchr(p, 0, len))
		return IM_ERR_FORMAT;
	memcpy(out, p, len);
	out[len] = 0;
	return 0;
}

static int
on_compiler(struct client *c, const struct item *m, bool stale)
{
	char path[PATH_LEN_MAX];
	int err = text_of(m, 1, path, sizeof path);
	if (err < 0)
		return err;
	if (!can_submit(c))
		return 0;
	const struct compiler *known = stale ? NULL : store_compiler(c->all->node->store, c->uid, path);
	if (known)
		answer_toolchain(c, &known->digest, known->witness, known->witness_len, NULL);
	else if (is_unpackable(c->all, c->uid, path))
		answer_local(c, "toolchain", "the compiler could not be packed; it is tried again in a minute");
	else
		have_packed(c, path);
	return 0;
}

static void
on_imported(void *arg, int err, const struct digest *d, const char *sig, const char *why)
{
	struct client *c = arg;
	struct node *n = c->all->node;
	char hex[DIGEST_HEX_SIZE];
	char *path = c->packing;
	c->import = NULL;
	c->packing = NULL;
	if (err < 0) {
		log_warn(&n->log, "%s: %s", path, why);
		client_error(c, "%s", why);
	} else {
		digest_hex(d, hex);
		log_info(&n->log, "%s is toolchain %.12s", path, hex);
		if (store_set_compiler(n->store, c->uid, path, d, c->import_witness.data, c->import_witness.len) < 0)
			log_warn(&n->log, "the list of compilers cannot be written");
		answer_toolchain(c, d, c->import_witness.data, c->import_witness.len, sig);
	}
	promote(c->all, c->uid, path);
	free(path);
}

static int
on_import(struct client *c, const struct item *m, int *fd)
{
	char path[PATH_LEN_MAX], why[256];
	const uint8_t *witness;
	size_t len;
	int err = text_of(m, 1, path, sizeof path);
	if (err == 0)
		err = item_bytes(m, 2, WITNESS_LEN_MAX, &witness, &len);
	if (err < 0 || *fd < 0 || c->import)
		return err < 0 ? err : IM_ERR_FORMAT;
	free(c->packing);
	c->packing = strdup(path);
	if (!c->packing)
		return IM_ERR_MEMORY;
	buf_reset(&c->import_witness);
	buf_put(&c->import_witness, witness, len);
	c->import = import_begin(c->all->node, c->uid, *fd, on_imported, c, why);
	*fd = -1;
	if (!c->import) {
		char *was = c->packing;
		c->packing = NULL;
		client_error(c, "%s", why);
		promote(c->all, c->uid, was);
		free(was);
	}
	return 0;
}

/* ---- leases ---- */

static void
on_granted(void *arg, const struct node_id *node, const char *name, uint32_t lease_ms, int fd, const uint8_t state[CHANNEL_STATE_LEN])
{
	struct client *c = arg;
	struct buf body;
	c->want = NULL;
	if (c->ngranted == GRANTED_MAX) {
		close(fd);
		client_gone(c);
		return;
	}
	c->granted[c->ngranted++] = (struct granted){conn_inode(fd), *node};
	buf_init(&body, 1024);
	pack_map(&body, 4);
	pack_kbytes(&body, 1, state, CHANNEL_STATE_LEN);
	pack_kbytes(&body, 2, node->bytes, NODE_ID_LEN);
	pack_ktext(&body, 3, name);
	pack_kuint(&body, 4, lease_ms);
	client_answer(c, CONTROL_GRANT, &body, fd);
	if (body.data)
		explicit_bzero(body.data, body.len);
	buf_fini(&body);
	close(fd);
}

static void
on_busy(void *arg)
{
	client_answer(arg, CONTROL_BUSY, NULL, -1);
}

static void
on_local(void *arg, const char *reason, const char *text)
{
	struct client *c = arg;
	c->want = NULL;
	answer_local(c, reason, text);
}

static const struct want_ops want_ops = {on_granted, on_busy, on_local};

static int
decode_want(const struct item *m, struct want_spec *w)
{
	const struct item *avoid;
	uint32_t n = 0;
	int err = item_fixed(m, 1, w->toolchain.bytes, DIGEST_LEN);
	if (err == 0)
		err = item_uint(m, 2, UINT64_MAX, &w->job);
	if (err == 0 && item_get(m, 3))
		err = item_text(m, 3, w->peer, sizeof w->peer);
	if (err == 0 && item_get(m, 4))
		err = item_array(m, 4, LEASE_AVOID_MAX, &avoid, &n);
	for (uint32_t i = 0; i < n && err == 0; i++) {
		const uint8_t *id;
		size_t len;
		err = value_bytes(item_at(avoid, i), NODE_ID_LEN, &id, &len);
		if (err == 0 && len != NODE_ID_LEN)
			err = IM_ERR_FORMAT;
		if (err == 0)
			memcpy(w->avoid[w->navoid++].bytes, id, NODE_ID_LEN);
	}
	return err;
}

static int
on_want(struct client *c, const struct item *m)
{
	struct want_spec w = {.uid = c->uid};
	int err = decode_want(m, &w);
	if (err < 0)
		return err;
	if (c->want)
		return IM_ERR_FORMAT;
	if (can_submit(c))
		c->want = lease_want(c->all->node->leases, &w, &want_ops, c);
	return 0;
}

static int
on_return(struct client *c, const struct item *m, int *fd)
{
	uint8_t state[CHANNEL_STATE_LEN];
	struct node_id node;
	int err = item_fixed(m, 1, state, sizeof state);
	if (err == 0)
		err = item_fixed(m, 2, node.bytes, NODE_ID_LEN);
	uint64_t inode = err == 0 && *fd >= 0 ? conn_inode(*fd) : 0;
	for (unsigned i = 0; i < c->ngranted && inode; i++) {
		if (c->granted[i].inode != inode || node_id_cmp(&c->granted[i].node, &node) != 0)
			continue;
		c->granted[i] = c->granted[--c->ngranted];
		lease_ended(c->all->node->leases, &node);
		lease_return(c->all->node->leases, c->uid, &node, *fd, state);
		*fd = -1;
		leases_kick(c->all->node->leases);
		break;
	}
	explicit_bzero(state, sizeof state);
	return err;
}

static int
on_report(struct client *c, const struct item *m)
{
	struct node *n = c->all->node;
	struct node_id node;
	uint64_t verdict, outcome = 0, retries = 0;
	char reason[96] = "";
	int err = item_uint(m, 1, 2, &verdict);
	if (err == 0 && item_get(m, 2))
		err = item_text(m, 2, reason, sizeof reason);
	if (err == 0 && item_get(m, 4))
		err = item_uint(m, 4, 2, &outcome);
	if (err == 0 && item_get(m, 5))
		err = item_uint(m, 5, 1000, &retries);
	if (err < 0)
		return err;
	bool has_node = item_fixed(m, 3, node.bytes, NODE_ID_LEN) == 0;
	if (has_node && outcome == 1)
		peers_failed(n->peers, &node);
	else if (has_node && outcome == 0)
		peers_worked(n->peers, &node);
	n->counters.retried += outcome == 1;
	n->counters.failed += outcome == 2;
	if (outcome == 1 && verdict == 0)
		return 0; /* the compile itself goes on and is reported at its end */
	n->counters.remote += verdict == 0;
	n->counters.local += verdict == 1;
	n->counters.fallback += verdict == 2;
	if (verdict && *reason)
		tally_add(n->counters.reasons, &n->counters.nreasons, NODE_REASONS_MAX, reason);
	return 0;
}

/* ---- messages ---- */

static int
dispatch(struct client *c, uint8_t type, const struct item *m, int *fd)
{
	switch (type) {
	case CONTROL_COMPILER:
		return on_compiler(c, m, false);
	case CONTROL_PACKING:
		return on_compiler(c, m, true);
	case CONTROL_IMPORT:
		return on_import(c, m, fd);
	case CONTROL_WANT:
		return on_want(c, m);
	case CONTROL_RETURN:
		return on_return(c, m, fd);
	case CONTROL_REPORT:
		return on_report(c, m);
	default:
		return command_dispatch(c, type, m);
	}
}

static void
on_client(void *arg, int events)
{
	(void)events;
	struct client *c = arg;
	struct clients *all = c->all;
	struct packet *p = NULL;
	uint8_t type;
	int fd = -1, err = 0;
	while (!c->gone) {
		err = control_recv(c->fd, &type, &all->message, &fd);
		if (err == IM_ERR_SYSTEM && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (err < 0)
			break;
		static const uint8_t empty_map = 0x80;
		bool empty = all->message.len == 0;
		err = packet_open(&p, empty ? &empty_map : all->message.data, empty ? 1 : all->message.len);
		if (err == 0)
			err = dispatch(c, type, packet_root(p), &fd);
		packet_free(p);
		p = NULL;
		if (fd >= 0)
			close(fd);
		fd = -1;
		if (err < 0) {
			log_hostile(&all->node->log, loop_now_ms(), "control message %u from uid %u: %s", type, (unsigned)c->uid, im_strerror(err));
			client_error(c, "malformed message: icemesh programs of another version?");
			break;
		}
	}
	client_gone(c);
}

static void
on_accept(void *arg, int events)
{
	(void)events;
	struct clients *all = arg;
	for (int k = 0; k < 64; k++) {
		struct ucred who;
		socklen_t len = sizeof who;
		int size = SEND_BUFFER, fd = accept4(all->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		struct client *c = all->count < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
		if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 || !(c->watch = watch_new(all->node->loop, fd, LOOP_READ, on_client, c))) {
			free(c);
			close(fd);
			continue;
		}
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
		c->all = all;
		c->fd = fd;
		c->uid = who.uid;
		buf_init(&c->import_witness, WITNESS_LEN_MAX);
		c->next = all->list;
		all->list = c;
		all->count++;
	}
}

/* Whether something answers at the socket already: then this daemon must not take its place. */
static bool
answers(const char *path)
{
	int fd;
	if (control_connect(path, &fd) < 0)
		return false;
	close(fd);
	return true;
}

static int
bind_socket(const char *path, unsigned mode, char *why)
{
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	char folder[FILES_PATH_SIZE];
	if (strlen(path) >= sizeof sa.sun_path || strlen(path) >= sizeof folder) {
		snprintf(why, 256, "socket = %.100s...: longer than %zu bytes", path, sizeof sa.sun_path - 1);
		return -1;
	}
	memcpy(sa.sun_path, path, strlen(path) + 1);
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash && slash != folder) {
		*slash = 0;
		if (files_mkdir(folder, 0755) < 0) {
			snprintf(why, 256, "%.160s: %s", folder, strerror(errno));
			return -1;
		}
	}
	if (answers(path)) {
		snprintf(why, 256, "%.160s: another icemeshd answers there already", path);
		return -1;
	}
	unlink(path);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || chmod(path, mode) < 0 || listen(fd, 1024) < 0) {
		snprintf(why, 256, "socket = %.160s: %s", path, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct clients *
clients_open(struct node *n, char *why)
{
	struct clients *all = calloc(1, sizeof *all);
	if (!all) {
		snprintf(why, 256, "out of memory");
		return NULL;
	}
	all->node = n;
	buf_init(&all->message, CONTROL_LEN_MAX);
	all->fd = bind_socket(n->config.socket, n->config.socket_mode, why);
	if (all->fd < 0) {
		free(all);
		return NULL;
	}
	all->bury = timer_new(n->loop, on_bury, all);
	all->watch = watch_new(n->loop, all->fd, LOOP_READ, on_accept, all);
	if (!all->watch || !all->bury) {
		snprintf(why, 256, "out of memory");
		clients_close(all);
		return NULL;
	}
	return all;
}

void
clients_close(struct clients *all)
{
	if (!all)
		return;
	while (all->list)
		client_gone(all->list);
	if (all->bury)
		on_bury(all);
	watch_free(all->watch);
	timer_free(all->bury);
	close(all->fd);
	unlink(all->node->config.socket);
	buf_fini(&all->message);
	free(all);
}
