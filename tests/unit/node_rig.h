/*
 * Whole nodes in one process for the unit tests of mesh/: folders of their own, one event loop for all, loopback addresses with
 * ports that the kernel gives, no multicast.  The helper and the log are made up here: a job or an unpacking ends when the
 * test says so, or at once; log lines are kept instead of printed.
 */
#ifndef TESTS_UNIT_NODE_RIG_H
#define TESTS_UNIT_NODE_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "crypto/packet.h"
#include "mesh/blobs.h"
#include "mesh/clients.h"
#include "mesh/commands.h"
#include "mesh/control.h"
#include "mesh/endpoint.h"
#include "mesh/files.h"
#include "mesh/graphs.h"
#include "mesh/helper.h"
#include "mesh/identity.h"
#include "mesh/want.h"
#include "mesh/log.h"
#include "mesh/machine.h"
#include "mesh/peers.h"
#include "mesh/radio.h"
#include "mesh/serve.h"
#include "mesh/store.h"
#include "mesh/upload.h"

#define RIG_WAIT_MS 20000
#define RIG_LOG_SIZE 65536

static struct loop *rig_loop;
static char rig_log[RIG_LOG_SIZE];

/* --- waiting --- */

static inline void
rig_stop_loop(void *arg)
{
	loop_stop(arg);
}

/* Lets the loop run for a moment. */
static inline void
rig_spin(void)
{
	struct timer *t = timer_new(rig_loop, rig_stop_loop, rig_loop);
	timer_set(t, 2);
	assert_int_equal(loop_run(rig_loop), 0);
	timer_free(t);
}

