/*
 * icemesh-cc: the compiler wrapper that make starts thousands of times.
 *
 * What may run elsewhere goes to a peer of the mesh (client/submit.h); everything else becomes the
 * real compiler by execve, under one of the machine's local slots.  It works without a daemon, is
 * silent on success, and no failure of the mesh ever fails a compile: it then runs here.
 */
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "client/bundle.h"
#include "client/daemon.h"
#include "client/exit.h"
#include "client/forecast.h"
#include "client/home.h"
#include "client/local.h"
#include "client/now.h"
#include "client/packing.h"
#include "client/parallel.h"
#include "client/plan.h"
#include "client/real.h"
#include "client/run.h"
#include "client/submit.h"
#include "client/tools.h"
#include "client/trace.h"
#include "client/trip.h"
#include "exec/compiler.h"

#define HEAP_STEP (1 << 20)  /* bytes */
#define HEAP_KEPT (32 << 20) /* more is asked of the kernel, and given back */
/* A compile is sent at most so often: each time it may look one folder deeper. */
#define LESSONS_MAX 8
#define JOB_SPARE_MS 60000 /* a peer may take this much longer than a job's own limit */

extern char **environ;

struct wrapper {
	struct config config;
	struct real real;
	struct run run; /* the compiler's own command line, as the user wrote it */
	struct parallel parallel;
	struct daemon daemon;
	bool no_daemon; /* looked for in vain: not again */
	struct args args;
	char **expanded; /* run.argv with response files read; NULL when there were none */
	int argc;
	int64_t start_ms;
	uint64_t epoch_ms; /* only for traces */
	struct account trace;
	char file[JOB_PATH_MAX + 1], output[JOB_PATH_MAX + 1]; /* absolute, for the trace */
	char why[REASON_SIZE], why_text[256];                  /* why not in source mode */
	struct digest toolchain;
	struct graph *graph;   /* NULL: none */
	unsigned lessons;      /* times that this compile was sent again with more */
	uint32_t predicted_ms; /* of this compile; 0: nothing is known */
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
		daemon_report(&w->daemon, &w->trace);
	daemon_fini(&w->daemon);
}

/* What cannot be written is said where a person reads it: in a build's log it would stand in the place of the compiler's own words. */
static void
write_trace(struct wrapper *w, int status)
{
	w->trace.exit = status;
	w->trace.ms.total = (uint64_t)(now_ms() - w->start_ms);
	if (w->config.trace[0] == 0 || trace_write(w->config.trace, &w->trace, w->epoch_ms) == 0)
		return;
	if (isatty(STDERR_FILENO) == 1)
		fprintf(stderr, "icemesh-cc: trace %s: %s; no line was written\n", w->config.trace,
		        strerror(errno));
}

/* A slot for a compile or a link.  Inside another icemesh-cc the outer one holds it already. */
static int
take_slot(struct wrapper *w)
{
	int r;

	if (w->slot_fd >= 0 || w->real.depth > 0)
		return 0;
	r = local_slot_take(NULL, w->config.local_slots, &w->slot_fd);
	/* a compiler can do with fewer descriptors than we need to count it */
	if (r == IM_ERR_SYSTEM && (errno == EMFILE || errno == ENFILE))
		return 0;
	return r == 0 ? 0
	              : fail(EXIT_STATUS_SLOTS, "no local slot",
	                        r == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(r));
}

static bool
named_as_wrapper(const char *name)
{
	const char *slash = strrchr(name, '/');

	name = slash != NULL ? slash + 1 : name;
	return strcmp(name, "icemesh-cc") == 0 || strcmp(name, "icemesh-c++") == 0;
}

static int
become(const struct wrapper *w)
{
	(void)!run_instead(&w->run);
	return fail(EXIT_STATUS_EXEC, w->run.path, strerror(errno));
}

/* Beside this process, which serves its jobserver meanwhile and then writes the trace. */
static int
compile_beside(struct wrapper *w)
{
	int64_t start = now_ms();
	int status, r = run_beside(&w->run, &status), error = errno;

	parallel_end(&w->parallel);
	errno = error;
	if (r != 0) {
		status = fail(EXIT_STATUS_EXEC, w->run.path, strerror(errno));
		write_trace(w, status);
		return status;
	}
	w->trace.ms.compile = (uint64_t)(now_ms() - start);
	if (status == 0)
		home_took(w->graph, &w->toolchain, HOME_HERE, w->trace.ms.compile * 1000,
		        w->predicted_ms);
	write_trace(w, WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return WIFEXITED(status) ? WEXITSTATUS(status) : run_die(WTERMSIG(status));
}

/* ccache, whose compiles come back to us.  It splits the variables at blanks. */
static int
run_cache(struct wrapper *w)
{
	char self[PATH_MAX] = "";
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);

	if (!w->real.comes_back && n > 0 && named_as_wrapper(self) && strchr(self, ' ') == NULL) {
		setenv("CCACHE_PREFIX", self, 0);
		setenv("CCACHE_PREFIX_CPP", self, 0);
		w->run.env = environ;
	}
	return become(w);
}

