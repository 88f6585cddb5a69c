/*
 * icemesh-cc: the compiler wrapper that make starts thousands of times.
 *
 * What may run elsewhere goes to a peer of the mesh (client/submit.h); everything else becomes the
 * real compiler by execve, under one of the machine's local slots.  It works without a daemon, is
 * silent on success, and no failure of the mesh ever fails a compile: it then runs here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/daemon.h"
#include "client/exit.h"
#include "client/local.h"
#include "client/now.h"
#include "client/packing.h"
#include "client/plan.h"
#include "client/real.h"
#include "client/run.h"
#include "client/submit.h"
#include "client/trace.h"

#define JOB_SPARE_MS 60000 /* a peer may take this much longer than a job's own limit */

extern char **environ;

struct wrapper {
	struct config config;
	struct real real;
	struct daemon daemon;
	bool no_daemon; /* looked for in vain: not again */
	struct args args;
	char **argv;     /* the compiler's own command line, as the user wrote it */
	char **expanded; /* the same with response files read; NULL when there were none */
	int argc;
	int64_t start_ms;
	uint64_t epoch_ms; /* only for traces */
	struct trace trace;
	int slot_fd;
};

static int
fail(int status, const char *what, const char *why)
{
	fprintf(stderr, "icemesh-cc: %s: %s\n", what, why);
	return status;
}

static int
usage(void)
{
	fputs("usage: icemesh-cc [COMPILER] ARGUMENT...\n"
	      "Runs the compiler (cc when none is named) on a machine of the mesh, or here when "
	      "that is not possible.\n"
	      "Use it as make CC=icemesh-cc, or make CC=\"icemesh-cc gcc\" CXX=\"icemesh-cc g++\"; "
	      "see icemesh-cc(1).\n",
	        stderr);
	return EXIT_STATUS_USAGE;
}

/* The outcome of a compile, to the daemon and into the trace. */
static void
tell(struct wrapper *w, enum verdict verdict, const char *reason, const char *text)
{
	w->trace.verdict = verdict;
	w->trace.reason = reason;
	w->trace.text = text;
	w->trace.ms.total = (uint64_t)(now_ms() - w->start_ms);
	if (w->daemon.fd >= 0 || (!w->no_daemon && daemon_open(&w->daemon, &w->config) == 0))
		daemon_report(&w->daemon, &(struct report){.verdict = verdict,
		                                  .outcome = OUTCOME_FINE,
		                                  .reason = reason,
		                                  .node = w->trace.node,
		                                  .retries = w->trace.retries,
		                                  .total_ms = w->trace.ms.total});
	daemon_fini(&w->daemon);
}

static void
write_trace(struct wrapper *w, int status)
{
	w->trace.exit = status;
	w->trace.ms.total = (uint64_t)(now_ms() - w->start_ms);
	if (w->config.trace[0] != 0)
		trace_write(w->config.trace, &w->trace, w->epoch_ms);
}

/* A slot for a compile or a link.  Inside another icemesh-cc the outer one holds it already. */
static int
take_slot(struct wrapper *w)
{
	int r;

	if (w->slot_fd >= 0 || w->real.depth > 0)
		return 0;
	r = local_slot_take(NULL, w->config.local_slots, &w->slot_fd);
	return r == 0 ? 0
	              : fail(EXIT_STATUS_SLOTS, "no local slot",
	                        r == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(r));
}

/* Runs the compiler here; returns only the exit status of what could not be done by execve. */
static int
compile_here(struct wrapper *w, bool slot)
{
	int status = slot ? take_slot(w) : 0, wait_status;

	if (status != 0)
		return status;
	if (w->config.trace[0] == 0) {
		(void)!run_instead(w->argv, environ);
		return fail(EXIT_STATUS_EXEC, w->argv[0], strerror(errno));
	}
	if (run_beside(w->argv, environ, &wait_status) != 0)
		return fail(EXIT_STATUS_EXEC, w->argv[0], strerror(errno));
	status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
	write_trace(w, status);
	return WIFSIGNALED(wait_status) ? run_die(WTERMSIG(wait_status)) : status;
}

