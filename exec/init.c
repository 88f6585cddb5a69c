#include "exec/init.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "exec/compiler.h"
#include "exec/confine.h"
#include "exec/findings.h"
#include "exec/guard.h"
#include "exec/own.h"
#include "exec/pipe.h"
#include "exec/scratch.h"
#include "exec/specs.h"

#define STDERR_TAIL 4096 /* searched for what tells a full disk or a full memory */
#define LOOK_UP_MS 50    /* at most so late does init see that the compiler has ended */

/* Notes the end and its reason, with errno's text behind it. */
static int
refuse(struct spawn_report *r, enum job_end end, const char *what)
{
	r->result.end = end;
	snprintf(r->text, sizeof(r->text), "%s: %s", what, strerror(errno));
	return -1;
}

static void
forget_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	umask(022);
}

static int
keep_fds(const struct spawn *s, int report)
{
	int keep[1 + PIPE_FDS_MAX];
	unsigned n = 0;

	keep[n++] = report;
	for (unsigned i = 0; i < s->view.ninputs && n < sizeof(keep) / sizeof(keep[0]); i++)
		keep[n++] = s->view.inputs[i];
	return confine_fds(keep, n);
}

struct ids {
	unsigned uid, gid;
};

static bool
has_findings(const struct spawn *s)
{
	return s->view.job != NULL && s->view.job->mode == JOB_SOURCE;
}

static bool
has_guard(const struct spawn *s)
{
	return has_findings(s) && s->guard != NULL;
}

static bool
has_specs(const struct spawn *s)
{
	return has_findings(s) && s->view.job->argc > 1 &&
	       strcmp(s->view.job->argv[1], SPECS_WORD) == 0;
}

static int
prepare(const struct spawn *s, int report, struct ids ids, struct spawn_report *r, int *scratch)
{
	int e;

	forget_signals();
	limits_nice(s->view.limits);
	if (keep_fds(s, report) != 0)
		return refuse(r, JOB_SANDBOX, "cannot close descriptors");
	if (confine_map_ids(ids.uid, ids.gid) != 0)
		return refuse(r, JOB_SANDBOX, "cannot map the user's id into a namespace");
	if (confine_to_parent(report) != 0)
		return refuse(r, JOB_SANDBOX, "cannot follow the helper's end");
	e = sandbox_enter(&s->view, scratch, r->text);
	if (e != 0) {
		r->result.end = e == IM_ERR_REFUSED ? JOB_REFUSED : JOB_SANDBOX;
		return -1;
	}
	if (has_specs(s) && !specs_stand()) {
		r->result.end = JOB_REFUSED;
		snprintf(r->text, sizeof(r->text), "specs that say more than a processor");
		return -1;
	}
	/* Over the job's processes, which are all that is in this namespace; they have it no more. */
	if (confine_capabilities(has_guard(s) ? 1u << CAP_SYS_PTRACE : 0) != 0 ||
	        confine_harmless() != 0)
		return refuse(r, JOB_SANDBOX, "cannot drop capabilities");
	return 0;
}

static void
wake_up(int sig)
{
	(void)sig; /* has interrupted what waited for the next call */
}

/* SIGCHLD may come just before guard_serve() waits and be lost, and not every kernel then says that nobody is left to watch: hence the
 * timer.  It is slow, since each time it costs as much as two calls. */
static void
set_alarms(void (*handler)(int), suseconds_t us)
{
	struct sigaction act = {.sa_handler = handler};
	struct itimerval every = {.it_interval = {.tv_usec = us}, .it_value = {.tv_usec = us}};

	if (sigaction(SIGCHLD, &act, NULL) != 0 || sigaction(SIGALRM, &act, NULL) != 0 ||
	        setitimer(ITIMER_REAL, &every, NULL) != 0)
		errno = 0; /* cannot fail with these arguments */
}

