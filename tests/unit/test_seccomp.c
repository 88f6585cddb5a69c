/* The filters, each tried in a child: what a compile needs works, what it never needs does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/seccomp.h"

/* The wait status of a child that loads the filter and does what act says. */
static int
in_child(enum filter_profile profile, int (*act)(void))
{
	struct filter f;
	int status;
	pid_t pid;

	assert_int_equal(filter_build(&f, profile), 0);
	pid = fork();
	if (pid == 0) {
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || filter_load(&f) != 0)
			_exit(99);
		_exit(act());
	}
	filter_fini(&f);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int
denied(long r)
{
	return r < 0 && errno == EPERM;
}

static int
forbidden(void)
{
	static const long calls[] = {SYS_socket, SYS_socketpair, SYS_connect, SYS_ptrace, SYS_mount,
	        SYS_umount2, SYS_pivot_root, SYS_unshare, SYS_setns, SYS_keyctl, SYS_add_key,
	        SYS_bpf, SYS_io_uring_setup, SYS_perf_event_open, SYS_userfaultfd,
	        SYS_open_by_handle_at, SYS_process_vm_readv, SYS_kcmp, SYS_init_module, SYS_chroot,
	        SYS_mknodat, SYS_setuid, SYS_fsopen, SYS_move_mount, SYS_pidfd_getfd, SYS_quotactl,
	        SYS_reboot, SYS_swapon};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (!denied(syscall(calls[i], -1, -1, -1, -1, -1, -1)))
			return (int)i + 1;
	}
	return 0;
}

static int
arguments(void)
{
	static const unsigned long spaces[] = {
	        CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS};

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		if (!denied(syscall(SYS_clone, spaces[i] | SIGCHLD, 0, 0, 0, 0)))
			return 1;
	}
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 2;
	if (!denied(ioctl(0, TIOCSTI, "x")) || !denied(ioctl(0, TIOCLINUX, "x")))
		return 3;
	if (!denied(personality(PER_LINUX32)) || personality(0xffffffff) < 0)
		return 4;
	return !denied(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)) ? 5 : 0;
}

static int
needed(void)
{
	int status, fd = open("/dev/null", O_RDWR);
	pid_t pid = fork();

	if (pid == 0)
		_exit(17);
	if (fd < 0 || pid < 0 || waitpid(pid, &status, 0) != pid || WEXITSTATUS(status) != 17)
		return 1;
	pid = vfork();
	if (pid == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	return waitpid(pid, &status, 0) == pid && status == 0 ? 0 : 2;
}

static int
unpack_forbids(void)
{
	if (!denied(syscall(SYS_execve, "/bin/true", NULL, NULL)) ||
	        !denied(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)))
		return 1;
	if (!denied(syscall(SYS_mknodat, -1, "x", 0, 0)) || !denied(syscall(SYS_kill, 0, 0)))
		return 2;
	return forbidden();
}

static void
filters_do_what_they_say(void **state)
{
	(void)state;
	assert_int_equal(in_child(FILTER_COMPILE, forbidden), 0);
	assert_int_equal(in_child(FILTER_COMPILE, arguments), 0);
	assert_int_equal(in_child(FILTER_COMPILE, needed), 0);
	assert_int_equal(in_child(FILTER_UNPACK, unpack_forbids), 0);
}

#ifdef __x86_64__
static int
x32(void)
{
	return (int)syscall(0x40000000 | SYS_getpid);
}

/* getpid by the 32-bit door of a 64-bit kernel. */
static int
i386(void)
{
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	return (int)r;
}

static void
foreign_architectures_are_killed(void **state)
{
	int status = in_child(FILTER_COMPILE, x32);

	(void)state;
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGSYS);
	status = in_child(FILTER_COMPILE, i386);
	assert_true(WIFSIGNALED(status));
}
#endif

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        cmocka_unit_test(filters_do_what_they_say),
#ifdef __x86_64__
	        cmocka_unit_test(foreign_architectures_are_killed),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