/* Runs the loop until the expression holds. */
#define UNTIL(expr)                                                                 \
	do {                                                                        \
		uint64_t end_ = loop_now_ms() + RIG_WAIT_MS;                        \
		while (!(expr)) {                                                   \
			if (loop_now_ms() >= end_)                                  \
				fail_msg("never: %s; the log: %s", #expr, rig_log); \
			rig_spin();                                                 \
		}                                                                   \
	} while (0)

/* --- the log --- */

static inline void
rig_note(const char *fmt, va_list ap)
{
	size_t n = strlen(rig_log);
	if (n > RIG_LOG_SIZE / 2)
		n = 0;
	vsnprintf(rig_log + n, RIG_LOG_SIZE - n - 1, fmt, ap);
	strcat(rig_log, "\n");
}

#define RIG_LOG(name)                                  \
	void name(struct log *l, const char *fmt, ...) \
	{                                              \
		va_list ap;                            \
		(void)l;                               \
		va_start(ap, fmt);                     \
		rig_note(fmt, ap);                     \
		va_end(ap);                            \
	}
RIG_LOG(log_info)
RIG_LOG(log_warn)
RIG_LOG(log_debug)

#define RIG_LIMITED_LOG(name)                                           \
	void name(struct log *l, uint64_t now_ms, const char *fmt, ...) \
	{                                                               \
		va_list ap;                                             \
		(void)l, (void)now_ms;                                  \
		va_start(ap, fmt);                                      \
		rig_note(fmt, ap);                                      \
		va_end(ap);                                             \
	}
RIG_LIMITED_LOG(log_hostile)
RIG_LIMITED_LOG(log_told)

/* --- the helper --- */

#ifndef RIG_REAL_HELPER

struct fake_ask {
	uint64_t id;
	enum pipe_type type;
	struct digest digest;
	int fds[PIPE_FDS_MAX];
	unsigned nfds;
	helper_answer cb;
	void *arg;
	bool killed;
};

struct helper {
	unsigned level;
	uint64_t next;
	struct fake_ask asks[64];
	unsigned nasks;
	bool hold;        /* nothing is answered but by rig_answer() */
	bool refuse_asks; /* the pipe is full */
	bool fail_unpack;
	unsigned runs, unpacks, kills;
	struct timer *timer;
};

/* Answers ask number i: a run's output is its first streamed input (empty without one). */
static inline void
rig_answer(struct helper *h, unsigned i, enum job_end end)
{
	struct fake_ask a = h->asks[i];
	struct pipe_msg m = {.type = PIPE_UNPACKED, .id = a.id, .digest = a.digest};
	int fds[PIPE_FDS_MAX];
	unsigned n = 0;
	memmove(&h->asks[i], &h->asks[i + 1], (--h->nasks - i) * sizeof a);
	if (a.type == PIPE_RUN) {
		m.type = PIPE_DONE;
		m.result = (struct job_result){.end = end, .noutputs = 3};
		for (unsigned k = 0; k < 3 && end == JOB_EXITED; k++) {
			fds[n++] = k == 2 && a.nfds > 1 ? fcntl(a.fds[1], F_DUPFD_CLOEXEC, 0)
			                                : files_memory("out", "", 0);
			m.result.outputs[k].present = 1;
		}
	} else if (h->fail_unpack) {
		m.err = IM_ERR_FORMAT;
		snprintf(m.text, sizeof m.text, "no archive");
	}
	for (unsigned k = 0; k < a.nfds; k++)
		close(a.fds[k]);
	if (a.cb)
		a.cb(a.arg, &m, fds, n);
	else
		while (n)
			close(fds[--n]);
}

static inline void
rig_answer_all(void *arg)
{
	struct helper *h = arg;
	while (h->nasks && !h->hold)
		rig_answer(h, 0, h->asks[0].killed ? JOB_KILLED : JOB_EXITED);
}

struct helper *
helper_start(const struct config *c, char *why)
{
	(void)c, (void)why;
	struct helper *h = calloc(1, sizeof *h);
	assert_non_null(h);
	h->level = 3;
	return h;
}

int
helper_attach(struct helper *h, struct node *n, void (*lost)(void *), void *arg, char *why)
{
	(void)lost, (void)arg, (void)why;
	h->timer = timer_new(n->loop, rig_answer_all, h);
	return 0;
}

void
helper_stop(struct helper *h)
{
	h->hold = false;
	rig_answer_all(h);
	timer_free(h->timer);
	free(h);
}

unsigned
helper_level(const struct helper *h)
{
	return h->level;
}

const char *
helper_level_text(const struct helper *h)
{
	(void)h;
	return "made up";
}

uint64_t
helper_ask(struct helper *h, enum pipe_type type, const struct digest *d, const int *fds,
        unsigned nfds, helper_answer cb, void *arg)
{
	if (h->refuse_asks)
		return 0;
	assert_true(h->nasks < 64 && nfds <= PIPE_FDS_MAX);
	struct fake_ask *a = &h->asks[h->nasks++];
	*a = (struct fake_ask){.id = ++h->next, .type = type, .nfds = nfds, .cb = cb, .arg = arg};
	if (d)
		a->digest = *d;
	for (unsigned i = 0; i < nfds; i++)
		a->fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 0);
	h->runs += type == PIPE_RUN;
	h->unpacks += type == PIPE_UNPACK;
	timer_set(h->timer, 0);
	return a->id;
}

void
helper_forget(struct helper *h, uint64_t id)
{
	for (unsigned i = 0; i < h->nasks; i++)
		if (h->asks[i].id == id)
			h->asks[i].cb = NULL;
}

void
helper_kill(struct helper *h, uint64_t id)
{
	h->kills++;
	for (unsigned i = 0; i < h->nasks; i++)
		if (h->asks[i].id == id)
			h->asks[i].killed = true;
}

static inline void
rig_release(struct helper *h)
{
	h->hold = false;
	timer_set(h->timer, 0);
}

#endif

/* --- nodes --- */

struct rig {
	struct node n;
	char dir[64];
	int listener;
	uint16_t port;
	struct watch *accepting;
	unsigned news; /* calls of changed() */
};

