/*
 * The plan of a remote compile: the command lines it becomes, the paths as the peer will see them,
 * the environment that goes along. Made from an analysed command line without running or sending
 * anything.
 *
 * A plan is made only for what can be exact: a path with ".." behind a symbolic link, or one that
 * cannot be said as a job's path, is declined with a reason.
 */
#ifndef CLIENT_PLAN_H
#define CLIENT_PLAN_H

#include "client/outputs.h"
#include "exec/args.h"
#include "exec/job.h"

/* Preprocessing with macros left alone is tried first where the compiler can do it. */
enum plan_cpp { PLAN_DIRECTIVES, PLAN_PLAIN, PLAN_CPPS };

struct plan {
	char **cpp[PLAN_CPPS];    /* owned; NULL: no such way */
	char **remote[PLAN_CPPS]; /* owned; the peer's argv for text made that way */
	const char *text_file; /* source that is preprocessed already: read instead of running cpp;
	                          else NULL */
	struct job job;        /* all but toolchain and argv */
	enum output_way way;
	bool plain_loses; /* see args.h: PLAN_PLAIN in the place of PLAN_DIRECTIVES is not exact */
	bool object;      /* the output is an object file, no assembly text */
	/* what job points to */
	struct job_input input;
	const char *outputs[1];
	const char *env[JOB_ENV_MAX + 1]; /* no PATH, no PWD: the sandbox sets them */
	char cwd[JOB_PATH_MAX + 1], source[JOB_PATH_MAX + 1], output[JOB_PATH_MAX + 1];
};

/* The working directory as gcc sees it: $PWD while it names this directory, else getcwd().
 * IM_ERR_SYSTEM, IM_ERR_FORMAT (it is spelled in a way that no job may have). */
int plan_cwd(const char *pwd, char out[JOB_PATH_MAX + 1]) IM_MUST;
/* name as an absolute path below cwd. IM_ERR_REFUSED when a ".." follows a symbolic link,
 * IM_ERR_FORMAT, IM_ERR_LIMIT. */
int plan_path(const char *cwd, const char *name, char out[JOB_PATH_MAX + 1]) IM_MUST;

/* Makes the plan; a must outlive it. compiler: absolute path. On error reason says why the compile
 * is local. */
int plan_make(struct plan *p, const struct args *a, const char *compiler, char *const *environment,
        char reason[REASON_SIZE]) IM_MUST;
/* Frees; a zeroed plan is allowed. */
void plan_fini(struct plan *p);

#endif
