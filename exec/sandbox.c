#include "exec/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "exec/confine.h"
#include "exec/scratch.h"

#define SCRATCH_AT \
	"/tmp" /* any folder that every machine has; covered in this mount namespace only */
#define SCRATCH_SLACK (16u << 20) /* for folders and partly filled pages */
#define SCRATCH_INODES 65536u     /* beyond one for each input */
#define PATH_SIZE (JOB_PATH_MAX + 16)
#define HOST_NAME "icemesh"

static const char *const devices[] = {"null", "zero", "full", "random", "urandom", NULL};

static int __attribute__((format(printf, 3, 4))) fail(char *why, int err, const char *fmt, ...)
{
	int e = errno;
	va_list args;
	size_t n;

	va_start(args, fmt);
	vsnprintf(why, SANDBOX_WHY_SIZE, fmt, args);
	va_end(args);
	n = strlen(why);
	if (err == IM_ERR_SYSTEM)
		snprintf(why + n, SANDBOX_WHY_SIZE - n, ": %s", strerror(e));
	errno = e;
	return err;
}

static uint64_t
scratch_size(const struct sandbox *s)
{
	uint64_t size = 2 * s->limits->output + SCRATCH_SLACK;

	for (unsigned i = 0; i < s->ninputs; i++) {
		struct stat st;

		if (fstat(s->inputs[i], &st) == 0 && st.st_size > 0)
			size += (uint64_t)st.st_size;
	}
	return size;
}