/* Answers calls, and reaps, until the compiler or the guard has ended; as wait4, but 0 for the latter. */
static pid_t
wait_with_guard(pid_t compiler, struct guard *g, int *status, struct rusage *usage)
{
	int failed = 0;
	pid_t pid;

	set_alarms(wake_up, LOOK_UP_MS * 1000);
	do {
		pid = wait4(-1, status, WNOHANG, usage);
		if (pid == 0)
			failed = guard_serve(g);
	} while (failed == 0 && pid != compiler && (pid >= 0 || errno == EINTR));
	set_alarms(SIG_DFL, 0);
	return pid;
}

/* Reaps until the compiler has ended, then ends and reaps everything else in the namespace.  g may be NULL. */
static int
wait_for_compiler(pid_t compiler, struct guard *g, struct job_result *result)
{
	struct rusage usage = {0};
	int status = 0, s = 0;
	pid_t pid = g == NULL ? 0 : wait_with_guard(compiler, g, &s, &usage);

	while ((pid >= 0 && pid != compiler) || (pid < 0 && errno == EINTR))
		pid = wait4(-1, &s, 0, &usage);
	if (pid == compiler) {
		status = s;
		init_usage(result, &usage);
	}
	kill(-1, SIGKILL);
	while (wait4(-1, NULL, 0, NULL) >= 0 || errno == EINTR)
		continue;
	return status;
}

static uint64_t
now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* Watches over the compiler until its end; what the guard heard goes into findings. */
static int
watch(const struct spawn *s, pid_t pid, int offer, struct spawn_report *r, struct buf *findings)
{
	int status, listener = offer < 0 ? -1 : guard_take(offer);
	struct guard *g = listener < 0 ? NULL : guard_new(listener, s->view.job->cwd);

	/* Without memory for a guard the listener is closed and the compiler fails; that is not its result. */
	if (listener >= 0 && g == NULL) {
		r->result.end = JOB_SANDBOX;
		snprintf(r->text, sizeof(r->text), "no memory for the guard");
		kill(-1, SIGKILL);
	}
	status = wait_for_compiler(pid, g, &r->result);
	if (g != NULL)
		guard_end(g, findings);
	else if (has_findings(s))
		findings_add(findings, FINDING_OVERFLOW, "");
	return status;
}

/* The descriptors between init and the compiler's process, in pairs; -1 where there are none. */
struct ends {
	int errors[2], offer[2];
};

static void
close_ends(struct ends *e, int which)
{
	if (e->errors[which] >= 0)
		close(e->errors[which]);
	if (e->offer[which] >= 0)
		close(e->offer[which]);
	e->errors[which] = e->offer[which] = -1;
}

static int
open_ends(const struct spawn *s, struct ends *e)
{
	*e = (struct ends){{-1, -1}, {-1, -1}};
	if (pipe2(e->errors, O_CLOEXEC) != 0)
		return -1;
	if (!has_guard(s) || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, e->offer) == 0)
		return 0;
	close_ends(e, 0);
	close_ends(e, 1);
	return -1;
}

/* Forks, and waits for the end; *status is the compiler's.  The error pipe closes by itself at exec. */
static int
run_compiler(const struct spawn *s, const int console[2], struct spawn_report *r, int *status,
        struct buf *findings)
{
	struct compiler_error e = {0};
	uint64_t start = now_us();
	struct ends ends;
	ssize_t n;
	pid_t pid;

