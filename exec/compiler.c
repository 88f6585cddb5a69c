#include "exec/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/guard.h"

#define PWD_SIZE (JOB_PATH_MAX + 8)
#define DEFAULT_PATH "PATH=" COMPILER_PATH
#define LIBRARY_PATH_SIZE 4096

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

#define ENV_SIZE (JOB_ENV_MAX + 4)

/* The job's environment, and what it lacks: PATH, PWD for a source job (compilers name the working directory as it says), and
 * LD_LIBRARY_PATH for toolchains that need it. */
static void
complete_environment(const struct spawn *s, const char *env[ENV_SIZE], char *libraries, char *pwd)
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
	if (j->mode == JOB_SOURCE) {
		snprintf(pwd, PWD_SIZE, "PWD=%s", j->cwd);
		env[n++] = pwd;
	}
	if (s->library_path != NULL) {
		snprintf(libraries, LIBRARY_PATH_SIZE, "LD_LIBRARY_PATH=%s", s->library_path);
		env[n++] = libraries;
	}
	env[n] = NULL;
}

static _Noreturn void
give_up(int error_fd, const char *what)
{
	struct compiler_error e = {.error = errno};

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

/* Everything that looks a name up stands before the guard's filter: until exec there is nothing in here that init could read. */
void
compiler_become(const struct spawn *s, const struct compiler_fds *fds)
{
	const struct job *j = s->view.job;
	char libraries[LIBRARY_PATH_SIZE], pwd[PWD_SIZE];
	const char *env[ENV_SIZE];

	if (setsid() < 0)
		give_up(fds->errors, "session");
	if (redirect(fds->console) != 0)
		give_up(fds->errors, "stdin, stdout, stderr");
	if (j != NULL && chdir(j->cwd) != 0)
		give_up(fds->errors, "working directory");
	if (confine_capabilities(0) != 0)
		give_up(fds->errors, "capabilities");
	if (limits_apply(s->view.limits) != 0)
		give_up(fds->errors, "limits");
	if (fds->guard >= 0 && guard_offer(fds->guard, s->guard) != 0)
		give_up(fds->errors, "guard");
	if (filter_load(s->filter) != 0)
		give_up(fds->errors, "system call filter");
	if (j == NULL)
		_exit(0);
	complete_environment(s, env, libraries, pwd);
	exec_compiler(j, (char *const *)(uintptr_t)env);
	give_up(fds->errors, "compiler");
}
