#include "mesh/drop.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "mesh/files.h"
#include "mesh/places.h"

/* A folder that only the daemon's user writes to. */
static int
own_folder(const char *path, mode_t mode, const struct passwd *pw, char *why)
{
	struct stat st;
	if (files_mkdir(path, mode) < 0 || lstat(path, &st) < 0 ||
	        (errno = ENOTDIR, !S_ISDIR(st.st_mode))) {
		snprintf(why, 256, "%.160s: cannot be made: %s", path, strerror(errno));
		return IM_ERR_SYSTEM;
	}
	if (st.st_uid != pw->pw_uid && lchown(path, pw->pw_uid, pw->pw_gid) < 0) {
		snprintf(why, 256, "%.160s: cannot be given to %s: %s", path, pw->pw_name,
		        strerror(errno));
		return IM_ERR_SYSTEM;
	}
	return 0;
}

/* A regular file with one name: a hard link that an earlier daemon left could be anybody's file. */
static int
own_file(const char *path, const struct passwd *pw, char *why)
{
	struct stat st;
	int err = 0, fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return 0; /* absent, or nothing that the daemon would read */
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_nlink == 1 &&
	        st.st_uid != pw->pw_uid && fchown(fd, pw->pw_uid, pw->pw_gid) < 0) {
		snprintf(why, 256, "%.160s: cannot be given to %s: %s", path, pw->pw_name,
		        strerror(errno));
		err = IM_ERR_SYSTEM;
	}
	close(fd);
	return err;
}

/* What an earlier daemon under another user left is taken over: the files that are known by name. */
static int
own_state(const char *dir, const struct passwd *pw, char *why)
{
	static const char *const names[] = {
	        "node.key", "root.key", "mesh", "cert", "tokens", "peers", "compilers", "boot"};
	int err = own_folder(dir, 0700, pw, why);
	for (unsigned i = 0; i < sizeof names / sizeof *names && err == 0; i++) {
		char path[FILES_PATH_SIZE];
		err = files_path(path, dir, names[i]);
		if (err < 0)
			snprintf(why, 256, "%.160s: too long", dir);
		else
			err = own_file(path, pw, why);
	}
	return err;
}

/* The socket's folder is made when it is missing; one that is there is given away only when it bears our name, since /run itself
 * or somebody's folder is not ours to give. */
static int
own_socket_folder(const char *socket, const struct passwd *pw, char *why)
{
	char folder[CONFIG_VALUE_SIZE];
	snprintf(folder, sizeof folder, "%s", socket);
	char *slash = strrchr(folder, '/');
	if (!slash || slash == folder)
		return 0;
	*slash = 0;
	const char *name = strrchr(folder, '/');
	if (access(folder, F_OK) == 0 && (!name || strcmp(name, "/icemesh") != 0))
		return 0;
	return own_folder(folder, 0755, pw, why);
}

/* For good: neither the user nor a capability comes back. */
static int
become(const struct passwd *pw, char *why)
{
	if (initgroups(pw->pw_name, pw->pw_gid) < 0 ||
	        setresgid(pw->pw_gid, pw->pw_gid, pw->pw_gid) < 0 ||
	        setresuid(pw->pw_uid, pw->pw_uid, pw->pw_uid) < 0 || setresuid(0, 0, 0) == 0) {
		snprintf(why, 256, "cannot become the user %s: %s", pw->pw_name, strerror(errno));
		return IM_ERR_SYSTEM;
	}
	prctl(PR_SET_DUMPABLE, 0);
	return 0;
}

/* The pool of local slots that all users of this machine share; without it each user has his own, which is no failure. */
static void
make_slots(unsigned n)
{
	char path[FILES_PATH_SIZE];
	if (mkdir(PLACE_SLOTS, 0755) < 0 && errno != EEXIST)
		return;
	int dir = open(PLACE_SLOTS, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir >= 0)
		(void)!fchmod(dir, 0755); /* whatever the umask */
	for (unsigned i = 0; dir >= 0 && i <= n; i++) {
		snprintf(path, sizeof path, "%u", i);
		int fd = openat(dir, i < n ? path : "queue",
		        O_RDONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
		if (fd >= 0) {
			(void)!fchmod(fd, 0644);
			close(fd);
		}
	}
	if (dir >= 0)
		close(dir);
}

int
drop_rights(const struct config *c, char *why)
{
	if (config_scope() != CONFIG_SYSTEM)
		return 0;
	struct passwd *pw = getpwnam(DROP_USER);
	if (!pw)
		pw = getpwnam("nobody");
	if (!pw) {
		snprintf(why, 256,
		        "there is no user '" DROP_USER "' to run as: useradd --system " DROP_USER);
		return IM_ERR_ABSENT;
	}
	int err = own_socket_folder(c->socket, pw, why);
	make_slots(c->local_slots);
	if (err == 0)
		err = own_state(c->state_dir, pw, why);
	if (err == 0)
		err = own_folder(c->store_dir, 0700, pw, why);
	return err < 0 ? err : become(pw, why);
}
