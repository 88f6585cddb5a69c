#include "exec/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "exec/manifest.h"
#include "exec/pipe.h"
#include "exec/spawn.h"
#include "exec/unpack.h"

enum task_kind { TASK_NONE, TASK_RUN, TASK_UNPACK };

struct task {
	enum task_kind kind;
	uint64_t id;
	struct digest digest;
	struct running running;
	uint64_t start_ms, deadline_ms; /* TASK_RUN */
	enum job_end killed;            /* JOB_EXITED while we did not kill it */
};

/* An answer that waits for room in the socket. */
struct answer {
	struct answer *next;
	struct pipe_msg msg;
	int fds[SPAWN_FDS_MAX];
	unsigned nfds;
};

struct worker {
	int socket;
	const struct limits *limits;
	const struct filter *compile, *unpack, *guard;
	struct task tasks[WORKER_TASKS_MAX];
	struct answer *first, **last;
};

static uint64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

struct worker *
worker_new(int socket, const struct limits *limits, const struct filter *compile,
        const struct filter *unpack, const struct filter *guard)
{
	struct worker *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->socket = socket;
	w->limits = limits;
	w->compile = compile;
	w->unpack = unpack;
	w->guard = guard;
	w->last = &w->first;
	return w;
}

static void
close_all(const int *fds, unsigned n)
{
	while (n > 0)
		close(fds[--n]);
}

/* --- answers --- */

/* Sends what fits. IM_ERR_CLOSED, IM_ERR_SYSTEM. */
static int
flush_answers(struct worker *w)
{
	while (w->first != NULL) {
		struct answer *a = w->first;
		int r = pipe_send(w->socket, &a->msg, a->fds, a->nfds);

		if (r == IM_ERR_SYSTEM && (errno == EAGAIN || errno == ETOOMANYREFS))
			return 0;
		if (r != 0)
			return r;
		w->first = a->next;
		if (w->first == NULL)
			w->last = &w->first;
		close_all(a->fds, a->nfds);
		free(a);
	}
	return 0;
}

/* Queues an answer and takes its descriptors over. */
static int
answer(struct worker *w, const struct pipe_msg *m, const int *fds, unsigned nfds)
{
	struct answer *a = malloc(sizeof(*a));

	if (a == NULL) {
		close_all(fds, nfds);
		return IM_ERR_MEMORY;
	}
	a->next = NULL;
	a->msg = *m;
	a->nfds = nfds;
	if (nfds > 0)
		memcpy(a->fds, fds, nfds * sizeof(int));
	*w->last = a;
	w->last = &a->next;
	return flush_answers(w);
}

/* stdout and stderr go with every answer to a run; where nothing ran they are empty. */
static int
answer_done(struct worker *w, struct pipe_msg *m, int fds[SPAWN_FDS_MAX], unsigned nfds)
{
	while (nfds < 2) {
		int fd = memfd_create("empty", MFD_CLOEXEC);

		if (fd < 0) {
			close_all(fds, nfds);
			return IM_ERR_SYSTEM;
		}
		m->result.outputs[nfds].present = 1;
		m->result.outputs[nfds].size = 0;
		fds[nfds++] = fd;
	}
	return answer(w, m, fds, nfds);
}

static int
answer_not_run(struct worker *w, uint64_t id, enum job_end end, int err, const char *text)
{
	struct pipe_msg m = {
	        .type = PIPE_DONE, .id = id, .err = err, .result = {.end = end, .noutputs = 2}};
	int fds[SPAWN_FDS_MAX];

	snprintf(m.text, sizeof(m.text), "%s", text);
	return answer_done(w, &m, fds, 0);
}

static int
answer_unpacked(
        struct worker *w, uint64_t id, const struct digest *digest, const struct unpack_report *r)
{
	struct pipe_msg m = {.type = PIPE_UNPACKED, .id = id, .err = r->err, .digest = *digest};