/* The tmpfs with the empty folders w (the job's files), t (the toolchain) and r (the new root); the working directory moves there. */
static int
mount_scratch(const struct sandbox *s, int *scratch, char *why)
{
	char options[96];
	int fd;

	snprintf(options, sizeof(options), "mode=0755,size=%llu,nr_inodes=%u",
	        (unsigned long long)scratch_size(s),
	        SCRATCH_INODES + (s->job == NULL ? 0 : s->job->ninputs));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot make the mounts private");
	if (mount("scratch", SCRATCH_AT, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot mount a tmpfs");
	if (mkdir(SCRATCH_AT "/w", 0755) != 0 || mkdir(SCRATCH_AT "/t", 0755) != 0 ||
	        mkdir(SCRATCH_AT "/r", 0755) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot write to the scratch");
	if (s->toolchain != NULL && mount(s->toolchain, SCRATCH_AT "/t", NULL, MS_BIND, NULL) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot mount toolchain %.16s", s->toolchain);
	if (chdir(SCRATCH_AT) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot enter the scratch");
	fd = open("w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(why, IM_ERR_SYSTEM, "cannot open the scratch");
	*scratch = fd;
	return 0;
}

static int
make_skeleton(int w, char *why)
{
	char path[32];

	if (mkdirat(w, "tmp", 0700) != 0 || mkdirat(w, "proc", 0755) != 0 ||
	        mkdirat(w, "dev", 0755) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot make /tmp, /proc, /dev");
	if (fchmodat(w, "tmp", 01777, 0) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot open /tmp to all");
	for (const char *const *d = devices; *d != NULL; d++) {
		int fd;

		snprintf(path, sizeof(path), "dev/%s", *d);
		fd = openat(w, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (fd < 0)
			return fail(why, IM_ERR_SYSTEM, "cannot make /%s", path);
		close(fd);
	}
	return 0;
}

/*
 * A folder of the job where the toolchain has a symbolic link would hide the link and all that the compiler finds through it
 * (/lib on a merged /usr); such a job is not for this sandbox.
 */
static int
crosses_link(const char *path)
{
	char part[PATH_SIZE];
	struct stat st;
	size_t len = strlen(path);

	for (size_t i = 1; i <= len; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		snprintf(part, sizeof(part), "t%.*s", (int)i, path);
		if (lstat(part, &st) != 0)
			return 0;
		if (S_ISLNK(st.st_mode))
			return 1;
	}
	return 0;
}

static int
make_job_folder(int w, const char *path, char *why)
{
	if (crosses_link(path))
		return fail(
		        why, IM_ERR_REFUSED, "%.200s leads through a link of the toolchain", path);
	if (scratch_folder(w, path + 1) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot make folder %.200s", path);
	return 0;
}

static int
write_inputs(const struct sandbox *s, int w, char *why)
{
	unsigned next = 0;

	for (uint32_t i = 0; i < s->job->ninputs; i++) {
		const struct job_input *in = &s->job->inputs[i];

		if (!in->streamed || next >= s->ninputs)
			return fail(why, IM_ERR_REFUSED, "input %.200s came without its content",
			        in->path);
		if (crosses_link(in->path))
			return fail(why, IM_ERR_REFUSED,
			        "input %.200s leads through a link of the toolchain", in->path);
		if (scratch_copy(w, in->path + 1, in->mode, s->inputs[next++], INT64_MAX) != 0)
			return fail(why, IM_ERR_SYSTEM, "cannot write input %.200s", in->path);
	}
	return 0;
}

/* The folder of output i, absolute. */
static int
output_folder(const struct job *j, uint32_t i, char *folder, char *why)
{
	if (scratch_folder_of(j->outputs[i], folder, PATH_SIZE) != 0 || folder[0] == '\0')
		return fail(why, IM_ERR_REFUSED, "output %.200s stands in the root folder",
		        j->outputs[i]);
	return 0;
}

static int
fill_scratch(const struct sandbox *s, int w, char *why)
{
	char folder[PATH_SIZE];
	int r = make_skeleton(w, why);

	if (r != 0 || s->job == NULL)
		return r;
	if (s->job->cwd[1] != '\0')
		r = make_job_folder(w, s->job->cwd, why);
	for (uint32_t i = 0; r == 0 && i < s->job->noutputs; i++) {
		r = output_folder(s->job, i, folder, why);
		if (r == 0)
			r = make_job_folder(w, folder, why);
	}
	return r != 0 ? r : write_inputs(s, w, why);
}

/* The same folder of the toolchain and of the scratch as one, the scratch's on top and writable; fails when there is nothing to
 * merge, or where the kernel cannot. */
static int
merge_writable(const char *path, const char *to, unsigned number)
{
	char options[3 * PATH_SIZE], lower[PATH_SIZE], work[16];
	struct stat st;

	snprintf(lower, sizeof(lower), "t%s", path);
	if (lstat(lower, &st) != 0 || !S_ISDIR(st.st_mode) || strpbrk(path, ",:\\") != NULL)
		return -1;
	snprintf(work, sizeof(work), "k%u", number);
	snprintf(options, sizeof(options), "lowerdir=%s,upperdir=w%s,workdir=%s,userxattr", lower,
	        path, work);
	if (strlen(options) >= 4096 || mkdir(work, 0700) != 0)
		return -1;
	return mount("writable", to, "overlay", MS_NOSUID | MS_NODEV, options);
}

/* Makes folder `path` (absolute, in the scratch) writable in the new root.  A compiler may live in or
 * below that folder, so what the toolchain has there must stay to be seen. */
static int
bind_writable(const char *path, unsigned number, char *why)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	snprintf(from, sizeof(from), "w%s", path);
	snprintf(to, sizeof(to), "r%s", path);
	if (merge_writable(path, to, number) == 0)
		return 0;
	if (mount(from, to, NULL, MS_BIND, NULL) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot make %.200s writable", path);
	return 0;
}

static int
mount_root(const struct sandbox *s, char *why)
{
	char folder[PATH_SIZE];
	int r;

	if (mount("view", "r", "overlay", MS_RDONLY | MS_NOSUID | MS_NODEV,
	            "lowerdir=w:t,userxattr") != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot mount an overlay");
	r = bind_writable("/tmp", 0, why);
	for (uint32_t i = 0; r == 0 && s->job != NULL && i < s->job->noutputs; i++) {
		r = output_folder(s->job, i, folder, why);
		if (r == 0)
			r = bind_writable(folder, 1 + i, why);
	}
	return r;
}

/* Through a whole proc that is gone again before the job starts. */
static void
bound_processes(const struct sandbox *s)
{
	if (!s->root ||
	        mount("proc", "r/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return;
	/* Older kernels cannot: then the job's memory and time are the bounds. */
	if (confine_processes("r/proc") != 0)
		errno = 0;
	if (umount2("r/proc", MNT_DETACH) != 0)
		errno = 0;
}

/* Both are comforts: where the kernel refuses them the empty files and the empty folder stay. */
static void
mount_specials(void)
{
	for (const char *const *d = devices; *d != NULL; d++) {
		char from[32], to[32];

		snprintf(from, sizeof(from), "/dev/%s", *d);
		snprintf(to, sizeof(to), "r/dev/%s", *d);
		if (mount(from, to, NULL, MS_BIND, NULL) != 0)
			errno = 0;
	}
	if (mount("proc", "r/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
	            "subset=pid") != 0)
		errno = 0;
}

static int
change_root(char *why)
{
	if (chdir("r") != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot change the root");
	/* The old root now lies over the new one at "."; with it go the host's folders and the scratch's own path. */
	if (umount2(".", MNT_DETACH) != 0 || chdir("/") != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot detach the host's root");
	return 0;
}

int
sandbox_enter(const struct sandbox *s, int *scratch, char *why)
{
	int w = -1;
	int r = mount_scratch(s, &w, why);

	if (r == 0)
		r = fill_scratch(s, w, why);
	if (r == 0)
		r = mount_root(s, why);
	if (r == 0) {
		bound_processes(s);
		mount_specials();
		r = change_root(why);
	}
	if (r == 0 && sethostname(HOST_NAME, strlen(HOST_NAME)) != 0)
		r = fail(why, IM_ERR_SYSTEM, "cannot set the host name");
	if (r != 0) {
		if (w >= 0)
			close(w);
		return r;
	}
	*scratch = w;
	return 0;
}

int
sandbox_console(int scratch)
{
	int fd = openat(scratch, ".", O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);

	return fd < 0 ? IM_ERR_SYSTEM : fd;
}
