/*
 * icemesh-exec: the daemon's helper.  "helper" serves icemeshd over descriptor 3; "pack" packs one compiler with the caller's rights.
 */
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/capability.h>
#include "exec/confine.h"
#include "exec/limits.h"
#include "exec/pipe.h"
#include "exec/seccomp.h"
#include "exec/toolchain.h"
#include "exec/unpack.h"
#include "exec/witness.h"
#include "exec/worker.h"

#define PACK_OUT_FD 1
#define PACK_WITNESS_FD 3
#define USAGE                                                                        \
	"usage: icemesh-exec helper STORE_DIR NICE JOB_MEMORY JOB_TIME JOB_OUTPUT\n" \
	"       icemesh-exec pack COMPILER\n"                                        \
	"       icemesh-exec --version\n"

static int
complain(const char *what, int err)
{
	fprintf(stderr, "icemesh-exec: %s: %s\n", what,
	        err == IM_ERR_SYSTEM ? strerror(errno) : im_strerror(err));
	return 1;
}

/* --- helper --- */

/* stdin and stdout go to /dev/null, nothing but stderr and the daemon's socket stays open. */
static int
close_the_rest(void)
{
	int keep = PIPE_HELPER_FD;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return IM_ERR_SYSTEM;
	return confine_fds(&keep, 1);
}

/* STORE_DIR becomes the working directory, for good; its folder of toolchains is made when it is not there. */
static int
enter_store(const char *store)
{
	int dir = -1, here, r = IM_ERR_SYSTEM;

	if (chdir(store) != 0 || (mkdir("toolchains", 0755) != 0 && errno != EEXIST))
		return IM_ERR_SYSTEM;
	here = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = open("toolchains", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (here >= 0 && dir >= 0)
		r = confine_identity(here, dir);
	if (here >= 0)
		close(here);
	if (dir >= 0)
		close(dir);
	return r;
}

/* A root that stays root is the only id of its user namespace; mapping that one into another namespace takes this capability. */
static uint32_t
capabilities_to_keep(void)
{
	return geteuid() == 0 ? 1u << CAP_SETFCAP : 0;
}

static int
give_rights_up(const char *store)
{
	int r = close_the_rest();

	signal(SIGPIPE, SIG_IGN);
	if (r == 0)
		r = enter_store(store);
	if (r == 0)
		r = confine_capabilities(capabilities_to_keep());
	if (r == 0)
		r = confine_harmless();
	if (r == 0)
		r = confine_to_parent(PIPE_HELPER_FD);
	if (r == 0 && fcntl(PIPE_HELPER_FD, F_SETFL, O_NONBLOCK) != 0)
		r = IM_ERR_SYSTEM;
	if (r == 0 && fcntl(PIPE_HELPER_FD, F_SETFD, FD_CLOEXEC) != 0)
		r = IM_ERR_SYSTEM;
	return r;
}

static int
serve(const struct limits *limits)
{
	struct filter compile = {0}, unpack = {0}, guard = {0};
	struct worker *w = NULL;
	int guarded, r = filter_build(&compile, FILTER_COMPILE);

	if (r == 0)
		r = filter_build(&unpack, FILTER_UNPACK);
	if (r == 0) {
		/* Where it cannot be had each job says so. */
		guarded = filter_build(&guard, FILTER_GUARD) == 0;
		unpack_sweep();
		w = worker_new(PIPE_HELPER_FD, limits, &compile, &unpack, guarded ? &guard : NULL);
		r = w == NULL ? IM_ERR_MEMORY : worker_probe(w);
	}
	if (r == 0)
		r = worker_serve(w);
	if (w != NULL)
		worker_free(w);
	filter_fini(&compile);
	filter_fini(&unpack);
	filter_fini(&guard);
	return r == 0 || r == IM_ERR_CLOSED ? 0 : complain("helper", r);
}

static int
main_helper(char **args)
{
	struct limits limits;
	int r = limits_parse(&limits, args + 1);

	if (r != 0)
		return complain("limits", r);
	r = give_rights_up(args[0]);
	return r != 0 ? complain(args[0], r) : serve(&limits);
}

/* --- pack --- */

static int
write_witness(const struct buf *b)
{
	size_t at = 0;

	while (at < b->len) {
		ssize_t n = write(PACK_WITNESS_FD, b->data + at, b->len - at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return IM_ERR_SYSTEM;
		at += (size_t)n;
	}
	return 0;
}

static int
main_pack(const char *compiler)
{
	struct buf witness;
	char why[256] = "";
	int r;

	buf_init(&witness, WITNESS_LEN_MAX);
	r = toolchain_pack(compiler, PACK_OUT_FD, &witness, why);
	if (r != 0)
		fprintf(stderr, "icemesh-exec: cannot pack %s: %s\n", compiler, why);
	else if ((r = write_witness(&witness)) != 0)
		complain("cannot write the witness to descriptor 3", r);
	buf_fini(&witness);
	return r == 0 ? 0 : 1;
}

int
main(int argc, char **argv)
{
	if (argc == 7 && strcmp(argv[1], "helper") == 0)
		return main_helper(argv + 2);
	if (argc == 3 && strcmp(argv[1], "pack") == 0)
		return main_pack(argv[2]);
	if (argc == 2 && strcmp(argv[1], "--version") == 0)
		return printf("icemesh-exec " IM_VERSION "\n") < 0;
	if (argc == 2 && strcmp(argv[1], "-h") == 0)
		return fputs(USAGE, stdout) < 0;
	fputs(USAGE, stderr);
	return 2;
}