	snprintf(m.text, sizeof(m.text), "%s", r->text);
	return answer(w, &m, NULL, 0);
}

/* --- requests --- */

static struct task *
free_task(struct worker *w)
{
	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++) {
		if (w->tasks[i].kind == TASK_NONE)
			return &w->tasks[i];
	}
	return NULL;
}

/* The encoded job from its descriptor. */
static int
read_job(int fd, struct job *j)
{
	struct stat st;
	void *bytes;
	int r = IM_ERR_FORMAT;

	if (fstat(fd, &st) != 0)
		return IM_ERR_SYSTEM;
	if (!S_ISREG(st.st_mode) || st.st_size <= 0)
		return IM_ERR_FORMAT;
	if (st.st_size > JOB_LEN_MAX)
		return IM_ERR_LIMIT;
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL)
		return IM_ERR_MEMORY;
	if (pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size)
		r = job_decode(j, bytes, (size_t)st.st_size);
	free(bytes);
	return r;
}

/* The folders that the toolchain wants in LD_LIBRARY_PATH, from its manifest; "" for none. IM_ERR_ABSENT: no such toolchain. */
static int
read_libraries(const char *toolchain, char libraries[MANIFEST_LIBRARIES_SIZE])
{
	char path[DIGEST_HEX_SIZE + sizeof(MANIFEST_NAME) + 16], why[256];
	struct manifest m;
	struct stat st;
	void *text = NULL;
	int fd, r = IM_ERR_SYSTEM;

	snprintf(path, sizeof(path), "toolchains/%s/" MANIFEST_NAME, toolchain);
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return IM_ERR_ABSENT;
	if (fstat(fd, &st) == 0 && st.st_size >= 0 && st.st_size <= MANIFEST_LEN_MAX)
		text = malloc((size_t)st.st_size + 1);
	if (text != NULL && pread(fd, text, (size_t)st.st_size, 0) == st.st_size)
		r = manifest_parse(&m, text, (size_t)st.st_size, why);
	if (r == 0) {
		memcpy(libraries, m.libraries, sizeof(m.libraries));
		manifest_fini(&m);
	}
	free(text);
	close(fd);
	return r;
}

static int
start_job(struct worker *w, const struct pipe_msg *m, const int *fds, unsigned nfds)
{
	struct task *t = free_task(w);
	char hex[DIGEST_HEX_SIZE], libraries[MANIFEST_LIBRARIES_SIZE];
	struct job job;
	struct spawn s = {.view = {.toolchain = hex,
	                          .job = &job,
	                          .limits = w->limits,
	                          .inputs = fds + 1,
	                          .ninputs = nfds == 0 ? 0 : nfds - 1,
	                          .root = geteuid() == 0},
	        .filter = w->compile,
	        .guard = w->guard};
	int r;

	if (t == NULL)
		return answer_not_run(
		        w, m->id, JOB_SANDBOX, IM_ERR_LIMIT, "too many jobs at one time");
	r = nfds == 0 ? IM_ERR_FORMAT : read_job(fds[0], &job);
	if (r != 0)
		return answer_not_run(w, m->id, JOB_REFUSED, r, im_strerror(r));
	digest_hex(&job.toolchain, hex);
	r = read_libraries(hex, libraries);
	if (r == 0) {
		s.library_path = libraries[0] == '\0' ? NULL : libraries;
		r = spawn_start(&s, &t->running);
	}
	job_fini(&job);
	if (r != 0)
		return answer_not_run(w, m->id, JOB_SANDBOX, r,
		        r == IM_ERR_ABSENT ? "toolchain is not unpacked here"
		                           : "cannot start a process");
	t->kind = TASK_RUN;
	t->id = m->id;
	t->killed = JOB_EXITED;
	t->start_ms = now_ms();
	t->deadline_ms = t->start_ms + w->limits->time_s * 1000;
	return 0;
}