	if (open_ends(s, &ends) != 0)
		return refuse(r, JOB_SANDBOX, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		compiler_become(s, &(struct compiler_fds){.console = console,
		                           .errors = ends.errors[1],
		                           .guard = ends.offer[1]});
	close_ends(&ends, 1);
	if (pid < 0) {
		close_ends(&ends, 0);
		return refuse(r, JOB_SANDBOX, "cannot fork");
	}
	n = read(ends.errors[0], &e, sizeof(e));
	*status = watch(s, pid, ends.offer[0], r, findings);
	close_ends(&ends, 0);
	r->result.wall_us = now_us() - start;
	if (n == 0)
		return r->result.end == JOB_SANDBOX ? -1 : 0;
	r->result.end = JOB_SANDBOX;
	snprintf(r->text, sizeof(r->text), "cannot set up the %.31s %.160s: %s", e.what,
	        s->view.job == NULL ? "" : s->view.job->argv[0], strerror(e.error));
	return -1;
}

static void
keep_status(struct job_result *result, int status)
{
	result->end = JOB_EXITED;
	if (WIFEXITED(status)) {
		result->exit_code = WEXITSTATUS(status);
		return;
	}
	result->signal = WTERMSIG(status);
	if (result->signal == SIGXFSZ)
		result->end = JOB_OUTPUT;
	else if (result->signal == SIGXCPU)
		result->end = JOB_TIMEOUT;
	else if (result->signal ==
	         SIGKILL) /* nobody else kills in here: the kernel, out of memory */
		result->end = JOB_MEMORY;
}

/*
 * A driver says of a child that ran into a limit no more than this on stderr, and exits 1 as for an error in the source.
 * Taking a real error for a limit costs a second compile; the other way round costs a wrong answer.
 */
static enum job_end
end_by_stderr(int fd, uint64_t size)
{
	static const struct {
		const char *text;
		enum job_end end;
	} signs[] = {{"No space left on device", JOB_OUTPUT},
	        {"File size limit exceeded", JOB_OUTPUT}, {"File too large", JOB_OUTPUT},
	        {"out of memory", JOB_MEMORY}, {"memory exhausted", JOB_MEMORY},
	        {"Cannot allocate memory", JOB_MEMORY}, {"bad_alloc", JOB_MEMORY},
	        {"Killed signal", JOB_MEMORY}, {"Resource temporarily unavailable", JOB_MEMORY},
	        {"CPU time limit exceeded", JOB_TIMEOUT}};
	char tail[STDERR_TAIL + 1];
	ssize_t n =
	        pread(fd, tail, STDERR_TAIL, size > STDERR_TAIL ? (off_t)(size - STDERR_TAIL) : 0);

	if (n <= 0)
		return JOB_EXITED;
	tail[n] = '\0';
	for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (strstr(tail, signs[i].text) != NULL)
			return signs[i].end;
	}
	return JOB_EXITED;
}

/* What init passes on: the descriptors of everything present, in order. */
struct collected {
	int fds[SPAWN_FDS_MAX];
	unsigned n;
};

static int
collect_console(const int console[2], struct spawn_report *r, struct collected *c)
{
	for (int i = 0; i < 2; i++) {
		struct stat st;

		if (fstat(console[i], &st) != 0)
			return refuse(r, JOB_SANDBOX, "cannot look at the job's stdout");
		if ((uint64_t)st.st_size > LIMITS_CONSOLE) {
			r->result.end = JOB_OUTPUT;
			snprintf(r->text, sizeof(r->text), "%s above %u bytes",
			        i == 0 ? "stdout" : "stderr", LIMITS_CONSOLE);
			return -1;
		}
		r->result.outputs[i].present = 1;
		r->result.outputs[i].size = (uint64_t)st.st_size;
		c->fds[c->n++] = console[i];
	}
	if (r->result.end == JOB_EXITED && r->result.exit_code != 0)
		r->result.end = end_by_stderr(console[1], r->result.outputs[1].size);
	return 0;
}

