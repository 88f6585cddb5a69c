#include "client/start.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/now.h"
#include "client/printable.h"
#include "mesh/files.h"
#include "mesh/programs.h"

#define LINE_SIZE 1024
#define DAEMON_LEAD "icemeshd: "
#define LOG_NAME "icemeshd.log"

extern char **environ;

static int
spawn(const char *program, int out_fd, int log_fd, pid_t *pid)
{
	char *argv[] = {(char *)program, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, out_fd, 1);
	posix_spawn_file_actions_adddup2(&actions, log_fd, 2);
	err = posix_spawn(pid, program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	if (err == 0)
		return 0;
	errno = err;
	return IM_ERR_SYSTEM;
}

/* Reads lines from fd until the ready line. IM_ERR_CLOSED when the program ends before. */
static int
wait_ready(int fd, int wait_ms)
{
	int64_t deadline = now_ms() + wait_ms;
	char line[LINE_SIZE];
	size_t len = 0;

	for (;;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int64_t left = deadline - now_ms();
		char *end;
		ssize_t n;

		if (left <= 0)
			return IM_ERR_TIMEOUT;
		if (poll(&p, 1, (int)left) <= 0)
			continue;
		n = read(fd, line + len, sizeof line - 1 - len);
		if (n <= 0)
			return IM_ERR_CLOSED;
		len += (size_t)n;
		line[len] = 0;
		while ((end = strchr(line, '\n')) != NULL) {
			if (strncmp(line, START_READY, strlen(START_READY)) == 0)
				return 0;
			len -= (size_t)(end + 1 - line);
			memmove(line, end + 1, len + 1);
		}
		if (len == sizeof line - 1) /* no line of ours is as long */
			len = 0;
	}
}

/* The last line written to the log since `from`, cleaned; empty when there is none. */
static void
last_line(int log_fd, off_t from, char *out, size_t size)
{
	char tail[LINE_SIZE], *line;
	struct buf clean;
	off_t end = lseek(log_fd, 0, SEEK_END);
	ssize_t n;

	out[0] = 0;
	if (end - from > (off_t)sizeof tail - 1)
		from = end - ((off_t)sizeof tail - 1);
	n = pread(log_fd, tail, sizeof tail - 1, from);
	while (n > 0 && tail[n - 1] == '\n')
		n--;
	if (n <= 0)
		return;
	tail[n] = 0;
	line = strrchr(tail, '\n');
	line = line != NULL ? line + 1 : tail;
	if (strncmp(line, DAEMON_LEAD, strlen(DAEMON_LEAD)) == 0)
		line += strlen(DAEMON_LEAD);
	buf_init(&clean, 2 * LINE_SIZE);
	text_clean(&clean, line, size - 1);
	if (buf_text(&clean) != NULL)
		snprintf(out, size, "%s", buf_text(&clean));
	buf_fini(&clean);
}

static void
explain(int err, const char *log, int log_fd, off_t from, char why[START_WHY_SIZE])
{
	char line[400];

	last_line(log_fd, from, line, sizeof line);
	if (err == IM_ERR_SYSTEM)
		snprintf(why, START_WHY_SIZE, "icemeshd does not start: %s", strerror(errno));
	else
		snprintf(why, START_WHY_SIZE, "icemeshd %s: %.400s; its log is %.*s",
		        err == IM_ERR_TIMEOUT ? "is not ready in time" : "ended at its start",
		        line[0] != 0 ? line : "it said nothing", CONFIG_VALUE_SIZE, log);
}

int
start_program(const char *program, const char *state_dir, int wait_ms, char why[START_WHY_SIZE])
{
	char log[CONFIG_VALUE_SIZE + sizeof LOG_NAME + 1];
	int log_fd = -1, ready[2] = {-1, -1}, err = IM_ERR_SYSTEM;
	off_t from = 0;
	pid_t pid = -1;

	snprintf(log, sizeof log, "%s/%s", state_dir, LOG_NAME);
	if (files_mkdir(state_dir, 0700) == 0)
		log_fd = open(log, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log_fd < 0) {
		snprintf(why, START_WHY_SIZE,
		        "%s: %s; state_dir in icemesh.conf(5) names another folder", log,
		        strerror(errno));
		return IM_ERR_SYSTEM;
	}
	from = lseek(log_fd, 0, SEEK_END);
	if (pipe2(ready, O_CLOEXEC) == 0)
		err = spawn(program, ready[1], log_fd, &pid);
	if (ready[1] >= 0)
		close(ready[1]);
	if (err == 0)
		err = wait_ready(ready[0], wait_ms);
	if (err != 0) {
		explain(err, log, log_fd, from, why);
		if (pid > 0) { /* a daemon that nobody knows of would hold the port */
			kill(pid, SIGTERM);
			waitpid(pid, NULL, err == IM_ERR_TIMEOUT ? WNOHANG : 0);
		}
	}
	if (ready[0] >= 0)
		close(ready[0]);
	close(log_fd);
	return err;
}

int
start_daemon(const struct config *c, struct ask *a, char why[START_WHY_SIZE])
{
	char program[PROGRAM_PATH_SIZE];
	int err = program_find("icemeshd", program, sizeof program);

	if (err != 0) {
		snprintf(why, START_WHY_SIZE,
		        "no daemon runs, and icemeshd is not installed beside icemesh");
		return err;
	}
	err = start_program(program, c->state_dir, START_WAIT_MS, why);
	if (err != 0)
		return err;
	err = ask_open(a, c);
	if (err != 0)
		snprintf(why, START_WHY_SIZE, "icemeshd runs but does not answer at %.900s",
		        a->where);
	return err;
}
