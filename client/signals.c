#include "client/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <unistd.h>

/* What the caller ignores or blocks would not end the compiler either. */
static void
add_mortal(sigset_t *mine, const sigset_t *blocked)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
	struct sigaction act;

	for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
		if (sigismember(blocked, signals[i]) == 0 &&
		        sigaction(signals[i], NULL, &act) == 0 && act.sa_handler != SIG_IGN)
			sigaddset(mine, signals[i]);
}

void
signals_take(struct signals *s)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t mine;

	sigprocmask(SIG_SETMASK, NULL, &s->mask);
	sigemptyset(&mine);
	add_mortal(&mine, &s->mask);
	sigaddset(&mine, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mine, NULL);
	sigaction(SIGXFSZ, &ignore, &s->too_large);
	s->fd = signalfd(-1, &mine, SFD_CLOEXEC | SFD_NONBLOCK);
}

int
signals_next(const struct signals *s)
{
	struct signalfd_siginfo info;
	int first = 0;

	while (read(s->fd, &info, sizeof info) == (ssize_t)sizeof info)
		if (info.ssi_signo != SIGCHLD && first == 0)
			first = (int)info.ssi_signo;
	return first;
}

void
signals_give_back(struct signals *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = -1;
	sigaction(SIGXFSZ, &s->too_large, NULL);
	sigprocmask(SIG_SETMASK, &s->mask, NULL);
}
