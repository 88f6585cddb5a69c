/*
 * What the "compiler" of tests/unit/test_view.c does inside the sandbox, good or hostile; it says on stdout how that went.
 */
#ifndef TESTS_UNIT_VIEW_JOBS_H
#define TESTS_UNIT_VIEW_JOBS_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "tests/unit/box_jobs.h"

#define HOME "/home/somebody"
#define CWD HOME "/project"
#define OUTPUT CWD "/out/a.o"
#define NAMES_MANY 70000

static inline int
job_cat(const char *path)
{
	char text[4096];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text));

	return n < 0 ? tried(1) : printf("%.*s", (int)n, text) < 0;
}

static inline int
job_stat(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return tried(1);
	return printf("%o %lld %lld %d %llu\n", st.st_mode, (long long)st.st_size,
	               (long long)st.st_mtime, (int)st.st_nlink, (unsigned long long)st.st_ino) < 0;
}

/* Everything that must become a finding, and what must not. */
static inline int
job_change(void)
{
	int bad = job_write(OUTPUT) + job_write(CWD "/a.su") + job_write(CWD "/rewritten.h") +
	          job_write("/tmp/cc12345.s") + job_write(HOME "/include/a.h") +
	          job_write(CWD "/out/declared.d");

	bad += unlink(CWD "/removed.h") + unlink(HOME "/include/c.h");
	bad += mkdir(CWD "/folder", 0755) + mkdir(CWD "/full", 0755);
	bad += job_write(CWD "/full/file") + symlink("x", CWD "/link.new");
	bad += unlink(CWD "/link") + symlink("elsewhere", CWD "/link");
	return bad;
}

/* Names that are not there in all the ways to ask, most of them twice. */
static inline int
job_look(void)
{
	struct stat st;
	int dir = open(HOME "/include", O_RDONLY | O_DIRECTORY);

	for (int i = 0; i < 2; i++) {
		close(open("missing.h", O_RDONLY));
		access(HOME "/nowhere/./x.h", R_OK);
		stat("./sub//../y.h", &st);
		stat(CWD "/dangling", &st);
		close(openat(dir, "q.h", O_RDONLY));
		close(open(HOME "/include/a.h/below", O_RDONLY));
		stat(CWD "/a.c/", &st);
		syscall(SYS_faccessat2, AT_FDCWD, "new-access.h", F_OK, 0);
		syscall(SYS_statx, AT_FDCWD, "statx.h", 0, 0, NULL);
	}
	lstat(CWD "/kept", &st);
	close(open(CWD "/out/created.tmp", O_WRONLY | O_CREAT, 0644));
	unlink(CWD "/out/created.tmp");
	close(open(HOME "/include/a.h", O_RDONLY));
	fstatat(dir, "", &st, AT_EMPTY_PATH);
	stat("", &st);
	stat("/proc/999/x", &st);
	stat("/dev/x", &st);
	if (chdir(HOME) != 0)
		return 1;
	stat("relative.h", &st);
	return 0;
}

static inline int
job_look_often(void)
{
	char name[64];

	for (int i = 0; i < NAMES_MANY; i++) {
		snprintf(name, sizeof(name), HOME "/%d.h", i);
		if (access(name, F_OK) == 0)
			return 1;
	}
	return 0;
}

/* How many descriptors of its own and of init's it gets hold of. */
static inline int
job_grab(void)
{
	char name[64];
	int n = 0;

	for (int fd = 3; fd < 1024; fd++) {
		n += fcntl(fd, F_GETFD) != -1;
		if (fd > 64)
			continue;
		snprintf(name, sizeof(name), "/proc/1/fd/%d", fd);
		n += open(name, O_RDWR) >= 0;
		n += syscall(SYS_pidfd_getfd, fd, 3, 0) >= 0;
	}
	n += syscall(SYS_pidfd_open, 1, 0) >= 0;
	n += open("/proc/1/mem", O_RDWR) >= 0;
	/* Another listener, to answer for itself. */
	n += syscall(SYS_seccomp, 1, 8, NULL) >= 0;
	return printf("%d\n", n) < 0;
}

static inline int
job_main(const char *what, const char *arg)
{
	if (strcmp(what, "cat") == 0)
		return job_cat(arg);
	if (strcmp(what, "stat") == 0)
		return job_stat(arg);
	if (strcmp(what, "write") == 0)
		return job_write(arg);
	if (strcmp(what, "unlink") == 0)
		return tried(unlink(arg) != 0);
	if (strcmp(what, "chmod") == 0)
		return tried(chmod(arg, 0777) != 0);
	if (strcmp(what, "rename") == 0)
		return tried(rename(arg, HOME "/include/renamed") != 0);
	if (strcmp(what, "change") == 0)
		return job_change();
	if (strcmp(what, "look") == 0)
		return job_look();
	if (strcmp(what, "look-often") == 0)
		return job_look_often();
	if (strcmp(what, "grab") == 0)
		return job_grab();
	return strcmp(what, "nothing") == 0 ? 0 : 99;
}

#endif
