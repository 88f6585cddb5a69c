#include "exec/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include "exec/findings.h"
#include "exec/names.h"

#ifndef SECCOMP_IOCTL_NOTIF_SET_FLAGS
#define SECCOMP_IOCTL_NOTIF_SET_FLAGS SECCOMP_IOW(4, __u64)
#define SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP (1UL << 0)
#endif

#define TURN 64         /* calls that are answered before a signal is looked for */
#define FIRST_READ 256  /* bytes of a name that are read at once; most are shorter */
#define SLOTS_MIN 1024u /* of the table of names; a power of two */
#define WHOLE_SIZE (2 * PATH_MAX)
#define LOST 256 /* a compiler looks for bits/a.h, bits/b.h... below every search folder */

struct guard {
	int listener, cwd_fd;
	char *cwd;
	bool moved;       /* some process changed its working directory */
	bool incomplete;  /* some name could not be noted */
	struct buf names; /* findings */
	uint32_t *slots;  /* where in names a path stands; 0: empty */
	uint32_t nslots, n;
	char *lost
	        [LOST]; /* folders that are not there, as spelled in calls, by hash; NULL: none. Owned */
	struct seccomp_notif *request;
	struct seccomp_notif_resp *response;
	struct seccomp_notif_sizes sizes;
};

/* --- the listener's way --- */

int
guard_offer(int socket, const struct filter *f)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = {0};
	char byte = 0;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control)};
	struct cmsghdr *c = (struct cmsghdr *)(void *)control;
	int r, fd = filter_listen(f);

	if (fd < 0)
		return 0;
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	r = sendmsg(socket, &m, MSG_NOSIGNAL) == 1 ? 0 : IM_ERR_SYSTEM;
	close(fd);
	return r;
}

int
guard_take(int socket)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	char byte;
	struct iovec iov = {.iov_base = &byte, .iov_len = 1};
	struct msghdr m = {.msg_iov = &iov,
	        .msg_iovlen = 1,
	        .msg_control = control,
	        .msg_controllen = sizeof(control)};
	ssize_t n = recvmsg(socket, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n == 1 ? CMSG_FIRSTHDR(&m) : NULL;
	int fd;

	if (c == NULL || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
		return IM_ERR_ABSENT;
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* --- beginning and end --- */

static void
free_guard(struct guard *g)
{
	close(g->listener);
	if (g->cwd_fd >= 0)
		close(g->cwd_fd);
	buf_fini(&g->names);
	for (unsigned i = 0; i < LOST; i++)
		free(g->lost[i]);
	free(g->cwd);
	free(g->slots);
	free(g->request);
	free(g->response);
	free(g);
}

static size_t
at_least(size_t a, size_t b)
{
	return a > b ? a : b;
}

struct guard *
guard_new(int listener, const char *cwd)
{
	struct guard *g = calloc(1, sizeof(*g));

	if (g == NULL) {
		close(listener);
		return NULL;
	}
	g->listener = listener;
	g->cwd_fd = open(cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	buf_init(&g->names, FINDINGS_LEN_MAX);
	if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &g->sizes) != 0)
		g->sizes = (struct seccomp_notif_sizes){0};
	g->sizes.seccomp_notif = at_least(g->sizes.seccomp_notif, sizeof(*g->request));
	g->request = malloc(g->sizes.seccomp_notif);
	g->response = calloc(1, at_least(g->sizes.seccomp_notif_resp, sizeof(*g->response)));
	g->nslots = SLOTS_MIN;
	g->slots = calloc(g->nslots, sizeof(*g->slots));
	g->cwd = strdup(cwd);
	if (g->request == NULL || g->response == NULL || g->slots == NULL || g->cwd == NULL) {
		free_guard(g);
		return NULL;
	}
	/* The caller wakes up on this processor, at once; before 6.6 somewhere, some time. */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_SET_FLAGS, SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP) != 0)
		errno = 0;
	return g;
}

void
guard_end(struct guard *g, struct buf *findings)
{
	const char *text = (const char *)g->names.data, *path;
	enum finding what;
	size_t at = 0;

	while (findings_next(text, g->names.len, &at, &what, &path) == 1)
		findings_add(findings, what, path);
	if (g->incomplete)
		findings_add(findings, FINDING_OVERFLOW, "");
	free_guard(g);
}

/* --- the set of names --- */

static uint32_t
hash(const char *s, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)s[i]) * 16777619u;
	return h ^ h >> 15;
}

/* The slot of that path, or the empty one where it belongs. */
static uint32_t *
slot_of(uint32_t *slots, uint32_t nslots, const struct buf *names, const char *path)
{
	uint32_t i = hash(path, strlen(path)) & (nslots - 1);

	while (slots[i] != 0 && strcmp((const char *)names->data + slots[i], path) != 0)
		i = (i + 1) & (nslots - 1);
	return &slots[i];
}

