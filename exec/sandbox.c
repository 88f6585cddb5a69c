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
#include "exec/own.h"
#include "exec/scratch.h"

#define SCRATCH_AT \
	"/tmp" /* any folder that every machine has; covered in this mount namespace only */
#define SCRATCH_SLACK (16u << 20) /* for folders and partly filled pages */
#define SCRATCH_INODES 65536u     /* beyond one for each input */
#define PATH_SIZE (JOB_PATH_MAX + 16)
#define PAGE 4096u
#define LAYER_SIZE (DIGEST_HEX_SIZE + 16)
#define LAYERS_SIZE ((JOB_TREES_MAX + 1) * LAYER_SIZE) /* with the rest it must fit into a page */
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
	if (s->job != NULL)
		size += own_bytes(&s->job->own) + (uint64_t)s->job->own.n * PAGE;
	return size;
}

/* The tmpfs with the empty folders w (on top of the view, where the job writes), k (the overlay's), t (no toolchain) and r (the new root). */
static int
mount_scratch(const struct sandbox *s, int *scratch, char *why)
{
	static const char *const folders[] = {
	        SCRATCH_AT "/w", SCRATCH_AT "/k", SCRATCH_AT "/t", SCRATCH_AT "/r"};
	char options[96];
	int fd;

	snprintf(options, sizeof(options), "mode=0755,size=%llu,nr_inodes=%u",
	        (unsigned long long)scratch_size(s),
	        SCRATCH_INODES + (s->job == NULL ? 0 : s->job->ninputs + s->job->own.n));
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot make the mounts private");
	if (mount("scratch", SCRATCH_AT, "tmpfs", MS_NOSUID | MS_NODEV, options) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot mount a tmpfs");
	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		if (mkdir(folders[i], 0755) != 0)
			return fail(why, IM_ERR_SYSTEM, "cannot write to the scratch");
	}
	fd = open(SCRATCH_AT "/w", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

/* The name of a lower layer in the store: the trees in their order, then the toolchain. */
static void
layer_name(const struct sandbox *s, uint32_t i, char name[LAYER_SIZE])
{
	char hex[DIGEST_HEX_SIZE];

	if (s->job == NULL || i == s->job->ntrees) {
		snprintf(name, LAYER_SIZE, "toolchains/%s", s->toolchain);
		return;
	}
	digest_hex(&s->job->trees[i], hex);
	snprintf(name, LAYER_SIZE, "trees/%s", hex);
}

/*
 * A folder of the job where a layer has a symbolic link would hide the link and all that the compiler finds through it
 * (/lib on a merged /usr); such a job is not for this sandbox.
 */
static int
make_job_folder(const struct sandbox *s, int w, const char *path, char *why)
{
	char name[LAYER_SIZE];

	for (uint32_t i = 0; i <= s->job->ntrees; i++) {
		int fd, crosses;

		layer_name(s, i, name);
		fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			return fail(why, IM_ERR_SYSTEM, "%s is not here", name);
		crosses = scratch_crosses(fd, path + 1);
		close(fd);
		if (crosses)
			return fail(why, IM_ERR_REFUSED, "%.150s leads through a link of %.16s",
			        path, name);
	}
	if (scratch_folder(w, path + 1) == 0)
		return 0;
	return fail(why,
	        errno == ENOTDIR || errno == ELOOP || errno == EEXIST ? IM_ERR_REFUSED
	                                                              : IM_ERR_SYSTEM,
	        "cannot make folder %.200s", path);
}

/* The same for the job's files; a link that the toolchain has, too, may be there. */
static int
hides_link(const struct sandbox *s, const char *path, const char *target, char *why)
{
	char name[LAYER_SIZE];
	int fd, hides;

	layer_name(s, s->job->ntrees, name);
	fd = open(name, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail(why, IM_ERR_SYSTEM, "%s is not here", name);
	hides = scratch_crosses(fd, path + 1) &&
	        (target == NULL || !scratch_links_to(fd, path + 1, target));
	close(fd);
	return hides ? fail(why, IM_ERR_REFUSED, "%.200s hides a link of the toolchain", path) : 0;
}

static int
write_own(const struct sandbox *s, int w, char *why)
{
	const struct tree *own = &s->job->own;
	uint32_t at = 0;
	int r = 0;

	if (own_bytes(own) > OWN_BYTES_MAX)
		return fail(why, IM_ERR_REFUSED, "the job's own files are too large");
	for (uint32_t i = 0; r == 0 && i < own->n; i++) {
		const struct tree_entry *e = &own->entries[i];

		r = hides_link(s, e->path, e->kind == TREE_LINK ? e->target : NULL, why);
	}
	if (r != 0)
		return r;
	r = own_write(own, w, &at);
	if (r == 0)
		return 0;
	if (r == IM_ERR_ABSENT)
		return fail(why, IM_ERR_REFUSED, "the content of %.200s is not in the store",
		        own->entries[at].path);
	return fail(why, r, "cannot make %.200s", own->entries[at].path);
}

static int
write_inputs(const struct sandbox *s, int w, char *why)
{
	unsigned next = 0;

	for (uint32_t i = 0; i < s->job->ninputs; i++) {
		const struct job_input *in = &s->job->inputs[i];
		int r;

		if (!in->streamed || next >= s->ninputs)
			return fail(why, IM_ERR_REFUSED, "input %.200s came without its content",
			        in->path);
		r = hides_link(s, in->path, NULL, why);
		if (r != 0)
			return r;
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
	/* a source job brings its working directory along, which may be spelled through links of its own */
	if (s->job->mode == JOB_SOURCE)
		r = write_own(s, w, why);
	else if (s->job->cwd[1] != '\0')
		r = make_job_folder(s, w, s->job->cwd, why);
	for (uint32_t i = 0; r == 0 && i < s->job->noutputs; i++) {
		r = output_folder(s->job, i, folder, why);
		if (r == 0)
			r = make_job_folder(s, w, folder, why);
	}
	return r != 0 ? r : write_inputs(s, w, why);
}

/* The names of the lower layers, top first, with colons between them.  No tree comes twice (job_decode), which the kernel would refuse. */
static void
list_layers(const struct sandbox *s, char layers[LAYERS_SIZE])
{
	uint32_t ntrees = s->job == NULL ? 0 : s->job->ntrees;
	char name[LAYER_SIZE];
	size_t len = 0;

	for (uint32_t i = 0; i <= ntrees; i++) {
		layer_name(s, i, name);
		len += (size_t)snprintf(
		        layers + len, LAYERS_SIZE - len, "%s%s", len == 0 ? "" : ":", name);
	}
}

static int
mount_root(const struct sandbox *s, char *why)
{
	char layers[LAYERS_SIZE], options[LAYERS_SIZE + 128];

	if (s->toolchain == NULL)
		snprintf(layers, sizeof(layers), SCRATCH_AT "/t");
	else
		list_layers(s, layers);
	snprintf(options, sizeof(options),
	        "lowerdir=%s,upperdir=" SCRATCH_AT "/w,workdir=" SCRATCH_AT "/k,userxattr", layers);
	if (mount("view", SCRATCH_AT "/r", "overlay", MS_NOSUID | MS_NODEV, options) != 0)
		return fail(why, IM_ERR_SYSTEM, "cannot mount an overlay");
	return 0;
}

/* Through a whole proc that is gone again before the job starts. */
static void
bound_processes(const struct sandbox *s)
{
	if (!s->root || mount("proc", SCRATCH_AT "/r/proc", "proc",
	                        MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) != 0)
		return;
	/* Older kernels cannot: then the job's memory and time are the bounds. */
	if (confine_processes(SCRATCH_AT "/r/proc") != 0)
		errno = 0;
	if (umount2(SCRATCH_AT "/r/proc", MNT_DETACH) != 0)
		errno = 0;
}

/* Both are comforts: where the kernel refuses them the empty files and the empty folder stay. */
static void
mount_specials(void)
{
	for (const char *const *d = devices; *d != NULL; d++) {
		char from[32], to[32];

		snprintf(from, sizeof(from), "/dev/%s", *d);
		snprintf(to, sizeof(to), SCRATCH_AT "/r/dev/%s", *d);
		if (mount(from, to, NULL, MS_BIND, NULL) != 0)
			errno = 0;
	}
	if (mount("proc", SCRATCH_AT "/r/proc", "proc",
	            MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, "subset=pid") != 0)
		errno = 0;
}

static int
change_root(char *why)
{
	if (chdir(SCRATCH_AT "/r") != 0 || syscall(SYS_pivot_root, ".", ".") != 0)
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