/* Runs the compiler here; returns only the exit status of what could not be done by execve. */
static int
compile_here(struct wrapper *w, bool slot)
{
	int64_t start = now_ms();
	int status = slot ? take_slot(w) : 0;

	w->trace.ms.queue = (uint64_t)(now_ms() - start);
	if (status != 0) {
		write_trace(w, status);
		return status;
	}
	if (w->slot_fd >= 0)
		parallel_begin(&w->parallel, &w->run,
		        &(struct parallel_request){.slots = w->config.local_slots,
		                .argc = w->argc,
		                .argv = w->expanded != NULL ? w->expanded : (char **)w->run.argv,
		                .compiler = w->args.compiler});
	return w->config.trace[0] != 0 || w->parallel.serves ||
	                       home_is_timed(w->graph, &w->toolchain, w->predicted_ms)
	               ? compile_beside(w)
	               : become(w);
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
	w->trace.job = s->want.job;
	w->trace.retries = s->retries;
	w->trace.ms.lease = s->ms.lease;
	w->trace.ms.send = s->ms.send;
	w->trace.ms.queue = s->ms.queue;
	w->trace.ms.compile = s->ms.compile;
	w->trace.ms.receive = s->ms.receive;
	if (s->attempted) {
		w->trace.mode = s->bundle != NULL ? "source" : "preprocessed";
		w->trace.node = &s->attempt->node;
		w->trace.peer = s->attempt->peer;
	}
}

/* What a compile that ran elsewhere has to say all the same: why the first peer did not do it, or why it left preprocessed. */
static const char *
remark(const struct wrapper *w, const struct submit *s)
{
	if (s->text[0] != 0)
		return s->text;
	return s->bundle == NULL ? w->why_text : "";
}

/* What it is when it is done here after all. */
static enum verdict
verdict_here(const struct wrapper *w, bool attempted)
{
	return attempted || w->lessons > 0 ? VERDICT_FALLBACK : VERDICT_LOCAL;
}

static int
finish_submit(struct wrapper *w, struct submit *s)
{
	w->slot_fd = s->slot_fd;
	trace_submit(w, s);
	if (s->state == SUBMIT_KILLED) {
		write_trace(w, 128 + s->signal);
		return run_die(s->signal);
	}
	if (s->state == SUBMIT_LOCAL)
		return stay_here(w, verdict_here(w, s->attempted), s->reason, s->text);
	w->trace.exit = s->exit_code;
	tell(w, VERDICT_REMOTE, "", remark(w, s));
	write_trace(w, s->exit_code);
	return s->exit_code;
}

/* How a submitted compile ended; for what the caller may do about it. */
enum outcome_here { HERE_DONE, HERE_AGAIN };

/* One of plan and bundle is NULL.  The preprocessor runs under a local slot, an input set needs none.  HERE_AGAIN only while there
 * are tries left: then nothing was told to anybody. */
static enum outcome_here
submit(struct wrapper *w, const struct plan *plan, struct bundle *bundle, int *status)
{
	struct submit s = {.daemon = &w->daemon,
	        .plan = plan,
	        .bundle = bundle,
	        .toolchain = w->toolchain,
	        .env = environ,
	        .peer = w->config.peer,
	        .remote_only = w->config.remote == REMOTE_ONLY,
	        .output_max = w->config.job_output,
	        .job_ms = (int64_t)w->config.job_time_s * 1000 + JOB_SPARE_MS,
	        .slots = w->config.local_slots};
	struct forecast forecast;
	struct digest name;
	bool again;

	*status = plan != NULL ? take_slot(w) : 0;
	if (*status != 0)
		return HERE_DONE;
	s.slot_fd = w->slot_fd;
	w->trace.toolchain = &w->toolchain;
	w->trace.ms.plan = (uint64_t)(now_ms() - w->start_ms);
	if (bundle != NULL)
		forecast_name(&name, &bundle->job, bundle->argv);
	else
		forecast_name(&name, &plan->job, plan->remote[PLAN_PLAIN]);
	forecast_find(&forecast, w->graph, &name);
	w->predicted_ms = s.predicted_ms = forecast_ms(&forecast);
	submit_run(&s);
	if (s.state == SUBMIT_DONE && s.exit_code == 0 && forecast_add(&forecast, s.compile_us))
		forecast_keep(&forecast, w->graph, &name);
	again = s.state == SUBMIT_LOCAL && s.learned && ++w->lessons < LESSONS_MAX;
	w->trace.bytes_out += s.bytes_out;
	w->trace.bytes_in += s.bytes_in;
	w->trace.hedged = w->trace.hedged || s.hedged;
	if (!again)
		*status = finish_submit(w, &s);
	submit_fini(&s);
	return again ? HERE_AGAIN : HERE_DONE;
}