/* Twice as many slots; when memory lacks it stays as it is. */
static int
grow(struct guard *g)
{
	uint32_t nslots = 2 * g->nslots;
	uint32_t *slots = calloc(nslots, sizeof(*slots));

	if (slots == NULL)
		return IM_ERR_MEMORY;
	for (uint32_t i = 0; i < g->nslots; i++) {
		if (g->slots[i] != 0)
			*slot_of(slots, nslots, &g->names,
			        (const char *)g->names.data + g->slots[i]) = g->slots[i];
	}
	free(g->slots);
	g->slots = slots;
	g->nslots = nslots;
	return 0;
}

/* gcc asks for a precompiled header beside every header in every folder; clients send those that are there, or refuse. */
static bool
is_precompiled(const char *path)
{
	size_t len = strlen(path);

	return len > 4 && strcmp(path + len - 4, ".gch") == 0;
}

static void
add_name(struct guard *g, const char *path)
{
	uint32_t *slot = slot_of(g->slots, g->nslots, &g->names, path);
	size_t before = g->names.len;

	if (*slot != 0 || is_precompiled(path))
		return;
	if (g->n == GUARD_NAMES_MAX || (g->n >= g->nslots / 2 && grow(g) != 0)) {
		g->incomplete = true;
		return;
	}
	slot = slot_of(g->slots, g->nslots, &g->names, path);
	findings_add(&g->names, FINDING_MISS, path);
	if (g->names.len != before + strlen(path) + 2) {
		g->incomplete = true; /* no room or no memory for it */
		return;
	}
	*slot = (uint32_t)before + 1;
	g->n++;
}

/* --- one call --- */

/* Some bytes from the caller's memory, never beyond a page: what is behind may not be there. */
static ssize_t
peek(pid_t pid, uint64_t at, void *to, size_t max)
{
	size_t rest = 4096 - at % 4096;
	struct iovec local = {.iov_base = to, .iov_len = max < rest ? max : rest};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)at, .iov_len = local.iov_len};

	return process_vm_readv(pid, &local, 1, &remote, 1, 0);
}

static int
read_name(pid_t pid, uint64_t at, char name[PATH_MAX])
{
	size_t n = 0;

	while (n < PATH_MAX) {
		ssize_t got =
		        peek(pid, at + n, name + n, n == 0 ? FIRST_READ : (size_t)PATH_MAX - n);

		if (got <= 0)
			return IM_ERR_SYSTEM;
		if (memchr(name + n, '\0', (size_t)got) != NULL)
			return 0;
		n += (size_t)got;
	}
	return IM_ERR_LIMIT;
}

/* dir/name without empty and "." components.  A slash at the end stays: it asks for a folder. */
static int
join(const char *dir, const char *name, char out[WHOLE_SIZE])
{
	const char *parts[2] = {name[0] == '/' ? "" : dir, name};
	size_t len = 0;

	for (int i = 0; i < 2; i++) {
		for (const char *p = parts[i]; *p != '\0';) {
			size_t n = strcspn(p, "/");

			if (n > 0 && !(n == 1 && p[0] == '.')) {
				if (len + n + 2 >= WHOLE_SIZE)
					return IM_ERR_LIMIT;
				out[len++] = '/';
				memcpy(out + len, p, n);
				len += n;
			}
			p += n;
			p += *p == '/';
		}
	}
	if (len == 0 || (name[0] != '\0' && name[strlen(name) - 1] == '/'))
		out[len++] = '/';
	out[len] = '\0';
	return 0;
}

/* What kernel and loader have is another on each machine, never in a view, and no input of a compile. */
static bool
is_machine(const char *path)
{
	static const char *const places[] = {
	        "/proc", "/dev", "/sys", "/etc/ld.so.cache", "/etc/ld.so.preload"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		size_t len = strlen(places[i]);

		if (strncmp(path, places[i], len) == 0 && (path[len] == '/' || path[len] == '\0'))
			return true;
	}
	return false;
}

static bool
is_missing(int dir, const char *name, int flags)
{
	return syscall(SYS_faccessat2, dir, name, F_OK, flags) != 0 &&
	       (errno == ENOENT || errno == ENOTDIR);
}

/* The same, from the working directory; without a look when the folder was missing before. A job that makes it meanwhile is only told of too much. */
static bool
is_lost(struct guard *g, const char *name, int flags)
{
	const char *slash = strrchr(name, '/');
	size_t len = slash != NULL ? (size_t)(slash - name) : 0;
	char folder[PATH_MAX], **known;

	if (len == 0)
		return is_missing(g->cwd_fd, name, flags);
	known = &g->lost[hash(name, len) % LOST];
	if (*known != NULL && strncmp(*known, name, len) == 0 && (*known)[len] == '\0')
		return true;
	if (!is_missing(g->cwd_fd, name, flags))
		return false;
	memcpy(folder, name, len);
	folder[len] = '\0';
	if (is_missing(g->cwd_fd, folder, 0)) {
		free(*known);
		*known = strdup(folder);
	}
	return true;
}

