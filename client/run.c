#include "client/run.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int
run_instead(char *const *argv, char *const *env)
{
	execve(argv[0], argv, env);
	return IM_ERR_SYSTEM;
}

/* Until the child ends.  What a terminal sends reaches the child without us; what kill() sends to
 * us alone does not. */
static int
attend(pid_t pid, const sigset_t *signals, int *status)
{
	siginfo_t info;
	pid_t r;

	for (;;) {
		r = waitpid(pid, status, WNOHANG);
		if (r == pid)
			return 0;
		if (r < 0 && errno != EINTR)
			return IM_ERR_SYSTEM;
		if (sigwaitinfo(signals, &info) < 0)
			continue;
		if (info.si_signo != SIGCHLD && info.si_code <= 0)
			kill(pid, info.si_signo);
	}
}

int
run_beside(char *const *argv, char *const *env, int *status)
{
	sigset_t signals, before;
	posix_spawnattr_t attr;
	pid_t pid;
	int r;

	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGQUIT);
	if (posix_spawnattr_init(&attr) != 0)
		return IM_ERR_SYSTEM;
	sigprocmask(SIG_BLOCK, &signals, &before);
	posix_spawnattr_setsigmask(&attr, &before);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	errno = posix_spawn(&pid, argv[0], NULL, &attr, argv, env);
	r = errno == 0 ? attend(pid, &signals, status) : IM_ERR_SYSTEM;
	posix_spawnattr_destroy(&attr);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int
run_die(int sig)
{
	sigset_t one;

	signal(sig, SIG_DFL);
	raise(sig);
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	return 128 + sig;
}
