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
#include <time.h>
#include <unistd.h>
#include "mesh/programs.h"

#define ASKS_MAX 1024
#define READY_MS 10000
#define STOP_MS 10000 /* for ending every job and itself; then it is killed */

struct ask {
	uint64_t id;
	helper_answer cb; /* NULL: forgotten */
	void *arg;
	bool kill; /* to be sent when the pipe has room again */
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
	execl(path, "icemesh-exec", "helper", c->store_dir, nice, memory, seconds, output,
	        (char *)NULL);
	_exit(127);
}

struct helper *
helper_start(const struct config *c, char *why)
{
	char path[1024];
	int pair[2];
	if (program_find("icemesh-exec", path, sizeof path) < 0) {
		snprintf(why, 256,
		        "icemesh-exec is neither beside icemeshd nor in libexec: reinstall "
		        "icemesh");
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

/* What helper_kill() could not send. */
static void
send_kills(struct helper *h)
{
	for (unsigned i = 0; i < h->nasks; i++) {
		struct pipe_msg m = {.type = PIPE_KILL, .id = h->asks[i].id};
		if (h->asks[i].kill && pipe_send(h->fd, &m, NULL, 0) < 0)
			return;
		h->asks[i].kill = false;
	}
	watch_set(h->watch, LOOP_READ);
}

static void
on_pipe(void *arg, int events)
{
	struct helper *h = arg;
	if (events & LOOP_WRITE)
		send_kills(h);
	if (!(events & LOOP_READ))
		return;
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
	if (!h->watch)
		snprintf(why, 256, "out of memory");
	return h->watch ? 0 : IM_ERR_MEMORY;
}

/* Waits until the helper has ended, but no longer than STOP_MS. */
static void
wait_end(pid_t pid)
{
	struct timespec nap = {.tv_nsec = 5 * 1000000};
	for (int waited = 0; waited < STOP_MS; waited += 5) {
		pid_t got = waitpid(pid, NULL, WNOHANG);
		if (got == pid || (got < 0 && errno != EINTR))
			return;
		nanosleep(&nap, NULL);
	}
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		continue;
}

void
helper_stop(struct helper *h)
{
	if (!h)
		return;
	watch_free(h->watch);
	close(h->fd); /* the helper ends every job and itself when its socket ends */
	if (h->pid > 0)
		wait_end(h->pid);
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
helper_ask(struct helper *h, enum pipe_type type, const struct digest *d, const int *fds,
        unsigned nfds, helper_answer cb, void *arg)
{
	struct pipe_msg m = {.type = type, .id = ++h->next};
	if (h->nasks == ASKS_MAX)
		return 0;
	if (d)
		m.digest = *d;
	if (pipe_send(h->fd, &m, fds, nfds) < 0)
		return 0;
	h->asks[h->nasks++] = (struct ask){.id = m.id, .cb = cb, .arg = arg};
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
	if (pipe_send(h->fd, &m, NULL, 0) == 0)
		return;
	for (unsigned i = 0; i < h->nasks; i++)
		if (h->asks[i].id == id)
			h->asks[i].kill = true;
	watch_set(h->watch, LOOP_READ | LOOP_WRITE);
}
