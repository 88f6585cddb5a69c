#include "client/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int
set_attributes(posix_spawnattr_t *attr)
{
	sigset_t none, usual;

	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGCHLD);
	sigaddset(&usual, SIGPIPE);
	sigaddset(&usual, SIGXFSZ);
	if (posix_spawnattr_setsigmask(attr, &none) != 0 ||
	        posix_spawnattr_setsigdefault(attr, &usual) != 0)
		return IM_ERR_SYSTEM;
	if (posix_spawnattr_setpgroup(attr, 0) != 0)
		return IM_ERR_SYSTEM;
	return posix_spawnattr_setflags(attr,
	               POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP) == 0
	               ? 0
	               : IM_ERR_SYSTEM;
}

int
child_start(struct child *c, char *const *argv, char *const *env, const struct child_fds *fds)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	int r = IM_ERR_SYSTEM, e = 0;
	pid_t pid;

	if (posix_spawn_file_actions_init(&actions) != 0)
		return IM_ERR_SYSTEM;
	if (posix_spawnattr_init(&attr) != 0)
		goto out_actions;
	for (int i = 0; i < CHILD_FDS; i++)
		if (fds->fd[i] >= 0 &&
		        posix_spawn_file_actions_adddup2(&actions, fds->fd[i], i) != 0)
			goto out;
	if (set_attributes(&attr) != 0)
		goto out;
	e = posix_spawn(&pid, argv[0], &actions, &attr, argv, env);
	if (e == 0) {
		c->pid = pid;
		c->status = 0;
		r = 0;
	}
out:
	posix_spawnattr_destroy(&attr);
out_actions:
	posix_spawn_file_actions_destroy(&actions);
	if (e != 0)
		errno = e;
	return r;
}

bool
child_ended(struct child *c)
{
	pid_t r;

	if (c->pid == 0)
		return true;
	do
		r = waitpid(c->pid, &c->status, WNOHANG);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return false;
	if (r < 0)
		c->status = 127 << 8; /* somebody else collected it: counts as failed */
	c->pid = 0;
	return true;
}

void
child_kill(struct child *c)
{
	if (c->pid == 0)
		return;
	kill(-c->pid, SIGKILL);
	while (waitpid(c->pid, &c->status, 0) < 0 && errno == EINTR)
		;
	c->pid = 0;
}
