#include "exec/command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "exec/args.h"
#include "exec/specs.h"

static int
refuse(char *why, size_t size, const char *what, const char *name)
{
	snprintf(why, size, "%s%s%s", what, name ? " " : "", name ? name : "");
	for (char *p = why; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 127)
			*p = '?';
	return IM_ERR_REFUSED;
}

int
args_path(const char *cwd, const char *name, char out[JOB_PATH_MAX + 1])
{
	const char *parts[2] = {name[0] == '/' ? "" : cwd, name};
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		for (const char *p = parts[i]; *p;) {
			size_t n = strcspn(p, "/");

			if (n == 2 && p[0] == '.' && p[1] == '.') {
				while (len > 0 && out[--len] != '/')
					;
			} else if (n > 0 && !(n == 1 && p[0] == '.')) {
				if (len + 1 + n > JOB_PATH_MAX)
					return IM_ERR_LIMIT;
				out[len++] = '/';
				memcpy(out + len, p, n);
				len += n;
			}
			p += p[n] ? n + 1 : n;
		}
	}
	if (len == 0)
		out[len++] = '/';
	out[len] = 0;
	return 0;
}

/* The words that the client put behind argv[0] by itself. */
struct marks {
	uint32_t count;
	bool directives;
	/* a source job's; what the file says is looked at when it stands there (exec/init.c) */
	bool specs;
	enum option_compiler compiler;
};

static int
read_marks(const struct job *job, struct marks *m)
{
	memset(m, 0, sizeof(*m));
	if (job->argc < 2)
		return IM_ERR_REFUSED;
	m->count = 1;
	m->compiler = FOR_CLANG;
	if (strcmp(job->argv[1], "-Qunused-arguments") == 0)
		return 0;
	m->compiler = FOR_GCC;
	if (strcmp(job->argv[1], "-fpreprocessed") != 0)
		return IM_ERR_REFUSED;
	m->directives = job->argc > 2 && strcmp(job->argv[2], "-fdirectives-only") == 0;
	m->count += m->directives;
	return 0;
}

static bool
same_words(char *const *ours, const struct job *job)
{
	for (uint32_t i = 0; i < job->argc; i++)
		if (!ours[i] || strcmp(ours[i], job->argv[i]) != 0)
			return false;
	return ours[job->argc] == NULL;
}

static bool
is_input(const struct job *job, const char *path)
{
	for (uint32_t i = 0; i < job->ninputs; i++)
		if (strcmp(job->inputs[i].path, path) == 0)
			return true;
	return false;
}

static bool
is_output(const struct job *job, const char *path)
{
	for (uint32_t i = 0; i < job->noutputs; i++)
		if (strcmp(job->outputs[i], path) == 0)
			return true;
	return false;
}

/* Source and output of a preprocessed job are what the job declares. */
static int
check_files(const struct job *job, const struct args *a, char *why, size_t size)
{
	char path[JOB_PATH_MAX + 1];

	if (args_path(job->cwd, a->source, path) || !is_input(job, path))
		return refuse(why, size, "the source is not among the inputs:", a->source);
	if (args_path(job->cwd, a->output, path) || !is_output(job, path))
		return refuse(why, size, "the output is not declared:", a->output);
	if (job->noutputs != 1)
		return refuse(why, size, "more outputs are declared than the command makes", NULL);
	return 0;
}

/* Folders of a declared output are the client's real ones, while words may reach them through
 * links: where those differ, the name alone is compared.  A client that lies gets a wrong file of
 * its own job's making. */
static bool
makes(const char *cwd, const char *name, const char *output)
{
	char path[JOB_PATH_MAX + 1];

	if (args_path(cwd, name, path))
		return false;
	return strcmp(path, output) == 0 || strcmp(strrchr(path, '/'), strrchr(output, '/')) == 0;
}

static bool
makes_some(const struct job *job, const struct args *a, const char *output)
{
	for (uint32_t i = 0; i < a->nproducts; i++)
		if (makes(job->cwd, a->products[i], output))
			return true;
	return makes(job->cwd, a->output, output);
}

/* A source job declares nothing that its command would not write.  Whether the source is there,
 * the compile itself finds out. */
static int
check_products(const struct job *job, const struct args *a, char *why, size_t size)
{
	bool main_output = false;

	for (uint32_t i = 0; i < job->noutputs; i++) {
		if (!makes_some(job, a, job->outputs[i]))
			return refuse(why, size,
			        "an output that the command does not make:", job->outputs[i]);
		main_output = main_output || makes(job->cwd, a->output, job->outputs[i]);
	}
	if (!main_output)
		return refuse(why, size, "the output is not declared:", a->output);
	return 0;
}

/* Analyses the words without the marks, as the client did, and compares what they become with
 * what arrived. */
static int
check_words(const struct job *job, const struct marks *m, char *why, size_t size)
{
	uint32_t argc = job->argc - m->count;
	char **argv = calloc(argc + 1, sizeof(*argv)), **ours = NULL;
	struct args a;
	int err = IM_ERR_MEMORY;

	if (!argv)
		return err;
	argv[0] = (char *)(uintptr_t)job->argv[0];
	for (uint32_t i = 1; i < argc; i++)
		argv[i] = (char *)(uintptr_t)job->argv[i + m->count];
	args_analyse(&a, (int)argc, argv, m->compiler);
	if (a.verdict != ARGS_REMOTE)
		err = refuse(why, size, "this may not run here:", a.reason);
	else if ((a.native != NULL) != m->specs)
		err = refuse(why, size, "a processor that nobody resolved", NULL);
	else if (job->mode == JOB_SOURCE)
		err = check_products(job, &a, why, size);
	else if (a.source_only)
		err = refuse(why, size, "this may run here from its sources only:", a.reason);
	else if (!(err = args_remote(&a, job->argv[0], m->directives, &ours)) &&
	         !same_words(ours, job))
		err = refuse(why, size, "not the command of a preprocessed compile", NULL);
	if (!err && job->mode == JOB_PREPROCESSED)
		err = check_files(job, &a, why, size);
	args_fini(&a);
	free(ours);
	free(argv);
	return err;
}

int
args_check(const struct job *job, char *why, size_t size)
{
	struct marks marks = {.count = 0};

	if (job->argc < 1 || job->argc > JOB_ARGS_MAX)
		return refuse(why, size, "no command", NULL);
	for (uint32_t i = 0; i < job->nenv; i++)
		if (!env_allowed(job->env[i]))
			return refuse(why, size, "a variable that may not travel:", job->env[i]);
	if (job->mode == JOB_SOURCE && job->argv[0][0] != '/')
		return refuse(why, size, "no absolute path of a compiler:", job->argv[0]);
	marks.compiler = args_compiler(job->argv[0]);
	marks.specs = job->mode == JOB_SOURCE && marks.compiler == FOR_GCC && job->argc > 1 &&
	              strcmp(job->argv[1], SPECS_WORD) == 0;
	marks.count = marks.specs;
	if (job->mode == JOB_PREPROCESSED && read_marks(job, &marks))
		return refuse(why, size, "not the command of a preprocessed compile", NULL);
	return check_words(job, &marks, why, size);
}
