#include "exec/query.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHUNK 4096

static _Noreturn void
become(const char *const *words, int without_libraries, int out_fd)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	setsid();
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDERR_FILENO) < 0 ||
	        dup2(out_fd, STDOUT_FILENO) < 0 || chdir("/") != 0)
		_exit(127);
	if (without_libraries)
		unsetenv("LD_LIBRARY_PATH");
	setenv("LC_ALL", "C", 1);
	execv(words[0], (char *const *)(uintptr_t)words);
	_exit(127);
}

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int
query_drain(int fd, int64_t until_ms, struct buf *out)
{
	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = until_ms - now_ms();
		uint8_t chunk[CHUNK];
		ssize_t n;

		if (left <= 0)
			return IM_ERR_TIMEOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, chunk, sizeof(chunk));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? IM_ERR_SYSTEM : buf_err(out);
		buf_put(out, chunk, (size_t)n);
		if (buf_err(out) != 0)
			return buf_err(out);
	}
}

int
query_run(const char *const *words, int without_libraries, struct buf *out)
{
	int pair[2], status, r;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) != 0)
		return IM_ERR_SYSTEM;
	pid = fork();
	if (pid == 0)
		become(words, without_libraries, pair[1]);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return IM_ERR_SYSTEM;
	}
	r = query_drain(pair[0], now_ms() + QUERY_TIME_MS, out);
	close(pair[0]);
	if (r != 0) /* its own session: its children go too */
		kill(-pid, SIGKILL);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	if (r == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		r = IM_ERR_REFUSED;
	return r;
}