/* Preprocessed mode; what only source mode can do exactly stays here. */
static int
submit_text(struct wrapper *w)
{
	char reason[REASON_SIZE] = "";
	struct plan plan = {0};
	int status;

	if (w->args.source_only)
		return stay_here(
		        w, VERDICT_LOCAL, w->why[0] != 0 ? w->why : w->args.reason, w->why_text);
	if (plan_make(&plan, &w->args, w->real.path, environ, reason) != 0)
		return stay_here(w, VERDICT_LOCAL, reason, "");
	submit(w, &plan, NULL, &status);
	plan_fini(&plan);
	return status;
}

/* Why the compile had better stay here, under a local slot that was free; NULL when it had not. */
static const char *
better_here(struct wrapper *w, const struct bundle *b)
{
	struct trip trip;
	struct home home;
	struct forecast forecast;
	struct digest name;
	bool tiny;

	if (!b->recalled || w->config.remote == REMOTE_ONLY || w->config.peer[0] != 0)
		return NULL;
	trip_find(&trip, b->graph, &b->key);
	home_find(&home, b->graph, &w->toolchain);
	tiny = trip_wasted(&trip);
	if (!tiny && !home_keeps(&home))
		return NULL;
	if (w->slot_fd >= 0 || local_slot_try(NULL, w->config.local_slots, &w->slot_fd) != 0)
		return NULL;
	if (tiny)
		return "tiny";
	forecast_name(&name, &b->job, b->argv);
	forecast_find(&forecast, b->graph, &name);
	w->predicted_ms = forecast_ms(&forecast);
	return "faster-here";
}

/* Source mode, as often as there is something to be learned, or on its way out of it. */
static int
submit_source(struct wrapper *w)
{
	struct probes probes;
	struct bundle bundle;
	struct bundle_request q = {.args = &w->args,
	        .compiler = w->real.path,
	        .toolchain = w->toolchain,
	        .graph = w->graph,
	        .probes = &probes,
	        .environment = environ,
	        .slots = w->config.local_slots};
	enum outcome_here outcome = HERE_AGAIN;
	int r = 0, status = 0;

	probes_init(&probes);
	while (r == 0 && outcome == HERE_AGAIN) {
		r = bundle_make(&bundle, &q, w->why, w->why_text);
		const char *better = r == 0 ? better_here(w, &bundle) : NULL;
		if (better != NULL) {
			outcome = HERE_DONE;
			status = stay_here(w, VERDICT_LOCAL, better, "");
		} else if (r == 0) {
			outcome = submit(w, NULL, &bundle, &status);
		}
		bundle_fini(&bundle);
	}
	probes_fini(&probes);
	if (r == 0)
		return status;
	if (w->config.mode == INPUT_SOURCE || strcmp(w->why, "include-undecided") != 0)
		return stay_here(w, verdict_here(w, false), w->why, w->why_text);
	return submit_text(w);
}

static int
compile_packed(struct wrapper *w, int graph_fd)
{
	bool source = w->config.mode != INPUT_PREPROCESSED && !w->args.text_only;

	/* it stays mapped: the process is about to end, and unmapping takes as long as a hundred look-ups */
	if (graph_fd >= 0 && graph_open(&w->graph, graph_fd) != 0)
		w->graph = NULL;
	if (graph_fd >= 0 &&
	        (graph_full(w->graph) || graph_filled(w->graph) > RECALL_GRAPH_PERCENT))
		daemon_graph(&w->daemon);
	return source ? submit_source(w) : submit_text(w);
}

/* gcc starts the assembler that PATH has, and objcopy for a .dwo, clang where it is told to; peers look in a PATH of their own. */
static bool
usual_programs(const struct args *a)
{
	bool starts = a->compiler == FOR_GCC, splits = false;

	for (uint32_t i = 0; i < a->argc; i++) {
		starts = starts || strcmp(a->argv[i], "-fno-integrated-as") == 0 ||
		         strcmp(a->argv[i], "-no-integrated-as") == 0;
		splits = splits || strncmp(a->argv[i], "-gsplit-dwarf", 13) == 0;
	}
	return !starts || (tools_same("as", COMPILER_PATH) &&
	                          (!splits || tools_same("objcopy", COMPILER_PATH)));
}