static int
collect_outputs(const struct spawn *s, int scratch, struct spawn_report *r, struct collected *c)
{
	const struct job *j = s->view.job;
	uint64_t total = 0;

	for (uint32_t i = 0; j != NULL && i < j->noutputs; i++) {
		struct job_output *o = &r->result.outputs[2 + i];
		int e = scratch_collect(scratch, j->outputs[i] + 1, &c->fds[c->n], &o->size);

		if (e == IM_ERR_ABSENT)
			continue;
		if (e != 0) {
			r->result.end = JOB_REFUSED;
			snprintf(r->text, sizeof(r->text), "output %.200s is not a plain file",
			        j->outputs[i]);
			return -1;
		}
		c->n++;
		o->present = 1;
		total += o->size;
		if (total > s->view.limits->output) {
			r->result.end = JOB_OUTPUT;
			snprintf(r->text, sizeof(r->text), "outputs above %llu bytes",
			        (unsigned long long)s->view.limits->output);
			return -1;
		}
	}
	return 0;
}

/* The last output of a source job. */
static int
collect_findings(const struct spawn *s, int scratch, struct spawn_report *r, struct collected *c,
        struct buf *findings)
{
	struct job_output *o = &r->result.outputs[2 + s->view.job->noutputs];
	int fd;

	own_changes(s->view.job, scratch, findings);
	fd = memfd_create("findings", MFD_CLOEXEC);
	if (fd < 0 || buf_err(findings) == IM_ERR_MEMORY ||
	        write(fd, findings->data, findings->len) != (ssize_t)findings->len) {
		if (fd >= 0)
			close(fd);
		return refuse(r, JOB_SANDBOX, "cannot keep the findings");
	}
	c->fds[c->n++] = fd;
	o->present = 1;
	o->size = findings->len;
	return 0;
}

/* All of the job's life between sandbox and report. */
static int
run_job(const struct spawn *s, int scratch, struct spawn_report *r, struct collected *c)
{
	int console[2] = {sandbox_console(scratch), -1};
	struct buf findings;
	int status = 0, e;

	console[1] = sandbox_console(scratch);
	if (console[0] < 0 || console[1] < 0)
		return refuse(r, JOB_SANDBOX, "cannot make files for stdout and stderr");
	buf_init(&findings, FINDINGS_LEN_MAX);
	e = run_compiler(s, console, r, &status, &findings);
	if (e == 0)
		keep_status(&r->result, status);
	if (e == 0)
		e = collect_console(console, r, c);
	if (e == 0)
		e = collect_outputs(s, scratch, r, c);
	if (e == 0 && has_findings(s))
		e = collect_findings(s, scratch, r, c, &findings);
	buf_fini(&findings);
	return e;
}

static int
send_report(int fd, const struct spawn_report *r, const struct collected *c)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(SPAWN_FDS_MAX * sizeof(int))] = {0};
	struct iovec iov = {.iov_base = (void *)(uintptr_t)r, .iov_len = sizeof(*r)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};

	if (c->n > 0) {
		struct cmsghdr *m = (struct cmsghdr *)(void *)control;

		hdr.msg_control = control;
		hdr.msg_controllen = CMSG_SPACE(c->n * sizeof(int));
		m->cmsg_level = SOL_SOCKET;
		m->cmsg_type = SCM_RIGHTS;
		m->cmsg_len = CMSG_LEN(c->n * sizeof(int));
		memcpy(CMSG_DATA(m), c->fds, c->n * sizeof(int));
	}
	return sendmsg(fd, &hdr, MSG_NOSIGNAL) == (ssize_t)sizeof(*r) ? 0 : -1;
}

void
init_run(const struct spawn *s, int report, unsigned uid, unsigned gid)
{
	struct spawn_report r = {
	        .result = {.noutputs = 2 + (s->view.job == NULL ? 0 : s->view.job->noutputs) +
	                               has_findings(s)}};
	struct collected c = {.n = 0};
	int scratch = -1;

	if (prepare(s, report, (struct ids){uid, gid}, &r, &scratch) != 0 ||
	        run_job(s, scratch, &r, &c) != 0) {
		c.n = 0;
		memset(r.result.outputs, 0, sizeof(r.result.outputs));
	}
	_exit(send_report(report, &r, &c) == 0 ? 0 : 1);
}