/* A name relative to a folder of the caller's, found by /proc. */
static int
note_below(struct guard *g, const char *folder, const char *name, int flags)
{
	char dir[PATH_MAX], whole[WHOLE_SIZE];
	int fd = open(folder, O_PATH | O_CLOEXEC), r = IM_ERR_SYSTEM;
	ssize_t len;

	if (fd < 0)
		return IM_ERR_SYSTEM;
	if (!is_missing(fd, name, flags)) {
		r = 0;
	} else {
		len = readlink(folder, dir, sizeof(dir) - 1);
		dir[len > 0 ? len : 0] = '\0';
		if (dir[0] == '/' && join(dir, name, whole) == 0)
			r = 0;
		if (r == 0 && !is_machine(whole))
			add_name(g, whole);
	}
	close(fd);
	return r;
}

static int
note_name(struct guard *g, int dir, const char *name, int flags)
{
	char folder[64], whole[WHOLE_SIZE];
	unsigned pid = g->request->pid;

	if (name[0] != '/' && (dir != AT_FDCWD || g->moved || g->cwd_fd < 0)) {
		if (dir == AT_FDCWD)
			snprintf(folder, sizeof(folder), "/proc/%u/cwd", pid);
		else
			snprintf(folder, sizeof(folder), "/proc/%u/fd/%d", pid, dir);
		return note_below(g, folder, name, flags);
	}
	if (!is_lost(g, name, flags))
		return 0;
	if (join(g->cwd, name, whole) != 0)
		return IM_ERR_LIMIT;
	if (!is_machine(whole))
		add_name(g, whole);
	return 0;
}

/* AT_SYMLINK_NOFOLLOW, 0, or -1: the call makes the file when it is not there. */
static int
link_flags(const struct seccomp_notif *q, const struct names_call *c)
{
	uint64_t flags = c->flags < 0 ? 0 : q->data.args[c->flags];

	if (c->kind == NAMES_OPEN_HOW) {
		struct open_how how = {0};

		/* What cannot be read the kernel refuses, too. */
		if (peek((pid_t)q->pid, flags, &how, sizeof(how)) < (ssize_t)sizeof(how.flags))
			return 0;
		flags = how.flags;
	}
	switch (c->kind) {
	case NAMES_NOFOLLOW:
		return AT_SYMLINK_NOFOLLOW;
	case NAMES_AT:
		return (flags & AT_SYMLINK_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
	case NAMES_OPEN:
	case NAMES_OPEN_HOW:
		if ((flags & O_CREAT) != 0)
			return -1;
		return (flags & O_NOFOLLOW) != 0 ? AT_SYMLINK_NOFOLLOW : 0;
	default:
		return 0;
	}
}

static void
note(struct guard *g)
{
	const struct seccomp_notif *q = g->request;
	const struct names_call *c = names_find(q->data.nr);
	char name[PATH_MAX];
	int flags, r;

	if (c == NULL) { /* chdir, fchdir: about to be done */
		g->moved = true;
		return;
	}
	flags = link_flags(q, c);
	if (flags < 0)
		return;
	r = read_name((pid_t)q->pid, q->data.args[c->name], name);
	if (r == 0 && name[0] != '\0')
		r = note_name(g, c->dir < 0 ? AT_FDCWD : (int)q->data.args[c->dir], name, flags);
	if (r != 0 && ioctl(g->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &q->id) == 0)
		g->incomplete = true; /* and not because the caller was killed */
}

static int
let_go(struct guard *g)
{
	int r;

	*g->response = (struct seccomp_notif_resp){
	        .id = g->request->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};
	do
		r = ioctl(g->listener, SECCOMP_IOCTL_NOTIF_SEND, g->response);
	while (r != 0 && errno == EINTR);
	return r == 0 || errno == ENOENT ? 0 : IM_ERR_SYSTEM; /* ENOENT: killed meanwhile */
}

int
guard_serve(struct guard *g)
{
	for (int i = 0; i < TURN; i++) {
		memset(g->request, 0, g->sizes.seccomp_notif); /* the kernel insists */
		if (ioctl(g->listener, SECCOMP_IOCTL_NOTIF_RECV, g->request) != 0) {
			if (errno == EINTR || errno == ENOENT)
				return 0;
			g->incomplete = true;
			return IM_ERR_SYSTEM;
		}
		note(g);
		if (let_go(g) != 0) {
			g->incomplete = true;
			return IM_ERR_SYSTEM;
		}
	}
	return 0;
}