static inline void
rig_accept(void *arg, int events)
{
	(void)events;
	struct rig *r = arg;
	int fd = accept4(r->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		serve_accept(r->n.serve, fd);
}

static inline void
rig_news(struct node *n, const struct node_id *id)
{
	((struct rig *)n)->news++; /* the node is the rig's first field */
	if (n->wants)
		wants_news(n->wants, id);
}

/* Starts the parts over the folders that are there. */
static inline void
rig_start(struct rig *r)
{
	struct node *n = &r->n;
	char why[256] = "";
	memset(&n->counters, 0, sizeof n->counters);
	n->loop = rig_loop;
	n->boot = wall_milliseconds();
	machine_platform(n->platform);
	n->helper = helper_start(&n->config, why);
	n->identity = identity_open(n, why);
	n->store = n->identity ? store_open(n, why) : NULL;
	n->blobs = n->store ? blobs_open(n->config.store_dir, why) : NULL;
	if (!n->blobs)
		fail_msg("%s", why);
	assert_int_equal(helper_attach(n->helper, n, NULL, NULL, why), 0);
	if (radio_listen(n->config.listen, &r->listener, &r->port, why) < 0)
		fail_msg("%s", why);
	n->serve = serve_new(n);
	n->uploads = uploads_new(n, rig_news);
	n->wants = wants_new(n);
	n->graphs = graphs_new();
	n->peers = peers_open(n, r->port, rig_news, why);
	n->clients = n->peers ? clients_open(n, why) : NULL;
	if (!n->serve || !n->uploads || !n->wants || !n->graphs || !n->clients)
		fail_msg("%s", why);
	r->accepting = watch_new(rig_loop, r->listener, LOOP_READ, rig_accept, r);
	peers_mesh_changed(n->peers);
}

static inline void
rig_stop(struct rig *r)
{
	struct node *n = &r->n;
	clients_close(n->clients);
	n->clients = NULL;
	graphs_free(n->graphs);
	wants_free(n->wants);
	n->wants = NULL;
	uploads_free(n->uploads);
	serve_reset(n->serve);
	struct peers *peers = n->peers;
	n->peers = NULL;
	peers_close(peers);
	serve_free(n->serve);
	n->serve = NULL;
	watch_free(r->accepting);
	close(r->listener);
	helper_stop(n->helper);
	blobs_free(n->blobs);
	store_free(n->store);
	identity_free(n->identity);
}

static inline void
rig_open(struct rig *r, const char *name)
{
	struct config *c = &r->n.config;
	assert_int_equal(crypto_start(), 0);
	signal(SIGPIPE, SIG_IGN);
	memset(r, 0, sizeof *r);
	if (!rig_loop)
		rig_loop = loop_new();
	assert_non_null(rig_loop);
	snprintf(r->dir, sizeof r->dir, "/tmp/icemesh-test-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	chmod(r->dir, 0755);
	config_defaults(c, CONFIG_USER);
	snprintf(c->name, sizeof c->name, "%s", name);
	snprintf(c->state_dir, sizeof c->state_dir, "%s/state", r->dir);
	snprintf(c->store_dir, sizeof c->store_dir, "%s/store", r->dir);
	snprintf(c->socket, sizeof c->socket, "%s/socket", r->dir);
	snprintf(c->listen, sizeof c->listen, "127.0.0.1:0");
	snprintf(c->group, sizeof c->group, "off");
	snprintf(c->group6, sizeof c->group6, "off");
	c->slots = 1;
	assert_int_equal(files_mkdir(c->state_dir, 0700), 0);
	rig_start(r);
}

static inline int
rig_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

static inline void
rig_close(struct rig *r)
{
	rig_stop(r);
	nftw(r->dir, rig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* After the last node of a test. */
static inline int
rig_teardown(void **state)
{
	(void)state;
	loop_free(rig_loop);
	rig_loop = NULL;
	rig_log[0] = 0;
	return 0;
}

/* --- a mesh --- */

static inline void
rig_init(struct rig *r)
{
	assert_int_equal(identity_init(r->n.identity, "test"), 0);
	mesh_changed(&r->n);
}

static inline void
rig_token(struct rig *r, unsigned uses, unsigned seconds, struct token *t)
{
	struct buf text;
	buf_init(&text, TOKEN_TEXT_MAX);
	assert_int_equal(identity_invite(r->n.identity, ROLE_WORKER, uses, seconds, "", &text), 0);
	assert_int_equal(token_parse(t, buf_text(&text)), 0);
	buf_fini(&text);
}

static inline struct endpoint
rig_endpoint(const struct rig *r)
{
	struct endpoint e = {.len = 4, .bytes = {127, 0, 0, 1}, .port = r->port};
	return e;
}

static inline const struct node_id *
rig_id(const struct rig *r)
{
	return identity_node(r->n.identity);
}

static inline const struct member *
rig_member(const struct rig *r, const struct rig *of)
{
	struct gossip *g = peers_gossip(r->n.peers);
	const struct member *m = g ? gossip_find(g, rig_id(of)) : NULL;
	return m && m->state == MEMBER_UP ? m : NULL;
}

/* b becomes a member of a's mesh, and both see each other. */
static inline void
rig_enrol(struct rig *a, struct rig *b)
{
	struct token t;
	struct wire_join j;
	struct wire_joined answer = {.mesh = "test"};
	struct buf cert;
	char why[256];
	uint8_t hash[32] = {1};
	buf_init(&cert, CERT_LEN_MAX);
	rig_token(a, 1, 3600, &t);
	identity_join_request(b->n.identity, &t, hash, &j);
	assert_int_equal(identity_enrol(a->n.identity, &j, hash, &cert, why), 0);
	memcpy(answer.cert, cert.data, cert.len);
	answer.cert_len = cert.len;
	assert_int_equal(identity_joined(b->n.identity, t.root_pk, &answer), 0);
	buf_fini(&cert);
	snprintf(b->n.config.seeds, sizeof b->n.config.seeds, "127.0.0.1:%u", a->port);
	mesh_changed(&b->n);
	UNTIL(rig_member(a, b) && rig_member(b, a));
}

/* --- toolchains --- */

/* What a member signs: digest and signature text of the content. */
static inline void
rig_sign(struct rig *r, const void *content, size_t len, struct digest *d, char sig[SIGN_TEXT_MAX])
{
	const struct conn_identity *id = identity_conn(r->n.identity);
	struct prehash_stream p;
	uint8_t prehash[PREHASH_LEN];
	struct buf text;
	digest_of(d, content, len);
	prehash_begin(&p);
	prehash_add(&p, content, len);
	prehash_end(&p, prehash);
	buf_init(&text, SIGN_TEXT_MAX - 1);
	assert_int_equal(sign_make(id->key, id->cert, id->cert_len, d, len, prehash, &text), 0);
	snprintf(sig, SIGN_TEXT_MAX, "%s", buf_text(&text));
	buf_fini(&text);
}

/* A tarball in the node's store. */
static inline void
rig_tarball(struct rig *r, const void *content, size_t len, struct digest *d)
{
	char sig[SIGN_TEXT_MAX];
	struct store_file *f = store_file_new(r->n.store, len);
	assert_non_null(f);
	assert_int_equal(store_file_add(f, content, len), 0);
	rig_sign(r, content, len, d, sig);
	assert_int_equal(store_file_keep(f, d, sig), 0);
}

/* The toolchain can run here at once. */
static inline void
rig_unpacked(struct rig *r, const struct digest *d)
{
	struct toolchain *t = store_add(r->n.store, d);
	assert_non_null(t);
	t->unpacked = true;
	peers_load_changed(r->n.peers);
}

/* Files below store_dir/folder. */
static inline unsigned
rig_files(const struct rig *r, const char *folder)
{
	char path[FILES_PATH_SIZE];
	unsigned n = 0;
	snprintf(path, sizeof path, "%s/%s", r->n.config.store_dir, folder);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

static inline unsigned
rig_open_fds(void)
{
	unsigned n = 0;
	DIR *dir = opendir("/proc/self/fd");
	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static inline bool
rig_logged(const char *text)
{
	return strstr(rig_log, text) != NULL;
}

#endif
