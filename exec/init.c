#include "exec/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/pipe.h"
#include "exec/scratch.h"

#define DEFAULT_PATH "PATH=/usr/local/bin:/usr/bin:/bin"
#define LIBRARY_PATH_SIZE 4096
#define STDERR_TAIL 4096 /* searched for what tells a full disk or a full memory */

/* What the process before exec says when it could not do its part. */
struct start_error {
	char what[32];
	int error;
};

/* --- in the compiler's process --- */

static const char *
path_of(const char *const *env)
{
	for (; *env != NULL; env++) {
		if (strncmp(*env, "PATH=", 5) == 0)
			return *env + 5;
	}
	return &DEFAULT_PATH[5];
}

static void
exec_found(const char *file, const struct job *j, char *const *env)
{
	execve(file, (char *const *)(uintptr_t)j->argv, env);
}

/* Looks a bare name up in the job's own PATH; returns only when nothing could be started, with errno. */
static void
exec_compiler(const struct job *j, char *const *env)
{
	const char *path = path_of(j->env), *name = j->argv[0];
	char file[PATH_MAX];
	int error = ENOENT;

	if (strchr(name, '/') != NULL) {
		exec_found(name, j, env);
		return;
	}
	while (*path != '\0') {
		size_t len = strcspn(path, ":");

		if (len > 0 && (size_t)snprintf(file, sizeof(file), "%.*s/%s", (int)len, path,
		                       name) < sizeof(file)) {
			exec_found(file, j, env);
			if (errno != ENOENT && errno != ENOTDIR)
				error = errno;
		}
		path += len;
		path += *path == ':';
	}
	errno = error;
}

/* The job's environment, and what it lacks: PATH, and LD_LIBRARY_PATH for toolchains that need it. */
static void
complete_environment(const struct spawn *s, const char *env[JOB_ENV_MAX + 3], char *libraries)
{
	const struct job *j = s->view.job;
	int has_path = 0;
	uint32_t n;

	for (n = 0; n < j->nenv && n < JOB_ENV_MAX; n++) {
		env[n] = j->env[n];
		has_path |= strncmp(env[n], "PATH=", 5) == 0;
	}
	if (!has_path)
		env[n++] = DEFAULT_PATH;
	if (s->library_path != NULL) {
		snprintf(libraries, LIBRARY_PATH_SIZE, "LD_LIBRARY_PATH=%s", s->library_path);
		env[n++] = libraries;
	}
	env[n] = NULL;
}

static _Noreturn void
give_up(int error_fd, const char *what)
{
	struct start_error e = {.error = errno};

	snprintf(e.what, sizeof(e.what), "%s", what);
	_exit(write(error_fd, &e, sizeof(e)) == (ssize_t)sizeof(e) ? 126 : 127);
}

static int
redirect(const int console[2])
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0)
		return -1;
	return dup2(console[0], STDOUT_FILENO) < 0 || dup2(console[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static _Noreturn void
become_compiler(const struct spawn *s, const int console[2], int error_fd)
{
	const struct job *j = s->view.job;
	const char *env[JOB_ENV_MAX + 3];
	char libraries[LIBRARY_PATH_SIZE];

	if (setsid() < 0)
		give_up(error_fd, "session");
	if (redirect(console) != 0)
		give_up(error_fd, "stdin, stdout, stderr");
	if (j != NULL && chdir(j->cwd) != 0)
		give_up(error_fd, "working directory");
	if (limits_apply(s->view.limits) != 0)
		give_up(error_fd, "limits");
	if (filter_load(s->filter) != 0)
		give_up(error_fd, "system call filter");
	if (j == NULL)
		_exit(0);
	complete_environment(s, env, libraries);
	exec_compiler(j, (char *const *)(uintptr_t)env);
	give_up(error_fd, "compiler");
}

/* --- in init --- */

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
	if (confine_capabilities(0) != 0 || confine_harmless() != 0)
		return refuse(r, JOB_SANDBOX, "cannot drop capabilities");
	return 0;
}

/* Reaps until the compiler has ended, then ends and reaps everything else in the namespace. */
static int
wait_for_compiler(pid_t compiler, struct job_result *result)
{
	struct rusage usage = {0};
	int status = 0, s;
	pid_t pid;

	do
		pid = wait4(-1, &s, 0, &usage);
	while ((pid >= 0 && pid != compiler) || (pid < 0 && errno == EINTR));
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

/* Forks, and waits for the end; *status is the compiler's.  The error pipe closes by itself at exec. */
static int
run_compiler(const struct spawn *s, const int console[2], struct spawn_report *r, int *status)
{
	struct start_error e = {0};
	uint64_t start = now_us();
	int errors[2];
	ssize_t n;
	pid_t pid;

	if (pipe2(errors, O_CLOEXEC) != 0)
		return refuse(r, JOB_SANDBOX, "cannot make a pipe");
	pid = fork();
	if (pid == 0)
		become_compiler(s, console, errors[1]);
	close(errors[1]);
	if (pid < 0) {
		close(errors[0]);
		return refuse(r, JOB_SANDBOX, "cannot fork");
	}
	n = read(errors[0], &e, sizeof(e));
	close(errors[0]);
	*status = wait_for_compiler(pid, &r->result);
	r->result.wall_us = now_us() - start;
	if (n == 0)
		return 0;
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

/* All of the job's life between sandbox and report. */
static int
run_job(const struct spawn *s, int scratch, struct spawn_report *r, struct collected *c)
{
	int console[2] = {sandbox_console(scratch), -1};
	int status = 0;

	console[1] = sandbox_console(scratch);
	if (console[0] < 0 || console[1] < 0)
		return refuse(r, JOB_SANDBOX, "cannot make files for stdout and stderr");
	if (run_compiler(s, console, r, &status) != 0)
		return -1;
	keep_status(&r->result, status);
	if (collect_console(console, r, c) != 0)
		return -1;
	return collect_outputs(s, scratch, r, c);
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
	        .result = {.noutputs = 2 + (s->view.job == NULL ? 0 : s->view.job->noutputs)}};
	struct collected c = {.n = 0};
	int scratch = -1;

	if (prepare(s, report, (struct ids){uid, gid}, &r, &scratch) != 0 ||
	        run_job(s, scratch, &r, &c) != 0) {
		c.n = 0;
		memset(r.result.outputs, 0, sizeof(r.result.outputs));
	}
	_exit(send_report(report, &r, &c) == 0 ? 0 : 1);
}