/* What the compiler makes without leave to write it, it cannot fill; how it fails depends on who runs it. */
static bool
usual_umask(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return (mask & (S_IRUSR | S_IWUSR)) == 0;
}

static int
compile_remote(struct wrapper *w)
{
	struct packing p = {.daemon = &w->daemon,
	        .compiler = w->real.path,
	        .tarball = w->config.toolchain,
	        .graph_fd = -1};
	char reason[REASON_SIZE] = "";

	if (env_check(environ, reason) != 0)
		return stay_here(w, VERDICT_LOCAL, reason, "");
	if (!usual_programs(&w->args))
		return stay_here(w, VERDICT_LOCAL, "environment PATH",
		        "it leads to an assembler or objcopy of its own");
	if (!usual_umask())
		return stay_here(w, VERDICT_LOCAL, "output-special", "umask");
	w->no_daemon = daemon_open(&w->daemon, &w->config) != 0;
	if (w->no_daemon)
		return stay_here(w, VERDICT_LOCAL, "no-daemon", "");
	if (crypto_start() != 0)
		return stay_here(w, VERDICT_LOCAL, "system-error", "libsodium does not start");
	if (packing_find(&p) != 0)
		return stay_here(w, VERDICT_LOCAL, p.reason, p.text);
	w->toolchain = p.toolchain;
	return compile_packed(w, p.graph_fd);
}

/* --- deciding --- */

/* The name as an absolute path, by words alone; as written when it does not fit. */
static const char *
absolute(const char *name, char out[JOB_PATH_MAX + 1])
{
	char cwd[JOB_PATH_MAX + 1];

	if (name == NULL)
		return "";
	return plan_cwd(getenv("PWD"), cwd) == 0 && args_path(cwd, name, out) == 0 ? out : name;
}

static int
compile(struct wrapper *w)
{
	const char *reason = NULL;
	char **argv = (char **)w->run.argv;
	int r = args_expand(w->argc, argv, &w->argc, &w->expanded);

	args_analyse(&w->args, w->argc, w->expanded != NULL ? w->expanded : argv,
	        args_compiler(w->real.resolved));
	w->trace.file = absolute(w->args.source, w->file);
	w->trace.output = absolute(w->args.output, w->output);
	if (r != 0)
		reason = "response-file";
	else if (w->args.verdict == ARGS_LOCAL)
		reason = w->args.reason;
	else if (w->config.remote == REMOTE_NEVER)
		reason = "remote-never";
	else if (w->real.depth > 0)
		reason = "nested";
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
	/* where /proc is not mounted, what the kernel was asked to run */
	if (stat("/proc/self/exe", &q.self) != 0 &&
	        stat((const char *)getauxval(AT_EXECFN), &q.self) != 0)
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

/* A process of some milliseconds takes memory in few system calls and gives none back. */
static void
set_heap(void)
{
	mallopt(M_TOP_PAD, HEAP_STEP);
	mallopt(M_TRIM_THRESHOLD, HEAP_KEPT);
	mallopt(M_MMAP_THRESHOLD, HEAP_KEPT);
}

int
main(int argc, char **argv)
{
	struct wrapper w = {.slot_fd = -1, .start_ms = now_ms(), .trace = {.exit = -1}};
	struct timespec epoch;
	char why[256];
	int status;

	if (argc < 1 || (argc == 1 && named_as_wrapper(argv[0])))
		return usage();
	set_heap();
	run_begin(&w.run);
	daemon_init(&w.daemon, -1);
	if (config_load(&w.config, config_scope(), why, sizeof why) != 0)
		return fail(EXIT_STATUS_CONFIG, "configuration", why);
	if (w.config.trace[0] != 0 && clock_gettime(CLOCK_REALTIME, &epoch) == 0)
		w.epoch_ms = (uint64_t)epoch.tv_sec * 1000 + (uint64_t)epoch.tv_nsec / 1000000;
	status = find_compiler(&w, argc, argv);
	if (status != 0)
		return status;
	/* the place before the first argument is the compiler's name, or our own */
	w.argc = argc - w.real.first + 1;
	argv += w.real.first - 1;
	argv[0] = (char *)(uintptr_t)w.real.called;
	w.run.path = strchr(w.real.called, '/') != NULL ? w.real.called : w.real.path;
	w.run.argv = argv;
	w.run.env = environ;
	status = w.real.cache ? run_cache(&w) : compile(&w);
	daemon_fini(&w.daemon);
	args_fini(&w.args);
	free(w.expanded);
	return status;
}
