#include "client/plan.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int
plan_cwd(const char *pwd, char out[JOB_PATH_MAX + 1])
{
	struct stat here, there;

	/* compilers take it as it is spelled */
	if (pwd != NULL && pwd[0] == '/' && stat(".", &here) == 0 && stat(pwd, &there) == 0 &&
	        here.st_dev == there.st_dev && here.st_ino == there.st_ino) {
		if (!job_path_ok(pwd))
			return IM_ERR_FORMAT;
		memcpy(out, pwd, strlen(pwd) + 1);
		return 0;
	}
	if (getcwd(out, JOB_PATH_MAX) == NULL)
		return IM_ERR_SYSTEM;
	return job_path_ok(out) ? 0 : IM_ERR_FORMAT;
}

/* True when the part of name before some ".." goes through a symbolic link, so that ".." would mean
 * another folder. */
static bool
leaves_link(const char *name)
{
	char part[JOB_PATH_MAX + 1];
	const char *p = name;
	struct stat st;
	size_t len;

	for (; *p != 0; p += strcspn(p, "/")) {
		p += strspn(p, "/");
		if (strncmp(p, "..", 2) != 0 || (p[2] != '/' && p[2] != 0))
			continue;
		/* the component before this one, with all that leads to it */
		for (len = (size_t)(p - name); len > 0 && name[len - 1] == '/'; len--)
			;
		if (len == 0)
			continue;
		if (len >= sizeof part)
			return true;
		memcpy(part, name, len);
		part[len] = 0;
		if (lstat(part, &st) != 0 || S_ISLNK(st.st_mode))
			return true;
	}
	return false;
}

int
plan_path(const char *cwd, const char *name, char out[JOB_PATH_MAX + 1])
{
	char physical[JOB_PATH_MAX + 1];
	int r;

	if (strstr(name, "..") != NULL) {
		/* below a logical $PWD a leading ".." means another folder than the text says */
		if (getcwd(physical, sizeof physical) == NULL ||
		        (name[0] != '/' && strcmp(physical, cwd) != 0) || leaves_link(name))
			return IM_ERR_REFUSED;
	}
	r = args_path(cwd, name, out);
	if (r != 0)
		return r;
	return job_path_ok(out) ? 0 : IM_ERR_FORMAT;
}

static int
plan_paths(struct plan *p, const struct args *a, char reason[REASON_SIZE])
{
	int r = plan_cwd(getenv("PWD"), p->cwd);

	if (r == 0)
		r = plan_path(p->cwd, a->source, p->source);
	if (r == 0)
		r = plan_path(p->cwd, a->output, p->output);
	if (r != 0) {
		reason_set(reason, "path", NULL);
		return r;
	}
	p->way = output_way(a->output, a->compiler, a->assembly && a->compiler == FOR_GCC);
	p->object = !a->assembly;
	p->plain_loses = a->plain_loses;
	if (p->way == OUTPUT_NOT_OURS || output_is_source(a->output, a->source)) {
		reason_set(reason, "output-special", NULL);
		return IM_ERR_REFUSED;
	}
	return 0;
}

static int
plan_commands(struct plan *p, const struct args *a, const char *compiler)
{
	bool directives = a->compiler == FOR_GCC && !a->plain_cpp && !args_preprocessed(a);
	int r = 0;

	if (directives) {
		if ((r = args_preprocess(a, compiler, true, &p->cpp[PLAN_DIRECTIVES])) != 0)
			return r;
		if ((r = args_remote(a, compiler, true, &p->remote[PLAN_DIRECTIVES])) != 0)
			return r;
	}
	if (args_preprocessed(a))
		p->text_file = a->source;
	else
		r = args_preprocess(a, compiler, false, &p->cpp[PLAN_PLAIN]);
	if (r != 0)
		return r;
	return args_remote(a, compiler, false, &p->remote[PLAN_PLAIN]);
}

int
plan_make(struct plan *p, const struct args *a, const char *compiler, char *const *environment,
        char reason[REASON_SIZE])
{
	int r;

	memset(p, 0, offsetof(struct plan, cwd));
	r = plan_paths(p, a, reason);
	if (r != 0)
		return r;
	r = plan_commands(p, a, compiler);
	if (r != 0) {
		reason_set(reason, "system-error", NULL);
		plan_fini(p);
		return r;
	}
	p->input = (struct job_input){.path = p->source, .mode = 0644, .streamed = 1};
	p->outputs[0] = p->output;
	p->job.cwd = p->cwd;
	p->job.inputs = &p->input;
	p->job.ninputs = 1;
	p->job.outputs = p->outputs;
	p->job.noutputs = 1;
	p->job.mode = JOB_PREPROCESSED;
	p->job.env = p->env;
	p->job.nenv = env_select(environment, p->env, JOB_ENV_MAX);
	return 0;
}

void
plan_fini(struct plan *p)
{
	for (int i = 0; i < PLAN_CPPS; i++) {
		free(p->cpp[i]);
		free(p->remote[i]);
		p->cpp[i] = p->remote[i] = NULL;
	}
}
