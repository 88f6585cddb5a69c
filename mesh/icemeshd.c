/*
 * icemeshd: the daemon of every node.  Order of its start: configuration, folders, dropped rights, helper, and only then
 * sockets.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "mesh/blobs.h"
#include "mesh/clients.h"
#include "mesh/drain.h"
#include "mesh/drop.h"
#include "mesh/files.h"
#include "mesh/graphs.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/want.h"
#include "mesh/machine.h"
#include "mesh/peers.h"
#include "mesh/radio.h"
#include "mesh/renewal.h"
#include "mesh/serve.h"
#include "mesh/store.h"
#include "mesh/upload.h"

#define OPTIONS_MAX 64

static const char usage[] = "usage: icemeshd [-nv] [-c FILE] [-o KEY=VALUE]...\n";

struct start {
	const char *file;
	const char *options[OPTIONS_MAX];
	unsigned noptions;
	bool check, verbose;
};

/* Everything that has to be known until the end. */
struct daemon {
	struct node node;
	int listener;
	uint16_t port;
	struct watch *accepting, *term, *interrupt;
	struct drain *drain; /* before the end */
	bool helper_lost;
};

static void
complain(const char *why)
{
	fprintf(stderr, "icemeshd: %s\n", why);
}

/* 0, or the exit status. */
static int
read_arguments(int argc, char **argv, struct start *s)
{
	static const struct option words[] = {
	        {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	int o;
	while ((o = getopt_long(argc, argv, "c:o:nvh", words, NULL)) != -1) {
		switch (o) {
		case 'c':
			s->file = optarg;
			break;
		case 'o':
			if (s->noptions == OPTIONS_MAX)
				return complain("more than 64 -o options"), 2;
			s->options[s->noptions++] = optarg;
			break;
		case 'n':
			s->check = true;
			break;
		case 'v':
			s->verbose = true;
			break;
		case 'h':
			fputs(usage, stdout);
			exit(0);
		case 'V':
			puts("icemeshd " IM_VERSION);
			exit(0);
		default:
			fputs(usage, stderr);
			return 2;
		}
	}
	if (optind != argc)
		return fputs(usage, stderr), 2;
	return 0;
}

static int
apply_option(struct config *c, const char *text, char *why)
{
	char key[64];
	const char *equals = strchr(text, '=');
	if (!equals || equals == text || (size_t)(equals - text) >= sizeof key) {
		snprintf(why, 256, "-o %.100s: write -o KEY=VALUE", text);
		return IM_ERR_FORMAT;
	}
	snprintf(key, sizeof key, "%.*s", (int)(equals - text), text);
	return config_set(c, key, equals + 1, why, 256);
}

static int
read_config(struct config *c, const struct start *s, char *why)
{
	int err;
	if (s->file) {
		config_defaults(c, config_scope());
		err = config_read(c, s->file, why, 256);
		if (err == IM_ERR_ABSENT)
			snprintf(why, 256, "%.200s: no such file", s->file);
	} else {
		err = config_load(c, config_scope(), why, 256);
	}
	for (unsigned i = 0; i < s->noptions && err == 0; i++)
		err = apply_option(c, s->options[i], why);
	if (err == 0 && !*c->socket) {
		char own[CONFIG_VALUE_SIZE];
		config_own_socket(c, config_scope(), own);
		memcpy(c->socket, own, sizeof own);
	}
	return err;
}

/* The boot id only grows, even when the clock went back: peers refuse a lower one as a replay. */
static uint64_t
next_boot(const char *state_dir)
{
	char path[FILES_PATH_SIZE], text[32];
	struct buf b;
	uint64_t last = 0, now = wall_milliseconds();
	buf_init(&b, 64);
	if (files_path(path, state_dir, "boot") < 0)
		return now;
	if (files_read(path, &b) == 0 && buf_text(&b))
		last = strtoull(buf_text(&b), NULL, 10);
	buf_fini(&b);
	uint64_t boot = last >= now ? last + 1 : now;
	int n = snprintf(text, sizeof text, "%llu\n", (unsigned long long)boot);
	if (files_write(path, text, (size_t)n, 0600) < 0)
		complain("the boot counter cannot be written; peers may take this node for its "
		         "former self");
	return boot;
}

static void
on_accept(void *arg, int events)
{
	(void)events;
	struct daemon *d = arg;
	for (int k = 0; k < 64; k++) {
		int fd = accept4(d->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0) {
			watch_accept_failed(d->accepting, errno);
			return;
		}
		serve_accept(d->node.serve, fd);
	}
}

static void
on_stop(void *arg, int signo)
{
	struct daemon *d = arg;
	log_info(&d->node.log, "ends on %s", signo == SIGTERM ? "SIGTERM" : "SIGINT");
	drain_begin(d->drain);
	if (drain_waits(d->drain))
		log_info(&d->node.log, "the others' jobs may finish; a second signal ends them");
}

static void
on_drained(void *arg)
{
	struct daemon *d = arg;
	loop_stop(d->node.loop);
}

static void
on_helper_lost(void *arg)
{
	struct daemon *d = arg;
	log_warn(&d->node.log,
	        "the helper icemesh-exec is gone; ending, so that both can be started anew");
	d->helper_lost = true;
	loop_stop(d->node.loop);
}

static void
on_peer_news(struct node *n, const struct node_id *id)
{
	if (n->wants)
		wants_news(n->wants, id);
}

/* Tells whoever started us: a line on stdout, and the service manager when it asked (sd_notify(3)). */
static void
say_ready(struct daemon *d)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un sa = {.sun_family = AF_UNIX};
	printf("icemeshd: ready, port %u, socket %s\n", d->port, d->node.config.socket);
	fflush(stdout);
	if (!path || strlen(path) >= sizeof sa.sun_path || (*path != '/' && *path != '@'))
		return;
	memcpy(sa.sun_path, path, strlen(path));
	if (*path == '@')
		sa.sun_path[0] = 0;
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		socklen_t len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
		if (sendto(fd, "READY=1", 7, MSG_NOSIGNAL, (struct sockaddr *)&sa, len) < 0)
			complain("the service manager does not take READY");
		close(fd);
	}
}

