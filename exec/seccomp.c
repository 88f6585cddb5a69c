#include "exec/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exec/names.h"

#ifndef CLONE_NEWCGROUP
#define CLONE_NEWCGROUP 0x02000000
#endif
#define NAMESPACE_FLAGS                                                                            \
	(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | \
	        CLONE_NEWCGROUP)
#ifndef PR_SET_VMA
#define PR_SET_VMA 0x53564d41
#endif
#define PROGRAM_MAX 4096                /* BPF_MAXINSNS */
#define ADDRESSES_NOT_RANDOM 0x0040000u /* ADDR_NO_RANDOMIZE */
#define ONLY_ASK 0xffffffffu            /* personality(): changes nothing */

/* From traces of gcc, g++, clang, as (native and cross), of the C library's start-up, threads, popen and malloc. */
static const char *const compile_calls[] = {
        /* files */
        "access", "chdir", "chmod", "close", "close_range", "copy_file_range", "creat", "dup",
        "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fallocate", "fchdir", "fchmod",
        "fchmodat", "fcntl", "fdatasync", "flock", "fstat", "fstatfs", "fsync", "ftruncate",
        "getcwd", "getdents", "getdents64", "link", "linkat", "llseek", "lseek", "lstat", "mkdir",
        "mkdirat", "newfstatat", "open", "openat", "openat2", "pipe", "pipe2", "poll", "ppoll",
        "pread64", "preadv", "preadv2", "pselect6", "pwrite64", "pwritev", "pwritev2", "read",
        "readahead", "readlink", "readlinkat", "readv", "rename", "renameat", "renameat2", "rmdir",
        "select", "sendfile", "stat", "statfs", "statx", "symlink", "symlinkat", "sync_file_range",
        "truncate", "umask", "unlink", "unlinkat", "utime", "utimensat", "utimes", "futimesat",
        "write", "writev",
        /* memory */
        "brk", "madvise", "membarrier", "mincore", "mlock", "mmap", "mprotect", "mremap", "msync",
        "munlock", "munmap", "memfd_create", "get_mempolicy",
        /* processes and threads; clone has a rule of its own */
        "arch_prctl", "execve", "exit", "exit_group", "fork", "futex", "get_robust_list", "getegid",
        "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getpid", "getppid", "getpriority",
        "getresgid", "getresuid", "getrlimit", "getrusage", "getsid", "gettid", "getuid", "kill",
        "prlimit64", "restart_syscall", "rseq", "sched_getaffinity", "sched_getparam",
        "sched_getscheduler", "sched_get_priority_max", "sched_get_priority_min",
        "sched_setaffinity", "sched_yield", "set_robust_list", "set_tid_address", "setpgid",
        "setpriority", "setrlimit", "setsid", "tgkill", "tkill", "vfork", "wait4", "waitid",
        "waitpid",
        /* signals, time, the machine */
        "alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getcpu", "getitimer",
        "getrandom", "gettimeofday", "nanosleep", "pause", "rt_sigaction", "rt_sigpending",
        "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend", "rt_sigtimedwait",
        "setitimer", "sigaltstack", "sigreturn", "sysinfo", "time", "times", "uname", "eventfd2",
        "epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "timerfd_create",
        "timerfd_settime", "riscv_flush_icache", NULL};

static const char *const unpack_calls[] = {"brk", "clock_gettime", "close", "exit", "exit_group",
        "fchmod", "fcntl", "fdatasync", "fstat", "fsync", "futex", "getdents64", "getpid",
        "getrandom", "gettid", "lseek", "madvise", "mkdirat", "mmap", "mprotect", "mremap",
        "munmap", "newfstatat", "openat", "openat2", "pread64", "read", "renameat2",
        "restart_syscall", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "statx",
        "symlinkat", "syncfs", "unlinkat", "write", "writev", "_llseek", NULL};

static const unsigned long ioctls[] = {TCGETS, TIOCGWINSZ, FIONREAD, FIOCLEX, FIONCLEX, FIONBIO};
static const int prctls[] = {PR_SET_NAME, PR_GET_NAME, PR_GET_DUMPABLE, PR_SET_PDEATHSIG,
        PR_CAPBSET_READ, PR_GET_NO_NEW_PRIVS, PR_SET_VMA};

/* A name that this machine's kernel interface does not have needs no rule. */
static int
allow(scmp_filter_ctx ctx, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);
	int r;

	if (nr == __NR_SCMP_ERROR || nr < 0)
		return 0;
	r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, nr, 0);
	return r == -EDOM ? 0 : r;
}

static int
allow_all(scmp_filter_ctx ctx, const char *const *names)
{
	int r = 0;

	while (r == 0 && *names != NULL)
		r = allow(ctx, *names++);
	return r;
}