static int
start_unpack(struct worker *w, const struct pipe_msg *m, const int *fds, unsigned nfds)
{
	struct unpack_report failed = {.err = IM_ERR_SYSTEM, .text = "cannot start a process"};
	struct task *t = free_task(w);
	int drop = m->type == PIPE_DROP;
	int r = IM_ERR_LIMIT;

	if (t != NULL && drop)
		r = unpack_drop(&m->digest, w->unpack, &t->running);
	else if (t != NULL && nfds == 1)
		r = unpack_start(fds[0], &m->digest, w->unpack, &t->running);
	if (r == 0) {
		t->kind = TASK_UNPACK;
		t->id = m->id;
		t->digest = m->digest;
		return 0;
	}
	failed.err = r;
	return answer_unpacked(w, m->id, &m->digest, &failed);
}

static void
kill_task(struct task *t, enum job_end why)
{
	if (t->kind == TASK_NONE || t->killed != JOB_EXITED)
		return;
	t->killed = why;
	spawn_kill(&t->running);
}

static void
kill_job(struct worker *w, uint64_t id)
{
	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++) {
		if (w->tasks[i].kind == TASK_RUN && w->tasks[i].id == id)
			kill_task(&w->tasks[i], JOB_KILLED);
	}
}

static int
take_request(struct worker *w)
{
	struct pipe_msg m;
	int fds[PIPE_FDS_MAX];
	unsigned nfds;
	int r = pipe_recv(w->socket, &m, fds, &nfds);

	if (r != 0)
		return r;
	switch (m.type) {
	case PIPE_RUN:
		r = start_job(w, &m, fds, nfds);
		break;
	case PIPE_KILL:
		kill_job(w, m.id);
		break;
	case PIPE_UNPACK:
	case PIPE_DROP:
		r = start_unpack(w, &m, fds, nfds);
		break;
	default:
		r = IM_ERR_FORMAT;
	}
	close_all(fds, nfds);
	return r;
}

/* All that waits; 0 when nothing is left. */
static int
take_requests(struct worker *w)
{
	int r;

	do
		r = take_request(w);
	while (r == 0);
	return r == IM_ERR_SYSTEM && errno == EAGAIN ? 0 : r;
}

/* --- the end of tasks --- */

static int
finish_job(struct worker *w, struct task *t)
{
	struct pipe_msg m = {.type = PIPE_DONE, .id = t->id};
	struct spawn_report report;
	int fds[SPAWN_FDS_MAX];
	unsigned nfds;

	spawn_finish(&t->running, &report, fds, &nfds);
	m.result = report.result;
	snprintf(m.text, sizeof(m.text), "%s", report.text);
	if (report.result.end == JOB_KILLED) {
		m.result.noutputs = 2;
		m.result.wall_us = (now_ms() - t->start_ms) * 1000;
		/* Killed by nobody here: by the kernel, out of memory. */
		m.result.end = t->killed == JOB_EXITED ? JOB_MEMORY : t->killed;
	}
	if (m.result.end == JOB_SANDBOX)
		m.err = IM_ERR_UNSUPPORTED;
	else if (m.result.end == JOB_REFUSED)
		m.err = IM_ERR_REFUSED;
	t->kind = TASK_NONE;
	return answer_done(w, &m, fds, nfds);
}

static int
finish_task(struct worker *w, struct task *t)
{
	struct unpack_report report;

	if (t->kind == TASK_RUN)
		return finish_job(w, t);
	unpack_finish(&t->running, &report);
	t->kind = TASK_NONE;
	return answer_unpacked(w, t->id, &t->digest, &report);
}

static void
kill_overdue(struct worker *w, uint64_t now)
{
	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++) {
		if (w->tasks[i].kind == TASK_RUN && w->tasks[i].deadline_ms <= now)
			kill_task(&w->tasks[i], JOB_TIMEOUT);
	}
}

