#include "client/pack.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "client/printable.h"
#include "exec/witness.h"
#include "mesh/files.h"
#include "mesh/programs.h"

#define WITNESS_FD 3
#define ABOVE_STANDARD 10 /* so that no descriptor of ours is in the way of the helper's 0 to 3 */

/* On a disk where one can be had, since a toolchain may have hundreds of megabytes, but only on one
 * from which the daemon takes a file of any user. */
static int
unnamed_file(void)
{
	static const char *const folders[] = {"/var/tmp", "/tmp"};
	int fd;

	for (size_t i = 0; i < sizeof folders / sizeof folders[0]; i++) {
		fd = open(folders[i], O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
		if (fd >= 0 && files_prompt(fd))
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return memfd_create("icemesh pack", MFD_CLOEXEC);
}

static int
move_up(int fd)
{
	int moved = fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, ABOVE_STANDARD) : -1;

	if (fd >= 0)
		close(fd);
	return moved;
}

/* In the child, where only async-signal-safe calls are allowed. */
static void
become_helper(const char *helper, const char *compiler, const int fds[3], pid_t parent)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent && null >= 0 && dup2(null, 0) == 0 && dup2(fds[0], 1) == 1 &&
	        dup2(fds[1], 2) == 2 && dup2(fds[2], WITNESS_FD) == WITNESS_FD)
		execl(helper, "icemesh-exec", "pack", compiler, (char *)NULL);
	_exit(127);
}

/* Runs the helper to its end; its exit status, or -1. */
static int
run_helper(const char *helper, const char *compiler, const int fds[3])
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (pid == 0)
		become_helper(helper, compiler, fds, parent);
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* The helper's last line, without its name in front. */
static void
explain(int fd, int status, char why[PACK_WHY_SIZE])
{
	static const char lead[] = "icemesh-exec: ";
	char text[PACK_WHY_SIZE] = "";
	const char *line = text, *newline;
	struct buf clean;
	off_t end = lseek(fd, 0, SEEK_END),
	      from = end > (off_t)sizeof text - 1 ? end - ((off_t)sizeof text - 1) : 0;
	ssize_t n = pread(fd, text, sizeof text - 1, from);

	while (n > 0 && text[n - 1] == '\n')
		n--;
	text[n > 0 ? n : 0] = 0;
	newline = strrchr(text, '\n');
	if (newline != NULL)
		line = newline + 1;
	if (strncmp(line, lead, strlen(lead)) == 0)
		line += strlen(lead);
	buf_init(&clean, 4 * PACK_WHY_SIZE);
	text_clean(&clean, line, PACK_WHY_SIZE - 1);
	if (clean.len > 0 && buf_text(&clean) != NULL)
		snprintf(why, PACK_WHY_SIZE, "%s", buf_text(&clean));
	else
		snprintf(why, PACK_WHY_SIZE, "icemesh-exec ended with status %d", status);
	buf_fini(&clean);
}

static int
take_witness(int fd, struct buf *out)
{
	uint8_t *room = buf_room(out, WITNESS_LEN_MAX);
	ssize_t n = room != NULL ? pread(fd, room, WITNESS_LEN_MAX, 0) : -1;

	if (n <= 0 || lseek(fd, 0, SEEK_END) > (off_t)WITNESS_LEN_MAX)
		return IM_ERR_LIMIT;
	out->len = (size_t)n;
	return 0;
}

int
pack_with(struct pack *out, const char *helper, const char *compiler, char why[PACK_WHY_SIZE])
{
	int fds[3] = {move_up(unnamed_file()), move_up(files_memory("icemesh errors", NULL, 0)),
	        move_up(files_memory("icemesh witness", NULL, 0))};
	int err = IM_ERR_SYSTEM, status;
	struct buf witness;

	buf_init(&witness, WITNESS_LEN_MAX);
	if (fds[0] >= 0 && fds[1] >= 0 && fds[2] >= 0) {
		status = run_helper(helper, compiler, fds);
		err = status == 0  ? take_witness(fds[2], &witness)
		      : status < 0 ? IM_ERR_SYSTEM
		                   : IM_ERR_REFUSED;
		if (err == IM_ERR_REFUSED)
			explain(fds[1], status, why);
		else if (err == IM_ERR_LIMIT)
			snprintf(why, PACK_WHY_SIZE,
			        "icemesh-exec gave no list of the files it packed");
	}
	if (err == IM_ERR_SYSTEM)
		snprintf(why, PACK_WHY_SIZE, "icemesh-exec cannot be run: %s", strerror(errno));
	if (err == 0 && lseek(fds[0], 0, SEEK_SET) != 0)
		err = IM_ERR_SYSTEM;
	for (int i = err == 0 ? 1 : 0; i < 3; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (err != 0)
		buf_fini(&witness);
	else
		*out = (struct pack){fds[0], witness};
	return err;
}

int
pack_compiler(struct pack *out, const char *compiler, char why[PACK_WHY_SIZE])
{
	char helper[PROGRAM_PATH_SIZE];
	int err = program_find("icemesh-exec", helper, sizeof helper);

	if (err != 0) {
		snprintf(why, PACK_WHY_SIZE, "icemesh-exec is not installed beside icemesh");
		return err;
	}
	return pack_with(out, helper, compiler, why);
}

void
pack_fini(struct pack *p)
{
	if (p->fd >= 0)
		close(p->fd);
	p->fd = -1;
	buf_fini(&p->witness);
}