/* clone: as fork and for threads, never with a new namespace. */
static int
allow_clone(scmp_filter_ctx ctx)
{
#if defined(__s390__) || defined(__s390x__)
	const unsigned flags = 1;
#else
	const unsigned flags = 0;
#endif
	int r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1,
	        SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, NAMESPACE_FLAGS, 0));

	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
	return r;
}

static int
allow_arguments(scmp_filter_ctx ctx)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < sizeof(ioctls) / sizeof(ioctls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
		        SCMP_CMP64(1, SCMP_CMP_EQ, ioctls[i], 0));
	for (size_t i = 0; r == 0 && i < sizeof(prctls) / sizeof(prctls[0]); i++)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1,
		        SCMP_CMP64(0, SCMP_CMP_EQ, (uint64_t)prctls[i], 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
		        SCMP_CMP64(0, SCMP_CMP_EQ, ONLY_ASK, 0));
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1,
		        SCMP_CMP64(0, SCMP_CMP_EQ, ADDRESSES_NOT_RANDOM, 0));
	return r;
}

/*
 * A file that is about to be made is no question, nor is a descriptor that is looked at by an empty name.  Both are told by flags, so
 * that they cost nothing: an empty name is what fstat() has become in some C libraries.
 */
static int
notify_names(scmp_filter_ctx ctx)
{
#ifdef SCMP_ACT_NOTIFY
	unsigned n;
	const struct names_call *c = names_calls(&n);
	int r = 0;

	for (unsigned i = 0; r == 0 && i < n; i++) {
		unsigned flags = c[i].flags < 0 ? 0 : (unsigned)c[i].flags;

		if (c[i].nr < 0)
			continue;
		if (c[i].kind == NAMES_OPEN)
			r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, c[i].nr, 1,
			        SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, O_CREAT, 0));
		else if (c[i].kind == NAMES_AT)
			r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, c[i].nr, 1,
			        SCMP_CMP64(flags, SCMP_CMP_MASKED_EQ, AT_EMPTY_PATH, 0));
		else
			r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, c[i].nr, 0);
	}
	if (r == 0)
		r = seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(chdir), 0);
	return r != 0 ? r : seccomp_rule_add(ctx, SCMP_ACT_NOTIFY, SCMP_SYS(fchdir), 0);
#else
	(void)ctx;
	return -1;
#endif
}

static int
add_rules(scmp_filter_ctx ctx, enum filter_profile profile)
{
	int r;

	if (profile == FILTER_GUARD)
		return notify_names(ctx);
	if (profile == FILTER_UNPACK)
		return allow_all(ctx, unpack_calls);
	r = allow_all(ctx, compile_calls);
	if (r == 0)
		r = allow_clone(ctx);
	return r != 0 ? r : allow_arguments(ctx);
}

/* libseccomp writes to descriptors only; the program is small. */
static int
export_program(scmp_filter_ctx ctx, struct filter *f)
{
	struct stat st;
	void *bytes = NULL;
	int r = IM_ERR_SYSTEM;
	int fd = memfd_create("filter", MFD_CLOEXEC);

	if (fd < 0 || seccomp_export_bpf(ctx, fd) != 0 || fstat(fd, &st) != 0)
		goto out;
	if (st.st_size <= 0 || (size_t)st.st_size > PROGRAM_MAX * sizeof(struct sock_filter))
		goto out;
	bytes = malloc((size_t)st.st_size);
	if (bytes == NULL) {
		r = IM_ERR_MEMORY;
		goto out;
	}
	if (pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		goto out;
	f->program.len = (unsigned short)((size_t)st.st_size / sizeof(struct sock_filter));
	f->program.filter = bytes;
	bytes = NULL;
	r = 0;
out:
	free(bytes);
	if (fd >= 0)
		close(fd);
	return r;
}

int
filter_build(struct filter *f, enum filter_profile profile)
{
	scmp_filter_ctx ctx =
	        seccomp_init(profile == FILTER_GUARD ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(EPERM));
	int r = IM_ERR_UNSUPPORTED;

	if (ctx == NULL)
		return IM_ERR_UNSUPPORTED;
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) != 0)
		goto out;
	/* A binary tree instead of a chain; older libraries only have the chain, which filters the same. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		errno = 0;
	if (add_rules(ctx, profile) != 0)
		goto out;
	r = export_program(ctx, f);
out:
	seccomp_release(ctx);
	return r;
}

void
filter_fini(struct filter *f)
{
	free(f->program.filter);
	memset(f, 0, sizeof(*f));
}

int
filter_load(const struct filter *f)
{
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f->program, 0, 0) == 0 ? 0
	                                                                          : IM_ERR_SYSTEM;
}

int
filter_listen(const struct filter *f)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
	        &f->program);

	return fd < 0 ? IM_ERR_SYSTEM : (int)fd;
}
