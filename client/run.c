#include "client/run.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS_NOT_RUN 127

/* Else what we open gets the number, and what somebody prints goes there.  Closed again for the compiler. */
static void
fill_standard(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
}

void
run_begin(struct run *r)
{
	static const struct sigaction usual = {.sa_handler = SIG_DFL};

	fill_standard();
	sigaction(SIGCHLD, &usual, &r->children);
}

int
run_instead(const struct run *r)
{
	sigaction(SIGCHLD, &r->children, NULL);
	execve(r->path, r->argv, r->env);
	return IM_ERR_SYSTEM;
}

/* Until the child ends.  What a terminal sends reaches the child without us; what kill() sends to
 * us alone does not. */
static int
attend(const struct run *run, pid_t pid, const sigset_t *signals, int *status)
{
	const struct timespec pause = {0, run->step_ms * 1000000L};
	siginfo_t info;
	pid_t r;

	for (;;) {
		r = waitpid(pid, status, WNOHANG);
		if (r == pid)
			return 0;
		if (r < 0 && errno != EINTR)
			return IM_ERR_SYSTEM;
		if (sigtimedwait(signals, &info, run->step != NULL ? &pause : NULL) < 0) {
			if (run->step != NULL && errno == EAGAIN)
				run->step(run->step_arg);
			continue;
		}
		if (info.si_signo != SIGCHLD && info.si_code <= 0)
			kill(pid, info.si_signo);
	}
}

/* In the child, where only async-signal-safe calls are allowed. */
static _Noreturn void
become(const struct run *r, const sigset_t *mask, pid_t parent, int error_fd)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, mask, NULL);
	if (getppid() == parent)
		(void)!run_instead(r);
	(void)!write(error_fd, &errno, sizeof errno);
	_exit(STATUS_NOT_RUN);
}

/* posix_spawn() knows no way to hand an ignored SIGCHLD on. *pid is the compiler's, or 0; errno is set then. */
static void
start(const struct run *r, const sigset_t *mask, pid_t *pid)
{
	int ends[2], error = 0;
	pid_t parent = getpid();

	*pid = 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return;
	*pid = fork();
	if (*pid == 0)
		become(r, mask, parent, ends[1]);
	close(ends[1]);
	if (*pid < 0) {
		error = errno;
		*pid = 0;
	} else if (read(ends[0], &error, sizeof error) == (ssize_t)sizeof error) {
		waitpid(*pid, NULL, 0);
		*pid = 0;
	}
	close(ends[0]);
	errno = error;
}

int
run_beside(const struct run *r, int *status)
{
	static const int handed[] = {
	        SIGCHLD, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM};
	sigset_t signals, before;
	pid_t pid;
	int err;

	sigemptyset(&signals);
	for (size_t i = 0; i < sizeof handed / sizeof handed[0]; i++)
		sigaddset(&signals, handed[i]);
	sigprocmask(SIG_BLOCK, &signals, &before);
	start(r, &before, &pid);
	err = pid > 0 ? attend(r, pid, &signals, status) : IM_ERR_SYSTEM;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return err;
}

int
run_die(int sig)
{
	sigset_t one;

	prctl(PR_SET_DUMPABLE, 0);
	signal(sig, SIG_DFL);
	raise(sig);
	sigemptyset(&one);
	sigaddset(&one, sig);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
	return 128 + sig;
}
