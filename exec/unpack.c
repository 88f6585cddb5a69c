#include "exec/unpack.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/limits.h"
#include "exec/scratch.h"
#include "exec/toolchain.h"

#define FOLDER "toolchains"
#define TEMPORARY ".tmp-"
#define NAME_SIZE (DIGEST_HEX_SIZE + 32)

struct unpack_task {
	int fd; /* the archive, -1 to drop */
	const struct digest *digest;
	const struct filter *filter;
};

static void
fail(struct unpack_report *r, int err, const char *what)
{
	r->err = err;
	snprintf(r->text, sizeof(r->text), "%s: %s", what,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
}

static int
temporary_name(const struct digest *digest, char name[NAME_SIZE])
{
	char hex[DIGEST_HEX_SIZE];
	uint64_t random;

	if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return IM_ERR_SYSTEM;
	digest_hex(digest, hex);
	snprintf(name, NAME_SIZE, "%s" TEMPORARY "%016llx", hex, (unsigned long long)random);
	return 0;
}

static int
digest_matches(const struct unpack_task *t, struct unpack_report *r)
{
	struct digest is;
	uint64_t size;
	int e = digest_of_fd(&is, &size, t->fd);

	if (e == 0 && !digest_equal(&is, t->digest))
		e = IM_ERR_DIGEST;
	if (e != 0)
		fail(r, e, "archive");
	return e == 0;
}

/* Everything to the disk, then the final name, then the name to the disk. */
static int
publish(int dir, const char *temporary, const char *final, struct unpack_report *r)
{
	int here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (here < 0 || syncfs(dir) != 0) {
		fail(r, IM_ERR_SYSTEM, "cannot write to the disk");
	} else if (syscall(SYS_renameat2, AT_FDCWD, temporary, AT_FDCWD, final,
	                   1 /* RENAME_NOREPLACE */) != 0) {
		fail(r, errno == EEXIST || errno == ENOTEMPTY ? IM_ERR_EXISTS : IM_ERR_SYSTEM,
		        "cannot give it its name");
	} else if (fsync(here) != 0) {
		fail(r, IM_ERR_SYSTEM, "cannot write its name to the disk");
	}
	if (here >= 0)
		close(here);
	return r->err;
}

static void
unpack(const struct unpack_task *t, struct unpack_report *r)
{
	char name[NAME_SIZE], final[DIGEST_HEX_SIZE];
	int dir;

	if (!digest_matches(t, r))
		return;
	digest_hex(t->digest, final);
	if (temporary_name(t->digest, name) != 0 || mkdirat(AT_FDCWD, name, 0755) != 0) {
		fail(r, IM_ERR_SYSTEM, "cannot make a folder");
		return;
	}
	dir = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		fail(r, IM_ERR_SYSTEM, "cannot open the new folder");
	else
		r->err = toolchain_unpack(t->fd, dir, r->text);
	if (r->err == 0)
		publish(dir, name, final, r);
	if (dir >= 0)
		close(dir);
	if (r->err == 0)
		return;
	/* What cannot be removed now goes at the next start. */
	if (scratch_remove(AT_FDCWD, name) != 0)
		errno = 0;
	if (r->err == IM_ERR_EXISTS)
		*r = (struct unpack_report){0};
}

static void
drop(const struct unpack_task *t, struct unpack_report *r)
{
	char name[NAME_SIZE], hex[DIGEST_HEX_SIZE];

	digest_hex(t->digest, hex);
	if (temporary_name(t->digest, name) != 0 ||
	        syscall(SYS_renameat2, AT_FDCWD, hex, AT_FDCWD, name, 0) != 0 ||
	        scratch_remove(AT_FDCWD, name) != 0)
		fail(r, IM_ERR_SYSTEM, "cannot remove the toolchain");
}

static _Noreturn void
run(const struct unpack_task *t, int report)
{
	struct unpack_report r = {0};
	int keep[2] = {report, t->fd};

	if (chdir(FOLDER) != 0 || confine_fds(keep, t->fd < 0 ? 1 : 2) != 0 ||
	        confine_to_parent(report) != 0 || limits_unpack(TOOLCHAIN_BYTES_MAX) != 0 ||
	        confine_harmless() != 0 || filter_load(t->filter) != 0)
		fail(&r, IM_ERR_SYSTEM, "cannot confine the unpacking process");
	else if (t->fd >= 0)
		unpack(t, &r);
	else
		drop(t, &r);
	_exit(write(report, &r, sizeof(r)) == (ssize_t)sizeof(r) ? 0 : 1);
}

static int
start(const struct unpack_task *t, struct running *out)
{
	int pair[2], pidfd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return IM_ERR_SYSTEM;
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		run(t, pair[1]);
	}
	close(pair[1]);
	pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		close(pair[0]); /* a child without a watcher sees its parent's end of the pair close, and its report fails */
		return IM_ERR_SYSTEM;
	}
	*out = (struct running){.pid = pid, .pidfd = pidfd, .report = pair[0]};
	return 0;
}

int
unpack_start(int fd, const struct digest *digest, const struct filter *filter, struct running *out)
{
	return start(&(struct unpack_task){.fd = fd, .digest = digest, .filter = filter}, out);
}

int
unpack_drop(const struct digest *digest, const struct filter *filter, struct running *out)
{
	return start(&(struct unpack_task){.fd = -1, .digest = digest, .filter = filter}, out);
}

void
unpack_finish(struct running *r, struct unpack_report *report)
{
	struct unpack_report got;

	while (waitpid(r->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	if (recv(r->report, &got, sizeof(got), MSG_DONTWAIT) == (ssize_t)sizeof(got)) {
		got.text[sizeof(got.text) - 1] = '\0';
		*report = got;
	} else {
		report->err = IM_ERR_LIMIT;
		snprintf(report->text, sizeof(report->text), "the unpacking process was killed");
	}
	close(r->report);
	close(r->pidfd);
}

void
unpack_sweep(void)
{
	DIR *d = opendir(FOLDER);
	struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		if (strstr(e->d_name, TEMPORARY) != NULL &&
		        scratch_remove(dirfd(d), e->d_name) != 0)
			errno = 0;
	}
	if (d != NULL)
		closedir(d);
}
