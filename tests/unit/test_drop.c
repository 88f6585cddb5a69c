/* Dropping rights: nothing for an ordinary user; as root, in a child, the real thing on private folders. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pwd.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "mesh/drop.h"
#include "tests/unit/scratch.h"

static char dir[PATH_MAX];
static struct config c;

static int
set_up(void **state)
{
	(void)state;
	if (scratch_enter(dir) < 0 || chmod(".", 0755) < 0)
		return -1;
	umask(022);
	config_defaults(&c, CONFIG_SYSTEM);
	snprintf(c.state_dir, sizeof c.state_dir, "%.200s/lib/state", dir);
	snprintf(c.store_dir, sizeof c.store_dir, "%.200s/cache/store/", dir);
	snprintf(c.socket, sizeof c.socket, "%.200s/run/icemesh/sock", dir);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	return scratch_leave(dir);
}

static const struct passwd *
user(void)
{
	struct passwd *pw = getpwnam(DROP_USER);

	return pw ? pw : getpwnam("nobody");
}

static void
skip_unless_root(void)
{
	if (config_scope() != CONFIG_SYSTEM || !user())
		skip();
}

/* What drop_rights() answers in a child; then what is left of root there: 0 is nothing. */
static int
dropped(int *left)
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		char why[256];
		const struct passwd *pw = user();
		/* the slots of all users have a fixed place: here one of this child's own, where it may make one */
		bool own_place = unshare(CLONE_NEWNS) == 0 &&
		                 mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		                 mount("none", "/run/lock", "tmpfs", 0, "mode=1777") == 0;
		c.local_slots = 2;
		int err = drop_rights(&c, why), bad = 0;
		if (err < 0)
			_exit(100 - err);
		bad |= (getuid() != pw->pw_uid || geteuid() != pw->pw_uid || getgid() != pw->pw_gid)
		       << 0;
		bad |= (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0) << 1;
		bad |= (access("secret", R_OK) == 0 || chown("secret", pw->pw_uid, pw->pw_gid) == 0)
		       << 2;
		bad |= (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0) << 3;
		bad |= (access(c.state_dir, W_OK) < 0 || access(c.store_dir, W_OK) < 0) << 4;
		bad |= (own_place && (access(PLACE_SLOTS "/1", R_OK) < 0 ||
		                             access(PLACE_SLOTS "/queue", R_OK) < 0 ||
		                             access(PLACE_SLOTS "/2", F_OK) == 0 ||
		                             access(PLACE_SLOTS, W_OK) == 0))
		       << 5;
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	*left = WEXITSTATUS(status) >= 100 ? 0 : WEXITSTATUS(status);
	return WEXITSTATUS(status) >= 100 ? 100 - WEXITSTATUS(status) : 0;
}

static void
owned(const char *path, mode_t mode, bool by_daemon)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, by_daemon ? user()->pw_uid : 0);
	if (mode)
		assert_int_equal(st.st_mode & 07777, mode);
}

static void
test_ordinary_user(void **state)
{
	char why[256] = "";

	(void)state;
	if (config_scope() == CONFIG_SYSTEM) {
		int status;
		pid_t pid = fork();
		if (pid == 0)
			_exit(setresuid(65534, 65534, 65534) < 0 || drop_rights(&c, why) < 0 ||
			        getuid() != 65534);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
	} else {
		uid_t before = getuid();
		assert_int_equal(drop_rights(&c, why), 0);
		assert_int_equal(getuid(), before);
	}
	assert_int_equal(access("lib", F_OK), -1); /* no folder was made */
}

static void
test_root(void **state)
{
	int left = -1;

	(void)state;
	skip_unless_root();
	assert_int_equal(scratch_write("secret", "x", 1, 0600), 0);
	assert_int_equal(dropped(&left), 0);
	assert_int_equal(left, 0);
	owned("lib", 0755, false);
	owned("lib/state", 0700, true);
	owned("cache", 0755, false);
	owned("cache/store", 0700, true);
	owned("run", 0755, false);
	owned("run/icemesh", 0755, true);
	assert_int_equal(dropped(&left), 0); /* and once more, when all is there */
	assert_int_equal(left, 0);
}

static void
test_takes_over_what_is_known(void **state)
{
	int left;

	(void)state;
	skip_unless_root();
	assert_int_equal(mkdir("lib", 0755) | mkdir("lib/state", 0755), 0);
	assert_int_equal(scratch_write("secret", "x", 1, 0600), 0);
	assert_int_equal(scratch_write("lib/state/node.key", "x", 1, 0600), 0);
	assert_int_equal(scratch_write("lib/state/foreign", "x", 1, 0600), 0);
	assert_int_equal(symlink("../../secret", "lib/state/cert"), 0);
	assert_int_equal(scratch_write("linked", "x", 1, 0600) | link("linked", "lib/state/peers"),
	        0); /* somebody else's file under one of our names */
	assert_int_equal(mkfifo("lib/state/boot", 0600), 0);
	assert_int_equal(dropped(&left), 0);
	assert_int_equal(left, 0);
	owned("lib/state", 0755, true);
	owned("lib/state/node.key", 0600, true);
	owned("lib/state/foreign", 0600, false);
	owned("secret", 0600, false);
	owned("linked", 0600, false);
	owned("lib/state/boot", 0600, false);
}

static void
test_socket_folder_of_others(void **state)
{
	int left;

	(void)state;
	skip_unless_root();
	assert_int_equal(mkdir("run", 0755), 0);
	snprintf(c.socket, sizeof c.socket, "%.200s/run/sock", dir);
	assert_int_equal(dropped(&left), 0);
	owned("run", 0755, false);
	snprintf(c.socket, sizeof c.socket, "%.200s/run/new/sock", dir);
	assert_int_equal(dropped(&left), 0);
	owned("run/new", 0755, true); /* made for the socket */
	assert_int_equal(mkdir("run/icemesh", 0755), 0);
	snprintf(c.socket, sizeof c.socket, "%.200s/run/icemesh/sock", dir);
	assert_int_equal(dropped(&left), 0);
	owned("run/icemesh", 0755, true);
}

static void
test_what_cannot_be(void **state)
{
	int left;

	(void)state;
	skip_unless_root();
	assert_int_equal(mkdir("elsewhere", 0755) | mkdir("lib", 0755), 0);
	assert_int_equal(symlink("../elsewhere", "lib/state"), 0);
	assert_int_equal(dropped(&left), IM_ERR_SYSTEM);
	owned("elsewhere", 0755, false);
	assert_int_equal(unlink("lib/state") | scratch_text("lib/state", "a file"), 0);
	assert_int_equal(dropped(&left), IM_ERR_SYSTEM);
	owned("lib/state", 0644, false);
}

#define T(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
	        T(test_ordinary_user),
	        T(test_root),
	        T(test_takes_over_what_is_known),
	        T(test_socket_folder_of_others),
	        T(test_what_cannot_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
