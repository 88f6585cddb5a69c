/* Giving up rights, each in a child that looks at itself afterwards. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/confine.h"

static int
in_child(int (*act)(void))
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

static int
descriptors(void)
{
	int a = dup2(0, 40), b = dup2(0, 41), d = dup2(0, 90), keep[2] = {90, 41};

	if (a < 0 || b < 0 || d < 0 || confine_fds(keep, 2) != 0)
		return 1;
	for (int fd = 3; fd < 200; fd++) {
		if ((fcntl(fd, F_GETFD) != -1) != (fd == 41 || fd == 90))
			return 2;
	}
	return fcntl(0, F_GETFD) == -1;
}

static int
harmless(void)
{
	if (confine_harmless() != 0)
		return 1;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 ||
	       prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
}

static int
capabilities(void)
{
	char line[256];
	FILE *f;
	int bad = 0;

	if (confine_capabilities(0) != 0 || (f = fopen("/proc/self/status", "r")) == NULL)
		return 1;
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, "CapEff", 6) == 0 || strncmp(line, "CapPrm", 6) == 0)
			bad |= strstr(line, "0000000000000000") == NULL;
	}
	fclose(f);
	return bad;
}

static int namespace(void)
{
	unsigned uid = geteuid(), gid = getegid();

	if (unshare(CLONE_NEWUSER) != 0)
		return 77;
	if (confine_map_ids(uid, gid) != 0)
		return 1;
	return geteuid() == 0 || getegid() == 0 || geteuid() == 65534;
}

static int
orphan(void)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || confine_to_parent(pair[0]) != 0)
		return 1;
	close(pair[1]);
	return confine_to_parent(pair[0]) != IM_ERR_CLOSED;
}

static int
identity(void)
{
	int fd = memfd_create("folder", 0), store = memfd_create("store", 0);
	int is_root = geteuid() == 0;
	struct stat st;

	if (fchmod(store, 0750) != 0 || confine_identity(store, fd) != 0)
		return 1;
	if (!is_root || geteuid() == 0)
		return 77; /* a user, or a root with no other id */
	if (fstat(fd, &st) != 0 || st.st_uid != geteuid() || setuid(0) == 0)
		return 2;
	return fstat(store, &st) != 0 || st.st_uid != 0 || st.st_gid != getegid() ||
	       (st.st_mode & 0777) != 0710;
}

static void
rights_are_gone(void **state)
{
	int status;

	(void)state;
	assert_int_equal(in_child(descriptors), 0);
	assert_int_equal(in_child(harmless), 0);
	assert_int_equal(in_child(capabilities), 0);
	assert_int_equal(in_child(orphan), 0);
	status = in_child(namespace);
	assert_true(status == 0 || WEXITSTATUS(status) == 77);
	status = in_child(identity);
	assert_true(status == 0 || WEXITSTATUS(status) == 77);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(rights_are_gone)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
