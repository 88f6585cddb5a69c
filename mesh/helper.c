#include "mesh/helper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "mesh/programs.h"

#define ASKS_MAX 1024
#define READY_MS 10000

struct ask {
	uint64_t id;
	helper_answer cb; /* NULL: forgotten */
	void *arg;
};

struct helper {
	pid_t pid;
	int fd;
	struct node *node;
	struct watch *watch;
	void (*lost)(void *);
	void *lost_arg;
	unsigned level;
	char text[PIPE_TEXT_SIZE];
	uint64_t next;
	struct ask asks[ASKS_MAX];
	unsigned nasks;
};

static void
run_helper(int fd, const struct config *c, const char *path)
{
	char nice[16], memory[24], seconds[16], output[24];
	snprintf(nice, sizeof nice, "%d", c->nice);
	snprintf(memory, sizeof memory, "%llu", (unsigned long long)c->job_memory);
	snprintf(seconds, sizeof seconds, "%u", c->job_time_s);
	snprintf(output, sizeof output, "%llu", (unsigned long long)c->job_output);
	if (fd == PIPE_HELPER_FD)
		fcntl(fd, F_SETFD, 0);
	else if (dup2(fd, PIPE_HELPER_FD) < 0)
		_exit(127);
	/* its own session, so that Ctrl-C at the daemon's terminal lets the daemon end it in order */
	setsid();
	execl(path, "icemesh-exec", "helper", c->store_dir, nice, memory, seconds, output, (char *)NULL);
	_exit(127);
}

struct helper *
helper_start(const struct config *c, char *why)
{
	char path[1024];
	int pair[2];
	if (program_find("icemesh-exec", path, sizeof path) < 0) {
		snprintf(why, 256, "icemesh-exec is neither beside icemeshd nor in libexec: reinstall icemesh");
		return NULL;
	}
	struct helper *h = calloc(1, sizeof *h);
	if (!h || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
		snprintf(why, 256, "no socket for the helper: %s", strerror(errno));
		free(h);
		return NULL;
	}
	h->pid = fork();
	if (h->pid == 0)
		run_helper(pair[1], c, path);
	close(pair[1]);
	h->fd = pair[0];
	if (h->pid < 0) {
		snprintf(why, 256, "%.160s: %s", path, strerror(errno));
		helper_stop(h);
		return NULL;
	}
	return h;
}

static void
answer(struct helper *h, const struct pipe_msg *m, int *fds, unsigned nfds)
{
	for (unsigned i = 0; i < h->nasks; i++) {
		if (h->asks[i].id != m->id)
			continue;
		struct ask a = h->asks[i];
		h->asks[i] = h->asks[--h->nasks];
		if (!a.cb)
			break;
		a.cb(a.arg, m, fds, nfds);
		return;
	}
	for (unsigned i = 0; i < nfds; i++)
		close(fds[i]);
}

static void
on_pipe(void *arg, int events)
{
	(void)events;
	struct helper *h = arg;
	struct pipe_msg m;
	int fds[PIPE_FDS_MAX];
	unsigned n;
	for (;;) {
		int err = pipe_recv(h->fd, &m, fds, &n);
		if (err == IM_ERR_SYSTEM && errno == EAGAIN)
			return;
		if (err < 0) {
			watch_set(h->watch, 0);
			h->lost(h->lost_arg);
			return;
		}
		answer(h, &m, fds, n);
	}
}

/* Blocks until the helper says READY; nothing else happens yet. */
static int
wait_ready(struct helper *h)
{
	struct pipe_msg m;
	int fds[PIPE_FDS_MAX];
	unsigned n = 0;
	struct pollfd p = {.fd = h->fd, .events = POLLIN};
	int got;
	do
		got = poll(&p, 1, READY_MS);
	while (got < 0 && errno == EINTR);
	if (got <= 0)
		return got == 0 ? IM_ERR_TIMEOUT : IM_ERR_SYSTEM;
	int err = pipe_recv(h->fd, &m, fds, &n);
	if (err < 0)
		return err;
	for (unsigned i = 0; i < n; i++)
		close(fds[i]);
	if (m.type != PIPE_READY)
		return IM_ERR_FORMAT;
	h->level = m.level;
	snprintf(h->text, sizeof h->text, "%.*s", PIPE_TEXT_SIZE - 1, m.text);
	return 0;
}

int
helper_attach(struct helper *h, struct node *n, void (*lost)(void *), void *arg, char *why)
{
	int err = wait_ready(h);
	if (err < 0) {
		snprintf(why, 256, "the helper icemesh-exec does not start: %s", im_strerror(err));
		return err;
	}
	int flags = fcntl(h->fd, F_GETFL);
	fcntl(h->fd, F_SETFL, flags | O_NONBLOCK);
	h->node = n;
	h->lost = lost;
	h->lost_arg = arg;
	h->watch = watch_new(n->loop, h->fd, LOOP_READ, on_pipe, h);
	return h->watch ? 0 : IM_ERR_MEMORY;
}

void
helper_stop(struct helper *h)
{
	if (!h)
		return;
	watch_free(h->watch);
	close(h->fd); /* the helper ends every job and itself when its socket ends */
	if (h->pid > 0)
		while (waitpid(h->pid, NULL, 0) < 0 && errno == EINTR)
			continue;
	free(h);
}

unsigned
helper_level(const struct helper *h)
{
	return h->level;
}

const char *
helper_level_text(const struct helper *h)
{
	return h->text;
}

uint64_t
helper_ask(struct helper *h, enum pipe_type type, const struct digest *d, const int *fds, unsigned nfds, helper_answer cb, void *arg)
{
	struct pipe_msg m = {.type = type, .id = ++h->next};
	if (h->nasks == ASKS_MAX)
		return 0;
	if (d)
		m.digest = *d;
	if (pipe_send(h->fd, &m, fds, nfds) < 0)
		return 0;
	h->asks[h->nasks++] = (struct ask){m.id, cb, arg};
	return m.id;
}

void
helper_forget(struct helper *h, uint64_t id)
{
	for (unsigned i = 0; i < h->nasks; i++)
		if (h->asks[i].id == id)
			h->asks[i].cb = NULL;
}

void
helper_kill(struct helper *h, uint64_t id)
{
	struct pipe_msg m = {.type = PIPE_KILL, .id = id};
	if (pipe_send(h->fd, &m, NULL, 0) < 0)
		log_warn(&h->node->log, "a job cannot be ended: the helper does not listen");
}
