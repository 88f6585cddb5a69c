#include "mesh/drop.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mesh/files.h"

/* A folder that only the daemon's user writes to. */
static int
own_folder(const char *path, mode_t mode, const struct passwd *pw, char *why)
{
	struct stat st;
	if (files_mkdir(path, mode) < 0 || lstat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
		snprintf(why, 256, "%.160s: cannot be made: %s", path, strerror(errno));
		return IM_ERR_SYSTEM;
	}
	if (st.st_uid != pw->pw_uid && chown(path, pw->pw_uid, pw->pw_gid) < 0) {
		snprintf(why, 256, "%.160s: cannot be given to %s: %s", path, pw->pw_name, strerror(errno));
		return IM_ERR_SYSTEM;
	}
	return 0;
}

/* What an earlier daemon under another user left is taken over: only regular files and folders right below. */
static int
own_state(const char *dir, const struct passwd *pw, char *why)
{
	static const char *const names[] = {"node.key", "root.key", "mesh", "cert", "tokens", "peers", "compilers", "boot"};
	int err = own_folder(dir, 0700, pw, why);
	for (unsigned i = 0; i < sizeof names / sizeof *names && err == 0; i++) {
		char path[FILES_PATH_SIZE];
		struct stat st;
		if (files_path(path, dir, names[i]) == 0 && lstat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid != pw->pw_uid &&
			lchown(path, pw->pw_uid, pw->pw_gid) < 0) {
			snprintf(why, 256, "%.160s: cannot be given to %s: %s", path, pw->pw_name, strerror(errno));
			err = IM_ERR_SYSTEM;
		}
	}
	return err;
}

int
drop_rights(const struct config *c, char *why)
{
	char folder[CONFIG_VALUE_SIZE];
	if (config_scope() != CONFIG_SYSTEM)
		return 0;
	struct passwd *pw = getpwnam(DROP_USER);
	if (!pw)
		pw = getpwnam("nobody");
	if (!pw) {
		snprintf(why, 256, "there is no user '" DROP_USER "' to run as: useradd --system " DROP_USER);
		return IM_ERR_ABSENT;
	}
	snprintf(folder, sizeof folder, "%s", c->socket);
	char *slash = strrchr(folder, '/');
	int err = 0;
	if (slash && slash != folder) {
		*slash = 0;
		/* /run itself or somebody's folder is not ours to give away */
		if (access(folder, F_OK) < 0 || strcmp(slash - strlen("/icemesh") > folder ? slash - strlen("/icemesh") : "", "/icemesh") == 0)
			err = own_folder(folder, 0755, pw, why);
	}
	if (err == 0)
		err = own_state(c->state_dir, pw, why);
	if (err == 0)
		err = own_folder(c->store_dir, 0700, pw, why);
	if (err < 0)
		return err;
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 || setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
		setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0 || setresuid(0, 0, 0) == 0) {
		snprintf(why, 256, "cannot become the user %s: %s", pw->pw_name, strerror(errno));
		return IM_ERR_SYSTEM;
	}
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}