/* Folders, rights, helper: before any socket. */
static int
prepare(struct daemon *d, const struct start *s, char *why)
{
	struct node *n = &d->node;
	int err = read_config(&n->config, s, why);
	if (err < 0 || s->check)
		return err;
	n->log.verbose = s->verbose;
	umask(022);
	err = drop_rights(&n->config, why);
	if (err < 0)
		return err;
	if (files_mkdir(n->config.state_dir, 0700) < 0 ||
	        files_mkdir(n->config.store_dir, 0700) < 0 ||
	        blobs_folders(n->config.store_dir) < 0) {
		snprintf(why, 256, "%.120s or %.120s: %s", n->config.state_dir, n->config.store_dir,
		        strerror(errno));
		return IM_ERR_SYSTEM;
	}
	n->helper = helper_start(&n->config, why);
	return n->helper ? 0 : IM_ERR_SYSTEM;
}

static int
open_parts(struct daemon *d, char *why)
{
	struct node *n = &d->node;
	machine_platform(n->platform);
	n->boot = next_boot(n->config.state_dir);
	n->loop = loop_new();
	if (!n->loop || !(n->identity = identity_open(n, why)) ||
	        !(n->store = store_open(n, why)) ||
	        !(n->blobs = blobs_open(n->config.store_dir, why)))
		return IM_ERR_SYSTEM;
	int err = helper_attach(n->helper, n, on_helper_lost, d, why);
	if (err < 0)
		return err;
	if (radio_listen(n->config.listen, &d->listener, &d->port, why) < 0)
		return IM_ERR_SYSTEM;
	snprintf(why, 256, "out of memory");
	n->serve = serve_new(n);
	n->uploads = uploads_new(n, on_peer_news);
	n->wants = wants_new(n);
	n->graphs = graphs_new();
	if (!n->serve || !n->uploads || !n->wants || !n->graphs ||
	        !(n->peers = peers_open(n, d->port, on_peer_news, why)) ||
	        !(n->clients = clients_open(n, why)) || !(n->renewal = renewal_new(n)))
		return IM_ERR_SYSTEM;
	d->accepting = watch_new(n->loop, d->listener, LOOP_READ, on_accept, d);
	d->drain = drain_new(n, on_drained, d);
	d->term = watch_signal(n->loop, SIGTERM, on_stop, d);
	d->interrupt = watch_signal(n->loop, SIGINT, on_stop, d);
	return d->accepting && d->drain && d->term && d->interrupt ? 0 : IM_ERR_MEMORY;
}

static void
close_parts(struct daemon *d)
{
	struct node *n = &d->node;
	renewal_free(n->renewal);
	clients_close(n->clients);
	graphs_free(n->graphs);
	wants_free(n->wants);
	n->wants = NULL;
	uploads_free(n->uploads);
	if (n->serve)
		serve_drain(n->serve, true);
	struct peers *peers = n->peers;
	n->peers = NULL;
	peers_close(peers);
	serve_free(n->serve);
	n->serve = NULL;
	watch_free(d->accepting);
	drain_free(d->drain);
	watch_free(d->term);
	watch_free(d->interrupt);
	if (d->listener >= 0)
		close(d->listener);
	helper_stop(n->helper);
	blobs_free(n->blobs);
	store_free(n->store);
	identity_free(n->identity);
	loop_free(n->loop);
}

int
main(int argc, char **argv)
{
	static struct daemon d = {.listener = -1};
	struct start s = {0};
	char why[256] = "";
	int status = read_arguments(argc, argv, &s);
	if (status)
		return status;
	if (crypto_start() < 0) {
		complain("libsodium does not start");
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	struct rlimit files;
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	int err = prepare(&d, &s, why);
	if (err == 0 && s.check)
		return 0;
	if (err == 0)
		err = open_parts(&d, why);
	if (err < 0) {
		complain(why);
		close_parts(&d);
		return 1;
	}
	peers_mesh_changed(d.node.peers);
	say_ready(&d);
	err = loop_run(d.node.loop);
	close_parts(&d);
	return err < 0 || d.helper_lost ? 1 : 0;
}