/* Descriptors to poll: the socket, then the pidfd of each task (its index in which[]); *timeout_ms to the next deadline. */
static unsigned
poll_set(const struct worker *w, struct pollfd *set, unsigned *which, int *timeout_ms)
{
	uint64_t now = now_ms(), next = UINT64_MAX;
	unsigned n = 1;

	set[0] = (struct pollfd){
	        .fd = w->socket, .events = (short)(POLLIN | (w->first != NULL ? POLLOUT : 0))};
	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++) {
		const struct task *t = &w->tasks[i];

		if (t->kind == TASK_NONE)
			continue;
		if (t->kind == TASK_RUN && t->killed == JOB_EXITED && t->deadline_ms < next)
			next = t->deadline_ms;
		which[n] = i;
		set[n++] = (struct pollfd){.fd = t->running.pidfd, .events = POLLIN};
	}
	*timeout_ms = next == UINT64_MAX       ? -1
	              : next <= now            ? 0
	              : next - now > INT32_MAX ? INT32_MAX
	                                       : (int)(next - now);
	return n;
}

static int
turn(struct worker *w)
{
	struct pollfd set[1 + WORKER_TASKS_MAX];
	unsigned which[1 + WORKER_TASKS_MAX];
	int timeout_ms, r = 0;
	unsigned n = poll_set(w, set, which, &timeout_ms);

	if (poll(set, n, timeout_ms) < 0)
		return errno == EINTR ? 0 : IM_ERR_SYSTEM;
	kill_overdue(w, now_ms());
	for (unsigned i = 1; r == 0 && i < n; i++) {
		if (set[i].revents != 0)
			r = finish_task(w, &w->tasks[which[i]]);
	}
	if (r == 0 && (set[0].revents & POLLOUT) != 0)
		r = flush_answers(w);
	if (r == 0 && (set[0].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
		r = take_requests(w);
	return r;
}

/* Kills everything and waits until it is gone. */
static void
end_tasks(struct worker *w)
{
	struct spawn_report report;
	struct unpack_report unpacked;
	int fds[SPAWN_FDS_MAX];
	unsigned nfds;

	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++)
		kill_task(&w->tasks[i], JOB_KILLED);
	for (unsigned i = 0; i < WORKER_TASKS_MAX; i++) {
		struct task *t = &w->tasks[i];

		if (t->kind == TASK_RUN) {
			spawn_finish(&t->running, &report, fds, &nfds);
			close_all(fds, nfds);
		} else if (t->kind != TASK_NONE) {
			unpack_finish(&t->running, &unpacked);
		}
		t->kind = TASK_NONE;
	}
}

int
worker_serve(struct worker *w)
{
	int r;

	do
		r = turn(w);
	while (r == 0);
	end_tasks(w);
	return r == IM_ERR_CLOSED ? 0 : r;
}

int
worker_probe(struct worker *w)
{
	struct spawn s = {
	        .view = {.limits = w->limits, .root = geteuid() == 0}, .filter = w->compile};
	struct pipe_msg m = {.type = PIPE_READY};
	struct spawn_report report;
	struct running running;
	int fds[SPAWN_FDS_MAX];
	unsigned nfds;

	if (spawn_start(&s, &running) != 0) {
		snprintf(m.text, sizeof(m.text), "no user namespaces here: %s", strerror(errno));
		return answer(w, &m, NULL, 0);
	}
	spawn_finish(&running, &report, fds, &nfds);
	close_all(fds, nfds);
	if (report.result.end == JOB_EXITED && report.result.exit_code == 0)
		m.level = 3;
	else if (report.text[0] != '\0')
		snprintf(m.text, sizeof(m.text), "%s", report.text);
	else
		snprintf(m.text, sizeof(m.text), "the first process of a sandbox died");
	return answer(w, &m, NULL, 0);
}

void
worker_free(struct worker *w)
{
	while (w->first != NULL) {
		struct answer *a = w->first;

		w->first = a->next;
		close_all(a->fds, a->nfds);
		free(a);
	}
	free(w);
}
