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
#include "mesh/compile.h"
#include "mesh/control.h"
#include "mesh/files.h"

#define SEND_BUFFER (512 * 1024)
#define MESSAGES_AT_A_TIME 16 /* of one client, then others get their turn */

/* Everything that is open on the connection is withdrawn; freed when the present callbacks are over. */
static void
client_gone(struct client *c)
{
	struct clients *all = c->all;
	if (c->gone)
		return;
	c->gone = true;
	watch_set(c->watch, 0);
	if (c->cancel)
		c->cancel(c->cancel_arg);
	c->cancel = NULL;
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
	compile_gone(c);
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

const struct history *
client_history(const struct client *c)
{
	return c->all->history;
}

void
client_defer(struct client *c, void (*cancel)(void *), void *arg)
{
	if (c->cancel)
		c->cancel(c->cancel_arg);
	c->cancel = cancel;
	c->cancel_arg = arg;
}

void
client_deferred_done(struct client *c)
{
	c->cancel = NULL;
}

/* Takes one message. False when there is none now; err says whether the client may go on. */
static bool
take_message(struct client *c, int *err)
{
	struct clients *all = c->all;
	struct packet *p = NULL;
	uint8_t type;
	int fd = -1;
	*err = control_recv(c->fd, &type, &all->message, &fd);
	if (*err == IM_ERR_SYSTEM && (errno == EAGAIN || errno == EWOULDBLOCK)) {
		*err = 0;
		return false;
	}
	if (*err == IM_ERR_CLOSED)
		return false;
	static const uint8_t empty_map = 0x80;
	bool empty = all->message.len == 0;
	if (*err == 0)
		*err = packet_open(
		        &p, empty ? &empty_map : all->message.data, empty ? 1 : all->message.len);
	if (*err == 0 && type <= CONTROL_GRAPH)
		*err = compile_dispatch(c, type, packet_root(p), &fd);
	else if (*err == 0)
		*err = command_dispatch(c, type, packet_root(p));
	packet_free(p);
	if (fd >= 0)
		close(fd);
	if (*err < 0) {
		log_hostile(&all->node->log, loop_now_ms(), "control message from uid %u: %s",
		        (unsigned)c->uid, im_strerror(*err));
		client_error(c, "malformed message: icemesh programs of another version?");
	}
	return *err == 0;
}

static void
on_client(void *arg, int events)
{
	(void)events;
	struct client *c = arg;
	int err = 0;
	for (int k = 0; k < MESSAGES_AT_A_TIME && !c->gone; k++)
		if (!take_message(c, &err))
			break;
	if (err < 0)
		client_gone(c);
}

/* So that no user takes the places of all others, or root's. */
static bool
has_place(const struct clients *all, uid_t uid)
{
	unsigned n = 0;
	if (uid == 0 || uid == geteuid())
		return true;
	for (const struct client *c = all->list; c; c = c->next)
		n += c->uid == uid;
	return n < CLIENTS_PER_USER;
}

static void
on_accept(void *arg, int events)
{
	(void)events;
	struct clients *all = arg;
	for (int k = 0; k < 64; k++) {
		struct ucred who;
		socklen_t len = sizeof who;
		int size = SEND_BUFFER,
		    fd = accept4(all->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			watch_accept_failed(all->watch, errno);
			return;
		}
		struct client *c = all->count < CLIENTS_MAX ? calloc(1, sizeof *c) : NULL;
		if (!c || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) < 0 ||
		        !has_place(all, who.uid) ||
		        !(c->watch = watch_new(all->node->loop, fd, LOOP_READ, on_client, c))) {
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
		snprintf(why, 256, "socket = %.100s...: longer than %zu bytes", path,
		        sizeof sa.sun_path - 1);
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
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof sa) < 0 || chmod(path, mode) < 0 ||
	        listen(fd, 1024) < 0) {
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
	all->history = history_new();
	if (!all->watch || !all->bury || !all->history) {
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
	history_free(all->history);
	free(all);
}