/* A compile that could have been remote and is not. */
static int
stay_here(struct wrapper *w, enum verdict verdict, const char *reason, const char *text)
{
	tell(w, verdict, reason, text);
	if (w->config.remote != REMOTE_ONLY)
		return compile_here(w, true);
	fprintf(stderr,
	        "icemesh-cc: %s: %s%s%s; not compiled here because of ICEMESH_REMOTE=only\n",
	        w->trace.file, reason, text[0] != 0 ? ": " : "", text);
	write_trace(w, EXIT_STATUS_ONLY);
	return EXIT_STATUS_ONLY;
}

/* --- remote --- */

static void
trace_submit(struct wrapper *w, const struct submit *s)
{
	w->trace.mode = "preprocessed";
	w->trace.job = s->want.job;
	w->trace.retries = s->retries;
	w->trace.bytes_out = s->attempt.link.bytes_out;
	w->trace.bytes_in = s->attempt.link.bytes_in;
	w->trace.ms.lease = s->ms.lease;
	w->trace.ms.send = s->ms.send;
	w->trace.ms.queue = s->ms.queue;
	w->trace.ms.compile = s->ms.compile;
	w->trace.ms.receive = s->ms.receive;
	if (s->attempted) {
		w->trace.node = &s->attempt.node;
		w->trace.peer = s->attempt.peer;
	}
}

static int
finish_submit(struct wrapper *w, struct submit *s)
{
	w->slot_fd = s->slot_fd;
	trace_submit(w, s);
	if (s->state == SUBMIT_KILLED)
		return run_die(s->signal);
	if (s->state == SUBMIT_LOCAL)
		return stay_here(
		        w, s->attempted ? VERDICT_FALLBACK : VERDICT_LOCAL, s->reason, s->text);
	tell(w, VERDICT_REMOTE, "", "");
	write_trace(w, 0);
	return 0;
}

static int
submit(struct wrapper *w, const struct plan *plan, const struct digest *toolchain)
{
	struct submit s = {.daemon = &w->daemon,
	        .plan = plan,
	        .toolchain = *toolchain,
	        .env = environ,
	        .peer = w->config.peer,
	        .remote_only = w->config.remote == REMOTE_ONLY,
	        .output_max = w->config.job_output,
	        .job_ms = (int64_t)w->config.job_time_s * 1000 + JOB_SPARE_MS,
	        .slots = w->config.local_slots};
	int status = take_slot(w);

	if (status != 0)
		return status;
	s.slot_fd = w->slot_fd;
	w->trace.toolchain = toolchain;
	w->trace.ms.plan = (uint64_t)(now_ms() - w->start_ms);
	submit_run(&s);
	status = finish_submit(w, &s);
	submit_fini(&s);
	return status;
}

static int
compile_remote(struct wrapper *w)
{
	struct packing p = {
	        .daemon = &w->daemon, .compiler = w->real.path, .tarball = w->config.toolchain};
	char reason[REASON_SIZE] = "";
	struct plan plan = {0};
	int status;

	if (env_check(environ, reason) != 0)
		return stay_here(w, VERDICT_LOCAL, reason, "");
	if (plan_make(&plan, &w->args, w->real.path, environ, reason) != 0)
		return stay_here(w, VERDICT_LOCAL, reason, "");
	w->trace.file = plan.source;
	w->trace.output = plan.output;
	w->no_daemon = daemon_open(&w->daemon, &w->config) != 0;
	if (w->no_daemon)
		status = stay_here(w, VERDICT_LOCAL, "no-daemon", "");
	else if (crypto_start() != 0)
		status = stay_here(w, VERDICT_LOCAL, "system-error", "libsodium does not start");
	else if (packing_find(&p) != 0)
		status = stay_here(w, VERDICT_LOCAL, p.reason, p.text);
	else
		status = submit(w, &plan, &p.toolchain);
	plan_fini(&plan);
	return status;
}

