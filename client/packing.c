#include "client/packing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>
#include "client/now.h"
#include "client/pack.h"
#include "exec/witness.h"

#define KEY_SIZE (CONFIG_VALUE_SIZE + 4096)

int
packing_tarball(const char *setting, char *out, size_t size)
{
	struct utsname machine;

	if (uname(&machine) != 0)
		return IM_ERR_SYSTEM;
	for (const char *p = setting; *p != 0; p += strspn(p, ",")) {
		size_t len = strcspn(p, ","), platform = p[0] == '/' ? 0 : strcspn(p, ":,");
		bool fits = platform == 0 || platform == len ||
		            memmem(p, platform, machine.machine, strlen(machine.machine)) != NULL;

		if (platform > 0 && platform < len)
			platform++;
		else
			platform = 0;
		if (fits && len - platform >= size)
			return IM_ERR_LIMIT;
		if (fits && len > platform) {
			memcpy(out, p + platform, len - platform);
			out[len - platform] = 0;
			return 0;
		}
		p += len;
	}
	return IM_ERR_ABSENT;
}

static int
decline(struct packing *p, int err, const char *reason, const char *text)
{
	reason_set(p->reason, reason, NULL);
	snprintf(p->text, sizeof p->text, "%s", text);
	return err;
}

static int
wait_answer(struct packing *p, struct answer *a)
{
	int64_t end = now_ms() + PACKING_WAIT_MS;
	struct pollfd fd = {.fd = p->daemon->fd, .events = POLLIN};
	int r = IM_ERR_ABSENT;

	while (r == IM_ERR_ABSENT && now_ms() < end) {
		if (poll(&fd, 1, (int)(end - now_ms()) + 1) < 0 && errno != EINTR)
			return decline(p, IM_ERR_SYSTEM, "system-error", strerror(errno));
		r = daemon_answer(p->daemon, a);
	}
	if (r != 0) {
		daemon_fini(p->daemon);
		return decline(p, r, "no-daemon",
		        r == IM_ERR_ABSENT ? "icemeshd does not answer" : im_strerror(r));
	}
	return 0;
}

/* The user's own tarball; its witness is itself. */
static int
open_tarball(const char *path, struct pack *out)
{
	struct witness_file self = {path, 0};
	int fd = open(path, O_RDONLY | O_CLOEXEC), r;

	if (fd < 0)
		return IM_ERR_SYSTEM;
	buf_init(&out->witness, WITNESS_LEN_MAX);
	r = witness_make(&self, 1, &out->witness);
	if (r == 0)
		r = buf_err(&out->witness);
	if (r != 0) {
		close(fd);
		buf_fini(&out->witness);
		return r;
	}
	out->fd = fd;
	return 0;
}

static int
bring(struct packing *p, const char *key, const char *tarball, bool replace)
{
	char why[PACK_WHY_SIZE] = "";
	struct pack packed = {.fd = -1};
	int r;

	if (tarball != NULL) {
		r = open_tarball(tarball, &packed);
		if (r != 0)
			snprintf(why, sizeof why, "%.400s: %s", tarball, strerror(errno));
	} else if (p->helper != NULL)
		r = pack_with(&packed, p->helper, p->compiler, why);
	else
		r = pack_compiler(&packed, p->compiler, why);
	if (r != 0)
		return decline(p, r, "toolchain", why);
	r = daemon_import(p->daemon, key, &packed.witness, replace, packed.fd);
	pack_fini(&packed);
	return r == 0 ? 0 : decline(p, r, "no-daemon", im_strerror(r));
}

static void
keep_graph(struct packing *p, int fd)
{
	if (p->graph_fd >= 0)
		close(p->graph_fd);
	p->graph_fd = fd;
}

/* TOOLCHAIN: it counts while the compiler is what it was; just after our own IMPORT, unseen. */
static int
check_toolchain(struct packing *p, const struct answer *a, bool imported)
{
	char changed[512];

	if (!imported && witness_check(a->witness, a->witness_len, changed, sizeof changed) != 0)
		return IM_ERR_ABSENT;
	p->toolchain = a->toolchain;
	return 0;
}

static int
converse(struct packing *p, const char *key, const char *tarball)
{
	bool imported = false, replace = false;
	struct answer a;
	int r = daemon_compiler(p->daemon, key);

	if (r != 0)
		return decline(p, r, "no-daemon", im_strerror(r));
	/* COMPILER, PACKING, IMPORT and one more look at what another wrapper packed: no daemon
	 * needs more turns */
	for (int turn = 0; turn < 5; turn++) {
		r = wait_answer(p, &a);
		if (r != 0)
			return r;
		if (a.type == CONTROL_TOOLCHAIN) {
			if (a.fd >= 0) /* it comes once, maybe with a toolchain that changed */
				keep_graph(p, a.fd);
			if (check_toolchain(p, &a, imported) == 0)
				return 0;
			replace = true;
			r = daemon_packing(p->daemon, key);
			if (r != 0)
				return decline(p, r, "no-daemon", im_strerror(r));
		} else if (a.type == CONTROL_PACK) {
			r = bring(p, key, tarball, replace);
			if (r != 0)
				return r;
			imported = true;
		} else if (a.type == CONTROL_LOCAL) {
			return decline(p, IM_ERR_REFUSED, a.reason, a.text);
		} else {
			if (a.type == CONTROL_GRANT)
				close(a.fd);
			return decline(p, IM_ERR_REFUSED, "toolchain",
			        a.type == CONTROL_ERROR ? a.text : "unexpected answer");
		}
	}
	return decline(p, IM_ERR_REFUSED, "toolchain", "the compiler changes all the time");
}

int
packing_find(struct packing *p)
{
	char file[CONFIG_VALUE_SIZE], key[KEY_SIZE];
	bool own = p->tarball != NULL && p->tarball[0] != 0;
	int r;

	p->graph_fd = -1;
	r = own ? packing_tarball(p->tarball, file, sizeof file) : 0;
	if (r != 0)
		return decline(p, r, "toolchain",
		        "the setting toolchain names no tarball for this platform");
	if (own)
		snprintf(key, sizeof key, "file:%s", file);
	r = converse(p, own ? key : p->compiler, own ? file : NULL);
	if (r != 0)
		keep_graph(p, -1);
	return r;
}
