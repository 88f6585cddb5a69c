#include "mesh/sweep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/scratch.h"
#include "mesh/layout.h"

#define OLD_PREFIX "old-"

/* A list of the folder, by a descriptor of its own. */
static DIR *
list(int dir_fd, const char *name)
{
	int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	if (!d && fd >= 0)
		close(fd);
	return d;
}

static bool
begins(const char *name, const char *prefix)
{
	return strncmp(name, prefix, strlen(prefix)) == 0;
}

/* Each under a name that nothing in tmp/ has yet. */
static int
move_aside(int trees_fd, int tmp_fd)
{
	DIR *d = list(trees_fd, ".");
	unsigned long serial = 0;
	int err = 0;
	if (!d)
		return IM_ERR_SYSTEM;
	for (struct dirent *e; err == 0 && (e = readdir(d));) {
		char to[48];
		if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
			continue;
		do
			snprintf(to, sizeof to, OLD_PREFIX "%ld-%lu", (long)getpid(), ++serial);
		while (faccessat(tmp_fd, to, F_OK, AT_SYMLINK_NOFOLLOW) == 0);
		if (renameat(trees_fd, e->d_name, tmp_fd, to) < 0)
			err = IM_ERR_SYSTEM;
	}
	closedir(d);
	return err;
}

/* One pass over what is to go. What cannot be removed is tried again at the next start. */
static void
remove_old(int tmp_fd)
{
	DIR *d = list(tmp_fd, ".");
	if (!d)
		return;
	for (struct dirent *e; (e = readdir(d));)
		if (begins(e->d_name, OLD_PREFIX) && unlinkat(tmp_fd, e->d_name, 0) < 0)
			(void)!scratch_remove(tmp_fd, e->d_name);
	closedir(d);
}

static bool
has_old(int tmp_fd)
{
	DIR *d = list(tmp_fd, ".");
	bool found = false;
	if (!d)
		return false;
	for (struct dirent *e; !found && (e = readdir(d));)
		found = begins(e->d_name, OLD_PREFIX);
	closedir(d);
	return found;
}

/* In the new process: nothing of the daemon's is kept open, above all not its helper's socket. */
_Noreturn static void
remove_apart(int tmp_fd)
{
	if (fork() != 0)
		_exit(0); /* the one that works belongs to nobody */
	setsid();
	(void)!nice(10);
	for (int fd = 0; fd <= 2; fd++)
		close(fd);
	if (confine_fds(&tmp_fd, 1) == 0)
		remove_old(tmp_fd);
	_exit(0);
}

int
sweep_trees(int trees_fd, int tmp_fd)
{
	int err = move_aside(trees_fd, tmp_fd);
	if (err < 0 || !has_old(tmp_fd))
		return err;
	pid_t pid = fork();
	if (pid == 0)
		remove_apart(tmp_fd);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	return pid < 0 ? IM_ERR_SYSTEM : 0;
}

int
sweep_files(int dir_fd, const char *prefix)
{
	DIR *d = list(dir_fd, ".");
	if (!d)
		return IM_ERR_SYSTEM;
	for (struct dirent *e; (e = readdir(d));)
		if (begins(e->d_name, prefix))
			unlinkat(dir_fd, e->d_name, 0);
	closedir(d);
	return 0;
}

/* --- blobs --- */

struct found_blob {
	struct digest digest;
	uint64_t size, used; /* used: ns, when a tree was last linked to it, or it came */
};

struct found_list {
	struct found_blob *at;
	size_t n, cap;
};

static int
add(struct found_list *l, const struct found_blob *f)
{
	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 1024;
		struct found_blob *at = realloc(l->at, cap * sizeof *at);
		if (!at)
			return IM_ERR_MEMORY;
		l->at = at;
		l->cap = cap;
	}
	l->at[l->n++] = *f;
	return 0;
}

static int
list_folder(struct found_list *l, int blobs_fd, const char *folder)
{
	DIR *d = list(blobs_fd, folder);
	int err = 0;
	if (!d)
		return errno == ENOENT ? 0 : IM_ERR_SYSTEM;
	for (struct dirent *e; err == 0 && (e = readdir(d));) {
		struct found_blob f;
		struct stat st;
		if (!begins(e->d_name, folder) || digest_from_hex(&f.digest, e->d_name) < 0 ||
		        fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
		        !S_ISREG(st.st_mode))
			continue;
		f.size = (uint64_t)st.st_size;
		f.used = (uint64_t)st.st_ctim.tv_sec * 1000000000 + (uint64_t)st.st_ctim.tv_nsec;
		err = add(l, &f);
	}
	closedir(d);
	return err;
}

static int
by_use(const void *a, const void *b)
{
	const struct found_blob *x = a, *y = b;
	return x->used < y->used ? -1 : x->used > y->used;
}

int
sweep_list(int blobs_fd, uint32_t max,
        void (*found)(void *arg, const struct digest *d, uint64_t size), void *arg)
{
	struct found_list l = {0};
	int err = 0;
	for (unsigned i = 0; i < 256 && err == 0; i++) {
		char folder[3];
		snprintf(folder, sizeof folder, "%02x", i);
		err = list_folder(&l, blobs_fd, folder);
	}
	if (l.n)
		qsort(l.at, l.n, sizeof *l.at, by_use);
	for (size_t i = 0; i < l.n && err == 0; i++) {
		char name[LAYOUT_NAME_SIZE];
		layout_name(&l.at[i].digest, name);
		if (l.n - i > max)
			unlinkat(blobs_fd, name, 0);
		else
			found(arg, &l.at[i].digest, l.at[i].size);
	}
	free(l.at);
	return err;
}