/* --- deciding --- */

static int
compile(struct wrapper *w)
{
	const char *reason = NULL;
	int r = args_expand(w->argc, w->argv, &w->argc, &w->expanded);

	args_analyse(&w->args, w->argc, w->expanded != NULL ? w->expanded : w->argv,
	        args_compiler(w->real.resolved));
	w->trace.file = w->args.source != NULL ? w->args.source : "";
	w->trace.output = w->args.output != NULL ? w->args.output : "";
	if (r != 0)
		reason = "response-file";
	else if (w->args.verdict == ARGS_LOCAL)
		reason = w->args.reason;
	else if (w->real.depth > 0 || w->config.remote == REMOTE_NEVER)
		reason = "remote-never";
	if (reason == NULL)
		return compile_remote(w);
	if (strcmp(reason, "asks-compiler") == 0 && w->config.trace[0] == 0)
		return compile_here(w, false);
	tell(w, VERDICT_LOCAL, reason, "");
	return compile_here(w, strcmp(reason, "asks-compiler") != 0);
}

static int
find_compiler(struct wrapper *w, int argc, char **argv)
{
	static char guard[64];
	char cwd[PATH_MAX], what[NAME_MAX + 64];
	struct real_request q = {.argc = argc,
	        .argv = argv,
	        .path = getenv("PATH"),
	        .cwd = cwd,
	        .cc = w->config.cc,
	        .cxx = w->config.cxx,
	        .guard = getenv(REAL_GUARD)};
	int r;

	/* a working directory that is gone is the compiler's business */
	if (getcwd(cwd, sizeof cwd) == NULL)
		memcpy(cwd, ".", sizeof ".");
	if (stat("/proc/self/exe", &q.self) != 0)
		return fail(EXIT_STATUS_SYSTEM, "/proc/self/exe", strerror(errno));
	r = real_find(&w->real, &q);
	if (r != 0) {
		snprintf(what, sizeof what, "compiler '%s'", w->real.name);
		return fail(EXIT_STATUS_NO_CC, what,
		        r == IM_ERR_ABSENT    ? "not found in PATH"
		        : r == IM_ERR_REFUSED ? "icemesh-cc finds only itself; set ICEMESH_CC to "
		                                "the compiler's path"
		                              : im_strerror(r));
	}
	real_guard(&w->real, guard, sizeof guard);
	if (putenv(guard) != 0)
		return fail(EXIT_STATUS_SYSTEM, "environment", strerror(errno));
	return 0;
}

static bool
named_as_wrapper(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash != NULL ? slash + 1 : name;
	return strcmp(name, "icemesh-cc") == 0 || strcmp(name, "icemesh-c++") == 0;
}

int
main(int argc, char **argv)
{
	struct wrapper w = {.slot_fd = -1,
	        .start_ms = now_ms(),
	        .trace = {.mode = "", .peer = "", .reason = "", .text = ""}};
	struct timespec epoch;
	char why[256];
	int status;

	if (argc < 1 || (argc == 1 && named_as_wrapper(argv[0])))
		return usage();
	daemon_init(&w.daemon, -1);
	if (config_load(&w.config, config_scope(), why, sizeof why) != 0)
		return fail(EXIT_STATUS_CONFIG, "configuration", why);
	if (w.config.trace[0] != 0 && clock_gettime(CLOCK_REALTIME, &epoch) == 0)
		w.epoch_ms = (uint64_t)epoch.tv_sec * 1000 + (uint64_t)epoch.tv_nsec / 1000000;
	status = find_compiler(&w, argc, argv);
	if (status != 0)
		return status;
	/* the place before the first argument is the compiler's name, or our own */
	w.argv = argv + w.real.first - 1;
	w.argc = argc - w.real.first + 1;
	w.argv[0] = w.real.path;
	status = compile(&w);
	daemon_fini(&w.daemon);
	args_fini(&w.args);
	free(w.expanded);
	return status;
}
